"""What each rule ranks: means, mean ranks, or how many others a contender beats; as observed, and on resamples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from llmseg.stats.blocks import Block
from llmseg.stats.draws import draw_weights
from llmseg.stats.multiplicity import adjust

Rule = Literal["mean-then-rank", "rank-then-mean", "test-based"]


def score_by_rule(
    blocks: Sequence[Block], rule: Rule, direction: float, alpha: float, resamples: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the rule ranks, larger is better: as observed ``[P]``, and on resamples ``[resamples, P]``."""
    observed, drawn = np.zeros(1), np.zeros(1)
    for block in blocks:
        values = _case_ranks(block, direction) if rule == "rank-then-mean" else direction * block.values
        sums = Block(block.dataset, block.contenders, block.seeds, block.groups, values).sums
        pipelines, seeds, groups = sums.shape
        if rule == "test-based":
            # The first row of every part, each group once, is the observed ranking.
            means, once = sums.mean(axis=1) / block.sizes, np.ones((1, groups))
            parts = [
                _wins(means, np.concatenate([once, weights]), alpha)
                for _, weights in draw_weights(random, groups, resamples)
            ]
            observed, drawn = observed + parts[0][0], drawn + np.concatenate([wins[1:] for wins in parts])
            continue
        observed = observed + sums.mean(axis=1).sum(axis=1) / block.sizes.sum()
        by_seed = np.concatenate(
            [
                np.einsum("rg,psg->rps", weights, sums, optimize=True) / (weights @ block.sizes)[:, None, None]
                for _, weights in draw_weights(random, groups, resamples)
            ]
        )
        picks = random.multinomial(seeds, np.full(seeds, 1 / seeds), (resamples, pipelines)) / seeds
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
