"""What an admission has decided about a folder of scripts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmseg.admission.stages.code_error import CodeError
from llmseg.admission.stages.stage import STAGES, StageVerdict, find_stage_reached


@dataclass(frozen=True)
class Admission:
    """What an admission has decided about a folder of scripts.

    Attributes:
        name: What the pipeline is called.
        folder: The folder of the scripts.
        out: Where everything is kept.
        verdicts: What is said of each stage, in order.
        run: What came of the tiny run; empty if there was none.
        errors: Errors of the scripts and of those before them, in order; the last one ended these if they failed.
        turns: How often somebody told the language model of an error.
        faults: What went wrong in the code around the scripts, which says nothing about them.
    """

    name: str
    folder: Path
    out: Path
    verdicts: tuple[StageVerdict, ...]
    run: dict[str, Any]
    errors: tuple[CodeError, ...]
    turns: int
    faults: tuple[str, ...]

    @property
    def stage_reached(self) -> str:
        """The last stage up to which all were reached; empty if not even the first was."""
        return find_stage_reached(self.verdicts)

    @property
    def is_sound(self) -> bool:
        """Whether every stage was reached, without help."""
        reached = {verdict.stage for verdict in self.verdicts if verdict.state == "reached"}
        return reached == set(STAGES) and not self.run["edits"]

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
            "repair_turns": self.turns,
            "errors": [asdict(error) for error in self.errors],
            "faults": list(self.faults),
        }
