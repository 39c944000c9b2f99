"""Comparisons of contenders on the same cases."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from llmseg.errors import UserError, nearest
from llmseg.stats.blocks import Block, blocks, position
from llmseg.stats.claims import Claim, corrected
from llmseg.stats.columns import listed, sign
from llmseg.stats.effects import cliffs_delta, superiority
from llmseg.stats.multiplicity import Correction
from llmseg.stats.resampling import DRAWS, Estimates, estimate
from llmseg.stats.table import Table

Method = Literal["student", "bootstrap"]
Unit = Literal["group", "dataset"]

_METHODS = {
    "student": "paired means over groups and seeds, Student's law with Satterthwaite's degrees of freedom",
    "bootstrap": "hierarchical bootstrap of paired means, studentised, both tails by the size of the deviation",
}
_FEW = 10


def compare(table: Table, first: str, second: str, **options: Any) -> Claim:
    """Compare two contenders, a family of one; see :func:`compare_all` for the options.

    Raises:
        UserError: There is no such contender, or see :func:`compare_all`.

    Example:
        >>> from llmseg.stats import simulate
        >>> claim = compare(simulate(pipelines=[0.05, 0.0]), "llm-01", "llm-02", margin=0.01)
        >>> claim.verdict, claim.units, claim.seeds
        ('better', 100, 3)
    """
    names = table.contenders
    position(names, first), position(names, second)
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

    Differences are taken case by case and seed by seed. Cases of a group are no news to each other, and neither are the
    cases of one training: groups and seeds are what is independent. Every dataset counts alike.

    Args:
        table: The scores.
        pairs: Pairs to compare; a name compares all others with it; ``None`` compares all with all.
        measure: Which measure.
        phase: Which phase.
        each_dataset: Compare on every dataset alone, instead of on all together.
        unit: ``group`` speaks of these datasets; ``dataset`` of datasets like them, and needs many.
        margin: Differences below it do not matter; with it, equivalence and non-inferiority are tested, too.
        alpha: Chance of a false claim that is accepted, over the family.
        correction: ``holm``, ``benjamini-hochberg`` or ``none``.
        family: What the comparisons have in common; said in every claim.
        method: ``student``, or ``bootstrap``: groups within datasets are resampled, see
            :func:`llmseg.stats.resampling.estimate`.
        draws: Resamples of the bootstrap; more are made where a large family asks for smaller p values.
        seed: Seed of the bootstrap.

    Raises:
        UserError: There are fewer than two contenders, a cell is missing, or an option is none of those above.

    Example:
        >>> from llmseg.stats import simulate
        >>> claims = compare_all(simulate(pipelines=[0.0, 0.05, 0.0]), "llm-01")
        >>> [(claim.first, claim.verdict) for claim in claims]
        [('llm-02', 'better'), ('llm-03', 'undecided')]
    """
    _check(method, unit, margin, alpha)
    found = blocks(table, measure, phase=phase)
    places, named = _pairs(found[0].contenders, pairs)
    parts = [(block,) for block in found] if each_dataset else [found]
    # The smallest p of a bootstrap is one in as many as there are draws, and the correction multiplies it.
    draws = max(draws, math.ceil(2 * len(places) * len(parts) / alpha)) if method == "bootstrap" else 0
    claims = []
    for part in parts:
        estimates, effects = _differences(part, places, unit, sign(measure), draws, seed)
        claims += _claims(part, places, estimates, effects, measure, unit, margin, alpha, method, table.remarks)
    where = f"on each of {len(parts)} datasets" if each_dataset else "on all datasets together"
    return corrected(claims, correction, alpha, family or f"{named} {where}")


def _check(method: str, unit: str, margin: float | None, alpha: float) -> None:
    for what, given, allowed in (("method", method, tuple(_METHODS)), ("unit", unit, ("group", "dataset"))):
        if given not in allowed:
            raise UserError(f"no {what} '{given}'{nearest(given, allowed)}; there are {', '.join(allowed)}")
    if margin is not None and not margin > 0:
        raise UserError(f"margin is {margin}; give the smallest difference that matters, above 0")
    if not 0 < alpha < 1:
        raise UserError(f"alpha is {alpha}; it must be above 0 and below 1")


def _pairs(
    contenders: tuple[str, ...], pairs: Sequence[tuple[str, str]] | str | None
) -> tuple[list[tuple[int, int]], str]:
    if len(contenders) < 2:
        raise UserError(f"the table has one contender, {listed(contenders)}; a comparison needs two")
    if pairs is None:
        return list(itertools.combinations(range(len(contenders)), 2)), "all pairs"
    if isinstance(pairs, str):
        reference = position(contenders, pairs)
        return [(one, reference) for one in range(len(contenders)) if one != reference], f"all against {pairs}"
    places = [(position(contenders, first), position(contenders, second)) for first, second in pairs]
    same = [contenders[first] for first, second in places if first == second]
    if same or not places:
        raise UserError(f"{same[0]} is compared with itself; name two" if same else "no pairs were given; name some")
    return places, "chosen pairs"


def _differences(
    part: Sequence[Block], places: list[tuple[int, int]], unit: str, direction: float, draws: int, seed: int
) -> tuple[Estimates, np.ndarray]:
    """Return gains of the first over the second, and their means per unit, ``[K]`` per dataset."""
    first, second = (np.array(side) for side in zip(*places, strict=True))
    sums = [direction * (block.sums[first] - block.sums[second]) for block in part]
    sizes = [block.sizes for block in part]
    if unit == "dataset":
        means = np.stack([s.mean(axis=1).sum(axis=1) / n.sum() for s, n in zip(sums, sizes, strict=True)], axis=1)
        sums, sizes = [means[:, None, :]], [np.ones(len(part))]
    found = estimate(sums, sizes, draws=draws, symmetric=True, seed=seed)
    return found, _effects(part, places, unit)


def _effects(part: Sequence[Block], places: list[tuple[int, int]], unit: str) -> np.ndarray:
    """Return superiority and Cliff's delta of every pair, float ``[K, 2]``."""
    means = [block.sums.mean(axis=1) / block.sizes for block in part]
    if unit == "dataset":
        means = [np.stack([block.means for block in part], axis=1)]
    return np.array(
        [
            np.mean([(superiority(m[a], m[b], paired=True), cliffs_delta(m[a], m[b])) for m in means], axis=0)
            for a, b in places
        ]
    )


def _claims(
    part: Sequence[Block],
    places: list[tuple[int, int]],
    found: Estimates,
    effects: np.ndarray,
    measure: str,
    unit: str,
    margin: float | None,
    alpha: float,
    method: str,
    remarks: tuple[str, ...],
) -> list[Claim]:
    direction = sign(measure)
    ends = np.sort(np.stack(found.interval(1 - alpha)) * direction, axis=0)
    difference = np.minimum(1.0, 2 * np.minimum(found.above(0.0), found.below(0.0)))
    noninferior = found.above(-margin) if margin is not None else None
    equivalent = np.maximum(found.above(-margin), found.below(margin)) if margin is not None else None
    names = part[0].contenders
    assumptions = _assumptions(unit, method)
    shared = (*remarks, *_remarks(part, unit))
    return [
        Claim(
            first=names[first],
            second=names[second],
            measure=measure,
            datasets=tuple(block.dataset for block in part),
            difference=float(found.means[k] * direction),
            low=float(ends[0, k]),
            high=float(ends[1, k]),
            level=1 - alpha,
            superiority=float(effects[k, 0]),
            delta=float(effects[k, 1]),
            p_difference=float(difference[k]),
            p_equivalence=None if equivalent is None else float(equivalent[k]),
            p_noninferiority=None if noninferior is None else float(noninferior[k]),
            p_difference_adjusted=float(difference[k]),
            p_equivalence_adjusted=None,
            p_noninferiority_adjusted=None,
            margin=margin,
            alpha=alpha,
            family="",
            family_size=1,
            correction="none",
            unit=unit,
            units=found.groups,
            seeds=min(len(block.seeds) for block in part),
            method=_METHODS[method],
            assumptions=assumptions,
            remarks=(*shared, *_spread(found.errors[k])),
        )
        for k, (first, second) in enumerate(places)
    ]


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
    found = []
    if unit == "dataset":
        return [f"the unit is the dataset, and there are {len(part)}"] if len(part) < _FEW else []
    if any(len(block.seeds) == 1 for block in part):
        found.append("one seed: the luck of training is not in the interval")
    few = [f"{block.dataset} ({len(block.sizes)})" for block in part if len(block.sizes) < _FEW]
    if few:
        found.append(f"few groups on {listed(few)}: the interval leans on the assumed law")
    return found


def _spread(error: float) -> list[str]:
    if np.isnan(error):
        return ["one unit only: its spread is unknown, so nothing is decided"]
    return ["all differences are equal: their spread is unknown, so nothing is decided"] if error == 0 else []
