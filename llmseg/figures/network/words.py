"""What the steps of a network are: their kinds, and their names in words."""

from __future__ import annotations

from llmseg.figures.network.trace import Step

CONVOLUTIONS = {"conv1d", "conv2d", "conv3d", "linear"}
TRANSPOSED = {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
LAYERS = CONVOLUTIONS | TRANSPOSED
"""Steps with weights that make maps from maps."""

JOINS = {
    **dict.fromkeys(("cat", "concat", "concatenate"), "concatenated"),
    **dict.fromkeys(("add", "iadd", "radd"), "added"),
    **dict.fromkeys(("mul", "imul", "rmul", "multiply"), "multiplied"),
}
"""How a step puts several maps together."""

_NORMS = {
    "batch_norm": "batch norm",
    "instance_norm": "instance norm",
    "layer_norm": "layer norm",
    "group_norm": "group norm",
    "rms_norm": "RMS norm",
    "local_response_norm": "local response norm",
}
_ACTIVATIONS = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "leaky ReLU",
    "prelu": "PReLU",
    "elu": "ELU",
    "selu": "SELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "mish": "Mish",
    "hardswish": "hard swish",
    "hardtanh": "hard tanh",
    "softplus": "softplus",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "hardsigmoid": "hard sigmoid",
    "softmax": "softmax",
}
_FOLLOWING = _NORMS | _ACTIVATIONS

_POOLINGS = {
    "max_pool2d": "max pooling",
    "max_pool2d_with_indices": "max pooling",
    "avg_pool2d": "mean pooling",
    "adaptive_avg_pool2d": "mean pooling",
    "adaptive_max_pool2d": "max pooling",
    "lp_pool2d": "LP pooling",
}
_RESIZES = {"interpolate": "", "upsample": "", "upsample_bilinear": "bilinear", "upsample_nearest": "nearest"}
_CUTS = {"getitem", "pad", "narrow", "crop", "center_crop"}

NEGATIVE_FREE = {"relu", "relu6"}
"""Activations below which nothing falls under zero."""


def is_dropout(step: Step) -> bool:
    """Whether a step drops values in training."""
    return "dropout" in step.name and dropped_share(step) > 0


def dropped_share(step: Step) -> float:
    """Return the share of the values that a dropout drops in training."""
    return float(step.argument(1, "p", 0.5))


def follows(step: Step) -> bool:
    """Whether a step is a norm or an activation, which belong to the layer before them."""
    return step.name in _FOLLOWING


def cuts(step: Step) -> bool:
    """Whether a step cuts a map or puts a margin around it."""
    return step.name in _CUTS


def resizes(step: Step) -> bool:
    """Whether a step resizes maps by interpolation."""
    return step.name in _RESIZES


def follower_name(step: Step) -> str:
    """Return the name of a norm or an activation."""
    return _FOLLOWING[step.name]


def layer_name(step: Step) -> str:
    """Return the name of a layer with weights, such as ``3x3 convolution``."""
    if step.name == "linear":
        return "linear layer"
    kernel = _kernel(step.weight[2:])
    groups = _groups(step)
    depthwise = "depthwise " if groups > 1 and groups == step.channels else ""
    words = [f"{kernel} {depthwise}{'transposed ' if step.name in TRANSPOSED else ''}convolution"]
    if groups > 1 and not depthwise:
        words.append(f"{groups} groups")
    if step.name in CONVOLUTIONS and (dilation := _largest(step.argument(5, "dilation", 1))) > 1:
        words.append(f"dilation {dilation}")
    if step.name in CONVOLUTIONS and max(step.weight[2:]) > stride(step) and _is_unpadded(step):
        words.append("unpadded")
    return ", ".join(words)


def _groups(step: Step) -> int:
    return int(step.argument(6, "groups", 1))


def _is_unpadded(step: Step) -> bool:
    padding = step.argument(4, "padding", 0)
    return padding == "valid" or (not isinstance(padding, str) and _largest(padding) == 0)


def stride(step: Step) -> int:
    """Return by how much a layer reduces or enlarges a map; 1 for not at all."""
    return _largest(step.argument(3, "stride", 1)) if step.name in LAYERS - {"linear"} else 1


def change_name(step: Step, before: tuple[int, int]) -> str:
    """Return the name of a step that makes maps smaller or larger, such as ``2x2 max pooling``."""
    if step.name in TRANSPOSED:
        return layer_name(step) + ("" if stride(step) == 2 else f", stride {stride(step)}")
    if step.name in CONVOLUTIONS:
        return f"{layer_name(step)}, stride {stride(step)}"
    if step.name in _POOLINGS:
        kernel = "" if step.name.startswith("adaptive") else _kernel(step.argument(1, "kernel_size", 2)) + " "
        return kernel + _POOLINGS[step.name]
    size = map_size(step)
    if step.name in _RESIZES:
        how = _RESIZES[step.name] or str(step.argument(3, "mode", "nearest"))
        return f"{how} {'enlargement' if size[0] > before[0] else 'reduction'}"
    return step.name.replace("_", " ")


def map_size(step: Step) -> tuple[int, int]:
    """Return height and width of the maps that a step gives."""
    return step.shape[2], step.shape[3]


def size_text(size: tuple[int, int]) -> str:
    """Return a size as pages write it.

    Example:
        >>> size_text((256, 128))
        '256 x 128'
    """
    return f"{size[0]} x {size[1]}"


def change_word(before: tuple[int, int], after: tuple[int, int], by_cut: bool) -> str:
    """Return what was done to maps of one size to have those of another.

    Example:
        >>> change_word((32, 32), (16, 16), by_cut=True), change_word((8, 8), (16, 16), by_cut=False)
        ('cut', 'enlarged')
    """
    smaller = after[0] * after[1] < before[0] * before[1]
    return ("cut" if smaller else "padded") if by_cut else ("reduced" if smaller else "enlarged")


def _largest(value: object) -> int:
    numbers = value if isinstance(value, list | tuple) else (value,)
    return max(int(number) for number in numbers)


def _kernel(value: object) -> str:
    numbers = [int(number) for number in value] if isinstance(value, list | tuple) else [int(str(value))] * 2
    return "x".join(map(str, numbers if len(numbers) > 1 else numbers * 2))
