"""Comparisons of cohorts of LLMs: the LLM is the unit, however many cases it was scored on."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from llmseg.errors import UserError, nearest
from llmseg.stats.blocks import blocks
from llmseg.stats.claims import Claim, corrected
from llmseg.stats.columns import listed, sign
from llmseg.stats.effects import cliffs_delta, superiority
from llmseg.stats.multiplicity import Correction
from llmseg.stats.resampling import DRAWS
from llmseg.stats.table import Table

EXACT = 200_000
"""Up to so many relabellings all are tried; more are sampled."""

_SLACK = 1e-12


def compare_cohorts(
    table: Table,
    cohorts: Mapping[str, str],
    first: str,
    second: str,
    *,
    measure: str = "dice",
    phase: str = "test",
    each_dataset: bool = False,
    margin: float | None = None,
    alpha: float = 0.05,
    correction: Correction = "holm",
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Claim, ...]:
    """Compare two cohorts of LLMs by relabelling: how often would LLMs dealt out at random differ as much?

    Every LLM counts once: its mean over datasets, seeds and cases. The interval holds the shifts that the test does not
    reject.

    Args:
        table: The scores.
        cohorts: Cohort of every contender that takes part.
        first: A cohort.
        second: Another.
        measure: Which measure.
        phase: Which phase.
        each_dataset: Compare on every dataset alone, instead of on all together.
        margin: Differences below it do not matter.
        alpha: Chance of a false claim that is accepted, over the family.
        correction: ``holm``, ``benjamini-hochberg`` or ``none``.
        draws: Number of sampled relabellings where there are too many to try all.
        seed: Seed of the sampling.

    Returns:
        One claim, or one per dataset, which are then a family.

    Raises:
        UserError: A cohort has no LLM, or fewer than two LLMs take part in all, or an option is out of range.

    Example:
        >>> from llmseg.stats import simulate
        >>> table = simulate(pipelines=[0.1, 0.11, 0.12, 0.0, 0.01, 0.02])
        >>> labels = {name: "new" if place < 3 else "old" for place, name in enumerate(table.contenders)}
        >>> (claim,) = compare_cohorts(table, labels, "new", "old")
        >>> claim.units, round(claim.p_difference, 3), claim.verdict
        (6, 0.1, 'undecided')
    """
    if margin is not None and not margin > 0:
        raise UserError(f"margin is {margin}; give the smallest difference that matters, above 0")
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}; it must be above 0 and below 1")
    found = blocks(table, measure, phase=phase)
    names = found[0].contenders
    sides = [[place for place, name in enumerate(names) if cohorts.get(name) == label] for label in (first, second)]
    for label, side in zip((first, second), sides, strict=True):
        if not side:
            near = nearest(label, set(cohorts.values()))
            raise UserError(f"no contender of the table is of cohort '{label}'{near}; it has {listed(names)}")
    left = len(names) - len(sides[0]) - len(sides[1])
    remarks = (*table.remarks, *([f"{left} contenders are of neither cohort and are left out"] if left else []))
    means = np.stack([block.means for block in found])
    rows = means if each_dataset else means.mean(axis=0, keepdims=True)
    relabelled, law = _labels(len(sides[0]), len(sides[0]) + len(sides[1]), draws, seed, EXACT)
    claims = []
    for place, row in enumerate(rows):
        datasets = (found[place].dataset,) if each_dataset else tuple(block.dataset for block in found)
        a, b = (row[side] for side in sides)
        claims.append(_claim(a, b, relabelled, law, first, second, measure, datasets, margin, alpha, remarks))
    where = f"each of {len(rows)} datasets" if each_dataset else "all datasets together"
    return corrected(claims, correction, alpha, f"{first} against {second} on {where}")


@functools.lru_cache(maxsize=4)
def _labels(chosen: int, total: int, draws: int, seed: int, most: int) -> tuple[np.ndarray, str]:
    """Return which LLMs are dealt to the first cohort, int ``[relabellings, chosen]``, kept for the next call."""
    count = math.comb(total, chosen)
    if count <= most:
        return np.array(list(itertools.combinations(range(total), chosen))), f"exact, {count} relabellings"
    generator = np.random.default_rng(seed)
    sampled = np.argsort(generator.random((draws, total)), axis=1)[:, :chosen]
    return np.concatenate([np.arange(chosen)[None], sampled]), f"sampled, {draws} relabellings"


@dataclass(frozen=True, eq=False)
class _Turns:
    """At which shift of the first cohort each relabelling stops to differ less than the labels as they are.

    A relabelling that moves no LLM never does; it counts on both sides, whatever the shift.

    Attributes:
        shifts: The others, sorted.
        unmoved: How many relabellings move no LLM.
    """

    shifts: np.ndarray
    unmoved: int

    @classmethod
    def of(cls, first: np.ndarray, second: np.ndarray, labels: np.ndarray) -> _Turns:
        values = np.concatenate([first, second])
        dealt = values[labels].sum(axis=1)
        kept = (labels < len(first)).sum(axis=1)
        differences = dealt / len(first) - (values.sum() - dealt) / len(second)
        share = kept / len(first) - (len(first) - kept) / len(second)
        moved = kept < len(first)
        observed = first.mean() - second.mean()
        shifts = (observed - differences[moved]) / (1 - share[moved])
        return cls(np.sort(shifts), int((~moved).sum()))

    @property
    def total(self) -> int:
        return len(self.shifts) + self.unmoved

    def above(self, limit: float) -> float:
        """Return p of "the difference is at most the limit"."""
        return float((self.unmoved + np.searchsorted(self.shifts, limit + _SLACK, "right")) / self.total)

    def below(self, limit: float) -> float:
        """Return p of "the difference is at least the limit"."""
        beyond = len(self.shifts) - np.searchsorted(self.shifts, limit - _SLACK, "left")
        return float((self.unmoved + beyond) / self.total)

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the shifts that are not rejected at half of alpha; without end where no relabelling is that rare."""
        place = math.floor(alpha / 2 * self.total) - self.unmoved
        if place < 0:
            return -math.inf, math.inf
        return float(self.shifts[place]), float(self.shifts[-1 - place])


def _claim(
    a: np.ndarray,
    b: np.ndarray,
    labels: np.ndarray,
    law: str,
    first: str,
    second: str,
    measure: str,
    datasets: tuple[str, ...],
    margin: float | None,
    alpha: float,
    remarks: tuple[str, ...],
) -> Claim:
    direction = sign(measure)
    turns = _Turns.of(direction * a, direction * b, labels)
    low, high = sorted(direction * end for end in turns.interval(alpha))
    noninferior = turns.above(-margin) if margin is not None else None
    equivalent = max(turns.above(-margin), turns.below(margin)) if margin is not None else None
    smallest = 2 / len(labels)
    short = (
        (f"the smallest p that {len(a)} against {len(b)} LLMs can give is {smallest:.2g}",) if smallest > alpha else ()
    )
    return Claim(
        first=first,
        second=second,
        measure=measure,
        datasets=datasets,
        difference=float(a.mean() - b.mean()),
        low=low,
        high=high,
        level=1 - alpha,
        superiority=superiority(a, b),
        delta=cliffs_delta(a, b),
        p_difference=min(1.0, 2 * min(turns.above(0.0), turns.below(0.0))),
        p_equivalence=equivalent,
        p_noninferiority=noninferior,
        p_difference_adjusted=1.0,
        p_equivalence_adjusted=None,
        p_noninferiority_adjusted=None,
        margin=margin,
        alpha=alpha,
        family="",
        family_size=1,
        correction="none",
        unit="LLM",
        units=len(a) + len(b),
        seeds=1,
        method=f"relabelling of LLMs, {law}; the interval holds the shifts that are not rejected",
        assumptions=(
            "without a difference, any LLM could as well be of the other cohort",
            "LLMs are independent of each other, those of one vendor too",
            "the claim is about LLMs like these, on these datasets",
        ),
        remarks=(*remarks, *short),
    )
