"""The repair sheet: what to tell the language model that wrote the scripts, a paragraph each, without code."""

from __future__ import annotations

from llmseg.admission.stages.admission import Admission
from llmseg.admission.stages.stage import STAGES, StageVerdict


def write_repair_sheet(admission: Admission) -> str:
    """Return what to tell the language model about its scripts, as Markdown.

    Each paragraph says what is wrong and what was expected. None says how to mend it.
    """
    paragraphs = [
        *(_tell_end(verdict) for verdict in admission.verdicts if verdict.state in ("failed", "limit")),
        *(f"{edit['what'][0].upper()}{edit['what'][1:]} before your program ran." for edit in _edits(admission)),
    ]
    if not paragraphs:
        return f"# {admission.name}\n\nNothing was found that has to be changed.\n"
    intro = "I ran your program on images of mine. Please correct the following, and give all files again in full."
    numbered = [f"{number}. {paragraph}" for number, paragraph in enumerate(paragraphs, start=1)]
    return "\n\n".join([f"# {admission.name}", intro, *numbered]) + "\n"


def _edits(admission: Admission) -> list[dict[str, str]]:
    return list(admission.run.get("edits", ()))


def _tell_end(verdict: StageVerdict) -> str:
    where = f" ({verdict.place})" if verdict.place else ""
    return f"It does not get as far as this: {STAGES[verdict.stage]}. What happened{where}: {verdict.reason}."
