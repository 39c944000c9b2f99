"""Quirks: questions one can ask any recipe, each with the change of one field that repairs it.

``data``, ``learning`` and ``scoring`` hold the quirks in the order of a recipe's parts; ``quirk`` says what a quirk is.
No quirk names a pipeline: which pipelines have it is found by asking their recipes.
"""

from __future__ import annotations

from llmseg.errors import UserError, nearest
from llmseg.recipe.part import Part
from llmseg.recipe.quirks.data import DATA_QUIRKS
from llmseg.recipe.quirks.learning import FIT_QUIRKS, LOSS_QUIRKS, NET_QUIRKS
from llmseg.recipe.quirks.quirk import Explanation, Quirk, R
from llmseg.recipe.quirks.scoring import SCORE_QUIRKS

__all__ = ["Explanation", "Quirk", "get_quirk", "quirk_names", "quirks_of", "repaired"]

# In the order of a recipe's parts, and where one repair makes another needless, that one first.
_QUIRKS = {quirk.id: quirk for quirk in (*DATA_QUIRKS, *NET_QUIRKS, *LOSS_QUIRKS, *FIT_QUIRKS, *SCORE_QUIRKS)}


def quirk_names() -> tuple[str, ...]:
    """Return the ids of all quirks, in the order in which they are repaired.

    Example:
        >>> len(quirk_names()) == len(set(quirk_names()))
        True
    """
    return tuple(_QUIRKS)


def get_quirk(id: str) -> Quirk:
    """Return a quirk by its id.

    Raises:
        UserError: There is no such quirk; the message names the nearest one.

    Example:
        >>> get_quirk("grey-masks").sentence
        'Masks keep the grey values they have after resizing.'
    """
    if id not in _QUIRKS:
        raise UserError(f"no quirk '{id}'{nearest(id, _QUIRKS)}; there are: {', '.join(_QUIRKS)}")
    return _QUIRKS[id]


def quirks_of(recipe: Part) -> tuple[Quirk, ...]:
    """Return the quirks that a recipe has, in the order in which they are repaired."""
    return tuple(quirk for quirk in _QUIRKS.values() if quirk.applies(recipe))


def repaired(recipe: R, id: str) -> R:
    """Return the recipe without one quirk, or for ``all`` without any; see :meth:`llmseg.Recipe.repaired`."""
    if id != "all":
        return _repaired_once(recipe, get_quirk(id))
    # One repair may remove other quirks, and that of a missing head uncovers another one. So the recipe is asked again.
    while quirks := quirks_of(recipe):
        recipe = quirks[0].repair(recipe)
    return recipe


def _repaired_once(recipe: R, quirk: Quirk) -> R:
    if not quirk.applies(recipe):
        others = ", ".join(other.id for other in quirks_of(recipe)) or "none"
        raise UserError(f"this recipe does not have the quirk '{quirk.id}'; it has: {others}")
    return quirk.repair(recipe)
