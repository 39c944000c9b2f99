"""What the examination of a dataset found: as values, as data for JSON, and as text."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, Literal, TypeVar

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""An error spoils results, a warning may, a note is good to know."""

NAMED_CASES = 6
"""How many cases a finding names."""

LISTED_VALUES = 12
"""How many sizes, and how many mask values, are listed."""

_WIDTH = 110
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        kind: A short name, such as ``"group-overlap"``.
        severity: ``"error"``, ``"warning"`` or ``"note"``.
        sentence: What was found, and what to do next.
        count: Number of cases, or of groups or files where the sentence says so.
        cases: Ids of the first few cases. Duplicates stand side by side.
    """

    kind: str
    severity: Severity
    sentence: str
    count: int
    cases: tuple[str, ...] = ()


def report_cases(
    kind: str, severity: Severity, ids: Sequence[str], total: int, what: str, advice: str
) -> Iterator[Finding]:
    """Yield one finding about some cases, or nothing if there are none.

    Args:
        kind: Short name of the finding.
        severity: How bad it is.
        ids: The cases that it is about.
        total: Number of cases that were looked at.
        what: What they have in common.
        advice: What to do next.

    Example:
        >>> next(report_cases("empty-masks", "note", ["a", "b"], 3, "empty masks", "mind the score")).sentence
        'empty masks: 2 of 3; mind the score'
    """
    if ids:
        yield Finding(kind, severity, f"{what}: {len(ids)} of {total}; {advice}", len(ids), tuple(ids[:NAMED_CASES]))


@dataclass(frozen=True)
class Tally(Generic[_Key]):
    """How often each of several things occurs.

    Attributes:
        commonest: Things and how often each occurs, the commonest first, at most :data:`LISTED_VALUES`.
        different: How many different things there are.
    """

    commonest: tuple[tuple[_Key, int], ...]
    different: int

    @classmethod
    def of(cls, things: Iterable[_Key]) -> Tally[_Key]:
        """Count things.

        Example:
            >>> Tally.of("abbc")
            Tally(commonest=(('b', 2), ('a', 1), ('c', 1)), different=3)
        """
        counts = Counter(things)
        return cls(tuple(counts.most_common(LISTED_VALUES)), len(counts))


@dataclass(frozen=True)
class Examination:
    """The state of a dataset.

    Attributes:
        name: Name of the store.
        cases: Number of cases.
        readable: Number of cases that could be read. Sizes, channels, values and shares are theirs.
        groups: Number of groups of all cases.
        parts: Each part and its number of cases; empty if no parts were given.
        sizes: Heights and widths of the images in pixels.
        channels: How many images are ``"grey"``, ``"colour"``, or grey stored as three ``"equal"`` channels.
        values: Pixel values of the masks, each counted once per mask that has it.
        shares: Percentiles, and the share of foreground in a mask at each, 0 to 1.
        findings: What was found, errors first.
    """

    name: str
    cases: int
    readable: int
    groups: int
    parts: tuple[tuple[str, int], ...]
    sizes: Tally[tuple[int, int]]
    channels: tuple[tuple[str, int], ...]
    values: Tally[int]
    shares: tuple[tuple[int, float], ...]
    findings: tuple[Finding, ...]

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as values that :mod:`json` writes."""
        return {
            "name": self.name,
            "cases": self.cases,
            "readable": self.readable,
            "groups": self.groups,
            "parts": dict(self.parts),
            "sizes": {
                "different": self.sizes.different,
                "commonest": [{"height": h, "width": w, "cases": n} for (h, w), n in self.sizes.commonest],
            },
            "channels": dict(self.channels),
            "mask_values": {
                "different": self.values.different,
                "commonest": [{"value": value, "masks": n} for value, n in self.values.commonest],
            },
            "foreground_share_percentiles": {str(p): share for p, share in self.shares},
            "findings": [{**asdict(finding), "cases": list(finding.cases)} for finding in self.findings],
        }

    def text(self) -> str:
        """Return a short report: what the dataset is, then the findings, errors first."""
        lines = [f"{self.name}: {self.cases} cases in {self.groups} groups, {self.readable} of them readable"]
        for label, content in self._summarise():
            lines += _wrap(content, f"  {label:9}") if content else []
        if not (self.of("error") or self.of("warning")):
            lines += ["", "no errors and no warnings: nothing to mend"]
        for severity in SEVERITIES:
            findings = self.of(severity)
            if findings:
                lines += ["", f"{severity}s", *(line for finding in findings for line in _format_finding(finding))]
        return "\n".join(lines)

    def _summarise(self) -> tuple[tuple[str, str], ...]:
        sizes = [f"{height}x{width} ({count})" for (height, width), count in self.sizes.commonest]
        values = [f"{value} ({count})" for value, count in self.values.commonest]
        shares = ", ".join(f"p{percentile} {100 * share:.3g}" for percentile, share in self.shares)
        return (
            ("parts", ", ".join(f"{part} {count}" for part, count in self.parts)),
            ("sizes", _join(sizes, self.sizes.different) + (" (height x width)" if sizes else "")),
            ("channels", ", ".join(f"{kind} {count}" for kind, count in self.channels)),
            ("masks", _join(values, self.values.different) + (" (value, in how many masks)" if values else "")),
            ("share", f"foreground in % of the mask: {shares}" if shares else ""),
        )


def _join(things: Sequence[str], different: int) -> str:
    more = different - len(things)
    return ", ".join(things) + (f" and {more} more" if more else "")


def _format_finding(finding: Finding) -> list[str]:
    more = " ..." if finding.count > len(finding.cases) else ""
    return [*_wrap(finding.sentence, "  - "), *_wrap(", ".join(finding.cases) + more, "    ")]


def _wrap(text: str, start: str) -> list[str]:
    # Names and messages are to be found again by searching, so lines are broken at spaces only.
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
