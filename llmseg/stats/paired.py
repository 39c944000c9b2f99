"""Tests on pairs: what two contenders have on the same groups of cases."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from llmseg.errors import UserError, nearest
from llmseg.stats.blocks import blocks, position
from llmseg.stats.claims import p_text
from llmseg.stats.columns import listed
from llmseg.stats.resampling import DRAWS
from llmseg.stats.table import Table

Alternative = Literal["two-sided", "greater", "less"]
EXACT = 16
"""Up to so many units all signs are tried; more are sampled."""


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """A test and what it rests on.

    Attributes:
        name: Which test.
        question: What is tested.
        statistic: Its value.
        p: Chance of such a value, or one further out, if there were no difference.
        alternative: ``two-sided``, ``greater`` or ``less``.
        unit: What is independent.
        units: How many.
        law: ``exact``, ``sampled`` (with how many draws) or ``asymptotic``.
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
    law: str
    assumptions: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The test in one sentence."""
        how = f"({self.alternative}, {self.law})"
        return f"{self.name}, {self.question}: p {p_text(self.p)} {how}, {self.units} {self.unit}s."


def wilcoxon_test(
    table: Table,
    first: str,
    second: str,
    *,
    measure: str = "dice",
    phase: str = "test",
    alternative: Alternative = "two-sided",
) -> PairedTest:
    """Test two contenders on one dataset by Wilcoxon's signed ranks of group means, averaged over seeds.

    Args:
        table: The scores; select one dataset.
        first: A contender.
        second: Another.
        measure: Which measure.
        phase: Which phase.
        alternative: What is claimed of the first minus the second.

    Raises:
        UserError: There are several datasets, no such contender, or no such alternative.

    Example:
        >>> from llmseg.stats import simulate
        >>> found = wilcoxon_test(simulate(pipelines=[0.05, 0.0], datasets=1), "llm-01", "llm-02")
        >>> found.p < 0.001, found.units
        (True, 50)
    """
    from scipy import stats

    values = _pairs(table, first, second, measure, phase, alternative)
    if len(values) > 1:
        raise UserError(f"ranks of {len(values)} datasets do not mix; select(dataset=...) one, or use permutation_test")
    (differences,) = values
    remarks = list(table.remarks)
    if not differences.any():
        remarks.append("all differences are zero: nothing can be said")
        statistic, p = 0.0, 1.0
    else:
        found = stats.wilcoxon(differences, alternative=alternative)
        statistic, p = float(found.statistic), float(found.pvalue)
    nonzero = np.abs(differences[differences != 0])
    plain = len(nonzero) == len(differences) and len(np.unique(nonzero)) == len(nonzero)
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
        law="exact" if plain and len(differences) <= 50 else "asymptotic or permuted, as scipy chooses",
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
    """Test two contenders by flipping the sign of group means of differences, all signs or a sample of them.

    The statistic is the mean over datasets of the mean over groups.

    Args:
        table: The scores.
        first: A contender.
        second: Another.
        measure: Which measure.
        phase: Which phase.
        alternative: What is claimed of the first minus the second.
        draws: Number of sampled sign patterns where there are too many to try all.
        seed: Seed of the sampling.

    Raises:
        UserError: There is no such contender or alternative.

    Example:
        >>> from llmseg.stats import simulate
        >>> found = permutation_test(simulate(pipelines=[0.2, 0.0], datasets=1, cases=7), "llm-01", "llm-02")
        >>> found.law, found.p * 2**7
        ('exact', 2.0)
    """
    values = _pairs(table, first, second, measure, phase, alternative)
    weighted = np.concatenate([one / len(one) for one in values]) / len(values)
    units = len(weighted)
    if units <= EXACT:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=units)))
    else:
        signs = np.random.default_rng(seed).choice((1.0, -1.0), (draws, units))
    flipped, observed = signs @ weighted, weighted.sum()
    slack = 1e-12 * max(1.0, np.abs(weighted).sum())
    further = {
        "two-sided": np.abs(flipped) >= abs(observed) - slack,
        "greater": flipped >= observed - slack,
        "less": flipped <= observed + slack,
    }[alternative]
    p = further.mean() if units <= EXACT else (1 + further.sum()) / (1 + draws)
    zero = ("all differences are zero: nothing can be said",) if not weighted.any() else ()
    return PairedTest(
        name="sign-flip permutation test",
        question=f"{first} against {second} in {measure} on {listed(table.datasets)}",
        statistic=float(observed),
        p=float(p),
        alternative=alternative,
        unit="group",
        units=units,
        law="exact" if units <= EXACT else f"sampled, {draws} draws",
        assumptions=(
            "groups are independent",
            "without a difference, either sign of a group's difference is as likely",
        ),
        remarks=(*table.remarks, *zero),
    )


def _pairs(table: Table, first: str, second: str, measure: str, phase: str, alternative: str) -> list[np.ndarray]:
    """Return per dataset the differences of group means, averaged over seeds."""
    allowed = ("two-sided", "greater", "less")
    if alternative not in allowed:
        raise UserError(
            f"no alternative '{alternative}'{nearest(alternative, allowed)}; there are {', '.join(allowed)}"
        )
    found = blocks(table, measure, phase=phase)
    a, b = (position(found[0].contenders, name) for name in (first, second))
    return [(block.sums[a] - block.sums[b]).mean(axis=0) / block.sizes for block in found]
