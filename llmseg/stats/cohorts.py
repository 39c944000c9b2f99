"""Comparisons of cohorts of LLMs: the LLM is the unit, however many cases it was scored on."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from llmseg.errors import UserError, nearest, shorten_list
from llmseg.stats.blocks import make_blocks
from llmseg.stats.claims import Basis, Claim, correct_claims, make_claims
from llmseg.stats.columns import sign
from llmseg.stats.effects import cliffs_delta, superiority
from llmseg.stats.multiplicity import Correction
from llmseg.stats.options import check_fraction, check_margin
from llmseg.stats.resampling import DRAWS
from llmseg.stats.table import Table

MOST_RELABELLINGS = 200_000
"""Up to so many relabellings all are tried; where there are more, some are sampled."""

_SLACK = 1e-12
"""Differences of means that are closer than this are equal but for rounding, and count as ties."""

_ASSUMPTIONS = (
    "without a difference, any LLM could as well be of the other cohort",
    "LLMs are independent of each other, those of one vendor too",
    "the claim is about LLMs like these, on these datasets",
)


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
    """Compare two cohorts of LLMs by a permutation test: would cohorts drawn at random differ as much?

    Every LLM counts once, by its mean over datasets, seeds and cases. The labels of the cohorts are dealt out to the
    LLMs anew, in all ways or in a sample of them. The confidence interval holds all shifts of the first cohort that
    this test does not reject.

    Args:
        table: The scores.
        cohorts: Name of the cohort of every contender that takes part.
        first: The cohort the claim is about.
        second: The cohort it is compared with.
        measure: Which measure.
        phase: Which phase.
        each_dataset: Compare on every dataset alone, instead of on all together.
        margin: Differences below it do not matter. With a margin, equivalence and non-inferiority are tested, too.
        alpha: Accepted chance of a false claim, over the family.
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
        >>> labels = {name: "new" if index < 3 else "old" for index, name in enumerate(table.contenders)}
        >>> (claim,) = compare_cohorts(table, labels, "new", "old")
        >>> claim.units, round(claim.p_difference, 3), claim.verdict
        (6, 0.1, 'undecided')
    """
    check_margin(margin)
    check_fraction("alpha", alpha)
    blocks = make_blocks(table, measure, phase=phase)
    sides = [_members(blocks[0].contenders, cohorts, label) for label in (first, second)]
    others = len(blocks[0].contenders) - len(sides[0]) - len(sides[1])
    remarks = (*table.remarks, *([f"{others} contenders are of neither cohort and are left out"] if others else []))
    means = np.stack([block.means for block in blocks])
    if not each_dataset:
        means = means.mean(axis=0, keepdims=True)
    labels, law = _relabel(len(sides[0]), len(sides[0]) + len(sides[1]), draws, seed, MOST_RELABELLINGS)
    names = [block.dataset for block in blocks]
    claims = []
    for row, datasets in zip(means, [(name,) for name in names] if each_dataset else [tuple(names)], strict=True):
        basis = Basis(
            measure=measure,
            datasets=datasets,
            margin=margin,
            alpha=alpha,
            unit="LLM",
            units=len(sides[0]) + len(sides[1]),
            seeds=1,
            method=f"relabelling of LLMs, {law}; the interval holds the shifts that are not rejected",
            assumptions=_ASSUMPTIONS,
        )
        claims.append(_claim(basis, (first, second), row[sides[0]], row[sides[1]], labels, remarks))
    where = f"each of {len(means)} datasets" if each_dataset else "all datasets together"
    return correct_claims(claims, correction, alpha, f"{first} against {second} on {where}")


def _members(names: tuple[str, ...], cohorts: Mapping[str, str], label: str) -> list[int]:
    """Return the indices of the contenders of a cohort."""
    members = [index for index, name in enumerate(names) if cohorts.get(name) == label]
    if members:
        return members
    known = {str(cohort) for cohort in cohorts.values()}
    if label not in known:
        near = nearest(label, known)
        raise UserError(f"no contender of the table is of cohort '{label}'{near}; it has {shorten_list(names)}")
    named = [name for name, cohort in cohorts.items() if str(cohort) == label]
    if any(name in names for name in named):
        raise UserError(f"cohort '{label}' is given as a text, and in cohorts it is none; give both as texts")
    raise UserError(
        f"cohort '{label}' has no scores here: its contenders are {shorten_list(named)}, those of the table are "
        f"{shorten_list(names)}"
    )


@functools.lru_cache(maxsize=4)
def _relabel(chosen: int, total: int, draws: int, seed: int, most: int) -> tuple[np.ndarray, str]:
    """Return which LLMs are dealt to the first cohort, int ``[relabellings, chosen]``, and how that came about.

    Simulations ask for the same sizes again and again, so the last answers are kept; ``most`` is a parameter so that it
    is part of what they are kept by.
    """
    count = math.comb(total, chosen)
    if count <= most:
        return np.array(list(itertools.combinations(range(total), chosen))), f"exact, {count} relabellings"
    generator = np.random.default_rng(seed)
    # The first places of a random order are a random choice; the labels as they are come first, so that p is never 0.
    sampled = np.argsort(generator.random((draws, total)), axis=1)[:, :chosen]
    return np.concatenate([np.arange(chosen)[None], sampled]), f"sampled, {draws} relabellings"


@dataclass(frozen=True, eq=False)
class _TurningPoints:
    """For every relabelling, the shift of the first cohort at which its difference equals that of the true labels.

    Shifting the first cohort moves the difference of the true labels by the whole shift, and that of a relabelling by
    less, because some of the shifted LLMs are now in the other cohort. Where the two cross is its turning point. Sorted
    turning points answer for every shift at once how many relabellings differ as much: that is the p value of the
    shift, and the interval needs no search. A relabelling that moves no LLM has none; it counts on both sides, whatever
    the shift.

    Attributes:
        shifts: Turning points, sorted.
        unmoved: Number of relabellings that move no LLM.
    """

    shifts: np.ndarray
    unmoved: int

    @classmethod
    def of(cls, first: np.ndarray, second: np.ndarray, labels: np.ndarray) -> _TurningPoints:
        values = np.concatenate([first, second])
        dealt = values[labels].sum(axis=1)
        stayed = (labels < len(first)).sum(axis=1)
        differences = dealt / len(first) - (values.sum() - dealt) / len(second)
        # How much of a shift reaches the difference of a relabelling.
        share = stayed / len(first) - (len(first) - stayed) / len(second)
        moved = stayed < len(first)
        observed = first.mean() - second.mean()
        shifts = (observed - differences[moved]) / (1 - share[moved])
        return cls(np.sort(shifts), int((~moved).sum()))

    @property
    def total(self) -> int:
        return len(self.shifts) + self.unmoved

    def above(self, limit: float) -> np.ndarray:
        """Return the p value of "the gain is at most the limit", float ``[1]``."""
        return np.array([(self.unmoved + np.searchsorted(self.shifts, limit + _SLACK, "right")) / self.total])

    def below(self, limit: float) -> np.ndarray:
        """Return the p value of "the gain is at least the limit", float ``[1]``."""
        beyond = len(self.shifts) - np.searchsorted(self.shifts, limit - _SLACK, "left")
        return np.array([(self.unmoved + beyond) / self.total])

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the shifts that are not rejected at half of alpha.

        They are infinite where LLMs are so few that no p value can be that small.
        """
        index = math.floor(alpha / 2 * self.total) - self.unmoved
        if index < 0:
            return -math.inf, math.inf
        return float(self.shifts[index]), float(self.shifts[-1 - index])


def _claim(
    basis: Basis,
    names: tuple[str, str],
    first: np.ndarray,
    second: np.ndarray,
    labels: np.ndarray,
    remarks: tuple[str, ...],
) -> Claim:
    direction = sign(basis.measure)
    turning_points = _TurningPoints.of(direction * first, direction * second, labels)
    low, high = turning_points.interval(basis.alpha)
    smallest = 2 / len(labels)
    if smallest > basis.alpha:
        few = f"the smallest p that {len(first)} against {len(second)} LLMs can give is {smallest:.2g}"
        remarks = (*remarks, few)
    (claim,) = make_claims(
        basis,
        [names],
        turning_points,
        np.array([first.mean() - second.mean()]),
        (np.array([direction * low]), np.array([direction * high])),
        np.array([[superiority(first, second), cliffs_delta(first, second)]]),
        [remarks],
    )
    return claim
