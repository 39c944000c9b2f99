"""What an admission has decided about a folder of scripts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmseg.admission.findings import Finding
from llmseg.admission.stages.code_error import CodeError
from llmseg.admission.stages.stage import StageVerdict, find_stage_reached
from llmseg.recipe import Recipe
from llmseg.zoo.admitted import find_recipe_file


@dataclass(frozen=True)
class Admission:
    """What an admission has decided about a folder of scripts.

    Attributes:
        name: What the pipeline is called.
        folder: The folder of the scripts.
        out: Where everything is kept.
        verdicts: What is said of each stage, in order.
        run: What came of the tiny run; empty if there was none.
        facts: What the scripts do, as far as it was seen: parameters, batch size, optimizer and so on.
        recipe: The recipe that gives all that was seen; ``None`` if there is none.
        foreign: The parts of a recipe that no field of the library explains, each with the reason.
        helped: What today's libraries have removed and was lent to the scripts, each with its line.
        findings: Silent mistakes, each kind once.
        probes: What each probe says.
        errors: Errors of the scripts and of those before them, in order; the last one ended these if they failed.
        turns: How often somebody told the language model of an error.
        faults: What went wrong in the code around the scripts, which says nothing about them.
        replayed: What each level of the recipe's replay of its own record says; empty without a recipe.
        study: The study in which they were ranked; ``None`` without a rank.
        leaderboard: The contenders of the study, best first, each with ``place``, ``contender``, mean Dice (``mean``),
            ends of its interval (``low``, ``high``) and ``seeds``; empty without a rank.
    """

    name: str
    folder: Path
    out: Path
    verdicts: tuple[StageVerdict, ...]
    run: dict[str, Any]
    facts: dict[str, Any]
    recipe: Recipe | None
    foreign: dict[str, str]
    helped: tuple[str, ...]
    findings: tuple[Finding, ...]
    probes: tuple[dict[str, Any], ...]
    errors: tuple[CodeError, ...]
    turns: int
    faults: tuple[str, ...]
    replayed: tuple[dict[str, Any], ...] = ()
    study: Path | None = None
    leaderboard: tuple[dict[str, Any], ...] = ()

    @property
    def stage_reached(self) -> str:
        """The last stage up to which all were reached; empty if not even the first was."""
        return find_stage_reached(self.verdicts)

    @property
    def recipe_file(self) -> Path:
        """Where the recipe is kept, if there is one; contenders are called as the file of their recipe."""
        return find_recipe_file(self.out, self.name)

    @property
    def is_sound(self) -> bool:
        """Whether every stage that was decided was reached, without an edit and without a silent mistake."""
        all_reached = all(verdict.state == "reached" for verdict in self.verdicts)
        return all_reached and bool(self.run) and not self.findings and not self.run["edits"]

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "out": str(self.out),
            "stage_reached": self.stage_reached,
            "is_sound": self.is_sound,
            "stages": [verdict.to_dict() for verdict in self.verdicts],
            "run": self.run,
            "facts": self.facts,
            "recipe": None if self.recipe is None else self.recipe.to_dict(),
            "foreign": self.foreign,
            "helped": list(self.helped),
            "findings": [finding.to_dict() for finding in self.findings],
            "probes": list(self.probes),
            "repair_turns": self.turns,
            "errors": [asdict(error) for error in self.errors],
            "faults": list(self.faults),
            "replayed": list(self.replayed),
            "study": None if self.study is None else str(self.study),
            "leaderboard": list(self.leaderboard),
        }


def join_findings(found: list[Finding]) -> tuple[Finding, ...]:
    """Return findings with each kind of mistake once, by number; a certain one stands for those that are likely."""
    best: dict[int, Finding] = {}
    for finding in found:
        other = best.get(finding.number)
        if other is None or (other.certainty == "likely" and finding.certainty == "certain"):
            best[finding.number] = finding
    return tuple(best[number] for number in sorted(best))
