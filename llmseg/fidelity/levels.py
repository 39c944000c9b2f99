"""F1 to F3: network, data and objective against a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from llmseg.data.store import Store
from llmseg.fidelity import reference
from llmseg.fidelity.compare import Comparison, field
from llmseg.recipe.recipe import Recipe
from llmseg.training.loop import draw_start
from llmseg.training.random_streams import choose_seed
from llmseg.zoo import Pipeline

FORWARD = 1e-4
OBJECTIVE = 1e-5
TENSOR = 1e-6


def network(pipeline: Pipeline, record: dict[str, Any], compare: Comparison) -> None:
    """F1: parameter count, names and shapes, initialisation, output in evaluation and training mode."""
    forward = field(record, "forward")
    shape = field(record, "forward.input.shape")
    compare.exact("input channels", shape[1], pipeline.recipe.images.channels)
    with torch.random.fork_rng():
        net = pipeline.build()
    parameters = dict(net.named_parameters())
    compare.exact("parameters", field(record, "architecture.params_total"), sum(p.numel() for p in parameters.values()))
    trainable = sum(p.numel() for p in parameters.values() if p.requires_grad)
    compare.exact("trainable parameters", field(record, "architecture.params_trainable"), trainable)
    _compare_names(pipeline, net, record, compare)
    _compare_initialisation(pipeline, parameters, field(record, "architecture.own_init_std_absmax"), compare)
    reference.set_weights(net, places(pipeline, net, record))
    image = reference.input_tensor(forward["input"]["seed"], shape)
    with torch.no_grad(), torch.random.fork_rng():
        _compare_tensor("output (evaluation)", forward["eval"], net.eval()(image), compare, FORWARD)
        torch.manual_seed(9000)
        _compare_tensor("output (training)", forward["train"], net.train()(image), compare, FORWARD)


def places(pipeline: Pipeline, net: nn.Module, record: dict[str, Any]) -> dict[str, int]:
    """Return each parameter's place in the original's list, by our name."""
    listed = field(record, "architecture.parameters")
    theirs = {name: place for place, (name, _) in enumerate(listed)}
    ours = list(dict(net.named_parameters()))
    originals = pipeline.to_original(dict(net.named_parameters()))
    return {name: theirs[original] for name, original in zip(ours, originals, strict=True)}


def _compare_names(pipeline: Pipeline, net: nn.Module, record: dict[str, Any], compare: Comparison) -> None:
    for where, path, tensors in (
        ("parameters", "architecture.parameters", dict(net.named_parameters())),
        ("state dictionary", "architecture.state_dict", net.state_dict()),
    ):
        listed = field(record, path)
        expected = {name: list(shape) for name, shape in listed}
        found = {name: list(t.shape) for name, t in pipeline.to_original(tensors).items()}
        compare.exact(f"{where}, names", sorted(expected), sorted(found))
        for name, shape in expected.items():
            compare.exact(f"{where}, shape of {name}", shape, found[name])


def _compare_initialisation(
    pipeline: Pipeline, parameters: Mapping[str, Tensor], expected: Mapping[str, Any], compare: Comparison
) -> None:
    for name, parameter in pipeline.to_original(parameters).items():
        std, largest = expected[name]
        # Two draws of n numbers agree in their spread to about 1 / sqrt(n); six times that is no chance.
        slack = 6 / parameter.numel() ** 0.5
        found = parameter.detach().double()
        if parameter.numel() >= 64:
            compare.close(f"initial spread of {name}", std, found.std(correction=0).item(), rel=slack)
            compare.close(f"initial largest value of {name}", largest, found.abs().max().item(), rel=slack)


def _compare_tensor(where: str, expected: dict[str, Any], found: Tensor, compare: Comparison, allowed: float) -> None:
    shape = tuple(expected["shape"])
    compare.exact(f"{where}, shape", shape[-2:], tuple(found.shape)[-2:])
    found = found.reshape(shape)
    for name, value in reference.statistics(found).items():
        compare.close(f"{where}, {name}", expected[name], value, abs=allowed)
    for position, pixel in zip(expected["positions"], expected["pixels"], strict=True):
        # The first axis of a position is the case for an output [N, 1, H, W] and the channel for a tensor [C, H, W].
        index = (position[0], 0, *position[1:]) if len(shape) == 4 else tuple(position)[-len(shape) :]
        compare.close(f"{where}, pixel {position}", pixel, found[index].item(), abs=allowed)


def data(pipeline: Pipeline, record: dict[str, Any], store: Store, compare: Comparison) -> None:
    """F2: order of cases, prepared tensors, split membership and loaders."""
    recipe, seed = pipeline.recipe, field(record, "seed")
    with torch.random.fork_rng():
        height, width = recipe.images(*_arrays(store, store.ids[0]))[0].shape[-2:]
        split, _ = draw_start(recipe, store.ids, seed, (height, width))
    parts: dict[str, Sequence[str]] = {"train": split.train, "val": split.validation, "test": split.test}
    listings = _listings(recipe, store.ids, seed)
    _compare_order(field(record, "data.datasets"), listings, list(parts.values()), compare)
    samples = field(record, "data.samples")
    for sample in samples:
        id = sample["image_file"]
        tensors = recipe.images(*_arrays(store, id))
        for what, tensor in zip(("image", "mask"), tensors, strict=True):
            expected = sample[what]
            compare.exact(f"{what} {id}, type", expected["dtype"], str(tensor.dtype).removeprefix("torch."))
            compare.exact(f"{what} {id}, size", tuple(expected["shape"])[-2:], tuple(tensor.shape)[-2:])
            _compare_tensor(f"{what} {id}", expected, tensor, compare, TENSOR)
        mask = tensors[1].double()
        values = np.unique(tensors[1].numpy())
        compare.exact(f"mask {id}, number of values", sample["mask"]["n_unique"], values.size)
        compare.close(f"mask {id}, sum", sample["mask"]["sum"], mask.sum().item(), rel=TENSOR)
    compare_split(record, recipe, parts, compare)


def _listings(recipe: Recipe, ids: Sequence[str], seed: int) -> list[list[str]]:
    """A script that shuffles does so with names or with their places: two orders of its list, and one split."""
    return [list(ids), recipe.split.arrange(ids, torch.Generator().manual_seed(choose_seed(recipe.fit, seed)))]


def _compare_order(
    datasets: Any, listings: Sequence[list[str]], parts: Sequence[Sequence[str]], compare: Comparison
) -> None:
    """A script has one data set of all cases, or one for each part."""
    whole = [next((x for x in listings if x == list(datasets[0]["files"])), listings[0])]
    lists = whole if len(datasets) == 1 else parts
    for dataset, found in zip(datasets, lists, strict=True):
        compare.exact(f"files of data set {dataset['class']}", list(dataset["files"]), list(found))


def compare_split(
    record: dict[str, Any], recipe: Recipe, parts: Mapping[str, Sequence[str]], compare: Comparison
) -> None:
    """Compare the three parts and the loaders made of them."""
    for name, ids in parts.items():
        compare.exact(f"split, {name}", field(record, f"split.{name}"), list(ids))
        loader = field(record, f"loaders.{name}")
        size = recipe.fit.batch_size_in_test if name == "test" else recipe.fit.batch_size
        found = {"n": len(ids), "batch_size": size, "batches": -(-len(ids) // size), "shuffle": name == "train"}
        for key, value in {**found, "drop_last": False}.items():
            compare.exact(f"loader {name}, {key}", loader[key], value)


def _arrays(store: Store, id: str) -> tuple[Any, Any]:
    case = store.read(id)
    return case.image, case.mask


def objective(pipeline: Pipeline, record: dict[str, Any], compare: Comparison) -> None:
    """F3: loss with its gradient and both scores on fixed tensors, empty and grey masks included."""
    recipe, form = pipeline.recipe, field(record, "objective.native_output")
    compare.exact("output", form, "logit" if recipe.net.output == "logits" else "prob")
    output, binary, grey = reference.objective_tensors(form)
    none = reference.nothing(form, cases=4)
    empty = torch.zeros_like(none)
    output.requires_grad_()
    loss = recipe.loss(output, binary)
    (gradient,) = torch.autograd.grad(loss, output)
    output = output.detach()
    expected = field(record, "objective")
    more = expected["more"]
    compare.close("loss", _total(expected["loss"]), loss.item(), rel=OBJECTIVE)
    slope = more["loss_gradient_wrt_output"]
    compare.close("gradient of the loss, norm", slope["l2"], reference.norm([gradient]), rel=OBJECTIVE)
    total = gradient.double().sum().item()
    compare.close("gradient of the loss, sum", slope["sum"], total, rel=OBJECTIVE, abs=OBJECTIVE * slope["l2"])
    compare.all_close("gradient of the loss", slope["first8"], gradient.flatten()[:8].tolist(), rel=OBJECTIVE)
    compare.close(
        "loss on a grey mask", _total(more["loss_soft_target"]), recipe.loss(output, grey).item(), rel=OBJECTIVE
    )
    compare.close(
        "loss on nothing", _total(more["loss_both_empty"]), recipe.loss(none, empty).item(), rel=OBJECTIVE, abs=1e-7
    )
    fed = expected["dice_fed_with"]
    for name, dice in expected["dice"].items():
        grey_values, empty_values = more["dice"][name]["soft_target"][fed], more["dice"][name]["both_empty"][fed]
        _compare_scores(recipe, name, dice[fed]["batch"], output, binary, compare)
        for case, value in enumerate(dice[fed]["each"]):
            one = slice(case, case + 1)
            _compare_scores(recipe, f"{name}, case {case}", value, output[one], binary[one], compare)
        _compare_scores(recipe, f"{name} on a grey mask", grey_values, output, grey, compare)
        _compare_scores(recipe, f"{name} on nothing", empty_values["batch"], none, empty, compare)
        _compare_scores(recipe, f"{name} on nothing, one case", empty_values["one"], none[:1], empty[:1], compare)


def _total(losses: Mapping[str, float]) -> float:
    """A loss of several terms is recorded term by term, with or without their sum."""
    return losses["sum"] if "sum" in losses else sum(losses.values())


def _compare_scores(
    recipe: Recipe, where: str, expected: Any, output: Tensor, mask: Tensor, compare: Comparison
) -> None:
    phases = {"validation": recipe.score} | ({} if recipe.test is None else {"test": recipe.test})
    # A script whose phases differ has one function for a batch, and gives it single cases in one of them.
    over = "batch" if len({score.over for score in phases.values()}) > 1 else recipe.score.over
    for phase, score in phases.items():
        if isinstance(expected, list):
            found = score.compute(output, mask, over="case").tolist()
            compare.all_close(f"{phase} score {where}", expected, found, rel=OBJECTIVE)
        else:
            value = score.compute(output, mask, over=over).mean().item()
            compare.close(f"{phase} score {where}", expected, value, rel=OBJECTIVE)
