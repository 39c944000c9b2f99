"""A recipe fitted to an observation: each part counts only if it gives the tensors and numbers that were seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args, get_type_hints

import numpy as np
import torch
from numpy.typing import NDArray

from llmseg.admission.observing.fitting_nets import fit_net
from llmseg.admission.observing.fitting_scores import fit_score
from llmseg.admission.observing.mistakes.choosing import find_wrong_weights
from llmseg.admission.observing.mistakes.learning import mean_losses
from llmseg.admission.observing.observation import Item, Observation, Pass
from llmseg.admission.observing.terms import read_loss
from llmseg.errors import UserError
from llmseg.recipe import textbook
from llmseg.recipe.fit import Fit, Plateau
from llmseg.recipe.images import Prepare
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.recipe import TEXTBOOK, Recipe
from llmseg.recipe.splits import RandomSplit, Splitter

_ENOUGH = 6
_DIGITS = 6
_SEEDS = (42, *(seed for seed in range(101) if seed != 42), 123, 1234, 1337, 2020, 2021, 2022, 2023, 2024, 2025)
_OPTIMIZERS = {"Adam": "adam", "AdamW": "adamw"}


@dataclass(frozen=True)
class FittedRecipe:
    """A recipe fitted to an observation.

    Attributes:
        recipe: The textbook recipe with every part that was explained.
        explained: The parts that give what was seen.
        foreign: The others, each with the reason. In the recipe they are those of the textbook.

    Example:
        >>> FittedRecipe(TEXTBOOK, ("loss",), {"net": "no network of the library has these shapes"}).is_whole
        False
    """

    recipe: Recipe
    explained: tuple[str, ...]
    foreign: dict[str, str]

    @property
    def is_whole(self) -> bool:
        """Whether every part was explained."""
        return not self.foreign


def fit_recipe(observation: Observation) -> FittedRecipe:
    """Fit a recipe to what was seen of a script.

    Preparation and split have to give the very tensors and cases, the loss its number, the network its output with the
    script's own weights, a score the numbers that the script computed. The number of epochs is that of the observed
    run, which is short.

    Args:
        observation: Of a run of one epoch at least; two show how the loss of an epoch is averaged.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from llmseg.admission import Phantoms, fit_recipe, read_observation
        >>> with tempfile.TemporaryDirectory() as empty:
        ...     fit_recipe(read_observation(Path(empty), Phantoms(12))).explained
        ()
    """
    fitted: dict[str, Any] = {}
    foreign: dict[str, str] = {}
    for name, fit in (
        ("images", _fit_images),
        ("split", _fit_split),
        ("net", fit_net),
        ("loss", _fit_loss),
        ("fit", _fit_fit),
        ("score", lambda seen: fit_score(seen, "validation")),
        ("test", lambda seen: fit_score(seen, "test")),
    ):
        found = fit(observation)
        if isinstance(found, str):
            foreign[name] = found
        else:
            fitted[name] = found
    return FittedRecipe(replace(TEXTBOOK, **fitted), tuple(fitted), foreign)


def _list_plain(observation: Observation) -> list[tuple[Pass, Item, int]]:
    """Return some cases, each once, that came whole and the right way up."""
    found: dict[str, tuple[Pass, Item, int]] = {}
    for each in observation.passes:
        for number, item in enumerate(each.items):
            if item.id and not item.image.turn and item.image.window is None and item.mask_turn == "":
                found.setdefault(item.id, (each, item, number))
    return list(found.values())[:_ENOUGH]


def _fit_images(observation: Observation) -> Prepare | str:
    items = _list_plain(observation)
    if len(items) < _ENOUGH:
        return "too few images came whole and the right way up"
    seen = [images[number] for each, _, number in items if (images := each.images) is not None]
    colour = {1: "grey", 3: "rgb"}.get(seen[0].shape[0])
    if colour is None:
        return f"images have {seen[0].shape[0]} channels"
    files = [observation.phantoms.image(item.id) for _, item, _ in items]
    base: Any = replace(textbook.IMAGES, colour="grey" if colour == "grey" else "rgb", size=seen[0].shape[-2:])
    for prepare in _list_images(base):
        scaled = _scale(prepare, files, seen)
        if scaled is not None:
            return _fit_masks(observation, scaled, items)
    return "no preparation of the library gives the images that arrived"


def _choices(name: str) -> tuple[str, ...]:
    """Return the words that a field of a preparation may have."""
    return tuple(get_args(get_type_hints(Prepare)[name]))


def _list_images(base: Any) -> Iterator[Any]:
    for method in _choices("image_resize"):
        for when in _choices("colour_when"):
            yield replace(base, image_resize=method, colour_when=when)


def _scale(prepare: Any, files: list[NDArray[Any]], seen: list[NDArray[Any]]) -> Prepare | None:
    """Return a preparation with the mean and deviation that give the images seen, ``None`` if none do."""
    plain = np.stack([prepare.image(file).numpy() for file in files]).astype(np.float64)
    arrived = np.stack(seen).astype(np.float64)
    if plain.shape != arrived.shape:
        return None
    slope, offset = np.polyfit(plain.ravel(), arrived.ravel(), 1)
    if not slope > 0 or np.abs(plain * slope + offset - arrived).max() > 1e-4 * slope:
        return None
    std, mean = float(f"{1 / slope:.{_DIGITS - 2}g}"), round(float(-offset / slope), _DIGITS - 2) + 0.0
    for arithmetic in _choices("arithmetic"):
        scaled: Prepare = replace(prepare, mean=mean, std=std, arithmetic=arithmetic)
        given = np.stack([scaled.image(file).numpy() for file in files])
        if np.abs(given - arrived).max() <= 1e-6 * max(1.0, float(np.abs(arrived).max())):
            return scaled
    return None


def _fit_masks(observation: Observation, images: Any, items: list[tuple[Pass, Item, int]]) -> Prepare | str:
    pairs = [
        (observation.phantoms.noisy_mask(item.id), targets[number, -1])
        for each, item, number in items
        if (targets := each.targets) is not None and item.mask_id == item.id
    ]
    if len(pairs) < _ENOUGH // 2:
        return "too few masks were seen"
    for method in _choices("mask_resize"):
        for threshold in (0.5, None, 0.0):
            for when in ("after-resize", "before-resize"):
                prepare: Prepare = replace(images, mask_resize=method, mask_threshold=threshold, threshold_when=when)
                if all(_is_same(prepare.mask(file).numpy()[0], seen) for file, seen in pairs):
                    return prepare
    return "no preparation of the library gives the masks that arrived"


def _is_same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.shape == other.shape and bool(np.abs(one - other).max() <= 1e-6)


def _fit_split(observation: Observation) -> Splitter | str:
    parts = observation.parts
    sets = [set(parts.training), set(parts.validation), set(parts.test)]
    if not all(sets) or sum(map(len, sets)) != observation.phantoms.count:
        return "the three parts do not hold each case once"
    orders = _list_orders(observation)
    for split, seed in _list_splits([len(each) for each in sets]):
        for order in orders:
            try:
                made = split(order, torch.Generator().manual_seed(seed))
            except UserError:
                continue
            if [set(made.train), set(made.validation), set(made.test)] == sets:
                return split
    return "no split of the library gives these parts, with none of the usual seeds"


def _list_orders(observation: Observation) -> list[tuple[str, ...]]:
    """Return the cases by name, and in the orders in which folders listed them, which a script may not sort."""
    orders = {observation.phantoms.ids: None}
    for event in observation.record.list("list"):
        numbers = [re.findall(r"\d+", name.rsplit(".", 1)[0]) for name in event["names"]]
        ids = tuple(f"{int(found[-1]):03d}" for found in numbers if found)
        if sorted(ids) == list(observation.phantoms.ids):
            orders[ids] = None
    return list(orders)


def _list_splits(counts: list[int]) -> Iterator[tuple[Splitter, int]]:
    training, validation, test = counts
    total = sum(counts)
    for seed in _SEEDS:
        held_out, last = round((validation + test) / total, 4), round(test / (validation + test), 4)
        base = replace(textbook.SPLIT, seed=seed)
        yield replace(base, first_size=held_out, second_size=last), seed
        set_apart, rest = round(test / total, 4), round(validation / (training + validation), 4)
        yield replace(base, first="test", first_size=set_apart, second_size=rest), seed
        shares = round(training / total, 4), round(validation / total, 4)
        yield RandomSplit(calls="once", train=shares[0], validation=shares[1]), seed
        yield RandomSplit(calls="twice", train=shares[0], validation=shares[1]), seed


def _fit_loss(observation: Observation) -> BCEDice | str:
    learnt = observation.learnt
    loss = read_loss(learnt[0]) if learnt else None
    if loss is None:
        return "the loss was not followed"
    others = [name for name in loss.terms if name not in ("bce", "dice")]
    if loss.foreign or others or loss.constant or loss.positive_weight or loss.reads == "softmax":
        named = [*loss.foreign, *others, *(["a constant"] if loss.constant else [])]
        return f"it has what no field says: {', '.join(named) or 'weights of pixels, or a softmax'}"
    output, targets = learnt[0].output, learnt[0].targets
    if output is None or targets is None or learnt[0].loss is None:
        return "its tensors were not kept"
    fields: dict[str, Any] = {name: loss.terms.get(name, 0.0) for name in ("bce", "dice")}
    fields["reads"] = "probability" if loss.reads == "probability" else "logits"
    if loss.ratio is not None:
        fields |= {"dice_over": loss.ratio.over, "dice_smooth": loss.ratio.smooth}
    fitted = replace(textbook.LOSS, **fields)
    value = float(fitted(torch.from_numpy(output), torch.from_numpy(targets.astype(np.float32))))
    if abs(value - learnt[0].loss) > 1e-5 * abs(learnt[0].loss):
        return f"its terms give {value:.6g} where the script got {learnt[0].loss:.6g}"
    return fitted


def _fit_fit(observation: Observation) -> Fit | str:
    learnt = observation.learnt
    optimizers = observation.record.list("optimizer")
    if len(optimizers) != 1 or not learnt:
        return f"it has {len(optimizers)} optimisers"
    group, name = optimizers[0]["groups"][0], optimizers[0]["name"]
    if name not in _OPTIMIZERS or len(optimizers[0]["groups"]) > 1 or group.get("amsgrad"):
        return f"the optimiser is {name}"
    if [*group.get("betas", ())] != [0.9, 0.999] or group.get("eps") != 1e-8:
        return f"{name} has other moments than torch's"
    ways = {(item.image.turn, item.image.window) for each in learnt for item in each.items}
    if ways != {("", None)}:
        return "images are changed at random" if len(ways) > 1 else "images are turned or cut"
    schedule = _fit_schedule(observation)
    if isinstance(schedule, str):
        return schedule
    orders = {tuple(each.ids for each in learnt if each.epoch == n) for n in range(1, observation.epochs + 1)}
    sizes = [len(each.items) for each in observation.of("test")[:1]]
    batch_size = max(len(each.items) for each in learnt)
    loaders = observation.record.list("loader")
    tested = [loader["batch_size"] for loader in loaders[-1:] if sizes and len(loaders) >= 3]
    kept = _fit_kept(observation)
    if kept not in ("last", "lowest-validation-loss"):
        return kept
    fields: dict[str, Any] = {
        "batch_size": batch_size,
        "test_batch_size": tested[0] if tested and tested[0] != batch_size else None,
        "epochs": observation.epochs,
        "fixed_batches": 1 if observation.epochs > 1 and len(orders) == 1 else None,
        "drop_last": any(loader["drops_last"] for loader in loaders),
        "optimizer": _OPTIMIZERS[name],
        "rate": group["lr"],
        "decay": group.get("weight_decay", 0.0),
        "schedule": schedule,
        "keep": kept,
        "epoch_loss": _fit_epoch_loss(observation),
    }
    return replace(TEXTBOOK.fit, **fields)


def _fit_schedule(observation: Observation) -> Plateau | str | None:
    schedules = observation.record.list("schedule")
    if not schedules:
        return None
    settings = schedules[0]["settings"]
    if len(schedules) > 1 or schedules[0]["name"] != "ReduceLROnPlateau" or settings.get("mode") != "min":
        return f"the schedule is {schedules[0]['name']}"
    metrics = [step["metric"] for step in observation.record.list("schedule step")]
    losses = mean_losses(observation, "validation")
    if not any(np.allclose(metrics, each[: len(metrics)], rtol=1e-4) for each in losses if each):
        return "its schedule waits for something else than the validation loss"
    factor = settings.get("factor")
    return Plateau(factor=0.1 if factor is None else factor, patience=settings["patience"])


def _fit_kept(observation: Observation) -> str:
    """Return which weights are tested, or how they are others than the library can keep."""
    epochs, tested = observation.weights.epochs, observation.weights.tested
    taken = observation.record.list("take")
    if not taken:
        return "last" if not epochs or tested in ("", epochs[-1]) else "the weights that are tested come from elsewhere"
    if any(find_wrong_weights(observation)):
        return "the weights that are kept as the best are not the best"
    losses = mean_losses(observation, "validation")[0]
    if len(losses) == len(epochs) > 1 and tested == epochs[int(np.argmin(losses))]:
        return "lowest-validation-loss"
    return "the weights that are tested are not those of the lowest validation loss"


def _fit_epoch_loss(observation: Observation) -> str:
    """Return how the loss of an epoch is averaged, as far as a written table shows it."""
    by_batch, by_case = mean_losses(observation, "training")
    for table in observation.record.list("table"):
        for row in table["rows"]:
            values = [value for value in row if value is not None]
            if by_batch and len(values) == len(by_batch) and not np.allclose(by_batch, by_case, rtol=1e-6):
                for name, series in (("batches", by_batch), ("cases", by_case)):
                    if np.allclose(values, series, rtol=1e-6):
                        return name
    return str(TEXTBOOK.fit.epoch_loss)
