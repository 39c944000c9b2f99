"""What a quirk is, and the helpers with which its question and its change are written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.errors import UserError

if TYPE_CHECKING:
    from llmseg.recipe.part import Difference
    from llmseg.recipe.recipe import Recipe

ABSENT = object()
"""What :func:`value_at` returns where a recipe has no such field; ``None`` would not do, as many fields may hold it."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A published figure or habit that a quirk explains.

    Attributes:
        what: What it is, in a sentence.
        source: Where the quirk can be seen: file and line (``folder/file.py:12``) in the repository of the study's
            scripts, https://github.com/ankilab/LLM_based_Segmentation; several are joined by ``and``.
        pipelines: Ids of the pipelines it is about; empty if it is about none of them.
    """

    what: str
    source: str
    pipelines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Quirk:
    """A question one can ask a recipe, with the change of one field that repairs it.

    Attributes:
        id: Its name.
        kind: ``mistake``: the pipeline learns or scores something else than was meant. ``choice``: nothing is wrong,
            but the pipeline's figures cannot be compared with those of others.
        sentence: What a recipe with this quirk does.
        why: Why it matters.
        applies: Whether a recipe has this quirk.
        change: The path of the field that repairs a recipe with this quirk, and the new value.
        explains: Published figures it explains.

    Example:
        >>> from llmseg import zoo
        >>> from llmseg.recipe import get_quirk
        >>> quirk = get_quirk("double-sigmoid")
        >>> recipe = zoo.get("grok-3-mini").recipe
        >>> quirk.applies(recipe), quirk.change(recipe), quirk.applies(quirk.repair(recipe))
        (True, ('loss.reads', 'probability'), False)
    """

    id: str
    kind: Literal["mistake", "choice"]
    sentence: str
    why: str
    applies: Callable[[Recipe], bool]
    change: Callable[[Recipe], tuple[str, object]]
    explains: tuple[Explanation, ...] = ()

    def repair(self, recipe: Recipe) -> Recipe:
        """Return the recipe with one field changed, so that it no longer has this quirk.

        Raises:
            UserError: The recipe does not have this quirk.
        """
        if not self.applies(recipe):
            others = ", ".join(quirk.id for quirk in recipe.quirks) or "none"
            raise UserError(f"this recipe does not have the quirk '{self.id}'; it has: {others}")
        return recipe.change(*self.change(recipe))

    def repaired_field(self, recipe: Recipe) -> Difference:
        """Return the one field that the repair changes, with its value before and after.

        Raises:
            UserError: The recipe does not have this quirk.
        """
        (difference,) = recipe.diff(self.repair(recipe))
        return difference


def value_at(recipe: Recipe, path: str) -> object:
    """Return the plain value at a dotted path; ``ABSENT`` if the recipe's parts have no such field.

    Quirks ask for fields, never for classes of parts. So they also hold for parts from outside the package.
    """
    value: object = recipe
    for name in path.split("."):
        fields = getattr(value, "__dataclass_fields__", {})
        if name in fields:
            value = getattr(value, name)
        elif fields and name == "kind":
            value = type(value).__name__
        else:
            return ABSENT
    return ABSENT if is_dataclass(value) else value


def number_at(recipe: Recipe, path: str) -> float:
    """Return the number at a dotted path, not-a-number if there is none.

    Every comparison with not-a-number is false, so a quirk that compares numbers does not apply where there is none.
    """
    value = value_at(recipe, path)
    return value if isinstance(value, (int, float)) else math.nan


def field_is(path: str, *values: object) -> Callable[[Recipe], bool]:
    """Return the question whether a field has one of these values."""
    return lambda recipe: value_at(recipe, path) in values


def set_to(path: str, value: object) -> Callable[[Recipe], tuple[str, object]]:
    """Return a change that is the same for every recipe."""
    return lambda _: (path, value)
