"""What may be said of two contenders, as a record that writes its own sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import Literal, Protocol, get_args

import numpy as np
import pandas as pd

from llmseg.errors import shorten_list
from llmseg.files.html import fold_html, list_html
from llmseg.stats.columns import sign
from llmseg.stats.multiplicity import Correction, adjust
from llmseg.stats.words import count_text, p_text, sentence

Decision = Literal["better", "equivalent", "undecided", "worse"]
"""What a claim says of its first contender; the column ``verdict`` of claims holds it."""

DECISIONS: tuple[Decision, ...] = get_args(Decision)
"""The four words, from good to bad for the first contender."""

MIRRORED: dict[Decision, Decision] = {
    "better": "worse",
    "equivalent": "equivalent",
    "undecided": "undecided",
    "worse": "better",
}
"""Every decision as the second contender sees it."""

_CORRECTED = {"holm": "after Holm", "benjamini-hochberg": "after Benjamini-Hochberg", "none": "uncorrected"}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What may be said of one contender against another.

    Attributes:
        first: The contender (or cohort) the claim is about.
        second: What it is compared with.
        measure: The measure.
        datasets: Names of the datasets; each has the same weight.
        difference: Mean of the first minus mean of the second, in the unit of the measure.
        low: Lower end of the confidence interval of the difference, for this comparison alone.
        high: Upper end.
        level: Confidence level of the interval, between 0 and 1.
        superiority: Probability that the first has the higher value on a unit, where ties count half. Mean over
            datasets.
        delta: Cliff's delta of the two distributions over units, from -1 to 1. Mean over datasets.
        p_difference: Two-sided p value of "there is no difference".
        p_equivalence: p value of "the difference is at least the margin": the larger of two one-sided tests. ``None``
            without a margin.
        p_noninferiority: p value of "the first is worse by at least the margin". ``None`` without a margin.
        p_difference_adjusted: The same after the correction.
        p_equivalence_adjusted: Doubled, so that all false claims together stay below alpha, and then corrected.
        p_noninferiority_adjusted: Doubled and then corrected.
        margin: Differences below it do not matter. It has to be chosen before looking at the scores.
        alpha: Accepted chance of a false claim, over the whole family.
        family: Which comparisons were made together.
        family_size: How many comparisons these are.
        correction: How p values are corrected for the family.
        unit: What is independent: ``group``, ``dataset`` or ``LLM``.
        units: Number of units, over all datasets.
        seeds: Trainings per contender and dataset.
        method: How interval and p values were computed.
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
    def verdict(self) -> Decision:
        """``better``, ``worse``, ``equivalent`` (within the margin, be there a difference or not) or ``undecided``."""
        # Equivalence comes first: a difference that is real but smaller than the margin does not matter.
        if self.p_equivalence_adjusted is not None and self.p_equivalence_adjusted <= self.alpha:
            return "equivalent"
        if self.p_difference_adjusted > self.alpha:
            return "undecided"
        return "better" if self.difference * sign(self.measure) > 0 else "worse"

    @property
    def from_one_seed(self) -> bool:
        """Whether there is one training per contender on a dataset; ``False`` where the unit is the LLM."""
        return self.seeds == 1 and self.unit != "LLM"

    @property
    def noninferior(self) -> bool:
        """Whether the first is shown not to be worse by the margin or more; false where no margin was given."""
        p = self.p_noninferiority_adjusted
        return p is not None and p <= self.alpha

    @property
    def sentence(self) -> str:
        """The claim in one sentence."""
        statement = {
            "better": f"{self.first} is better than {self.second} in {self.measure}",
            "worse": f"{self.first} is worse than {self.second} in {self.measure}",
            "equivalent": f"{self.first} and {self.second} are equivalent in {self.measure}, within {self.margin:g}"
            if self.margin is not None
            else "",
            "undecided": f"Whether {self.first} or {self.second} is better in {self.measure} is undecided",
        }[self.verdict]
        if self.verdict == "undecided" and self.noninferior:
            statement += f", but {self.first} is not worse by {self.margin:g}"
        if self.from_one_seed:
            # The first words, because whoever reads a claim in passing reads no further.
            undecided = self.verdict == "undecided"
            statement = f"With one seed, {'w' + statement[1:] if undecided else statement}"
        p = self.p_equivalence_adjusted if self.verdict == "equivalent" else self.p_difference_adjusted
        family = f" {_CORRECTED[self.correction]} over {self.family_size} comparisons ({self.family})"
        seeds = f", {count_text(self.seeds, 'seed')}" if self.unit != "LLM" else ""
        return (
            f"{statement}: difference {self.difference:+.4f}, {self._interval_text}, p "
            f"{p_text(p)}{family if self.family_size > 1 else ''}; "
            f"{count_text(self.units, self.unit)}{seeds} on {shorten_list(self.datasets)}."
        )

    def _repr_html_(self) -> str:
        basis = (f"Method: {self.method}", *self.assumptions, *self.remarks)
        folded = fold_html("Method, assumptions and remarks", list_html(map(sentence, basis)))
        return f"<p><b>{self.verdict}</b>: {escape(self.sentence)}</p>{folded}"

    @property
    def _interval_text(self) -> str:
        name = f"{100 * self.level:g} % interval"
        if math.isinf(self.low) or math.isinf(self.high):
            return f"no {name} from so few {self.unit}s"
        return f"{name} not known" if math.isnan(self.low) else f"{name} {self.low:+.4f} to {self.high:+.4f}"


class Tails(Protocol):
    """Gains of the first contender over the second, for ``K`` pairs, with the law by which the mean gains spread.

    A gain is positive where the first is better, also for measures of which less is better.
    """

    def above(self, limit: float) -> np.ndarray:
        """Return p values of "the gain is at most the limit", float ``[K]``."""

    def below(self, limit: float) -> np.ndarray:
        """Return p values of "the gain is at least the limit", float ``[K]``."""


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What claims that are computed together have in common; the fields are those of :class:`Claim`."""

    measure: str
    datasets: tuple[str, ...]
    margin: float | None
    alpha: float
    unit: str
    units: int
    seeds: int
    method: str
    assumptions: tuple[str, ...]


def make_claims(
    basis: Basis,
    pairs: Sequence[tuple[str, str]],
    tails: Tails,
    differences: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray],
    effects: np.ndarray,
    remarks: Sequence[tuple[str, ...]],
) -> list[Claim]:
    """Return a claim per pair, not yet corrected: :func:`correct_claims` makes them a family.

    Args:
        basis: What the claims have in common.
        pairs: First and second contender of ``K`` comparisons.
        tails: Where the p values come from.
        differences: Mean of the first minus mean of the second, float ``[K]``.
        ends: Ends of the intervals of these differences, in either order, float ``[K]`` each.
        effects: Superiority and Cliff's delta, float ``[K, 2]``.
        remarks: Remarks on every claim.
    """
    lows, highs = np.sort(np.stack(ends), axis=0)
    margin = basis.margin
    p_difference = np.minimum(1.0, 2 * np.minimum(tails.above(0.0), tails.below(0.0)))
    p_noninferiority = None if margin is None else tails.above(-margin)
    p_equivalence = None if margin is None else np.maximum(tails.above(-margin), tails.below(margin))
    return [
        Claim(
            first=first,
            second=second,
            **vars(basis),
            difference=float(differences[row]),
            low=float(lows[row]),
            high=float(highs[row]),
            level=1 - basis.alpha,
            superiority=float(effects[row, 0]),
            delta=float(effects[row, 1]),
            p_difference=float(p_difference[row]),
            p_equivalence=None if p_equivalence is None else float(p_equivalence[row]),
            p_noninferiority=None if p_noninferiority is None else float(p_noninferiority[row]),
            p_difference_adjusted=float(p_difference[row]),
            p_equivalence_adjusted=None,
            p_noninferiority_adjusted=None,
            family="",
            family_size=1,
            correction="none",
            remarks=remarks[row],
        )
        for row, (first, second) in enumerate(pairs)
    ]


def correct_claims(claims: Sequence[Claim], correction: Correction, alpha: float, family: str) -> tuple[Claim, ...]:
    """Return claims as one family, with the p values corrected for all comparisons that were made.

    A comparison can be claimed as a difference or as equivalence. The smaller p value of the two (that of equivalence
    doubled) is corrected; the other is raised by the same factor.

    Args:
        claims: All comparisons that were made.
        correction: See :func:`llmseg.stats.adjust`.
        alpha: Accepted chance of a false claim, over the family.
        family: What the comparisons have in common.

    Raises:
        UserError: There is no such correction.
    """
    # A comparison enters the correction once, by its smaller p value, although it can be claimed in two ways. Where the
    # contenders are alike, only "better" and "worse" are false. Where they differ by the margin or more, "equivalent"
    # and the wrong direction are false: the two-sided test allows half of alpha to the wrong direction, and the
    # doubling leaves the other half to equivalence. Correcting twice as many tests would only cost power.
    doubled = [_double(claim.p_equivalence) for claim in claims]
    # In a far tail of Student's law a p value is 0. The other one must be raised all the same, so 0 is no divisor.
    smaller = np.maximum(np.minimum([claim.p_difference for claim in claims], doubled), np.finfo(float).tiny)
    factors = adjust(smaller, correction) / smaller
    noninferior = adjust([_double(claim.p_noninferiority) for claim in claims], correction)
    return tuple(
        replace(
            claim,
            p_difference_adjusted=float(min(1.0, claim.p_difference * factor)),
            p_equivalence_adjusted=None if claim.p_equivalence is None else float(min(1.0, twice * factor)),
            p_noninferiority_adjusted=None if claim.p_noninferiority is None else float(p),
            alpha=alpha,
            family=family,
            family_size=len(claims),
            correction=correction,
        )
        for claim, factor, twice, p in zip(claims, factors, doubled, noninferior, strict=True)
    )


def _double(p: float | None) -> float:
    """Return twice a p value, at most 1; 1 where the test was not made, so that it never decides."""
    return 1.0 if p is None else min(1.0, 2 * p)


def claims_frame(claims: Sequence[Claim]) -> pd.DataFrame:
    """Return a row per claim: its fields, ``verdict``, ``noninferior`` and ``sentence``.

    Example:
        >>> from llmseg.stats import compare_all, simulate
        >>> frame = claims_frame(compare_all(simulate(pipelines=[0.05, 0.0])))
        >>> frame[["first", "second", "verdict"]].values.tolist()
        [['llm-01', 'llm-02', 'better']]
    """
    rows = [
        {**asdict(claim), "verdict": claim.verdict, "noninferior": claim.noninferior, "sentence": claim.sentence}
        for claim in claims
    ]
    frame: pd.DataFrame = pd.DataFrame(rows)
    return frame
