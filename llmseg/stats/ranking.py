"""Who is first, by several rules, and how much of that would survive other cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.blocks import Block, make_blocks
from llmseg.stats.claims import MIRRORED
from llmseg.stats.columns import sign
from llmseg.stats.comparisons import compare_all, small_datasets
from llmseg.stats.multiplicity import adjust
from llmseg.stats.options import check_choice
from llmseg.stats.table import Table
from llmseg.stats.words import and_list, count_text, shorten_list

Rule = Literal["mean-then-rank", "rank-then-mean", "test-based"]
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
    scores, drawn = _scores(blocks, rule, sign(measure), alpha, resamples, np.random.default_rng(seed))
    observed, ranks = _ranks(scores[None])[0], _ranks(drawn)
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


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Return ranks of the rows, 1 for the largest, the smallest rank for ties; ``[R, P]``."""
    from scipy import stats

    # Rounded, so that contenders with the same scores tie although their sums were added in another order.
    ranks: np.ndarray = stats.rankdata(-np.round(scores, 12), method="min", axis=1)
    return ranks


def kendall(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b of every row of one array with that of another.

    Args:
        first: Ranks, float ``[R, P]``.
        second: Ranks, float ``[R, P]``.

    Returns:
        float ``[R]``; 0 where one row is tied throughout.

    Example:
        >>> kendall(np.array([[1, 2, 3]]), np.array([[1, 3, 2]]))
        array([0.33333333])
    """
    a, b = (np.sign(ranks[:, :, None] - ranks[:, None, :]) for ranks in (first, second))
    scale = np.sqrt(np.abs(a).sum(axis=(1, 2)) * np.abs(b).sum(axis=(1, 2)))
    tau: np.ndarray = (a * b).sum(axis=(1, 2)) / np.where(scale > 0, scale, 1)
    return tau


def _scores(
    blocks: Sequence[Block], rule: Rule, direction: float, alpha: float, resamples: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the rule ranks, larger is better: as observed ``[P]``, and on resamples ``[resamples, P]``."""
    observed, drawn = np.zeros(1), np.zeros(1)
    for block in blocks:
        values = _case_ranks(block, direction) if rule == "rank-then-mean" else direction * block.values
        sums = Block(block.dataset, block.contenders, block.seeds, block.groups, values).sums
        pipelines, seeds, groups = sums.shape
        weights = random.multinomial(groups, np.full(groups, 1 / groups), resamples).astype(float)
        if rule == "test-based":
            # The first row of weights, every group once, is the observed ranking.
            wins = _wins(sums.mean(axis=1) / block.sizes, np.concatenate([np.ones((1, groups)), weights]), alpha)
            observed, drawn = observed + wins[0], drawn + wins[1:]
            continue
        observed = observed + sums.mean(axis=1).sum(axis=1) / block.sizes.sum()
        picks = random.multinomial(seeds, np.full(seeds, 1 / seeds), (resamples, pipelines)) / seeds
        by_seed = np.einsum("rg,psg->rps", weights, sums, optimize=True) / (weights @ block.sizes)[:, None, None]
        drawn = drawn + (by_seed * picks).sum(axis=2)
    datasets = 1 if rule == "test-based" else len(blocks)  # wins are counted over datasets, not averaged
    return observed / datasets, drawn / datasets


def _case_ranks(block: Block, direction: float) -> np.ndarray:
    """Return minus the rank of every contender on every case and seed, ``[P, S, C]``."""
    from scipy import stats

    ranks: np.ndarray = stats.rankdata(-direction * block.values, axis=0)
    return -ranks


def _wins(means: np.ndarray, weights: np.ndarray, alpha: float) -> np.ndarray:
    """Return how many others each contender beats, float ``[R, P]``.

    Args:
        means: Means of groups, float ``[P, G]``.
        weights: How often each group was drawn, float ``[R, G]``.
        alpha: Level, after Holm over all ordered pairs.
    """
    from scipy import stats

    first, second = np.triu_indices(len(means), 1)
    statistic = np.stack(
        [signed_ranks(means[a] - means[b], weights) for a, b in zip(first, second, strict=True)], axis=1
    )
    p = stats.norm.sf(np.concatenate([statistic, -statistic], axis=1))
    wins = np.zeros((len(weights), len(means)))
    winners = np.concatenate([first, second])
    for row, significant in enumerate(adjust(values, "holm") <= alpha for values in p):
        np.add.at(wins[row], winners[significant], 1)
    return wins


def signed_ranks(differences: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Wilcoxon's signed-rank statistic in units of its spread; zeros are not ranked, ties share their rank.

    Args:
        differences: Differences of two contenders on the groups, float ``[G]``.
        weights: How often each difference occurs, float ``[R, G]``.

    Returns:
        float ``[R]``, nearly a standard normal variable where there is no difference.

    Example:
        >>> signed_ranks(np.array([0.1, 0.2, -0.3]), np.ones((1, 3)))
        array([0.])
    """
    sizes = np.abs(differences)
    order = np.argsort(sizes, kind="stable")[(sizes == 0).sum() :]
    if not len(order):
        return np.zeros(len(weights))
    # Resamples lie along the last axis, in single precision: ranks and their sums stay exact enough, at a tenth of the
    # time.
    counts = weights.T[order].astype(np.float32)
    signed = counts * np.sign(differences[order])[:, None].astype(np.float32)
    starts = np.r_[0, 1 + np.flatnonzero(np.diff(sizes[order]))]
    if len(starts) < len(order):
        counts, signed = np.add.reduceat(counts, starts, axis=0), np.add.reduceat(signed, starts, axis=0)
    ranks = np.cumsum(counts, axis=0) - (counts - 1) / 2
    spread = np.sqrt(np.einsum("gr,gr,gr->r", counts, ranks, ranks))
    statistic: np.ndarray = np.einsum("gr,gr->r", signed, ranks) / np.where(spread > 0, spread, np.inf)
    return statistic.astype(float)


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


def convention_stability(scores: pd.DataFrame) -> pd.DataFrame:
    """Return how well rankings under different scoring conventions agree.

    Args:
        scores: Columns ``contender, convention, value``: the mean of every contender under every convention.

    Returns:
        Kendall's tau between the rankings of every two conventions, a square with the conventions on both sides.

    Raises:
        UserError: A column is missing, a contender has no value under a convention, or two.

    Example:
        >>> scores = pd.DataFrame({"contender": ["a", "b"] * 2, "convention": ["x", "x", "y", "y"]})
        >>> convention_stability(scores.assign(value=[0.8, 0.7, 0.8, 0.9])).loc["x", "y"]
        np.float64(-1.0)
    """
    for name in ("contender", "convention", "value"):
        if name not in scores.columns:
            raise UserError(
                f"no column '{name}' among {shorten_list(scores.columns)}; give contender, convention and value"
            )
    if scores.duplicated(["contender", "convention"]).any():
        raise UserError("a contender has two values under one convention; give its mean over cases")
    wide = scores.pivot(index="convention", columns="contender", values="value")
    if wide.isna().any(axis=None):
        raise UserError("a contender has no value under one of the conventions; score all under all")
    ranks = _ranks(wide.to_numpy(float))
    names = wide.index.to_list()
    taus = kendall(np.repeat(ranks, len(names), axis=0), np.tile(ranks, (len(names), 1)))
    square: pd.DataFrame = pd.DataFrame(taus.reshape(len(names), len(names)), index=names, columns=names)
    return square
