"""The repair sheet: what to tell the language model that wrote the scripts, a paragraph each, without code."""

from __future__ import annotations

from llmseg.admission.findings import Finding
from llmseg.admission.stages.admission import Admission
from llmseg.admission.stages.stage import STAGES, StageVerdict


def write_repair_sheet(admission: Admission) -> str:
    """Return what to tell the language model about its scripts, as Markdown.

    Each paragraph says what is wrong and what was expected. None says how to mend it.

    Example:
        >>> from llmseg.admission import admit
        >>> print(write_repair_sheet(admit("answers/my-llm", "admissions/my-llm")))  # doctest: +SKIP
    """
    paragraphs = [
        *(_tell_end(verdict) for verdict in admission.verdicts if verdict.state in ("failed", "limit")),
        *(_tell_edit(edit) for edit in admission.run.get("edits", ())),
        *(_tell_finding(finding) for finding in admission.findings),
    ]
    if not paragraphs:
        return f"# {admission.name}\n\nNothing was found that has to be changed.\n"
    intro = "I ran your program on images of mine. Please correct the following, and give all files again in full."
    numbered = [f"{number}. {paragraph}" for number, paragraph in enumerate(paragraphs, start=1)]
    return "\n\n".join([f"# {admission.name}", intro, *numbered]) + "\n"


def _tell_edit(edit: dict[str, str]) -> str:
    where = f" ({edit['place']})" if edit["place"] else ""
    return f"I had to help, or your program would have ended{where}: {edit['what']}. It should run without help."


def _tell_end(verdict: StageVerdict) -> str:
    where = f" ({verdict.place})" if verdict.place else ""
    return f"It does not get as far as this: {STAGES[verdict.stage]}. What happened{where}: {verdict.reason}."


def _tell_finding(finding: Finding) -> str:
    where = f" ({finding.place})" if finding.place else ""
    hedge = "" if finding.certainty == "certain" else " I may be mistaken; say why if you meant it so."
    values = f" Expected: {finding.expected}. Found: {finding.found}." if finding.expected or finding.found else ""
    return f"{finding.sentence.rstrip('.')}{where}. What shows it: {finding.evidence}.{values}{hedge}"
