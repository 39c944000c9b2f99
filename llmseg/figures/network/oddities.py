"""What is unusual about a network, and where in its drawing it is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from llmseg.figures.network.stages import SLIGHT, Plan, Size, Skip
from llmseg.figures.network.words import NEGATIVE_FREE, change_word, size_text
from llmseg.recipe.quirks import Quirk, get_quirk
from llmseg.recipe.recipe import Recipe


@dataclass(frozen=True)
class Spot:
    """A place in a drawing.

    Attributes:
        kind: A ``stage``, the ``entry`` into one, a ``skip``, the ``middle`` between both sides, or the ``output``.
        index: Which stage or skip.
    """

    kind: Literal["stage", "entry", "skip", "middle", "output"]
    index: int = 0


@dataclass(frozen=True)
class Oddity:
    """Something unusual about a network.

    Attributes:
        name: Id of the quirk; empty where no quirk of the recipe says it.
        sentence: What it is.
        spots: Where it is seen.
    """

    name: str
    sentence: str
    spots: tuple[Spot, ...]


def find_oddities(recipe: Recipe, plan: Plan) -> tuple[Oddity, ...]:
    """Return what is unusual about the network of a recipe: its quirks, then what its maps show beyond them.

    Args:
        recipe: The recipe, which is asked for its quirks.
        plan: Its network.
    """
    quirks = [quirk for quirk in recipe.quirks if _concerns_network(quirk, recipe)]
    named = [Oddity(quirk.id, quirk.sentence, _spots_of(quirk, recipe, plan)) for quirk in quirks]
    taken = {spot for oddity in named for spot in oddity.spots}
    # A quirk that is seen in the same place says it better.
    seen = (oddity for oddity in _seen_oddities(plan) if not taken & set(oddity.spots))
    return (*named, *seen)


def _concerns_network(quirk: Quirk, recipe: Recipe) -> bool:
    """Whether a quirk is one of the network, or of how a loss or score reads its output."""
    path, _ = quirk.change(recipe)
    return path.startswith("net.") or path.endswith(".reads")


def _spots_of(quirk: Quirk, recipe: Recipe, plan: Plan) -> tuple[Spot, ...]:
    """Return where a quirk is seen, by the field that its repair changes; nowhere for fields of other networks."""
    path, _ = quirk.change(recipe)
    find = _FIELDS.get(path.rpartition(".")[2])
    return find(plan) if find else ()


def _all_skips(plan: Plan) -> tuple[Spot, ...]:
    return tuple(Spot("skip", index) for index in range(len(plan.skips)))


def _misfits(plan: Plan) -> tuple[Spot, ...]:
    """Return the skips that are cut or resized, and the stages whose maps are, to meet their skip."""
    skips = (Spot("skip", index) for index, skip in enumerate(plan.skips) if _changes(skip))
    stages = (Spot("entry", index) for index, stage in enumerate(plan.stages) if stage.fitted)
    return (*skips, *stages)


_FIELDS: dict[str, Callable[[Plan], tuple[Spot, ...]]] = {
    "head": lambda plan: (Spot("output"),),
    "reads": lambda plan: (Spot("output"),),
    "decoder": lambda plan: (Spot("stage", len(plan.stages) - 1),),
    "skips": lambda plan: (Spot("middle"),),
    "skip_from": _all_skips,
    "pool_last": lambda plan: (Spot("entry", plan.bottom),),
    "pool_bottleneck": lambda plan: (Spot("entry", plan.bottom),),
    "mismatch": _misfits,
}
"""Where the fields of networks are seen."""


def _changes(skip: Skip) -> bool:
    """Whether maps are cut or resized on the way; layers on the way are there to do so."""
    return not skip.layers and max(abs(a - b) for a, b in zip(skip.size, skip.joined, strict=True)) > SLIGHT


def _seen_oddities(plan: Plan) -> Iterator[Oddity]:
    """Yield what is unusual in the maps themselves, whatever the recipe says."""
    if plan.output[1:] != plan.image[1:]:
        sentence = f"The output is {size_text(plan.output[1:])}, the image {size_text(plan.image[1:])}."
        yield Oddity("", sentence, (Spot("output"),))
    if plan.last_activation in NEGATIVE_FREE:
        yield Oddity("", get_quirk("relu-before-sigmoid").sentence, (Spot("output"),))
    if not plan.skips and any(stage.direction == "up" for stage in plan.stages):
        yield Oddity("", get_quirk("no-skips").sentence, (Spot("middle"),))
    if plan.skips and all(skip.at_entry for skip in plan.skips):
        yield Oddity("", get_quirk("skips-after-pooling").sentence, _all_skips(plan))
    for index, skip in enumerate(plan.skips):
        if _changes(skip):
            yield Oddity("", f"A skip {_changed(skip.size, skip.joined, not skip.resized)}.", (Spot("skip", index),))
    for index, stage in enumerate(plan.stages):
        if stage.fitted:
            changed = _changed(stage.fitted, stage.size, stage.fitted_by_cut)
            yield Oddity("", f"The map that meets a skip {changed}.", (Spot("entry", index),))


def _changed(before: Size, after: Size, by_cut: bool) -> str:
    return f"is {change_word(before, after, by_cut)} from {size_text(before)} to {size_text(after)}"
