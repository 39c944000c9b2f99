"""Tests of two contenders on the same groups of cases, pair by pair."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from llmseg.errors import UserError, shorten_list
from llmseg.stats.blocks import find_contender, make_blocks
from llmseg.stats.draws import split_rows
from llmseg.stats.options import check_choice
from llmseg.stats.resampling import DRAWS
from llmseg.stats.table import Table
from llmseg.stats.words import ONE_SEED, count_text, p_text

Alternative = Literal["two-sided", "greater", "less"]

MOST_UNITS = 16
"""Up to so many units all patterns of signs are tried, 2 ** 16 of them; with more units, some are sampled."""


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """A test, its result and what it rests on.

    Attributes:
        name: Name of the test.
        question: What is tested.
        statistic: Value of the test's statistic.
        p: p value: the chance of such a statistic, or one further out, if there were no difference.
        alternative: ``two-sided``, ``greater`` or ``less``.
        unit: What is independent.
        units: Number of units.
        seeds: Trainings per contender and dataset, over which the differences are averaged.
        law: How p was computed: ``exact``, ``sampled`` (with the number of draws) or ``asymptotic``.
        assumptions: What has to hold, a sentence each.
        remarks: What a reader has to know, a sentence each.
    """

    name: str
    question: str
    statistic: float
    p: float
    alternative: str
    unit: str
    units: int
    seeds: int
    law: str
    assumptions: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The test in one sentence."""
        how = f"({self.alternative}, {self.law})"
        counts = f"{count_text(self.units, self.unit)}, {count_text(self.seeds, 'seed')}"
        return f"{self.name}, {self.question}: p {p_text(self.p)} {how}, {counts}."


def wilcoxon_test(
    table: Table,
    first: str,
    second: str,
    *,
    measure: str = "dice",
    phase: str = "test",
    alternative: Alternative = "two-sided",
) -> PairedTest:
    """Test two contenders on one dataset by Wilcoxon's signed-rank test of group means, averaged over seeds.

    Args:
        table: The scores; select one dataset.
        first: A contender.
        second: The contender it is compared with.
        measure: Which measure.
        phase: Which phase.
        alternative: What is claimed of the first minus the second: ``two-sided``, ``greater`` or ``less``.

    Raises:
        UserError: There are several datasets, no such contender, or no such alternative.

    Example:
        >>> from llmseg.stats import simulate
        >>> test = wilcoxon_test(simulate(pipelines=[0.05, 0.0], datasets=1), "llm-01", "llm-02")
        >>> test.p < 0.001, test.units
        (True, 50)
    """
    from scipy import stats

    by_dataset, seeds = _differences(table, first, second, measure, phase, alternative)
    if len(by_dataset) > 1:
        raise UserError(
            f"ranks of {len(by_dataset)} datasets do not mix; select(dataset=...) one, or use permutation_test"
        )
    (differences,) = by_dataset
    remarks = [*table.remarks, *_remarks_on_seeds(seeds)]
    if not differences.any():
        remarks.append("all differences are zero: nothing can be said")
        statistic, p = 0.0, 1.0
    else:
        result = stats.wilcoxon(differences, alternative=alternative)
        statistic, p = float(result.statistic), float(result.pvalue)
    nonzero = np.abs(differences[differences != 0])
    without_ties = len(nonzero) == len(differences) and len(np.unique(nonzero)) == len(nonzero)
    if len(nonzero) < len(differences):
        remarks.append(
            f"{len(differences) - len(nonzero)} of {len(differences)} differences are zero and are not ranked"
        )
    return PairedTest(
        name="Wilcoxon's signed-rank test",
        question=f"{first} against {second} in {measure} on {table.datasets[0]}",
        statistic=statistic,
        p=p,
        alternative=alternative,
        unit="group",
        units=len(differences),
        seeds=seeds,
        # The rule by which scipy's method="auto" takes the exact law.
        law="exact" if without_ties and len(differences) <= 50 else "asymptotic or permuted, as scipy chooses",
        assumptions=("groups are independent", "differences lie symmetrically around their centre"),
        remarks=tuple(remarks),
    )


def permutation_test(
    table: Table,
    first: str,
    second: str,
    *,
    measure: str = "dice",
    phase: str = "test",
    alternative: Alternative = "two-sided",
    draws: int = DRAWS,
    seed: int = 0,
) -> PairedTest:
    """Test two contenders by a permutation test that flips the signs of their differences on groups.

    The statistic is the mean over datasets of the mean difference over groups. All patterns of signs are tried, or a
    sample of them.

    Args:
        table: The scores.
        first: A contender.
        second: The contender it is compared with.
        measure: Which measure.
        phase: Which phase.
        alternative: What is claimed of the first minus the second: ``two-sided``, ``greater`` or ``less``.
        draws: Number of sampled sign patterns where there are too many to try all.
        seed: Seed of the sampling.

    Raises:
        UserError: There is no such contender or alternative.

    Example:
        >>> from llmseg.stats import simulate
        >>> test = permutation_test(simulate(pipelines=[0.2, 0.0], datasets=1, cases=7), "llm-01", "llm-02")
        >>> test.law, test.p * 2**7
        ('exact', 2.0)
    """
    by_dataset, seeds = _differences(table, first, second, measure, phase, alternative)
    weighted = np.concatenate([differences / len(differences) for differences in by_dataset]) / len(by_dataset)
    units = len(weighted)
    exact = units <= MOST_UNITS
    if exact:
        flipped = np.array(list(itertools.product((1.0, -1.0), repeat=units))) @ weighted
    else:
        generator = np.random.default_rng(seed)
        parts = split_rows(draws, units)
        flipped = np.concatenate(
            [generator.choice((1.0, -1.0), (part.stop - part.start, units)) @ weighted for part in parts]
        )
    observed = weighted.sum()
    # Patterns with the same sum differ in the last bits by the order of addition; they count as equally far out.
    slack = 1e-12 * max(1.0, np.abs(weighted).sum())
    further = {
        "two-sided": np.abs(flipped) >= abs(observed) - slack,
        "greater": flipped >= observed - slack,
        "less": flipped <= observed + slack,
    }[alternative]
    # Among sampled patterns, the signs as they are count as one more: a p value is never 0.
    p = further.mean() if exact else (1 + further.sum()) / (1 + draws)
    zero = ("all differences are zero: nothing can be said",) if not weighted.any() else ()
    return PairedTest(
        name="sign-flip permutation test",
        question=f"{first} against {second} in {measure} on {shorten_list(table.datasets)}",
        statistic=float(observed),
        p=float(p),
        alternative=alternative,
        unit="group",
        units=units,
        seeds=seeds,
        law="exact" if exact else f"sampled, {draws} draws",
        assumptions=(
            "groups are independent",
            "without a difference, either sign of a group's difference is as likely",
        ),
        remarks=(*table.remarks, *_remarks_on_seeds(seeds), *zero),
    )


def _remarks_on_seeds(seeds: int) -> tuple[str, ...]:
    return (ONE_SEED,) if seeds == 1 else ()


def _differences(
    table: Table, first: str, second: str, measure: str, phase: str, alternative: str
) -> tuple[list[np.ndarray], int]:
    """Return per dataset the differences of group means, averaged over seeds, float ``[G]``; and the fewest seeds."""
    check_choice("alternative", alternative, get_args(Alternative))
    blocks = make_blocks(table, measure, phase=phase)
    a, b = (find_contender(blocks[0].contenders, name) for name in (first, second))
    differences = [(block.sums[a] - block.sums[b]).mean(axis=0) / block.sizes for block in blocks]
    return differences, min(len(block.seeds) for block in blocks)
