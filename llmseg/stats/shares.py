"""What each part of a recipe contributes to the gap between two recipes, after Shapley and in simpler ways."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.intervals import mean_interval

Coalition: TypeAlias = frozenset[str]
"""The parts that come from one recipe, the better one; the others come from the other recipe."""


@dataclass(frozen=True)
class Swap:
    """The exchange of one part, while some others have been exchanged already.

    Attributes:
        part: The part.
        coalition: The parts that have been exchanged before.
        weight: Weight of this swap in the average of the part; the weights of a part add up to 1.
    """

    part: str
    coalition: Coalition
    weight: float

    @property
    def coalitions(self) -> tuple[Coalition, Coalition]:
        """The coalition without and with the part."""
        return self.coalition, self.coalition | {self.part}


def one_swaps(parts: Sequence[str]) -> tuple[Swap, ...]:
    """Return the swaps that exchange a part first, before all others, and last, after all others.

    They need ``2 n + 2`` coalitions for n parts. The averages do not add up to the gap: the rest is interaction.

    Example:
        >>> [(swap.part, sorted(swap.coalition)) for swap in one_swaps(["fit", "loss", "net"])][:2]
        [('fit', []), ('fit', ['loss', 'net'])]
    """
    everything = frozenset(parts)
    return tuple(Swap(part, coalition, 0.5) for part in parts for coalition in (frozenset(), everything - {part}))


def all_swaps(parts: Sequence[str]) -> tuple[Swap, ...]:
    """Return every swap, with the weights of Shapley (1953); they need ``2 ** n`` coalitions for n parts.

    Example:
        >>> [(swap.part, sorted(swap.coalition), swap.weight) for swap in all_swaps(["loss", "net"])][:2]
        [('loss', [], 0.5), ('loss', ['net'], 0.5)]
    """
    n = len(parts)
    swaps = []
    for part in parts:
        others = [other for other in parts if other != part]
        for size in range(n):
            # Of all orders of the parts, a share of 1 / n has the part behind ``size`` others, and all choices of these
            # are equally frequent.
            weight = 1 / (n * math.comb(n - 1, size))
            swaps += [Swap(part, frozenset(coalition), weight) for coalition in itertools.combinations(others, size)]
    return tuple(swaps)


def sampled_swaps(parts: Sequence[str], orders: int, seed: int = 0) -> tuple[Swap, ...]:
    """Return the swaps of random orders in which the parts are exchanged; each order is also taken backwards.

    Args:
        parts: The parts.
        orders: Number of orders; forwards and backwards count as one.
        seed: Seed of the random orders.

    Raises:
        UserError: The number of orders is below 1.

    Example:
        >>> len(sampled_swaps(["fit", "loss", "net"], orders=4))
        24
    """
    if orders < 1:
        raise UserError(f"{orders} orders: at least one is needed")
    generator = np.random.default_rng(seed)
    swaps = []
    for _ in range(orders):
        forwards = [parts[index] for index in generator.permutation(len(parts))]
        # A part that comes early in one direction comes late in the other, which steadies the average.
        for order in (forwards, forwards[::-1]):
            swaps += [Swap(part, frozenset(order[:index]), 0.5 / orders) for index, part in enumerate(order)]
    return tuple(swaps)


def contributions(
    paired: pd.DataFrame, names: Mapping[Coalition, str], swaps: Sequence[Swap], *, level: float = 0.95
) -> pd.DataFrame:
    """Return what each part contributes to the gap between all parts exchanged and none.

    Every contribution is computed case by case and seed by seed. Its interval is therefore that of a mean of paired
    differences, see :func:`llmseg.stats.mean_interval`.

    Args:
        paired: Scores: a column per coalition, a row per ``case``, ``group`` and ``seed`` (the index).
        names: Name of the column of every coalition.
        swaps: The swaps to average, from :func:`one_swaps`, :func:`all_swaps` or :func:`sampled_swaps`.
        level: Confidence level of the intervals, between 0 and 1.

    Returns:
        A row per part, then ``interaction`` (what is left), then ``gap``, with the columns ``part, difference, low,
        high, level, groups, seeds``. All rows but the last add up to the last.

    Raises:
        UserError: As :func:`llmseg.stats.mean_interval`.

    Example:
        >>> index = pd.MultiIndex.from_product([["a", "b"], ["g"], [0]], names=["case", "group", "seed"])
        >>> paired = pd.DataFrame({"neither": [0.1, 0.3], "loss": [0.3, 0.5]}, index=index)
        >>> names = {frozenset(): "neither", frozenset({"loss"}): "loss"}
        >>> contributions(paired, names, all_swaps(["loss"]))[["part", "difference"]].round(3).values.tolist()
        [['loss', 0.2], ['interaction', 0.0], ['gap', 0.2]]
    """
    parts = list(dict.fromkeys(swap.part for swap in swaps))
    columns = dict.fromkeys(parts, 0.0 * paired[names[frozenset()]])
    for swap in swaps:
        before, after = (paired[names[coalition]] for coalition in swap.coalitions)
        columns[swap.part] = columns[swap.part] + swap.weight * (after - before)
    gap = paired[names[frozenset(parts)]] - paired[names[frozenset()]]
    columns["interaction"] = gap - sum(columns.values())
    columns["gap"] = gap
    table: pd.DataFrame = pd.DataFrame([_row(part, values, level) for part, values in columns.items()])
    return table


def _row(part: str, values: pd.Series, level: float) -> dict[str, object]:
    interval = asdict(mean_interval(values.rename("value").reset_index(), level=level))
    return {"part": part, "difference": interval.pop("mean"), **interval}
