"""What a probe says about a folder of scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llmseg.admission.findings import Finding

State = Literal["holds", "broken", "does not apply", "harness fault"]
"""``"holds"``: what a sound script does. ``"broken"``: something else; findings say which mistakes follow, if any.
``"does not apply"``: the runs do not tell. ``"harness fault"``: the code around the scripts failed."""


@dataclass(frozen=True)
class ProbeResult:
    """What a probe says about a folder of scripts.

    Attributes:
        probe: The id of the probe, such as ``"P2"``.
        state: How the probe ended.
        reason: Why, in one sentence.
        findings: The silent mistakes that follow. Only a probe that is ``"broken"`` has some.
        compared: The numbers that were compared, by name.

    Raises:
        ValueError: There are findings, and the probe is not broken.

    Example:
        >>> print(ProbeResult("P1", "holds", "two equal runs have the same losses and weights"))
        P1 holds: two equal runs have the same losses and weights
    """

    probe: str
    state: State
    reason: str
    findings: tuple[Finding, ...] = ()
    compared: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.findings and self.state != "broken":
            raise ValueError(f"{self.probe} {self.state} and has findings; only a broken expectation has some")

    def __str__(self) -> str:
        return f"{self.probe} {self.state}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold."""
        return {
            "probe": self.probe,
            "state": self.state,
            "reason": self.reason,
            "findings": [finding.to_dict() for finding in self.findings],
            "compared": dict(self.compared),
        }
