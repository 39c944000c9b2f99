"""F1 to F3: network, data and objective against a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from llmseg.data.store import Store
from llmseg.fidelity import recorded_inputs
from llmseg.fidelity.compare import Comparison
from llmseg.fidelity.place import CPU, Place
from llmseg.fidelity.records import get_entry
from llmseg.fidelity.score_calls import Over, find_calls_over_batch, list_phases
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Score
from llmseg.training.loop import draw_start
from llmseg.training.random_streams import choose_seed
from llmseg.zoo import Pipeline

# The tolerances that the records recommend; where they come from is told in tests/golden/GOLDEN.md, section 5.
OUTPUT_TOLERANCE = 1e-4
"""Of a network's output, absolute."""

OBJECTIVE_TOLERANCE = 1e-5
"""Of losses, their gradients and scores, relative."""

TENSOR_TOLERANCE = 1e-6
"""Of pixels of prepared images and masks, absolute, and of their sums, relative."""


def check_network(pipeline: Pipeline, record: dict[str, Any], comparison: Comparison, place: Place = CPU) -> None:
    """F1: parameter count, names and shapes, initialisation, output in evaluation and training mode.

    Args:
        pipeline: The pipeline.
        record: The record.
        comparison: Compares and counts.
        place: Where the outputs are computed. Initial weights are always drawn on the CPU.

    Raises:
        Divergence: The network is not the recorded one.
        UserError: The record is incomplete.
    """
    forward = get_entry(record, "forward")
    shape = get_entry(record, "forward.input.shape")
    comparison.require_equal("input channels", shape[1], pipeline.recipe.images.channels)
    with torch.random.fork_rng():
        net = pipeline.build()
    parameters = dict(net.named_parameters())
    count = sum(parameter.numel() for parameter in parameters.values())
    comparison.require_equal("parameters", get_entry(record, "architecture.params_total"), count)
    trainable = sum(parameter.numel() for parameter in parameters.values() if parameter.requires_grad)
    comparison.require_equal("trainable parameters", get_entry(record, "architecture.params_trainable"), trainable)
    _compare_names(pipeline, net, record, comparison)
    _compare_initialisation(pipeline, parameters, get_entry(record, "architecture.own_init_std_absmax"), comparison)
    recorded_inputs.set_weights(net, find_positions(pipeline, net, record))
    net = place.move_net(net)
    (image,) = place.move(recorded_inputs.draw_uniform(forward["input"]["seed"], shape))
    with torch.no_grad(), torch.random.fork_rng(), place.numerics.set_switches():
        _compare_tensor("output (evaluation)", forward["eval"], net.eval()(image), comparison, OUTPUT_TOLERANCE)
        # The records were made so: dropout draws random numbers in this pass.
        torch.manual_seed(9000)
        _compare_tensor("output (training)", forward["train"], net.train()(image), comparison, OUTPUT_TOLERANCE)


def find_positions(pipeline: Pipeline, net: nn.Module, record: dict[str, Any]) -> dict[str, int]:
    """Return the position of each parameter in the original's list, by our name."""
    listed = get_entry(record, "architecture.parameters")
    positions = {original: position for position, (original, _) in enumerate(listed)}
    parameters = dict(net.named_parameters())
    originals = pipeline.to_original(parameters)
    return {name: positions[original] for name, original in zip(parameters, originals, strict=True)}


def _compare_names(pipeline: Pipeline, net: nn.Module, record: dict[str, Any], comparison: Comparison) -> None:
    for where, path, tensors in (
        ("parameters", "architecture.parameters", dict(net.named_parameters())),
        ("state dictionary", "architecture.state_dict", net.state_dict()),
    ):
        listed = get_entry(record, path)
        recorded = {name: list(shape) for name, shape in listed}
        ours = {name: list(tensor.shape) for name, tensor in pipeline.to_original(tensors).items()}
        comparison.require_equal(f"{where}, names", sorted(recorded), sorted(ours))
        for name, shape in recorded.items():
            comparison.require_equal(f"{where}, shape of {name}", shape, ours[name])


def _compare_initialisation(
    pipeline: Pipeline, parameters: Mapping[str, Tensor], expected: Mapping[str, Any], comparison: Comparison
) -> None:
    for name, parameter in pipeline.to_original(parameters).items():
        std, largest = expected[name]
        # Two draws of n numbers agree in their spread to about 1 / sqrt(n); six times that is no chance.
        slack = 6 / parameter.numel() ** 0.5
        values = parameter.detach().double()
        # The spread of fewer numbers says too little.
        if parameter.numel() >= 64:
            comparison.require_close(f"initial spread of {name}", std, values.std(correction=0).item(), rel=slack)
            comparison.require_close(f"initial largest value of {name}", largest, values.abs().max().item(), rel=slack)


def _compare_tensor(
    where: str, expected: dict[str, Any], tensor: Tensor, comparison: Comparison, allowed: float
) -> None:
    shape = tuple(expected["shape"])
    comparison.require_equal(f"{where}, shape", shape[-2:], tuple(tensor.shape)[-2:])
    tensor = tensor.reshape(shape)
    for name, value in recorded_inputs.compute_statistics(tensor).items():
        comparison.require_close(f"{where}, {name}", expected[name], value, abs=allowed)
    for position, pixel in zip(expected["positions"], expected["pixels"], strict=True):
        # The first axis of a position is the case for an output [N, 1, H, W] and the channel for a tensor [C, H, W].
        index = (position[0], 0, *position[1:]) if len(shape) == 4 else tuple(position)[-len(shape) :]
        comparison.require_close(f"{where}, pixel {position}", pixel, tensor[index].item(), abs=allowed)


def check_data(pipeline: Pipeline, record: dict[str, Any], store: Store, comparison: Comparison) -> None:
    """F2: order of cases, prepared tensors, split membership and loaders.

    Raises:
        Divergence: What the network would see is not what was recorded.
        UserError: The record is incomplete, or a case cannot be read.
    """
    recipe, seed = pipeline.recipe, get_entry(record, "seed")
    with torch.random.fork_rng():
        height, width = recipe.images(*_arrays(store, store.ids[0]))[0].shape[-2:]
        split, _ = draw_start(recipe, store.ids, seed, (height, width))
    parts: dict[str, Sequence[str]] = {"train": split.train, "val": split.validation, "test": split.test}
    orders = _possible_orders(recipe, store.ids, seed)
    _compare_order(get_entry(record, "data.datasets"), orders, list(parts.values()), comparison)
    for sample in get_entry(record, "data.samples"):
        id = sample["image_file"]
        tensors = recipe.images(*_arrays(store, id))
        for what, tensor in zip(("image", "mask"), tensors, strict=True):
            expected = sample[what]
            comparison.require_equal(f"{what} {id}, type", expected["dtype"], str(tensor.dtype).removeprefix("torch."))
            comparison.require_equal(f"{what} {id}, size", tuple(expected["shape"])[-2:], tuple(tensor.shape)[-2:])
            _compare_tensor(f"{what} {id}", expected, tensor, comparison, TENSOR_TOLERANCE)
        mask = tensors[1].double()
        values = np.unique(tensors[1].numpy())
        comparison.require_equal(f"mask {id}, number of values", sample["mask"]["n_unique"], values.size)
        comparison.require_close(f"mask {id}, sum", sample["mask"]["sum"], mask.sum().item(), rel=TENSOR_TOLERANCE)
    compare_split(record, recipe, parts, comparison)


def _possible_orders(recipe: Recipe, ids: Sequence[str], seed: int) -> list[list[str]]:
    """Return the orders that a script's list of all cases may have: sorted, or shuffled.

    A script that shuffles does so with the names or with their positions in a sorted list; its split is the same.
    """
    return [list(ids), recipe.split.arrange(ids, torch.Generator().manual_seed(choose_seed(recipe.fit, seed)))]


def _compare_order(
    datasets: Any, orders: Sequence[list[str]], parts: Sequence[Sequence[str]], comparison: Comparison
) -> None:
    """A script has one data set of all cases, or one for each part."""
    recorded = list(datasets[0]["files"])
    whole = [recorded if recorded in orders else orders[0]]
    for dataset, ids in zip(datasets, whole if len(datasets) == 1 else parts, strict=True):
        comparison.require_equal(f"files of data set {dataset['class']}", list(dataset["files"]), list(ids))


def compare_split(
    record: dict[str, Any], recipe: Recipe, parts: Mapping[str, Sequence[str]], comparison: Comparison
) -> None:
    """Compare the three parts and the loaders made of them."""
    for name, ids in parts.items():
        comparison.require_equal(f"split, {name}", get_entry(record, f"split.{name}"), list(ids))
        loader = get_entry(record, f"loaders.{name}")
        size = recipe.fit.batch_size_in_test if name == "test" else recipe.fit.batch_size
        ours = {"n": len(ids), "batch_size": size, "batches": -(-len(ids) // size), "shuffle": name == "train"}
        for key, value in {**ours, "drop_last": False}.items():
            comparison.require_equal(f"loader {name}, {key}", loader[key], value)


def _arrays(store: Store, id: str) -> tuple[Any, Any]:
    case = store.read(id)
    return case.image, case.mask


def check_objective(pipeline: Pipeline, record: dict[str, Any], comparison: Comparison, place: Place = CPU) -> None:
    """F3: loss with its gradient and both scores on fixed tensors, empty and grey masks included.

    Args:
        pipeline: The pipeline.
        record: The record.
        comparison: Compares and counts.
        place: Where losses and scores are computed.

    Raises:
        Divergence: A loss, gradient or score is not the recorded one.
        UserError: The record is incomplete.
    """
    recipe, expected = pipeline.recipe, get_entry(record, "objective")
    form = get_entry(record, "objective.native_output")
    comparison.require_equal("output", form, "logit" if recipe.net.output == "logits" else "prob")
    output, binary, grey = place.move(*recorded_inputs.draw_objective_tensors(form))
    compare_gradient(recipe, expected, output, binary, comparison)
    (nothing,) = place.move(recorded_inputs.empty_prediction(form, cases=4))
    empty = torch.zeros_like(nothing)
    more, allowed = expected["more"], OBJECTIVE_TOLERANCE
    loss = recipe.loss(output, grey).item()
    comparison.require_close("loss on a grey mask", _total(more["loss_soft_target"]), loss, rel=allowed)
    loss = recipe.loss(nothing, empty).item()
    # The loss on nothing may be zero or next to it, where a relative tolerance allows nothing.
    comparison.require_close("loss on nothing", _total(more["loss_both_empty"]), loss, rel=allowed, abs=1e-7)
    # A record has the scores of probabilities, of logits and of binary masks; the script computes those of one of them.
    fed, overs = expected["dice_fed_with"], find_calls_over_batch(record, recipe)
    for name, dice in expected["dice"].items():
        grey_values, empty_values = more["dice"][name]["soft_target"][fed], more["dice"][name]["both_empty"][fed]
        over = _choose_over(overs, recipe.score, dice[fed]["batch"], output, binary)
        _compare_scores(recipe, over, name, dice[fed]["batch"], output, binary, comparison)
        for case, value in enumerate(dice[fed]["each"]):
            alone = slice(case, case + 1)
            _compare_scores(recipe, over, f"{name}, case {case}", value, output[alone], binary[alone], comparison)
        _compare_scores(recipe, over, f"{name} on a grey mask", grey_values, output, grey, comparison)
        _compare_scores(recipe, over, f"{name} on nothing", empty_values["batch"], nothing, empty, comparison)
        _compare_scores(
            recipe, over, f"{name} on nothing, one case", empty_values["one"], nothing[:1], empty[:1], comparison
        )


def compare_gradient(
    recipe: Recipe, expected: Mapping[str, Any], output: Tensor, mask: Tensor, comparison: Comparison
) -> None:
    """Compare the loss and its gradient with respect to the output of the network.

    Args:
        recipe: The recipe.
        expected: The entry of a record: ``loss``, and ``loss_gradient_wrt_output`` in ``more``.
        output: What a network gave, ``[N, 1, H, W]``.
        mask: The masks, of the same shape.
        comparison: Compares and counts.

    Raises:
        Divergence: Loss or gradient is not the recorded one.
    """
    output = output.clone().requires_grad_()
    loss = recipe.loss(output, mask)
    (gradient,) = torch.autograd.grad(loss, output)
    comparison.require_close("loss", _total(expected["loss"]), loss.item(), rel=OBJECTIVE_TOLERANCE)
    recorded, allowed = expected["more"]["loss_gradient_wrt_output"], OBJECTIVE_TOLERANCE
    norm, total = recorded_inputs.compute_norm([gradient]), gradient.double().sum().item()
    comparison.require_close("gradient of the loss, norm", recorded["l2"], norm, rel=allowed)
    # Entries of both signs nearly cancel out in the sum, so its tolerance is relative to their norm, too.
    comparison.require_close(
        "gradient of the loss, sum", recorded["sum"], total, rel=allowed, abs=allowed * recorded["l2"]
    )
    first = gradient.flatten()[:8].tolist()
    comparison.require_all_close("gradient of the loss", recorded["first8"], first, rel=allowed)


def _total(losses: Mapping[str, float]) -> float:
    """Return a recorded loss; one of several terms is recorded term by term, with or without their sum."""
    return losses["sum"] if "sum" in losses else sum(losses.values())


def _compare_scores(
    recipe: Recipe, over: Over, where: str, expected: Any, output: Tensor, mask: Tensor, comparison: Comparison
) -> None:
    """Compare what a function returns: a value per case, or one over the ``batch`` or the mean of its cases."""
    for phase, score in list_phases(recipe).items():
        if isinstance(expected, list):
            scores = score.compute(output, mask, over="case").tolist()
            comparison.require_all_close(f"{phase} score {where}", expected, scores, rel=OBJECTIVE_TOLERANCE)
        else:
            value = score.compute(output, mask, over=over).mean().item()
            comparison.require_close(f"{phase} score {where}", expected, value, rel=OBJECTIVE_TOLERANCE)


def _choose_over(overs: set[Over], score: Score, expected: Any, output: Tensor, mask: Tensor) -> Over:
    """Return what the function takes one value over when it is called with a whole batch.

    If the script calls it with single cases only, that is the function's own affair: what is nearer to the record.
    """
    if overs or isinstance(expected, list):
        return next(iter(overs), "case")
    batch, case = (score.compute(output, mask, over=over).mean().item() for over in ("batch", "case"))
    return "batch" if abs(batch - expected) < abs(case - expected) else "case"
