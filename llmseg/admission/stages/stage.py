"""The stages of an admission, and what is said of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

STAGES = {
    "static": "the scripts are Python, their imports can be found, and one file is to be started",
    "import": "everything that they import is imported",
    "data": "cases are read and reach the network as a batch",
    "network": "the network is built and computes an output",
    "first step": "a loss is computed and the weights are changed once",
    "epoch": "an epoch of training ends",
    "validation": "cases are scored between epochs",
    "test": "cases are scored after the last epoch",
    "artefacts": "the scripts end by themselves, and weights and numbers are there",
    "extraction": "what they do was recorded, and is looked through for silent mistakes",
    "probes": "they run again on changed cases, and what has to stay equal stays equal",
    "full run": "they are trained in full on cases that are given, and scored on those that were held out",
    "rank": "they have a place among other contenders with the same cases",
}
"""What scripts have done when they have reached a stage, in order; the last two only where cases are given."""

RUN_STAGES = tuple(STAGES)[1:9]
"""The stages that one run of the scripts decides."""

State = Literal["reached", "failed", "limit", "not reached", "not decidable", "harness fault"]


@dataclass(frozen=True)
class StageVerdict:
    """What is said of a stage.

    Attributes:
        stage: One of :data:`STAGES`.
        state: ``"reached"``; ``"failed"`` if the scripts ended there, or without it; ``"limit"`` if a limit ended them
            there; ``"not reached"`` after such a stage; ``"not decidable"`` if nothing shows it; ``"harness fault"``
            if the code around the scripts failed, which says nothing about them.
        reason: Why, in a few words: the exception, the limit, what is missing.
        place: Where in the scripts, as ``file:line``.

    Example:
        >>> print(StageVerdict("data", "failed", "ValueError: no images", "dataset.py:12"))
        data: failed, ValueError: no images (dataset.py:12)
    """

    stage: str
    state: State
    reason: str = ""
    place: str = ""

    def __str__(self) -> str:
        words = f", {self.reason}" if self.reason else ""
        return f"{self.stage}: {self.state}{words}{f' ({self.place})' if self.place else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold."""
        return asdict(self)


def find_stage_reached(verdicts: Sequence[StageVerdict]) -> str:
    """Return the last stage up to which all were reached; empty if not even the first was.

    Example:
        >>> find_stage_reached([StageVerdict("static", "reached"), StageVerdict("import", "failed")])
        'static'
    """
    reached = ""
    for verdict in verdicts:
        if verdict.state != "reached":
            break
        reached = verdict.stage
    return reached


def read_verdict(record: Mapping[str, Any]) -> StageVerdict:
    """Return a verdict from values of JSON."""
    return StageVerdict(record["stage"], record["state"], record["reason"], record["place"])
