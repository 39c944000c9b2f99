"""Variants of a recipe: what a study trains beside its base."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from llmseg import zoo
from llmseg.errors import UserError, nearest
from llmseg.recipe.recipe import Recipe

BASE = "base"
"""Name of the recipe that its variants are compared with."""

PARTS = ("images", "split", "net", "loss", "fit", "score", "test")

DECIDING = PARTS[:5]
"""The parts that decide a mask; the two scores only look at masks."""


@dataclass(frozen=True)
class Variant:
    """A recipe of a study.

    Attributes:
        name: What was changed, such as ``loss.dice=0.0``, or whose recipe it is.
        recipe: The recipe.
    """

    name: str
    recipe: Recipe


def ablations(recipe: Recipe, fields: Mapping[str, Sequence[object]], *, crossed: bool = False) -> tuple[Variant, ...]:
    """Return a recipe and its variants in some fields; variants that equal the recipe are left out.

    Args:
        recipe: The base.
        fields: Dotted paths, and the values each shall take.
        crossed: Every combination of values, instead of one field at a time.

    Raises:
        UserError: A path names no field, a value does not fit, or nothing changes.

    Example:
        >>> from llmseg import zoo
        >>> [v.name for v in ablations(zoo.get("gpt-o3").recipe, {"fit.batch_size": [4, 8], "loss.dice": [1.0]})]
        ['base', 'fit.batch_size=4', 'loss.dice=1.0']
    """
    choices = [[(path, value) for value in values] for path, values in fields.items()]
    combined = itertools.product(*choices) if crossed else ((choice,) for choice in itertools.chain(*choices))
    return _distinct(recipe, (_with(recipe, changes) for changes in combined))


def repairs(recipe: Recipe, which: str) -> tuple[Variant, ...]:
    """Return a recipe and what becomes of it when quirks are repaired.

    Args:
        recipe: The base.
        which: ``each`` of its quirks alone, ``all`` of them together, or ids of quirks, with commas, each alone.

    Raises:
        UserError: There is no such quirk, or the recipe does not have it, or has none at all.

    Example:
        >>> from llmseg import zoo
        >>> [v.name for v in repairs(zoo.get("grok-3-mini").recipe, "each")][:2]
        ['base', 'without double-sigmoid']
    """
    named = [quirk.id for quirk in recipe.quirks] if which == "each" else [id.strip() for id in which.split(",")]
    titles = {id: "without any quirk" if id == "all" else f"without {id}" for id in named}
    return _distinct(recipe, (Variant(title, recipe.repaired(id)) for id, title in titles.items()))


def transplants(recipe: Recipe, donor: Recipe, parts: Sequence[str], source: str) -> tuple[Variant, ...]:
    """Return a recipe and what becomes of it with single parts of another, see :func:`joined`.

    Args:
        recipe: The base.
        donor: The other recipe.
        parts: Names of the parts, one variant each.
        source: What the other recipe is called.

    Raises:
        UserError: There is no such part, the parts do not fit, or the recipes do not differ in any.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise UserError(f"no part '{unknown[0]}'{nearest(unknown[0], PARTS)}; parts are {', '.join(PARTS)}")
    return _distinct(recipe, (Variant(f"{part} of {source}", joined(recipe, donor, [part])) for part in parts))


def pipelines(patterns: Iterable[str]) -> tuple[Variant, ...]:
    """Return the recipes of pipelines under their ids; the first is the one the others are compared with.

    Args:
        patterns: Names as for :func:`llmseg.zoo.get`, or patterns of ids such as ``gpt-4o@run-*``.

    Raises:
        UserError: A name or pattern fits no pipeline.

    Example:
        >>> [v.name for v in pipelines(["gpt-4", "gpt-o3*"])]
        ['gpt-4', 'gpt-o3', 'gpt-o3@rgb']
    """
    every = zoo.all_names()
    found: dict[str, Variant] = {}
    for pattern in patterns:
        ids = fnmatch.filter(every, pattern) if "*" in pattern else [zoo.get(pattern).id]
        if not ids:
            raise UserError(f"no pipeline fits '{pattern}'; llmseg list --all names them")
        found |= {id: Variant(id, zoo.get(id).recipe) for id in ids}
    return tuple(found.values())


def joined(recipe: Recipe, donor: Recipe, parts: Collection[str]) -> Recipe:
    """Return a recipe with some parts of another, and with what network and loss must agree on.

    Whether a sigmoid ends the network is the loss's to say: the layers are the same either way, and a loss that reads
    probabilities cannot read logits. So ``net.output`` comes with the loss; a network that ends in probabilities
    whatever one wants keeps them, and the loss reads those. How outputs of another size are matched
    with masks is the network's to say: ``sizes`` come with the network.

    Args:
        recipe: The base.
        donor: Where the parts come from.
        parts: Their names.

    Raises:
        UserError: The parts cannot be fitted.

    Example:
        >>> from llmseg import zoo
        >>> logits, probabilities = zoo.get("gpt-o3").recipe, zoo.get("gpt-4o").recipe
        >>> mixed = joined(logits, probabilities, {"loss"})
        >>> mixed.loss.reads, mixed.net.output, mixed.loss.sizes
        ('probability', 'probability', 'equal')
    """
    given = {part: donor if part in parts else recipe for part in PARTS}
    fitted = recipe
    for part, giver in given.items():
        fitted = fitted.change(part, getattr(giver, part))
    fitted = _ended(fitted, given["loss"])
    for part in ("loss", "score", "test"):
        fitted = _same(fitted, given["net"], f"{part}.sizes")
    return fitted


def deciding(recipe: Recipe) -> tuple[object, ...]:
    """Return the parts of a recipe that decide its masks; recipes that have them alike learn alike."""
    return tuple(getattr(recipe, part) for part in DECIDING)


def _ended(recipe: Recipe, giver: Recipe) -> Recipe:
    """Let network and loss agree on what the network ends in, as they do in the recipe that gives the loss."""
    try:
        return _same(recipe, giver, "net.output")
    except UserError:
        return recipe.change("loss.reads", recipe.net.output)


def _same(recipe: Recipe, giver: Recipe, path: str) -> Recipe:
    """Give a recipe the value that another has at a path; what either does not have is left alone."""
    ours, theirs = (dict(one.items()) for one in (recipe, giver))
    if path not in ours or path not in theirs or ours[path] == theirs[path]:
        return recipe
    return recipe.change(path, theirs[path])


def _with(recipe: Recipe, changes: Sequence[tuple[str, object]]) -> Variant:
    for path, value in changes:
        recipe = recipe.change(path, value)
    return Variant(" ".join(f"{path}={value}" for path, value in changes), recipe)


def _distinct(recipe: Recipe, variants: Iterable[Variant]) -> tuple[Variant, ...]:
    found = {variant.recipe: variant for variant in variants if variant.recipe != recipe}
    if not found:
        raise UserError("nothing changes: every variant equals the recipe; give other values")
    return (Variant(BASE, recipe), *found.values())
