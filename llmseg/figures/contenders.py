"""What contenders are called in figures, and which cohort they belong to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llmseg import zoo
from llmseg.errors import UserError, nearest
from llmseg.figures.style import COHORTS, GREY, OTHER, SMALL
from llmseg.files import as_list

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RUN = "@run-"


@dataclass(frozen=True)
class Contender:
    """A contender as figures show it.

    Attributes:
        name: Its name in tables.
        label: Its name in figures: the language model, and what distinguishes it from others of that model.
        cohort: Year of its cohort; ``None`` if it has none.
        is_reference: Whether the others are compared with it.
        model: The pipeline of which it is a repeated generation; ``None`` if it is not one.
        represents_llm: Whether it counts where every LLM counts once: it is the pipeline of the study, unchanged.
    """

    name: str
    label: str
    cohort: int | None
    is_reference: bool
    model: str | None = None
    represents_llm: bool = False

    @property
    def colour(self) -> str:
        """The colour of its cohort; references are grey, and contenders of no cohort have a colour of their own."""
        return GREY if self.is_reference else COHORTS.get(self.cohort, OTHER)


def look_up_contenders(names: Iterable[str], references: str | Sequence[str] = ()) -> dict[str, Contender]:
    """Look up contenders in the zoo.

    Args:
        names: Names as in tables: the id of a pipeline, followed by the name of a variant if it is one.
        references: Contenders to show as references, beside those that the zoo knows as such.

    Returns:
        The contenders by name, in the order of the names.

    Raises:
        UserError: A reference is not among the names.

    Example:
        >>> contenders = look_up_contenders(["gpt-4o@run-03", "ours"], references=["ours"])
        >>> [(one.label, one.cohort, one.is_reference, one.model) for one in contenders.values()]
        [('GPT-4o run 03', 2024, False, 'gpt-4o'), ('ours', None, True, None)]
    """
    names, references = list(names), as_list(references)
    for name in references:
        if name not in names:
            raise UserError(f"no contender '{name}'{nearest(name, names)}; there are {', '.join(names)}")
    pipelines = zoo.all_names()
    contenders = [_contender(name, name in references, pipelines) for name in names]
    # Two pipelines may stand for the same model; then their ids tell them apart, which labels must.
    labels = [contender.label for contender in contenders]
    return {
        contender.name: contender if labels.count(contender.label) == 1 else replace(contender, label=contender.name)
        for contender in contenders
    }


def _contender(name: str, is_reference: bool, pipelines: tuple[str, ...]) -> Contender:
    id, _, variant = name.partition(" ")
    if id not in pipelines:
        return Contender(name, name, None, is_reference)
    card = zoo.get(id).card
    tag = id.partition("@")[2].replace("-", " ")
    label = ", ".join(part for part in (f"{card.name} {tag}".strip(), variant) if part)
    model = id.partition(_RUN)[0] if _RUN in id else None
    is_reference = is_reference or card.is_reference
    represents_llm = name in zoo.names() and not is_reference
    return Contender(name, label, None if is_reference else card.cohort, is_reference, model, represents_llm)


def by_cohort(contenders: Mapping[str, Contender]) -> dict[int | None, list[str]]:
    """Return the names of the contenders of every cohort, the older cohort first, then of those without a cohort.

    References belong to no cohort; they end every list, so that each panel shows them.

    Example:
        >>> by_cohort(look_up_contenders(["gpt-o3", "gpt-4", "monai-basic-unet"]))
        {2024: ['gpt-4', 'monai-basic-unet'], 2025: ['gpt-o3', 'monai-basic-unet']}
    """
    references = [name for name, contender in contenders.items() if contender.is_reference]
    others = {name: contender.cohort for name, contender in contenders.items() if not contender.is_reference}
    cohorts = sorted(set(others.values()), key=lambda year: year or math.inf)
    return {
        cohort: [name for name, year in others.items() if year == cohort] + references for cohort in cohorts or [None]
    }


def cohort_title(cohort: int | None) -> str:
    """Return the heading of a cohort's panel.

    Example:
        >>> cohort_title(2024), cohort_title(None)
        ('2024 models', 'Others')
    """
    return f"{cohort} models" if cohort else "Others"


def add_cohort_legend(figure: Figure, contenders: Iterable[Contender]) -> None:
    """Say above a figure what the colours of contenders mean, unless all have the same."""
    from matplotlib.patches import Patch

    colours = _cohort_colours(contenders)
    if len(colours) > 1:
        handles = [Patch(facecolor=colour, alpha=0.6, label=label) for label, colour in colours.items()]
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), fontsize=SMALL)


def _cohort_colours(contenders: Iterable[Contender]) -> dict[str, str]:
    """Return colours by what they mean: cohorts in their order, others, references."""
    contenders = list(contenders)
    years = sorted({contender.cohort for contender in contenders if contender.cohort})
    colours = {cohort_title(year): COHORTS.get(year, OTHER) for year in years}
    if any(not contender.cohort and not contender.is_reference for contender in contenders):
        colours[cohort_title(None)] = OTHER
    if any(contender.is_reference for contender in contenders):
        colours["Reference"] = GREY
    return colours
