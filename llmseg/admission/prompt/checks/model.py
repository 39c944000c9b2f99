"""Requirements 11 to 14: the network, its output, and the loss."""

from __future__ import annotations

import ast
import re

from llmseg.admission.prompt.checks.source import Found, Sign, Source, keyword, met, unmet, unseen, words_of

_DOWN = ("MaxPool2d", "AvgPool2d", "MaxPooling2D", "AveragePooling2D", "max_pool2d", "avg_pool2d")
_UP = (
    "ConvTranspose2d",
    "Upsample",
    "interpolate",
    "Conv2DTranspose",
    "UpSampling2D",
    "UpsamplingBilinear2d",
    "PixelShuffle",
)
_JOIN = ("cat", "concat", "concatenate", "Concatenate")
_READY_MADE = ("UNet", "Unet", "BasicUNet", "AttentionUnet", "DynUNet", "UnetPlusPlus")
_OVERLAP = re.compile(r"dice|tversky|jaccard|iou|lovasz|focal")
_LOGIT_LOSSES = ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits")
_PROBABILITY_LOSSES = ("BCELoss", "binary_cross_entropy")


def check_unet_class(source: Source) -> Sign:
    """Requirement 11."""
    bases = ("Module",) if source.prompt.framework == "pytorch" else ("Model", "Layer")
    own = [each for each in source.classes if any(base.rpartition(".")[2] in bases for base in source.bases(each))]
    networks = [each for each in own if not re.search(r"loss|criterion|dice", each.name.lower())]
    ready = [
        each for each in source.calls if each.last in _READY_MADE and each.name.startswith(("monai", "segmentation"))
    ]
    if not networks:
        return unmet("there is no class for a network", ready)
    if ready:
        return met("a class around a U-Net of a package", [*networks, *ready])
    signs = {"reduces": _DOWN, "restores": _UP, "joins": _JOIN}
    missing = [what for what, names in signs.items() if not source.called(*names)]
    if "reduces" in missing and _has_stride(source):
        missing.remove("reduces")
    if not missing:
        return met("a class with pooling, up-sampling and joined maps", networks)
    # Skips may be added, and a decoder may be written in another way: what is missing here is no proof.
    return unseen(f"nothing that is known to be how a U-Net {' and '.join(missing)} its maps", networks)


def _has_stride(source: Source) -> bool:
    strides = [
        keyword(each.call, "stride") or keyword(each.call, "strides") for each in source.called("Conv2d", "Conv2D")
    ]
    return any(source.settings.constant(each) in (2, (2, 2)) for each in strides if each is not None)


_OUTPUT_NAMES = ("out_channels", "n_classes", "num_classes", "classes", "out_ch", "output_channels", "n_channels_out")


def check_output(source: Source) -> Sign:
    """Requirement 12."""
    networks = {each.name for each in source.classes if any(base.endswith("Module") for base in source.bases(each))}
    networks -= {each.name for each in source.classes if _is_loss(each)}
    made = [each for each in source.calls if each.last in networks and each.script.path != "model.py"]
    for found in made:
        given = next((value for name in _OUTPUT_NAMES if (value := keyword(found.call, name)) is not None), None)
        value = source.settings.constant(given) if given is not None else None
        if isinstance(value, int) and value != 1:
            return unmet(f"the network has {value} output channels", [found])
    return unseen("size and channels of the output", made)


def check_foreground(source: Source) -> Sign:
    """Requirement 13."""
    minimised = _minimised(source)
    named = [each for each in (*source.functions, *source.classes) if _is_loss(each) or each.name in minimised]
    signs = [each for each in named if _OVERLAP.search(each.name.lower())]
    signs += [each for each in source.calls if _OVERLAP.search(each.last.lower()) and "loss" in each.last.lower()]
    signs += [each for each in named if any(_OVERLAP.search(word) for word in words_of(each.node))]
    signs += [each for each in source.calls if keyword(each.call, "pos_weight") is not None]
    if signs:
        return met("the loss has an overlap term or weights", signs)
    losses = [each for each in source.calls if each.last in _LOGIT_LOSSES + _PROBABILITY_LOSSES]
    if losses:
        return unmet("the loss has neither an overlap term nor weights", losses)
    return unseen("what the loss is")


def _minimised(source: Source) -> set[str]:
    """Return the names of functions whose value is taken the gradient of."""
    names: set[str] = set()
    for found in source.called("backward"):
        function = found.script.function_of(found.node)
        receiver = found.call.func.value if isinstance(found.call.func, ast.Attribute) else None
        for node in ast.walk(function or found.script.tree):
            if isinstance(node, ast.Assign) and isinstance(receiver, ast.Name):
                given = any(isinstance(target, ast.Name) and target.id == receiver.id for target in node.targets)
                calls = (inner for inner in ast.walk(node.value) if given and isinstance(inner, ast.Call))
                names |= {found.script.dotted(call.func).rpartition(".")[2] for call in calls}
    return names


def _is_loss(found: Found) -> bool:
    return bool(re.search(r"loss|criterion", found.name.lower()))


def check_sigmoid(source: Source) -> Sign:
    """Requirement 14."""
    in_network = _sigmoids_of_network(source)
    in_loss = _sigmoids_of_loss(source)
    expecting = source.called(*_PROBABILITY_LOSSES)
    if source.prompt.framework == "keras":
        in_network += [
            each for each in source.calls if source.settings.constant(keyword(each.call, "activation")) == "sigmoid"
        ]
        return unseen("whether output and loss fit", in_network)
    if _depends_on_mode(in_network):
        return unseen("the network applies its sigmoid in one mode only", in_network)
    if in_network and in_loss:
        return unmet("the network and the loss apply a sigmoid", [*in_network, *in_loss])
    if expecting and not in_network and not source.called("sigmoid", "Sigmoid"):
        return unmet("the loss expects probabilities, and nothing applies a sigmoid", expecting)
    if in_network:
        again = [each for each in source.called("sigmoid", "Sigmoid") if each.script.path != "model.py"]
        if again:
            return unmet("the sigmoid of the network is followed by another", [*in_network, *again])
        return met("the network applies the sigmoid, and nothing else does", in_network)
    return _check_logits(source, in_loss)


def _check_logits(source: Source, in_loss: list[Found]) -> Sign:
    """Return whether all functions that cut an output of logits at 0.5 apply a sigmoid."""
    raw = [each for each in source.functions if _cuts_at_half(each.node) and not source.called("sigmoid", within=each)]
    if raw:
        return unseen("whether what is cut at 0.5 went through a sigmoid before", raw)
    return met("the loss takes logits", in_loss) if in_loss else unseen("where the sigmoid is applied")


def _cuts_at_half(node: ast.AST) -> bool:
    return any(
        isinstance(each, ast.Compare) and any(isinstance(c, ast.Constant) and c.value == 0.5 for c in each.comparators)
        for each in ast.walk(node)
    )


def _sigmoids_of_network(source: Source) -> list[Found]:
    networks = [each for each in source.classes if any(base.endswith("Module") for base in source.bases(each))]
    networks = [
        each for each in networks if not re.search(r"loss|criterion|att|gate|dice|squeeze|^se", each.name.lower())
    ]
    return [found for each in networks for found in source.called("sigmoid", "Sigmoid", within=each)]


def _sigmoids_of_loss(source: Source) -> list[Found]:
    losses = [each for each in (*source.functions, *source.classes) if _is_loss(each) and not _trains(each)]
    inside = [found for each in losses for found in source.called("sigmoid", "Sigmoid", within=each)]
    flagged = [each for each in source.calls if source.settings.constant(keyword(each.call, "sigmoid")) is True]
    return [*source.called(*_LOGIT_LOSSES), *inside, *flagged]


def _trains(found: Found) -> bool:
    """Return whether a function with ``loss`` in its name is no loss but runs a phase or draws."""
    return bool(re.search(r"train|val|plot|save|test|curve|epoch", found.name.lower()))


def _depends_on_mode(found: list[Found]) -> bool:
    return any(
        isinstance(up, ast.If | ast.IfExp) and "training" in set(words_of(up.test))
        for each in found
        for up in each.script.above(each.node)
    )
