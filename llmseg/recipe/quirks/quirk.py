"""The quirk as a record, and how its predicates look at a recipe."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.errors import UserError

if TYPE_CHECKING:
    from llmseg.recipe.recipe import Recipe

ABSENT = object()
"""What :func:`at` gives where a recipe has no such field, as ``None`` is a value of many."""


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Something published that a quirk explains.

    Attributes:
        what: What it is, in a sentence.
        source: Where that was found: ``analysis N`` (finding N of the reading of the study's scripts), ``results N``
            (anomaly N of its figures), ``sheet`` (the fact sheets of the pipelines).
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
        kind: ``mistake``, where something else is learnt or scored than meant; or ``choice``, which is fine by itself
            and keeps figures from being compared with those of others.
        sentence: What a recipe that has it does.
        why: Why it matters.
        found: Whether a recipe has it.
        cure: The path of the field to change in a recipe that has it, and the new value.
        explains: Published figures it explains.

    Example:
        >>> from llmseg import zoo
        >>> from llmseg.recipe import get_quirk
        >>> quirk = get_quirk("double-sigmoid")
        >>> recipe = zoo.get("grok-3-mini").recipe
        >>> quirk.found(recipe), quirk.cure(recipe), quirk.found(quirk.repair(recipe))
        (True, ('loss.reads', 'probability'), False)
    """

    id: str
    kind: Literal["mistake", "choice"]
    sentence: str
    why: str
    found: Callable[[Recipe], bool]
    cure: Callable[[Recipe], tuple[str, object]]
    explains: tuple[Explained, ...] = ()

    def repair(self, recipe: Recipe) -> Recipe:
        """Return the recipe with one field changed, so that it has this quirk no more.

        Raises:
            UserError: The recipe does not have it.
        """
        if not self.found(recipe):
            others = ", ".join(quirk.id for quirk in recipe.quirks) or "none"
            raise UserError(f"this recipe does not have the quirk '{self.id}'; it has: {others}")
        return recipe.change(*self.cure(recipe))


def at(recipe: Recipe, path: str) -> object:
    """Return the plain value at a dotted path, ``ABSENT`` where a recipe's parts have no such field.

    Predicates ask for fields instead of kinds, so they hold for parts from outside the package, too.
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


def number(recipe: Recipe, path: str) -> float:
    """Return the number at a dotted path; where there is none, not-a-number, which no comparison holds for."""
    value = at(recipe, path)
    return value if isinstance(value, (int, float)) else math.nan


def has(path: str, *values: object) -> Callable[[Recipe], bool]:
    """Return a predicate: the field has one of these values."""
    return lambda recipe: at(recipe, path) in values


def to(path: str, value: object) -> Callable[[Recipe], tuple[str, object]]:
    """Return a cure that is the same for every recipe."""
    return lambda _: (path, value)
