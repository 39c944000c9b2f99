"""Comparisons of contenders on the same cases."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from llmseg.errors import UserError, shorten_list
from llmseg.stats.blocks import Block, find_contender, make_blocks
from llmseg.stats.claims import Basis, Claim, correct_claims, make_claims
from llmseg.stats.columns import sign
from llmseg.stats.draws import split_rows
from llmseg.stats.effects import cliffs_delta, superiority
from llmseg.stats.multiplicity import Correction
from llmseg.stats.options import check_choice, check_fraction, check_margin
from llmseg.stats.resampling import DRAWS, Estimates, estimate, join_estimates
from llmseg.stats.table import Table
from llmseg.stats.words import ONE_SEED

Method = Literal["student", "bootstrap"]
Unit = Literal["group", "dataset"]
"""What is taken to be independent."""

_METHODS = {
    "student": "paired means over groups and seeds, Student's law with Satterthwaite's degrees of freedom",
    "bootstrap": "hierarchical bootstrap of paired means, studentised, both tails by the size of the deviation",
}

FEW_GROUPS = 10
"""With fewer groups than this, claims and rankings say that they are few."""


def compare(table: Table, first: str, second: str, **options: Any) -> Claim:
    """Compare two contenders, as a family of one comparison.

    Args:
        table: The scores.
        first: The contender the claim is about.
        second: The contender it is compared with.
        options: As for :func:`compare_all`, without ``pairs`` and ``family``.

    Raises:
        UserError: There is no such contender, or as :func:`compare_all`.

    Example:
        >>> from llmseg.stats import simulate
        >>> claim = compare(simulate(pipelines=[0.05, 0.0]), "llm-01", "llm-02", margin=0.01)
        >>> claim.verdict, claim.units, claim.seeds
        ('better', 100, 3)
    """
    names = table.contenders
    for name in (first, second):
        find_contender(names, name)
    (claim,) = compare_all(table, [(first, second)], family=f"{first} against {second}", **options)
    return claim


def compare_all(
    table: Table,
    pairs: Sequence[tuple[str, str]] | str | None = None,
    *,
    measure: str = "dice",
    phase: str = "test",
    each_dataset: bool = False,
    unit: Unit = "group",
    margin: float | None = None,
    alpha: float = 0.05,
    correction: Correction = "holm",
    family: str | None = None,
    method: Method = "student",
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Claim, ...]:
    """Compare contenders pair by pair; all comparisons are one family.

    Differences are taken case by case and seed by seed. Cases of one group are not independent of each other, and
    neither are the scores of one training: only groups and seeds are independent. Every dataset has the same weight.

    Args:
        table: The scores.
        pairs: Pairs to compare; a name compares all others with it; ``None`` compares all with all.
        measure: Which measure.
        phase: Which phase.
        each_dataset: Compare on every dataset alone, instead of on all together.
        unit: What is independent. With ``group``, claims are about these datasets; with ``dataset``, about other
            datasets like them, which needs many datasets.
        margin: Differences below it do not matter. With a margin, equivalence and non-inferiority are tested, too.
        alpha: Accepted chance of a false claim, over the family.
        correction: ``holm``, ``benjamini-hochberg`` or ``none``, see :func:`llmseg.stats.adjust`.
        family: What the comparisons have in common; every claim says so.
        method: ``student`` for Student's law, or ``bootstrap`` to resample the groups within datasets, see
            :func:`llmseg.stats.estimate`.
        draws: Resamples of the bootstrap; more are made where a large family asks for smaller p values.
        seed: Seed of the bootstrap.

    Raises:
        UserError: There are fewer than two contenders, a score is missing, or an option is none of those above.

    Example:
        >>> from llmseg.stats import simulate
        >>> claims = compare_all(simulate(pipelines=[0.0, 0.05, 0.0]), "llm-01")
        >>> [(claim.first, claim.verdict) for claim in claims]
        [('llm-02', 'better'), ('llm-03', 'undecided')]
    """
    check_choice("method", method, get_args(Method))
    check_choice("unit", unit, get_args(Unit))
    check_margin(margin)
    check_fraction("alpha", alpha)
    blocks = make_blocks(table, measure, phase=phase)
    pair_indices, title = _pairs(blocks[0].contenders, pairs)
    parts = [(block,) for block in blocks] if each_dataset else [blocks]
    # The smallest p value of a bootstrap is one in as many as there are draws, and the correction multiplies it by the
    # size of the family: with too few draws, no claim of a large family could be made.
    draws = max(draws, math.ceil(2 * len(pair_indices) * len(parts) / alpha)) if method == "bootstrap" else 0
    claims = []
    for part in parts:
        gains = _gains(part, pair_indices, unit, sign(measure), draws, seed)
        basis = Basis(
            measure=measure,
            datasets=tuple(block.dataset for block in part),
            margin=margin,
            alpha=alpha,
            unit=unit,
            units=gains.groups,
            seeds=min(len(block.seeds) for block in part),
            method=_METHODS[method],
            assumptions=_assumptions(unit, method),
        )
        claims += _claims(basis, part, pair_indices, gains, table.remarks)
    where = f"on each of {len(parts)} datasets" if each_dataset else "on all datasets together"
    return correct_claims(claims, correction, alpha, family or f"{title} {where}")


def _pairs(
    contenders: tuple[str, ...], pairs: Sequence[tuple[str, str]] | str | None
) -> tuple[list[tuple[int, int]], str]:
    """Return the pairs as indices of contenders, and what they are called together."""
    if len(contenders) < 2:
        raise UserError(f"the table has one contender, {shorten_list(contenders)}; a comparison needs two")
    if pairs is None:
        return list(itertools.combinations(range(len(contenders)), 2)), "all pairs"
    if isinstance(pairs, str):
        reference = find_contender(contenders, pairs)
        return [(index, reference) for index in range(len(contenders)) if index != reference], f"all against {pairs}"
    indices = [(find_contender(contenders, first), find_contender(contenders, second)) for first, second in pairs]
    same = [contenders[first] for first, second in indices if first == second]
    if same or not indices:
        raise UserError(f"{same[0]} is compared with itself; name two" if same else "no pairs were given; name some")
    return indices, "chosen pairs"


def _gains(
    part: Sequence[Block], pairs: list[tuple[int, int]], unit: str, direction: float, draws: int, seed: int
) -> Estimates:
    """Estimate what the first of every pair gains over the second; a gain is positive where the first is better."""
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    blocks, sizes = [block.sums for block in part], [block.sizes for block in part]
    if draws == 0:
        # Differences of many pairs take much more memory than the scores. Resamples have to be those of all pairs.
        slices = split_rows(len(pairs), max(sums[0].size for sums in blocks))
        return join_estimates([_estimate_gains(blocks, sizes, first[s], second[s], unit, direction) for s in slices])
    return _estimate_gains(blocks, sizes, first, second, unit, direction, draws, seed)


def _estimate_gains(
    blocks: Sequence[np.ndarray],
    sizes: Sequence[np.ndarray],
    first: np.ndarray,
    second: np.ndarray,
    unit: str,
    direction: float,
    draws: int = 0,
    seed: int = 0,
) -> Estimates:
    sums = [direction * (block[first] - block[second]) for block in blocks]
    if unit == "dataset":
        # All datasets become one dataset whose groups, of one case each, are the means on the datasets.
        means = np.stack([s.mean(axis=1).sum(axis=1) / n.sum() for s, n in zip(sums, sizes, strict=True)], axis=1)
        sums, sizes = [means[:, None, :]], [np.ones(len(blocks))]
    return estimate(sums, sizes, draws=draws, symmetric=True, seed=seed)


def _effects(part: Sequence[Block], pairs: list[tuple[int, int]], unit: str) -> np.ndarray:
    """Return superiority and Cliff's delta of every pair, float ``[K, 2]``."""
    means = [block.sums.mean(axis=1) / block.sizes for block in part]
    if unit == "dataset":
        means = [np.stack([block.means for block in part], axis=1)]
    return np.array(
        [
            np.mean([(superiority(m[a], m[b], paired=True), cliffs_delta(m[a], m[b])) for m in means], axis=0)
            for a, b in pairs
        ]
    )


def _claims(
    basis: Basis, part: Sequence[Block], pairs: list[tuple[int, int]], gains: Estimates, remarks: tuple[str, ...]
) -> list[Claim]:
    direction = sign(basis.measure)
    low, high = gains.interval(1 - basis.alpha)
    names = part[0].contenders
    shared = (*remarks, *_remarks(part, basis.unit))
    return make_claims(
        basis,
        [(names[first], names[second]) for first, second in pairs],
        gains,
        gains.means * direction,
        (low * direction, high * direction),
        _effects(part, pairs, basis.unit),
        [(*shared, *_remarks_on_spread(error)) for error in gains.errors],
    )


def _assumptions(unit: str, method: str) -> tuple[str, ...]:
    what = {
        "group": (
            "groups of cases are independent of each other",
            "trainings with different seeds are independent of each other",
            "the claim is about these datasets, each with the same weight, and about other cases and seeds like these",
        ),
        "dataset": ("these datasets are a random draw from those the claim is about",),
    }[unit]
    law = {
        "student": "means over units are nearly normal",
        "bootstrap": "the units are so many that their resamples resemble other draws; seeds spread normally",
    }[method]
    return (*what, law)


def _remarks(part: Sequence[Block], unit: str) -> list[str]:
    """Return what weakens all claims of a part."""
    if unit == "dataset":
        return [f"the unit is the dataset, and there are {len(part)}"] if len(part) < FEW_GROUPS else []
    remarks = []
    if any(len(block.seeds) == 1 for block in part):
        remarks.append(ONE_SEED)
    few = small_datasets(part)
    if few:
        remarks.append(f"few groups on {few}: the interval leans on the assumed law")
    return remarks


def small_datasets(blocks: Sequence[Block]) -> str:
    """Return the datasets with few groups and how many they have; empty where there are none."""
    return shorten_list(f"{block.dataset} ({len(block.sizes)})" for block in blocks if len(block.sizes) < FEW_GROUPS)


def _remarks_on_spread(error: float) -> list[str]:
    """Return why nothing can be decided, if nothing can."""
    if np.isnan(error):
        return ["one unit only: its spread is unknown, so nothing is decided"]
    return ["all differences are equal: their spread is unknown, so nothing is decided"] if error == 0 else []
