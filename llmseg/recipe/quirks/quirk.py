"""What a quirk is, and the helpers with which its question and its change are written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Literal, TypeVar

from llmseg.errors import UserError
from llmseg.recipe.part import Part
from llmseg.recipe.paths import Difference

# A recipe. Its class asks for quirks, so this module does not import it: it takes any part that has dotted paths.
R = TypeVar("R", bound=Part)

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

    Example:
        >>> from llmseg.recipe import get_quirk
        >>> get_quirk("grey-masks").explains[0].what
        'No prediction could have had a Dice of 1 on masks that resizing made grey.'
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
    applies: Callable[[Part], bool]
    change: Callable[[Part], tuple[str, object]]
    explains: tuple[Explanation, ...] = ()

    def __repr__(self) -> str:
        return f"<Quirk {self.id} ({self.kind}): {self.sentence}>"

    def repair(self, recipe: R) -> R:
        """Return the recipe with one field changed, so that it no longer has this quirk.

        Raises:
            UserError: The recipe does not have this quirk.
        """
        if not self.applies(recipe):
            raise UserError(f"this recipe does not have the quirk '{self.id}'")
        return recipe.change(*self.change(recipe))

    def repaired_field(self, recipe: Part) -> Difference:
        """Return the one field that the repair changes, with its value before and after.

        Raises:
            UserError: The recipe does not have this quirk.
        """
        (difference,) = recipe.diff(self.repair(recipe))
        return difference


def value_at(recipe: Part, path: str) -> object:
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


def number_at(recipe: Part, path: str) -> float:
    """Return the number at a dotted path, not-a-number if there is none.

    Every comparison with not-a-number is false, so a quirk that compares numbers does not apply where there is none.
    """
    value = value_at(recipe, path)
    return value if isinstance(value, (int, float)) else math.nan


def ends_in(recipe: Part, output: Literal["logits", "probability"]) -> bool:
    """Whether the recipe's network ends in logits, or in probabilities.

    A network from outside the package may say so without a field, as a constant of its class or a property.
    """
    return getattr(getattr(recipe, "net", None), "output", ABSENT) == output


def field_is(path: str, *values: object) -> Callable[[Part], bool]:
    """Return the question whether a field has one of these values."""
    return lambda recipe: value_at(recipe, path) in values


def set_to(path: str, value: object) -> Callable[[Part], tuple[str, object]]:
    """Return a change that is the same for every recipe."""
    return lambda _: (path, value)
