"""Who is first, by several rules, and how much of that would survive other cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from llmseg.errors import UserError, shorten_list
from llmseg.stats.blocks import Block, make_blocks
from llmseg.stats.claims import MIRRORED
from llmseg.stats.columns import sign
from llmseg.stats.comparisons import compare_all, small_datasets
from llmseg.stats.options import check_choice
from llmseg.stats.rank_agreement import kendall, make_ranks
from llmseg.stats.ranking_rules import Rule, score_by_rule
from llmseg.stats.table import Table
from llmseg.stats.words import and_list, count_text

RESAMPLES = 1000
"""Resampled rankings, unless a caller asks for another number."""

FEW_SEEDS = 3
"""With fewer seeds than this, resamples of them cannot tell how stable a ranking is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """A ranking and its stability.

    Attributes:
        measure: The measure.
        rule: How contenders were ranked, see :func:`rank`.
        datasets: Names of the datasets; each has the same weight.
        frame: A row per contender, best first: ``contender, rank, score`` (what the rule ranks), ``low`` and ``high``
            (between them lie 95 % of its ranks on resampled cases), ``first`` (the share of resamples in which it was
            first, alone or not).
        resampled: Ranks on resampled cases, float ``[resamples, P]``, contenders in the order of ``frame``.
        taus: Kendall's tau between the ranking and each resampled one, float ``[resamples]``.
        pairwise_tau: Mean of Kendall's tau between two resampled rankings.
        unit: What was resampled.
        units: Number of units, over all datasets.
        few: What there is too little of for resamples to tell how stable the ranking is, such as ``2 seeds``; empty if
            there is enough.
        remarks: What a reader has to know, a sentence each.
    """

    measure: str
    rule: Rule
    datasets: tuple[str, ...]
    frame: pd.DataFrame
    resampled: np.ndarray
    taus: np.ndarray
    pairwise_tau: float
    unit: str
    units: int
    few: str
    remarks: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The ranking in one sentence."""
        best = self.frame.iloc[0]
        begin = f"By {self.rule} in {self.measure} on {shorten_list(self.datasets)}"
        first = [str(name) for name in self.frame.loc[self.frame["rank"] == 1, "contender"]]
        if len(first) > 1:
            return f"{begin}, {and_list(first)} share the first place."
        if self.few:
            return f"{begin}, {first[0]} is first; how often it would stay so cannot be told from {self.few}."
        drawn = f"{self.units} {self.unit}s" + ("" if self.rule == "test-based" else " and of seeds")
        often = f"{100 * best['first']:.0f} % of {len(self.resampled)} resamples of {drawn}"
        return (
            f"{begin}, {best['contender']} is first, "
            f"and stays so on {often}; rankings of two resamples agree with Kendall's tau {self.pairwise_tau:.2f}."
        )


def rank(
    table: Table,
    *,
    measure: str = "dice",
    phase: str = "test",
    rule: Rule = "mean-then-rank",
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Ranking:
    """Rank contenders, and rank them again on resampled groups and seeds.

    Groups are drawn with replacement within every dataset. The seeds of every contender are drawn likewise, but not for
    the test-based rule, whose tests average over seeds.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.
        rule: ``mean-then-rank`` ranks means over datasets of means over cases; ``rank-then-mean`` ranks contenders on
            every case and then their mean ranks over cases and datasets; ``test-based`` counts for every contender
            how many others it beats on single datasets, by one-sided Wilcoxon tests over groups that are corrected
            after Holm within each dataset.
        alpha: Level of the tests.
        resamples: Number of resampled rankings.
        seed: Seed of the resampling.

    Raises:
        UserError: There are fewer than two contenders, there is no such rule, or a score is missing.

    Example:
        >>> from llmseg.stats import simulate
        >>> ranking = rank(simulate(pipelines=[0.0, 0.1, 0.05]), resamples=100)
        >>> ranking.frame["contender"].tolist(), ranking.frame["first"].tolist()
        (['llm-02', 'llm-03', 'llm-01'], [1.0, 0.0, 0.0])
    """
    check_choice("rule", rule, get_args(Rule))
    blocks = make_blocks(table, measure, phase=phase)
    names = blocks[0].contenders
    if len(names) < 2:
        raise UserError(f"the table has one contender, {shorten_list(names)}; a ranking needs two")
    scores, drawn = score_by_rule(blocks, rule, sign(measure), alpha, resamples, np.random.default_rng(seed))
    observed, ranks = make_ranks(scores[None])[0], make_ranks(drawn)
    order = np.lexsort((np.arange(len(names)), observed))
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0)
    frame = pd.DataFrame(
        {
            "contender": np.array(names)[order],
            "rank": observed[order],
            "score": (scores * (sign(measure) if rule == "mean-then-rank" else 1))[order],
            "low": low[order],
            "high": high[order],
            "first": (ranks == 1).mean(axis=0)[order],
        }
    )
    # Independent pairs: the first half of the resampled rankings with the second half.
    half = len(ranks) // 2
    few_groups, few_seeds = small_datasets(blocks), _few_seeds(blocks)
    return Ranking(
        measure=measure,
        rule=rule,
        datasets=tuple(block.dataset for block in blocks),
        frame=frame,
        resampled=ranks[:, order],
        taus=kendall(np.broadcast_to(observed, ranks.shape), ranks),
        pairwise_tau=float(kendall(ranks[:half], ranks[half : 2 * half]).mean()) if half else 1.0,
        unit="group",
        units=sum(len(block.sizes) for block in blocks),
        few=" and ".join(text for text in (f"the groups on {few_groups}" if few_groups else "", few_seeds) if text),
        remarks=(
            *table.remarks,
            *([f"few groups on {few_groups}: resamples of them are alike"] if few_groups else []),
            *([f"{few_seeds} per contender: resamples of them are alike"] if few_seeds else []),
        ),
    )


def _few_seeds(blocks: Sequence[Block]) -> str:
    """Return the fewest trainings per contender on a dataset if these are too few to resample, else an empty text."""
    fewest = min(len(block.seeds) for block in blocks)
    return count_text(fewest, "seed") if fewest < FEW_SEEDS else ""


def significance_map(table: Table, *, measure: str = "dice", phase: str = "test", alpha: float = 0.05) -> pd.DataFrame:
    """Return who is better than whom, after Holm's correction over all pairs.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.
        alpha: Accepted chance of a false claim, over all pairs.

    Returns:
        A square with the contenders on both sides, in the order of their means. A cell is the verdict of
        :func:`llmseg.stats.compare_all` on the row against the column; the diagonal is empty.

    Raises:
        UserError: There are fewer than two contenders, or a score is missing.

    Example:
        >>> from llmseg.stats import simulate
        >>> significance_map(simulate(pipelines=[0.0, 0.1])).loc["llm-02", "llm-01"]
        'better'
    """
    # Only the order is needed here, so two resamples are enough.
    order = rank(table, measure=measure, phase=phase, resamples=2).frame["contender"].tolist()
    square: pd.DataFrame = pd.DataFrame("", index=order, columns=order)
    for claim in compare_all(table, measure=measure, phase=phase, alpha=alpha):
        square.loc[claim.first, claim.second] = claim.verdict
        square.loc[claim.second, claim.first] = MIRRORED[claim.verdict]
    return square
