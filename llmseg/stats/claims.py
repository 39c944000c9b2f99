"""What may be said of two contenders, as a record that writes its own sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from llmseg.stats.columns import listed, sign
from llmseg.stats.multiplicity import Correction, adjust

Verdict = Literal["better", "equivalent", "undecided", "worse"]

MIRRORED: dict[Verdict, Verdict] = {
    "better": "worse",
    "equivalent": "equivalent",
    "undecided": "undecided",
    "worse": "better",
}
"""Verdicts as the second contender sees them."""

_CORRECTED = {"holm": "after Holm", "benjamini-hochberg": "after Benjamini-Hochberg", "none": "uncorrected"}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What may be said of one contender against another.

    Attributes:
        first: The contender (or cohort) the claim is about.
        second: What it is compared with.
        measure: The measure.
        datasets: Where; each counts alike.
        difference: Mean of the first minus mean of the second.
        low: Lower end of the difference's interval, for this comparison alone.
        high: Upper end.
        level: Level of the interval.
        superiority: Probability that the first has the higher value on a unit, ties half; mean over datasets.
        delta: Cliff's delta of the two distributions over units; mean over datasets.
        p_difference: Two-sided p of "there is no difference".
        p_equivalence: Larger p of the two one-sided tests of "it is at least the margin"; with a margin only.
        p_noninferiority: p of "the first is worse by at least the margin"; with a margin only.
        p_difference_adjusted: After the correction.
        p_equivalence_adjusted: Doubled, so that all false claims together stay below alpha, and after the correction.
        p_noninferiority_adjusted: Doubled and after the correction.
        margin: Differences below it do not matter; given before looking.
        alpha: Chance of a false claim that is accepted, over the family.
        family: Which comparisons were made together.
        family_size: How many.
        correction: How p values are corrected for the family.
        unit: What is independent: ``group``, ``dataset`` or ``LLM``.
        units: How many, over all datasets.
        seeds: Trainings per contender and dataset.
        method: How interval and p were computed.
        assumptions: What has to hold, a sentence each.
        remarks: What a reader has to know, a sentence each.
    """

    first: str
    second: str
    measure: str
    datasets: tuple[str, ...]
    difference: float
    low: float
    high: float
    level: float
    superiority: float
    delta: float
    p_difference: float
    p_equivalence: float | None
    p_noninferiority: float | None
    p_difference_adjusted: float
    p_equivalence_adjusted: float | None
    p_noninferiority_adjusted: float | None
    margin: float | None
    alpha: float
    family: str
    family_size: int
    correction: Correction
    unit: str
    units: int
    seeds: int
    method: str
    assumptions: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """``better``, ``worse``, ``equivalent`` (within the margin, be there a difference or not) or ``undecided``."""
        if self.p_equivalence_adjusted is not None and self.p_equivalence_adjusted <= self.alpha:
            return "equivalent"
        if self.p_difference_adjusted > self.alpha:
            return "undecided"
        return "better" if self.difference * sign(self.measure) > 0 else "worse"

    @property
    def noninferior(self) -> bool:
        """Whether the first is shown not to be worse by the margin; false where no margin was given."""
        p = self.p_noninferiority_adjusted
        return p is not None and p <= self.alpha

    @property
    def sentence(self) -> str:
        """The claim in one sentence."""
        said = {
            "better": f"{self.first} is better than {self.second} in {self.measure}",
            "worse": f"{self.first} is worse than {self.second} in {self.measure}",
            "equivalent": f"{self.first} and {self.second} are equivalent in {self.measure}, within {self.margin:g}"
            if self.margin is not None
            else "",
            "undecided": f"Whether {self.first} or {self.second} is better in {self.measure} is undecided",
        }[self.verdict]
        if self.verdict == "undecided" and self.noninferior:
            said += f", but {self.first} is not worse by {self.margin:g}"
        p = self.p_equivalence_adjusted if self.verdict == "equivalent" else self.p_difference_adjusted
        family = f" {_CORRECTED[self.correction]} over {self.family_size} comparisons ({self.family})"
        seeds = f", {self.seeds} seed{'' if self.seeds == 1 else 's'}" if self.unit != "LLM" else ""
        return (
            f"{said}: difference {self.difference:+.4f}, {100 * self.level:g} % interval {self.low:+.4f} to "
            f"{self.high:+.4f}, p {p_text(p)}{family if self.family_size > 1 else ''}; "
            f"{self.units} {self.unit}{'' if self.units == 1 else 's'}{seeds} on {listed(self.datasets)}."
        )


def p_text(p: float | None) -> str:
    """Return a p value as a reader wants it.

    Example:
        >>> p_text(0.01234), p_text(0.00001)
        ('= 0.0123', '< 0.0001')
    """
    return "is unknown" if p is None or np.isnan(p) else "< 0.0001" if p < 0.0001 else f"= {p:.3g}"


def corrected(claims: Sequence[Claim], correction: Correction, alpha: float, family: str) -> tuple[Claim, ...]:
    """Return claims as one family: what each may say is decided with all others in view.

    A comparison can be claimed as a difference or as equivalence. The smaller p of the two (that of equivalence
    doubled) is corrected; the other is raised by the same factor.

    Args:
        claims: All comparisons that were made.
        correction: See :func:`llmseg.stats.adjust`.
        alpha: Chance of a false claim that is accepted.
        family: What the comparisons have in common.

    Raises:
        UserError: There is no such correction.
    """
    doubled = [1.0 if one.p_equivalence is None else min(1.0, 2 * one.p_equivalence) for one in claims]
    smaller = np.minimum([one.p_difference for one in claims], doubled)
    factors = adjust(smaller, correction) / np.maximum(smaller, 1e-300)
    noninferior = adjust([_twice(one.p_noninferiority) for one in claims], correction)
    return tuple(
        replace(
            one,
            p_difference_adjusted=float(min(1.0, one.p_difference * factor)),
            p_equivalence_adjusted=None if one.p_equivalence is None else float(min(1.0, twice * factor)),
            p_noninferiority_adjusted=None if one.p_noninferiority is None else float(p),
            alpha=alpha,
            family=family,
            family_size=len(claims),
            correction=correction,
        )
        for one, factor, twice, p in zip(claims, factors, doubled, noninferior, strict=True)
    )


def _twice(p: float | None) -> float:
    return 1.0 if p is None else min(1.0, 2 * p)


def claims_frame(claims: Sequence[Claim]) -> pd.DataFrame:
    """Return a row per claim: its fields, ``verdict``, ``noninferior`` and ``sentence``."""
    rows = [
        {**asdict(one), "verdict": one.verdict, "noninferior": one.noninferior, "sentence": one.sentence}
        for one in claims
    ]
    frame: pd.DataFrame = pd.DataFrame(rows)
    return frame
