"""What is known about a contender besides its scores: card, recipe, quirks, runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from llmseg import zoo
from llmseg.figures.contenders import Contender, look_up_contenders
from llmseg.recipe.paths import Difference
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
"""Headings for the parts of a recipe."""


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
    """What is known about a contender besides its scores.

    Attributes:
        contender: Its names and colour.
        page: Name of its page, without extension.
        card: Its card; ``None`` where the zoo does not know it.
        recipe: The recipe of its runs or, without runs, the one in the zoo; ``None`` where there is neither.
        ran: Whether the recipe is that of its runs.
        changed: Fields in which its runs differ from the recipe in the zoo.
        unusual: Fields in which the recipe differs from the textbook recipe.
        repairs: Its quirks, without those of fields that were set for all contenders alike.
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
        """Its name on pages."""
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
        return sum(repair.quirk.kind == "mistake" for repair in self.repairs)

    @property
    def parts(self) -> dict[str, list[tuple[str, Any]]]:
        """Names and values of the recipe's fields, by the heading of their part."""
        fields: dict[str, list[tuple[str, Any]]] = {title: [] for title in PART_TITLES.values()}
        for path, value in self.recipe.items() if self.recipe else ():
            part, _, field = path.partition(".")
            fields[PART_TITLES[part]].append((field, value))
        return fields


def look_up_profiles(
    names: Iterable[str], trained: Sequence[ContenderRun], references: Sequence[str] = ()
) -> dict[str, Profile]:
    """Look up contenders in the zoo and among runs.

    Args:
        names: Names of the contenders, as in tables.
        trained: All runs.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Returns:
        The profiles by name, in the order of the names.

    Example:
        >>> profiles = look_up_profiles(["gpt-o3", "ours"], ())
        >>> [(profile.label, profile.cohort, profile.vendor, profile.ran) for profile in profiles.values()]
        [('GPT o3', '2025', 'OpenAI', False), ('ours', 'other', 'not stated', False)]
    """
    names = list(names)
    settings = _find_settings(names, trained)
    pipelines = set(zoo.all_names())
    contenders, pages = look_up_contenders(names, references), page_names(names)
    return {
        name: _profile(
            contenders[name], pages[name], pipelines, tuple(run for run in trained if run.contender == name), settings
        )
        for name in names
    }


def _find_settings(names: Sequence[str], trained: Sequence[ContenderRun]) -> frozenset[str]:
    """Return the fields that were set for all contenders alike, such as the number of epochs.

    These have one value in all runs, and it is not the one of some contender's recipe in the zoo.
    """
    recipes = [(run.contender.partition(" ")[0], run.run.recipe) for run in trained if run.contender in names]
    values: dict[str, set[object]] = {}
    changed: set[str] = set()
    for id, recipe in recipes:
        for path, value in recipe.items():
            values.setdefault(path, set()).add(value)
        if id in zoo.all_names():
            changed |= {difference.path for difference in zoo.get(id).recipe.diff(recipe)}
    return frozenset(path for path in changed if len(values.get(path, ())) == 1)


def _profile(
    contender: Contender, page: str, pipelines: set[str], runs: tuple[ContenderRun, ...], settings: frozenset[str]
) -> Profile:
    id, _, variant = contender.name.partition(" ")
    pipeline = zoo.get(id) if id in pipelines else None
    # The recipe of a variant is in its runs only.
    stated = pipeline.recipe if pipeline is not None and not variant else None
    recipe = runs[0].run.recipe if runs else stated
    repairs = [Repair(quirk, quirk.repaired_field(recipe)) for quirk in recipe.quirks] if recipe else []
    own = pipeline.recipe.quirks if pipeline is not None else ()
    return Profile(
        contender=contender,
        page=page,
        card=pipeline.card if pipeline else None,
        recipe=recipe,
        ran=bool(runs),
        changed=pipeline.recipe.diff(recipe) if pipeline and recipe and runs else (),
        unusual=zoo.TEXTBOOK.diff(recipe) if recipe else (),
        repairs=tuple(repair for repair in repairs if repair.change.path not in settings or repair.quirk in own),
        runs=runs,
    )
