"""What is known of a contender beside its scores: card, recipe, quirks, runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from llmseg import zoo
from llmseg.figures.contenders import Contender, look_up_contenders
from llmseg.recipe.part import Difference
from llmseg.recipe.quirks import Quirk
from llmseg.recipe.recipe import Recipe
from llmseg.report.names import page_names
from llmseg.study.results import ContenderRun
from llmseg.zoo import Card

PART_TITLES = {
    "images": "Images",
    "split": "Split",
    "net": "Network",
    "loss": "Loss",
    "fit": "Training",
    "score": "Score in validation",
    "test": "Score in the test",
}
"""The parts of a recipe, and what a reader calls them."""


@dataclass(frozen=True)
class Repair:
    """A quirk of a recipe, and the one field that repairs it.

    Attributes:
        quirk: The quirk.
        change: The field, as it is and as it would be.
    """

    quirk: Quirk
    change: Difference


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A contender beside its scores.

    Attributes:
        contender: Its names and colour.
        page: Name of its page, without extension.
        card: Its card, ``None`` where the zoo does not know it.
        recipe: What its runs did or, without runs, what the zoo says; ``None`` where neither is there.
        ran: Whether the recipe is that of its runs.
        changed: Where its runs differ from the zoo's recipe.
        unusual: Where the recipe differs from the textbook's.
        repairs: Its quirks.
        runs: Its runs.
    """

    contender: Contender
    page: str
    card: Card | None
    recipe: Recipe | None
    ran: bool
    changed: tuple[Difference, ...]
    unusual: tuple[Difference, ...]
    repairs: tuple[Repair, ...]
    runs: tuple[ContenderRun, ...]

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.contender.name

    @property
    def label(self) -> str:
        """What pages call it."""
        return self.contender.label

    @property
    def cohort(self) -> str:
        """Year of its cohort, ``reference``, or ``other``."""
        year = self.contender.cohort
        return "reference" if self.contender.is_reference else str(year) if year else "other"

    @property
    def reasoning(self) -> str:
        """Whether the study counts it as a reasoning model: ``yes``, ``no``, ``not stated``, or ``no LLM``."""
        if self.card is None or self.card.is_reference:
            return "no LLM" if self.card else "not stated"
        return "yes" if self.card.reasoning else "no"

    @property
    def vendor(self) -> str:
        """Who makes the model, or ``not stated``."""
        return self.card.vendor if self.card else "not stated"

    @property
    def mistakes(self) -> int:
        """Number of quirks that are mistakes."""
        return sum(one.quirk.kind == "mistake" for one in self.repairs)

    @property
    def parts(self) -> dict[str, list[tuple[str, Any]]]:
        """Fields of the recipe by part, as a reader calls these."""
        found: dict[str, list[tuple[str, Any]]] = {title: [] for title in PART_TITLES.values()}
        for path, value in self.recipe.items() if self.recipe else ():
            part, _, field = path.partition(".")
            found[PART_TITLES[part]].append((field, value))
        return found


def profiles(
    names: Iterable[str], trained: Sequence[ContenderRun], references: Sequence[str] = ()
) -> dict[str, Profile]:
    """Look up contenders in the zoo and among runs.

    Args:
        names: The contenders, as tables name them.
        trained: All runs.
        references: Those to show as references, beside the zoo's own.

    Example:
        >>> found = profiles(["gpt-o3", "ours"], ())
        >>> [(one.label, one.cohort, one.vendor, one.ran) for one in found.values()]
        [('GPT o3', '2025', 'OpenAI', False), ('ours', 'other', 'not stated', False)]
    """
    names = list(names)
    known = set(zoo.all_names())
    looks, pages = look_up_contenders(names, references), page_names(names)
    return {
        name: _profile(looks[name], pages[name], known, tuple(one for one in trained if one.contender == name))
        for name in names
    }


def _profile(contender: Contender, page: str, known: set[str], runs: tuple[ContenderRun, ...]) -> Profile:
    id, _, variant = contender.name.partition(" ")
    pipeline = zoo.get(id) if id in known else None
    stated = pipeline.recipe if pipeline is not None and not variant else None
    recipe = runs[0].run.recipe if runs else stated
    return Profile(
        contender=contender,
        page=page,
        card=pipeline.card if pipeline else None,
        recipe=recipe,
        ran=bool(runs),
        changed=pipeline.recipe.diff(recipe) if pipeline and recipe and runs else (),
        unusual=zoo.TEXTBOOK.diff(recipe) if recipe else (),
        repairs=tuple(Repair(quirk, quirk.repaired_field(recipe)) for quirk in recipe.quirks) if recipe else (),
        runs=runs,
    )
