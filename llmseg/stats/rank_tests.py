"""Ranks over datasets: Friedman's test and Nemenyi's comparison, and whether so few datasets can decide anything."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.blocks import make_blocks
from llmseg.stats.columns import sign
from llmseg.stats.table import Table
from llmseg.stats.words import ONE_SEED, count_text, p_text


@dataclass(frozen=True, kw_only=True, eq=False)
class Friedman:
    """Friedman's test over datasets, with Nemenyi's comparison of all pairs.

    Attributes:
        measure: The measure.
        contenders: Names of the ``P`` contenders.
        datasets: Names of the datasets, which are the unit of inference.
        ranks: Mean rank over datasets, float ``[P]``; 1 is best.
        statistic: Friedman's chi square.
        p: p value of "all contenders are alike".
        pairs: Nemenyi's p value of every pair, a square with names on both sides.
        critical_difference: Contenders whose mean ranks are closer than this cannot be told apart.
        alpha: Level of the critical difference.
        smallest_p: The smallest two-sided p value that Wilcoxon's test over these datasets can give.
        datasets_needed: Number of datasets with which that p value could survive Holm's correction over all pairs.
        seeds: Trainings per contender and dataset, the fewest of any dataset.
        remarks: What a reader has to know, a sentence each.
    """

    measure: str
    contenders: tuple[str, ...]
    datasets: tuple[str, ...]
    ranks: np.ndarray
    statistic: float
    p: float
    pairs: pd.DataFrame
    critical_difference: float
    alpha: float
    smallest_p: float
    datasets_needed: int
    seeds: int
    remarks: tuple[str, ...]

    @property
    def decidable(self) -> bool:
        """Whether the datasets are enough for a pair to be told apart, whatever the scores."""
        return len(self.datasets) >= self.datasets_needed

    @property
    def sentence(self) -> str:
        """The test in one sentence."""
        could = "could" if self.decidable else "cannot"
        datasets = count_text(len(self.datasets), "dataset")
        return (
            f"Friedman's test in {self.measure}: p {p_text(self.p)}, {len(self.contenders)} contenders, "
            f"{datasets}, {count_text(self.seeds, 'seed')}; mean ranks closer than {self.critical_difference:.2f} are "
            f"not told apart (Nemenyi), and so few datasets {could} decide a pair after Holm "
            f"({self.datasets_needed} are needed)."
        )


def friedman(table: Table, *, measure: str = "dice", phase: str = "test", alpha: float = 0.05) -> Friedman:
    """Compare the mean ranks of contenders over datasets.

    With few datasets this decides nothing, and the remarks say so: with six datasets, no pair of nineteen contenders
    can be told apart after Holm's correction. :func:`llmseg.stats.compare_all` uses the cases, of which there are more.

    Args:
        table: The scores; a dataset's score is the mean over seeds and cases.
        measure: Which measure.
        phase: Which phase.
        alpha: Level of the critical difference.

    Raises:
        UserError: There are fewer than three contenders or two datasets, or a score is missing.

    Example:
        >>> from llmseg.stats import simulate
        >>> test = friedman(simulate(pipelines=4, datasets=6))
        >>> test.smallest_p, test.decidable, test.datasets_needed
        (0.03125, False, 8)
    """
    import scikit_posthocs
    from scipy import stats

    blocks = make_blocks(table, measure, phase=phase)
    names, datasets = blocks[0].contenders, len(blocks)
    if len(names) < 3 or datasets < 2:
        raise UserError(
            f"{len(names)} contenders on {datasets} datasets: Friedman's test needs three and two; use compare"
        )
    scores = np.stack([block.means for block in blocks]) * sign(measure)
    ranks = stats.rankdata(-scores, axis=1)
    seeds = min(len(block.seeds) for block in blocks)
    remarks = [*table.remarks, *((ONE_SEED,) if seeds == 1 else ())]
    # scipy divides by zero where all contenders tie on every dataset.
    if np.ptp(scores, axis=1).any():
        outcome = stats.friedmanchisquare(*scores.T)
        statistic, p = float(outcome.statistic), float(outcome.pvalue)
        pairs = scikit_posthocs.posthoc_nemenyi_friedman(scores)
    else:
        remarks.append("all means are equal: nothing can be said")
        statistic, p, pairs = 0.0, 1.0, pd.DataFrame(np.ones((len(names), len(names))))
    pairs = pairs.set_axis(list(names), axis=0).set_axis(list(names), axis=1)
    comparisons = math.comb(len(names), 2)
    # With n datasets, the smallest two-sided p of a signed-rank test is 2 / 2 ** n: all signs alike, either way.
    needed = math.ceil(math.log2(2 * comparisons / alpha))
    if datasets < needed:
        remarks.append(
            f"{datasets} datasets cannot decide: the smallest p over them is {2 / 2**datasets:.3g}, and Holm over "
            f"{comparisons} pairs asks for {alpha / comparisons:.2g}; {needed} datasets are needed, or cases as unit"
        )
    # Demšar (2006): the critical value of Nemenyi's test is that of the studentised range, divided by the root of 2.
    width = stats.studentized_range.ppf(1 - alpha, len(names), np.inf) / math.sqrt(2)
    return Friedman(
        measure=measure,
        contenders=names,
        datasets=tuple(block.dataset for block in blocks),
        ranks=ranks.mean(axis=0),
        statistic=statistic,
        p=p,
        pairs=pairs,
        critical_difference=float(width * math.sqrt(len(names) * (len(names) + 1) / (6 * datasets))),
        alpha=alpha,
        smallest_p=2 / 2**datasets,
        datasets_needed=needed,
        seeds=seeds,
        remarks=tuple(remarks),
    )
