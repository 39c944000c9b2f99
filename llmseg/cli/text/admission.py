"""An admission as text that fits a screen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from llmseg.cli.text.layout import align_columns, section

if TYPE_CHECKING:
    from llmseg.admission import Admission

_WIDEST = 100


def describe_admission(admission: Admission) -> str:
    """Return the headline, the stages, and what was needed to run the scripts."""
    parts = [
        _headline(admission),
        align_columns(
            [(each.stage, each.state, each.place or "-", _shorten(each.reason)) for each in admission.verdicts]
        ),
        section("what was needed", _describe_run(admission)),
        f"kept in {admission.out}",
    ]
    return "\n\n".join(part for part in parts if part)


def _headline(admission: Admission) -> str:
    reached = admission.stage_reached
    return f"{admission.name}: {f'reached the stage {reached}' if reached else 'reached no stage'}"


def _describe_run(admission: Admission) -> list[str]:
    run: dict[str, Any] = admission.run
    if not run:
        return []
    paths = [f"{each['text']} ({each['shows']})" for each in run["mapped"]]
    epochs = [f"{each['was']} epochs became {each['now']} for this run ({each['place']})" for each in run["epochs"]]
    edits = [f"edit, {each['kind']}: {each['what']} ({each['place']})" for each in run["edits"]]
    kinds = Counter(error.category for error in admission.errors)
    turns = f"{admission.turns} repair turn{'' if admission.turns == 1 else 's'}"
    counted = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    return [
        f"paths: {_shorten(', '.join(paths)) or 'none'}",
        *epochs,
        *(edits or ["edits: none"]),
        *([f"{turns}; errors: {counted}"] if admission.turns else []),
        f"sandbox: {run['sandbox']}",
    ]


def _shorten(text: str, most: int = _WIDEST) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
