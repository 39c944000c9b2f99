"""Letting a recipe replay the record that it was fitted to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

from llmseg.admission.observing.watching.trying import take_weights
from llmseg.admission.own_record.recording import OBJECTIVE, RECORD, VARIANT, WEIGHTS, describe_tensor
from llmseg.data.pixels import read_image
from llmseg.errors import UserError
from llmseg.fidelity.compare import Comparison, Divergence
from llmseg.fidelity.dynamics import Tolerance
from llmseg.fidelity.levels import OBJECTIVE_TOLERANCE, TENSOR_TOLERANCE, compare_gradient
from llmseg.fidelity.recorded_inputs import compute_norm
from llmseg.fidelity.records import get_entry, read_record
from llmseg.fidelity.verify import Verdict, reach_verdict, use_recorded_threads
from llmseg.files import as_list
from llmseg.recipe.dice import match_sizes
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.recipe import Recipe
from llmseg.training.loop import draw_start
from llmseg.training.optimizer import build_optimizer
from llmseg.zoo import read_admitted

OWN_LEVELS = ("F1", "F2", "F3", "F4")
"""The levels that the record of an admission may have."""

_STEPS = 4
"""Rounding grows from step to step; the tolerances of the records were measured for so many."""


@dataclass(frozen=True)
class _Cases:
    """The cases of a record.

    Attributes:
        folder: The folder of the record.
    """

    folder: Path

    @property
    def ids(self) -> tuple[str, ...]:
        """Their names, which are those of files."""
        return tuple(sorted(path.name for path in (self.folder / "images").iterdir()))

    def prepare(self, recipe: Recipe, id: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return image and mask as a recipe prepares them."""
        image, mask = (read_image(self.folder / kind / id) for kind in ("images", "masks"))
        return recipe.images(image, mask)


def is_own_record(path: Path) -> bool:
    """Return whether a path is the record of an admission, or the folder of one.

    Args:
        path: The path.
    """
    file = path / RECORD if path.is_dir() else path
    return file.is_file() and file.with_name(WEIGHTS).is_file()


def find_own_recipe(path: Path) -> Recipe:
    """Return the recipe of the admission that a record belongs to.

    Args:
        path: The record in the folder of the admission, or its folder.

    Raises:
        UserError: There is no recipe beside it.
    """
    folder = path if path.is_dir() else path.parent
    return read_admitted(folder.resolve().parent).recipe


def verify_own_record(recipe: Recipe, path: str | Path, *, only: str | Iterable[str] = OWN_LEVELS) -> Iterator[Verdict]:
    """Let a recipe replay the record of an admission; yield a verdict per level.

    F1 compares parameters and their shapes, F2 split and prepared cases, F3 the loss at outputs and masks that were
    seen in training, with its gradient, and in validation, F4 loss and gradient of the first four steps, from the
    weights of the scripts, with the same cases in the same order. Networks that drop values at random are not compared
    in F4, nor are records in which some step was not seen.

    Args:
        recipe: The recipe.
        path: The record, or its folder, which also holds the cases and the weights.
        only: The levels to check; those that an own record does not have are left out.

    Raises:
        UserError: There is no such record, or an entry is missing.

    Example:
        >>> from llmseg import zoo
        >>> recipe = zoo.load("admissions/my-llm").recipe  # doctest: +SKIP
        >>> [verdict.holds for verdict in verify_own_record(recipe, "admissions/my-llm/record")]  # doctest: +SKIP
        [True, True, True, True]
    """
    file = Path(path) / RECORD if Path(path).is_dir() else Path(path)
    record = read_record(file)
    if not is_own_record(file) or record.get("variant") != VARIANT:
        raise UserError(f"{path} is no record of an admission; give the folder record of one")
    cases = _Cases(file.parent)
    checks: dict[str, Callable[[Comparison], None]] = {
        "F1": lambda comparison: _check_network(recipe, record, comparison),
        "F2": lambda comparison: _check_data(recipe, record, cases, comparison),
    }
    if record.get("objective"):
        entries, met = record["objective"], file.with_name(OBJECTIVE)
        checks["F3"] = lambda comparison: _check_objective(recipe, entries, load_file(met), comparison)
    if get_entry(record, "train.steps") and not get_entry(record, "architecture.drops"):

        def check_training(comparison: Comparison) -> None:
            with use_recorded_threads(record):
                _check_training(recipe, record, cases, load_file(file.with_name(WEIGHTS)), comparison)

        checks["F4"] = check_training
    wanted = as_list(only)
    for level, check in checks.items():
        if level in wanted:
            yield reach_verdict(level, check, Comparison())


def _check_network(recipe: Recipe, record: dict[str, Any], comparison: Comparison) -> None:
    with torch.random.fork_rng(devices=[]):
        parameters = list(recipe.net.build(recipe.images.channels).parameters())
    count, trainable = sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad)
    comparison.require_equal("parameters", get_entry(record, "architecture.params_total"), count)
    comparison.require_equal("trainable parameters", get_entry(record, "architecture.params_trainable"), trainable)
    recorded = Counter(tuple(shape) for _, shape in get_entry(record, "architecture.parameters"))
    ours = Counter(tuple(parameter.shape) for parameter in parameters)
    for shape in recorded | ours:
        comparison.require_equal(f"parameters of shape {list(shape)}", recorded[shape], ours[shape])


def _check_data(recipe: Recipe, record: dict[str, Any], cases: _Cases, comparison: Comparison) -> None:
    height, width = cases.prepare(recipe, cases.ids[0])[0].shape[-2:]
    drawn = draw_recorded_split(recipe, record, cases.ids, (height, width))
    for name, ids in drawn.items():
        comparison.require_equal(f"split, {name}", get_entry(record, f"split.{name}"), ids)
    for sample in get_entry(record, "data.samples"):
        id = sample["image_file"]
        image, mask = cases.prepare(recipe, id)
        for what, tensor in (("image", image), ("mask", _match(recipe, mask, sample["mask"]["shape"][-2:]))):
            expected, ours = sample[what], describe_tensor(tensor.numpy())
            comparison.require_equal(f"{what} {id}, shape", expected["shape"], ours["shape"])
            scale = max(1.0, abs(expected["min"]), abs(expected["max"]))
            for key in ("min", "max", "mean", "std"):
                comparison.require_close(f"{what} {id}, {key}", expected[key], ours[key], abs=TENSOR_TOLERANCE * scale)
            where = f"{what} {id}, pixels"
            comparison.require_all_close(where, expected["pixels"], ours["pixels"], abs=TENSOR_TOLERANCE * scale)


def _match(recipe: Recipe, mask: torch.Tensor, seen: Sequence[int]) -> torch.Tensor:
    """Return a prepared mask as the loss met it: some recipes bring it to the size of a smaller output first."""
    if not isinstance(recipe.loss, BCEDice) or recipe.loss.sizes != "mask-to-output":
        return mask
    return match_sizes(torch.zeros(1, 1, *seen), mask[None].float(), recipe.loss.sizes)[1][0]


def draw_recorded_split(
    recipe: Recipe, record: dict[str, Any], ids: Sequence[str], size: tuple[int, int]
) -> dict[str, list[str]]:
    """Return the parts that a recipe draws, each sorted, from the cases in an order in which they were listed.

    Of several orders, the one counts that gives the recorded parts; if none does, that of the names.

    Args:
        recipe: The recipe.
        record: The record.
        ids: The cases by name.
        size: Height and width of prepared cases.
    """
    drawn = []
    for order in [ids, *record.get("listings", [])]:
        with torch.random.fork_rng(devices=[]):
            split, _ = draw_start(recipe, order, get_entry(record, "seed"), size)
        parts = {"train": split.train, "val": split.validation, "test": split.test}
        drawn.append({name: sorted(part) for name, part in parts.items()})
    return next((parts for parts in drawn if parts == get_entry(record, "split")), drawn[0])


def _check_objective(
    recipe: Recipe, entries: Sequence[Any], met: dict[str, np.ndarray[Any, Any]], comparison: Comparison
) -> None:
    for number, entry in enumerate(entries):
        output, masks = (torch.from_numpy(met[f"{number:02d}.{what}"]) for what in ("output", "masks"))
        if entry["more"]:
            compare_gradient(recipe, entry, output, masks, comparison)
        else:
            loss = recipe.loss(output, masks, validating=entry["part"] == "validation").item()
            expected = entry["loss"]["sum"]
            comparison.require_close(f"loss in {entry['part']}", expected, loss, rel=OBJECTIVE_TOLERANCE)


def _check_training(
    recipe: Recipe,
    record: dict[str, Any],
    cases: _Cases,
    weights: dict[str, np.ndarray[Any, Any]],
    comparison: Comparison,
) -> None:
    steps = get_entry(record, "train.steps")[:_STEPS]
    with torch.random.fork_rng(devices=[]):
        net = recipe.net.build(recipe.images.channels).train()
    comparison.require_close("rate", get_entry(record, "optimizer.lr"), recipe.fit.rate, rel=1e-9)
    tolerance = Tolerance.of_training(recipe.fit.rate)
    optimizer = build_optimizer(recipe.fit, net.parameters(), fused=False)
    for number, step in enumerate(steps):
        pairs = [cases.prepare(recipe, id) for id in step["files"]]
        images, masks = (torch.stack(part) for part in zip(*pairs, strict=True))
        if number == 0:
            if not take_weights(net.eval(), images[:1], [weights[key] for key in sorted(weights)]):
                raise Divergence("weights: the network uses parameters of other shapes in its order")
            net.train()
        for group in optimizer.param_groups:
            group["lr"] = step["lr"]
        optimizer.zero_grad()
        loss = recipe.loss(net(images), masks)
        torch.autograd.backward(loss)
        allowed = tolerance.loss if number else tolerance.first_loss
        comparison.require_close(f"step {number}, loss", step["loss"], loss.item(), rel=allowed)
        if step["grad_l2"] is not None:
            norm = compute_norm([p.grad for p in net.parameters() if p.grad is not None])
            allowed = tolerance.gradient if number else tolerance.first_gradient
            comparison.require_close(f"step {number}, gradient", step["grad_l2"], norm, rel=allowed)
        optimizer.step()
