"""Variants of a recipe: what a study trains beside its base."""

from __future__ import annotations

import dataclasses
import fnmatch
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from llmseg import zoo
from llmseg.errors import UserError, nearest, shorten_list
from llmseg.files import as_list, check_text
from llmseg.files.notes import note
from llmseg.recipe.given import GivenRecipe
from llmseg.recipe.recipe import Recipe
from llmseg.zoo import Pipeline
from llmseg.zoo.given import find_recipe

BASE = "base"
"""Name of the recipe that its variants are compared with."""

PARTS = tuple(field.name for field in dataclasses.fields(Recipe))
"""Names of the seven parts of a recipe, in its order."""

MASK_PARTS = ("images", "split", "net", "loss", "fit")
"""The parts that decide which masks a trained network predicts; the two scores only look at masks."""


@dataclass(frozen=True)
class Variant:
    """A recipe of a study.

    Attributes:
        name: What was changed, such as ``loss.dice=0.0``, or the id of the pipeline whose recipe it is.
        recipe: The recipe.
    """

    name: str
    recipe: Recipe

    def __post_init__(self) -> None:
        check_text("variant", self.name)


def find_variants(given: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe) -> tuple[Variant, ...]:
    """Return variants of whatever names a recipe: variants as they are, and a pipeline under its id.

    Raises:
        UserError: There is no such pipeline or file.
    """
    single = isinstance(given, Variant | Recipe | Pipeline)
    return tuple(find_variant(item) for item in ([cast(GivenRecipe, given)] if single else as_list(cast(Any, given))))


def find_variant(given: Variant | GivenRecipe) -> Variant:
    """Return a variant of whatever names a recipe.

    Raises:
        UserError: As :func:`llmseg.zoo.given.find_recipe`.

    Example:
        >>> from llmseg import zoo
        >>> find_variant("4o").name, find_variant(zoo.get("gpt-4o").recipe).name
        ('gpt-4o', 'recipe-bb5095')
    """
    if isinstance(given, Variant):
        return given
    name, recipe = find_recipe(given)
    # A bare recipe has no name, and tables need one: the same for equal recipes.
    return Variant(name or f"recipe-{recipe.digest[:6]}", recipe)


def ablations(recipe: Recipe, fields: Mapping[str, Sequence[object]], *, crossed: bool = False) -> tuple[Variant, ...]:
    """Return a recipe and its variants in some fields; variants that equal the recipe are left out.

    Args:
        recipe: The base.
        fields: The values to try, by the dotted path of their field.
        crossed: Make a variant of every combination of values, instead of changing one field at a time.

    Raises:
        UserError: A path names no field, a value does not fit, or nothing changes.

    Example:
        >>> from llmseg import zoo
        >>> [v.name for v in ablations(zoo.get("gpt-o3").recipe, {"fit.batch_size": [4, 8], "loss.dice": [1.0]})]
        ['base', 'fit.batch_size=4', 'loss.dice=1.0']
    """
    choices = [[(path, value) for value in values] for path, values in fields.items()]
    combined = itertools.product(*choices) if crossed else ((choice,) for choice in itertools.chain(*choices))
    return _with_base(recipe, (_changed_variant(recipe, changes) for changes in combined))


def repairs(
    recipe: Recipe, which: str, *, own: Recipe | None = None, settings: Collection[str] = ()
) -> tuple[Variant, ...]:
    """Return a recipe and variants of it in which quirks are repaired.

    Args:
        recipe: The base.
        which: ``each`` of its quirks alone, ``all`` of them together, or ids of quirks, with commas, each alone.
        own: The recipe before it was changed for all variants alike. Quirks that these changes brought in are settings;
            ``each`` and ``all`` leave them alone. ``None`` if nothing was changed.
        settings: Fields that are set for all variants later, such as ``fit.epochs``; their quirks are left alone, too.

    Raises:
        UserError: There is no such quirk, or the recipe does not have it, or has none at all.

    Example:
        >>> from llmseg import zoo
        >>> [v.name for v in repairs(zoo.get("grok-3-mini").recipe, "each")][:2]
        ['base', 'without double-sigmoid']
    """
    own_ids = list_own_quirks(recipe, own, settings)
    given = {quirk.id for quirk in recipe.quirks} - set(own_ids)
    named = own_ids if which == "each" else [id.strip() for id in which.split(",")]
    if which in ("each", "all") and not own_ids and given:
        raise UserError(f"no quirk of its own to repair: {', '.join(sorted(given))} is what was set for all variants")
    titles = {id: "without any quirk" if id == "all" else f"without {id}" for id in named}
    variants = {id: _repair_all(recipe, given) if id == "all" and given else recipe.repaired(id) for id in titles}
    return _with_base(recipe, (Variant(titles[id], repaired) for id, repaired in variants.items()))


def list_own_quirks(recipe: Recipe, own: Recipe | None, settings: Collection[str] = ()) -> list[str]:
    """Return the ids of a recipe's quirks but for those that were set for all variants; see :func:`repairs`."""
    return [
        quirk.id
        for quirk in recipe.quirks
        if (own is None or quirk in own.quirks) and quirk.repaired_field(recipe).path not in settings
    ]


def _repair_all(recipe: Recipe, given: Collection[str]) -> Recipe:
    """Repair one quirk after the other until none is left but some."""
    while remaining := [quirk for quirk in recipe.quirks if quirk.id not in given]:
        recipe = remaining[0].repair(recipe)
    return recipe


def transplants(recipe: Recipe, donor: Recipe, parts: str | Sequence[str], source: str) -> tuple[Variant, ...]:
    """Return a recipe and variants of it with one part of another recipe each, see :func:`transplanted`.

    Args:
        recipe: The base.
        donor: The other recipe.
        parts: Names of the parts, one variant each.
        source: Name of the other recipe, for the names of variants.

    Raises:
        UserError: There is no such part, the parts do not fit, or the recipes differ in none of them.

    Example:
        >>> from llmseg import zoo
        >>> left, right = zoo.get("gpt-4").recipe, zoo.get("gpt-o3").recipe
        >>> [variant.name for variant in transplants(left, right, ["net", "loss"], "gpt-o3")]
        ['base', 'net of gpt-o3']
    """
    parts = as_list(parts)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise UserError(f"no part '{unknown[0]}'{nearest(unknown[0], PARTS)}; parts are {', '.join(PARTS)}")
    return _with_base(recipe, (Variant(f"{part} of {source}", transplanted(recipe, donor, [part])) for part in parts))


def pipelines(patterns: str | Pipeline | Iterable[str | Pipeline]) -> tuple[Variant, ...]:
    """Return the recipes of pipelines under their ids; the first is the one the others are compared with.

    Args:
        patterns: Names as for :func:`llmseg.zoo.get`, patterns of ids such as ``gpt-4o@run-*``, or pipelines; one or
            several.

    Raises:
        UserError: A name or pattern fits no pipeline.

    Example:
        >>> [v.name for v in pipelines(["gpt-4", "gpt-o3*"])]
        ['gpt-4', 'gpt-o3', 'gpt-o3@rgb']
    """
    every = zoo.all_names()
    variants: dict[str, Variant] = {}
    for pattern in [patterns] if isinstance(patterns, Pipeline) else as_list(patterns):
        if isinstance(pattern, Pipeline):
            variants[pattern.id] = Variant(pattern.id, pattern.recipe)
            continue
        ids = fnmatch.filter(every, pattern) if "*" in pattern else [zoo.get(pattern).id]
        if not ids:
            raise UserError(f"no pipeline fits '{pattern}'; llmseg list --all names them")
        variants |= {id: Variant(id, zoo.get(id).recipe) for id in ids}
    return tuple(variants.values())


def transplanted(recipe: Recipe, donor: Recipe, parts: str | Collection[str]) -> Recipe:
    """Return a recipe with some parts of another, and with the fields that network and loss must agree on.

    The loss decides whether a sigmoid ends the network, because a loss that reads probabilities cannot read logits and
    the layers are the same either way. So ``net.output`` is taken from the recipe that gives the loss. A network that
    can only end in probabilities keeps doing so, and the loss reads these. The network decides how outputs of another
    size are matched with masks: ``sizes`` of loss and scores are taken from the recipe that gives the network.

    Args:
        recipe: The base.
        donor: The recipe that gives the parts.
        parts: Names of the parts.

    Raises:
        UserError: The parts cannot be fitted.

    Example:
        >>> from llmseg import zoo
        >>> logits, probabilities = zoo.get("gpt-o3").recipe, zoo.get("gpt-4o").recipe
        >>> mixed = transplanted(logits, probabilities, {"loss"})
        >>> mixed.loss.reads, mixed.net.output, mixed.loss.sizes
        ('probability', 'probability', 'equal')
    """
    parts = as_list(parts)
    givers = {part: donor if part in parts else recipe for part in PARTS}
    mixed = recipe
    for part, giver in givers.items():
        mixed = mixed.change(part, getattr(giver, part))
    mixed = _match_output(mixed, givers["loss"])
    for part in ("loss", "score", "test"):
        mixed = _copy_field(mixed, givers["net"], f"{part}.sizes")
    return mixed


def same_masks(left: Recipe, right: Recipe) -> bool:
    """Return whether two recipes learn and predict the same, so that they differ in their scores at most.

    Example:
        >>> from llmseg import zoo
        >>> recipe = zoo.get("gpt-o3").recipe
        >>> same_masks(recipe, recipe.change("test.threshold", 0.4)), same_masks(recipe, recipe.change("fit.epochs", 1))
        (True, False)
    """
    return all(getattr(left, part) == getattr(right, part) for part in MASK_PARTS)


def resized(recipe: Recipe, *, size: int | None = None, batch_size: int | None = None) -> Recipe:
    """Return a recipe for smaller trainings; one that reads images at their own size keeps doing so.

    Args:
        recipe: The recipe.
        size: Height and width in pixels; ``None`` keeps those of the recipe.
        batch_size: Cases per step; ``None`` keeps that of the recipe.
    """
    if size and recipe.get("images.size") is not None:
        recipe = recipe.change("images.size", (size, size))
    return recipe.change("fit.batch_size", batch_size) if batch_size else recipe


def _match_output(recipe: Recipe, giver: Recipe) -> Recipe:
    """Let the network end in what the loss reads, as in the recipe that gives the loss."""
    try:
        return _copy_field(recipe, giver, "net.output")
    except UserError:
        # This network ends in probabilities only: change the loss instead.
        return recipe.change("loss.reads", recipe.net.output)


def _copy_field(recipe: Recipe, giver: Recipe, path: str) -> Recipe:
    """Return a recipe with another's value of a field; a field that one of them lacks is left alone."""
    ours, theirs = dict(recipe.items()), dict(giver.items())
    if path not in ours or path not in theirs or ours[path] == theirs[path]:
        return recipe
    return recipe.change(path, theirs[path])


def _with_base(recipe: Recipe, variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """Return the base and, behind it, the variants that differ from it and from each other; a note names the others."""
    listed = list(variants)
    distinct = {variant.recipe: variant for variant in listed if variant.recipe != recipe}
    if not distinct:
        raise UserError("nothing changes: every variant equals the recipe; give other values")
    alike = [variant.name for variant in listed if variant not in distinct.values()]
    if alike:
        note(f"note: {shorten_list(alike)}: equal to the base or to another variant, so left out")
    return (Variant(BASE, recipe), *distinct.values())


def _changed_variant(recipe: Recipe, changes: Sequence[tuple[str, object]]) -> Variant:
    for path, value in changes:
        recipe = recipe.change(path, value)
    return Variant(" ".join(f"{path}={value}" for path, value in changes), recipe)
