"""An admission as text that fits a screen."""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

from llmseg.admission import Layout
from llmseg.admission.stages.card import write_fact
from llmseg.cli.text.layout import align_columns, section

if TYPE_CHECKING:
    from llmseg.admission import Admission, Finding

_WIDEST = 100


def describe_admission(admission: Admission, leaderboard: str = "") -> str:
    """Return the headline, the stages, the findings with their evidence, and what was needed to run the scripts.

    Args:
        admission: The admission.
        leaderboard: The table of all contenders, if it was ranked.
    """
    parts = [
        _headline(admission),
        align_columns(
            [(each.stage, each.state, each.place or "-", _shorten(each.reason)) for each in admission.verdicts]
        ),
        section("silent mistakes", [line for finding in admission.findings for line in _describe_finding(finding)]),
        section("broken probes", [_describe_probe(each) for each in admission.probes if each["state"] == "broken"]),
        section("what the scripts do", _describe_facts(admission.facts)),
        section("recipe", _describe_recipe(admission)),
        section("leaderboard", leaderboard.splitlines()),
        section("what was needed", _describe_run(admission)),
        section("faults around the scripts", [_shorten(fault) for fault in admission.faults]),
        f"kept in {admission.out}",
    ]
    return "\n\n".join(part for part in parts if part)


def _headline(admission: Admission) -> str:
    reached = admission.stage_reached
    place = f"reached the stage {reached}" if reached else "reached no stage"
    is_seen = any(each.stage == "extraction" and each.state == "reached" for each in admission.verdicts)
    found = len(admission.findings)
    mistakes = f"{found or 'no'} silent mistake{'' if found == 1 else 's'} found"
    if not is_seen:
        mistakes = f"{mistakes} by probes alone" if admission.probes else "it was not looked for silent mistakes"
    return f"{admission.name}: {place}; {mistakes}"


def _describe_finding(finding: Finding) -> list[str]:
    place = f" ({finding.place})" if finding.place else ""
    shown = f"{finding.found_by}: {finding.evidence}"
    if finding.expected or finding.found:
        shown += f"; expected {finding.expected}, found {finding.found}"
    repair = [f"  repair: {finding.repair}"] if finding.repair else []
    return [
        f"{finding.id}, {finding.certainty}{place}: {finding.sentence}",
        *(f"  {line}" for line in [_shorten(shown, 2 * _WIDEST)]),
        *repair,
    ]


def _describe_probe(said: dict[str, Any]) -> str:
    kinds = ", ".join(finding["id"] for finding in said["findings"])
    return _shorten(f"{said['probe']}: {said['reason']}{f' ({kinds})' if kinds else ''}", 2 * _WIDEST)


def _describe_facts(facts: dict[str, Any]) -> list[str]:
    shown = [f"{name.replace('_', ' ')} {write_fact(value)}" for name, value in facts.items()]
    return textwrap.wrap(", ".join(shown), _WIDEST) if shown else []


def _describe_recipe(admission: Admission) -> list[str]:
    if admission.recipe is not None:
        path = shlex.quote(str(admission.recipe_file))
        replayed = [f"  {_shorten(each['text'], 2 * _WIDEST)}" for each in admission.replayed]
        said = [
            f"in {path}, every part gives what was seen",
            *(["its replay of the record:", *replayed] if replayed else []),
        ]
        if admission.study is not None:
            return said
        command = f"llmseg compare {path} gpt-o3 gpt-4 --data STORE --out studies/{shlex.quote(admission.name)}"
        return [*said, "rank it among the others by:", f"  {command}"]
    return [_shorten(f"no field says {part}: {why}") for part, why in admission.foreign.items()]


def _describe_run(admission: Admission) -> list[str]:
    run: dict[str, Any] = admission.run
    if not run:
        return []
    paths = [f"{each['text']} ({' '.join(filter(None, (each.get('part'), each['shows'])))})" for each in run["mapped"]]
    epochs = [f"{each['was']} epochs became {each['now']} for this run ({each['place']})" for each in run["epochs"]]
    edits = [f"edit, {each['kind']}: {each['what']} ({each['place']})" for each in run["edits"]]
    kinds = Counter(error.category for error in admission.errors)
    turns = f"{admission.turns} repair turn{'' if admission.turns == 1 else 's'}"
    counted = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    layout = Layout(**run["layout"])
    return [
        f"paths: {_shorten(', '.join(paths)) or 'none'}",
        f"cases: {run['phantoms']['count']}, {_describe_names(layout)}",
        *epochs,
        *(f"lent, as today's libraries lack it: {each}" for each in admission.helped),
        *(edits or ["edits: none"]),
        *([f"{turns}; errors: {counted}"] if admission.turns else []),
        f"sandbox: {run['sandbox']}",
    ]


def _describe_names(layout: Layout) -> str:
    first = "001" if layout.first_number is None else f"{layout.first_number:0{layout.digits}d}"
    counted = "" if layout.first_number is None else ", counted anew in each folder"
    folders = f", in folders for {', '.join(layout.parts)}" if layout.parts else ""
    return f"named {layout.image_name(first)} and {layout.mask_name(first)}{folders}{counted}"


def _shorten(text: str, most: int = _WIDEST) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
