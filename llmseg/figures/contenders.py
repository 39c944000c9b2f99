"""What contenders are called in figures, and which cohort they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llmseg import zoo
from llmseg.errors import UserError, nearest
from llmseg.figures.style import COHORTS, GREY, OTHER, SMALL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RUN = "@run-"


@dataclass(frozen=True)
class Contender:
    """A contender as figures show it.

    Attributes:
        name: Its name in tables.
        label: What labels call it: the language model, and what tells it from others of that model.
        cohort: Year of its cohort, if it has one.
        reference: Whether it is what the others are compared with.
        model: The pipeline of which it is a repeated generation, if it is one.
        llm: Whether it stands for its LLM where each counts once: the study's pipeline as it is.
    """

    name: str
    label: str
    cohort: int | None
    reference: bool
    model: str | None = None
    llm: bool = False

    @property
    def colour(self) -> str:
        """That of its cohort; references are grey, and what belongs to no cohort has its own."""
        return GREY if self.reference else COHORTS.get(self.cohort, OTHER)


def contenders(names: Iterable[str], references: Sequence[str] = ()) -> dict[str, Contender]:
    """Look up contenders in the zoo.

    Args:
        names: Names as tables have them: a pipeline's id, and behind it a variant.
        references: Those to show as references, beside the ones that the zoo knows as such.

    Raises:
        UserError: A reference is not among the names.

    Example:
        >>> found = contenders(["gpt-4o@run-03", "ours"], references=["ours"])
        >>> [(one.label, one.cohort, one.reference, one.model) for one in found.values()]
        [('GPT-4o run 03', 2024, False, 'gpt-4o'), ('ours', None, True, None)]
    """
    names = list(names)
    for name in references:
        if name not in names:
            raise UserError(f"no contender '{name}'{nearest(name, names)}; there are {', '.join(names)}")
    known = zoo.all_names()
    found = [_contender(name, name in references, known) for name in names]
    labels = [one.label for one in found]
    return {one.name: one if labels.count(one.label) == 1 else replace(one, label=one.name) for one in found}


def _contender(name: str, reference: bool, known: tuple[str, ...]) -> Contender:
    id, _, variant = name.partition(" ")
    if id not in known:
        return Contender(name, name, None, reference)
    card = zoo.get(id).card
    tag = id.partition("@")[2].replace("-", " ")
    label = ", ".join(part for part in (f"{card.name} {tag}".strip(), variant) if part)
    model = id.partition(_RUN)[0] if _RUN in id else None
    reference = reference or card.is_reference
    llm = name in zoo.names() and not reference
    return Contender(name, label, None if reference else card.cohort, reference, model, llm)


def by_cohort(known: Mapping[str, Contender]) -> dict[int | None, list[str]]:
    """Return the names of every cohort in their order, then of those without one; references end each list.

    Example:
        >>> by_cohort(contenders(["gpt-o3", "gpt-4", "monai-basic-unet"]))
        {2024: ['gpt-4', 'monai-basic-unet'], 2025: ['gpt-o3', 'monai-basic-unet']}
    """
    references = [name for name, one in known.items() if one.reference]
    cohorts = sorted({one.cohort for one in known.values() if not one.reference}, key=lambda year: year or 9999)
    return {
        cohort: [n for n, one in known.items() if one.cohort == cohort and not one.reference] + references
        for cohort in cohorts or [None]
    }


def cohort_title(cohort: int | None) -> str:
    """Return the heading of a cohort's panel.

    Example:
        >>> cohort_title(2024), cohort_title(None)
        ('2024 models', 'Others')
    """
    return f"{cohort} models" if cohort else "Others"


def cohort_legend(figure: Figure, known: Iterable[Contender]) -> None:
    """Say above a figure what the colours of contenders mean, unless all have one."""
    from matplotlib.patches import Patch

    colours = _colours(known)
    if len(colours) > 1:
        handles = [Patch(facecolor=colour, alpha=0.6, label=label) for label, colour in colours.items()]
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), fontsize=SMALL)


def _colours(known: Iterable[Contender]) -> dict[str, str]:
    """Return what colours mean: cohorts in their order, others, references."""
    known = list(known)
    years = sorted({one.cohort for one in known if one.cohort})
    found = {cohort_title(year): COHORTS.get(year, OTHER) for year in years}
    if any(not one.cohort and not one.reference for one in known):
        found[cohort_title(None)] = OTHER
    if any(one.reference for one in known):
        found["Reference"] = GREY
    return found
