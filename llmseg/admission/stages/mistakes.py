"""Silent mistakes: what the observer saw in the tiny run, and what the probes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from llmseg.admission.findings import Finding
from llmseg.admission.observing import (
    Phantoms,
    find_mistakes,
    fit_recipe,
    read_facts,
)
from llmseg.admission.observing.fitting.splits import name_shares
from llmseg.admission.observing.keras import trains_with_keras
from llmseg.admission.probes import PROBES, Bench
from llmseg.admission.runner import Runner
from llmseg.admission.scripts import read_scripts
from llmseg.admission.stages.stage import StageVerdict
from llmseg.admission.stages.tiny_run import Seen
from llmseg.recipe.part import to_plain

_ONLY_FACTS = "Keras computes in graphs: what it is told is read, and what it does with images and masks is not seen"


def extract(seen: Seen, folder: Path) -> dict[str, Any]:
    """Return what the scripts do, their silent mistakes, and where removed functions of libraries were lent to them.

    Args:
        seen: What the observer saw in the tiny run.
        folder: The folder of the scripts.
    """
    facts: dict[str, Any] = {}
    findings: list[Finding] = []
    helped: list[str] = []
    recipe: dict[str, Any] = {}
    try:
        observation, epochs = seen.observation, seen.run["epochs"]
        helped = sorted({f"{event['what']} ({event.place})" for event in observation.record.list("helped")})
        facts = read_facts(observation)
        if facts and epochs:
            facts["epochs"] = max(each["was"] for each in epochs)
        if trains_with_keras(observation.record):
            verdict = StageVerdict("extraction", "not decidable", _ONLY_FACTS)
        elif not observation.losses:
            verdict = StageVerdict("extraction", "not reached", "no step of a training was seen")
        else:
            findings = list(find_mistakes(observation))
            recipe = _fit(seen, folder, facts) if facts else {}
            verdict = StageVerdict("extraction", "reached")
    except Exception as error:  # whatever scripts did to the record, the other verdicts stand
        verdict = _name_fault("extraction", error)
    return {
        "verdict": verdict.to_dict(),
        "facts": facts,
        "findings": [finding.to_dict() for finding in findings],
        "helped": helped,
        "recipe": recipe,
        "is_final": verdict.state != "harness fault",
    }


def _fit(seen: Seen, folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the recipe that gives what was seen, with the scripts' own epochs; ``None`` with what no field says.

    The shares of the split in the facts become those that the scripts ask for.
    """
    fitted = fit_recipe(seen.observation, seen.files, read_scripts(folder))
    if seen.layout.parts:
        facts.pop("split", None)
        fitted = fitted.without("split", "cases come divided, in folders of their own, and not by the scripts")
    recipe = fitted.recipe
    if "split" in fitted.explained and (shares := name_shares(recipe.split)) is not None:
        facts["split"] = shares
    if "fit" in fitted.explained and "epochs" in facts:
        recipe = recipe.change("fit.epochs", facts["epochs"])
    return {
        "recipe": recipe.to_dict() if fitted.is_whole else None,
        "foreign": fitted.foreign,
        "explained": {name: to_plain(getattr(recipe, name)) for name in fitted.explained},
    }


def _name_fault(stage: str, error: Exception) -> StageVerdict:
    return StageVerdict(stage, "harness fault", f"{type(error).__name__}: {error}"[:300])


def make_bench(runner: Runner, out: Path, run: dict[str, Any]) -> Bench:
    """Return the bench on which scripts are probed, with what the tiny run needed to reach its end.

    Args:
        runner: How the scripts are run.
        out: Where the runs are kept.
        run: What came of the tiny run.
    """
    return Bench(runner.with_help(run), Phantoms(**{**run["phantoms"], "noisy": False}), out)


def probe(id: str, bench: Bench) -> dict[str, Any]:
    """Return what a probe says, as values that JSON can hold."""
    try:
        return {**PROBES[id].check(bench).to_dict(), "is_final": True}
    except Exception as error:  # one probe that fails says nothing about the others
        reason = _name_fault("probes", error).reason
        return {"probe": id, "state": "harness fault", "reason": reason, "findings": [], "is_final": False}


def judge_probes(probed: Sequence[dict[str, Any]], verdicts: Sequence[StageVerdict] = ()) -> StageVerdict:
    """Return the verdict on the stage of the probes.

    Args:
        probed: What each probe says; nothing if none was asked.
        verdicts: Those on the stages before.
    """
    if not probed:
        unseen = [each for each in verdicts if each.state not in ("reached", "not decidable")]
        if [each.stage for each in unseen] == ["extraction"]:
            return StageVerdict("probes", "not decidable", "no step of a training was seen that could be compared")
        return StageVerdict("probes", "not reached", "only scripts that reach the end by themselves are probed")
    counts = Counter(each["state"] for each in probed)
    summary = ", ".join(f"{number} {state}" for state, number in counts.items())
    return StageVerdict("probes", "harness fault" if counts["harness fault"] else "reached", summary)


def read_finding(record: dict[str, Any]) -> Finding:
    """Return a finding from values of JSON."""
    return Finding(**{each.name: record[each.name] for each in fields(Finding)})
