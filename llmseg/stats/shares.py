"""What each part contributes to a gap: averages of what it changes in different company."""

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
"""Parts that come from the better side, the others from the worse."""


@dataclass(frozen=True)
class Swap:
    """A part put into some company.

    Attributes:
        part: The part.
        company: The parts that are there already.
        weight: Its weight in the part's average; the weights of a part add up to 1.
    """

    part: str
    company: Coalition
    weight: float

    @property
    def coalitions(self) -> tuple[Coalition, Coalition]:
        """Without and with the part."""
        return self.company, self.company | {self.part}


def one_swaps(parts: Sequence[str]) -> tuple[Swap, ...]:
    """Return the swaps of one part at a time: into the worse side alone, and into all of the better side.

    ``2 n + 2`` coalitions for n parts. The averages do not add up to the gap: the rest is interaction.
    """
    everything = frozenset(parts)
    return tuple(Swap(part, company, 0.5) for part in parts for company in (frozenset(), everything - {part}))


def all_swaps(parts: Sequence[str]) -> tuple[Swap, ...]:
    """Return every swap, weighted as Shapley (1953) does; ``2 ** n`` coalitions for n parts.

    Example:
        >>> [(swap.part, sorted(swap.company), swap.weight) for swap in all_swaps(["loss", "net"])][:2]
        [('loss', [], 0.5), ('loss', ['net'], 0.5)]
    """
    n = len(parts)
    swaps = []
    for part in parts:
        others = [other for other in parts if other != part]
        for size in range(n):
            weight = 1 / (n * math.comb(n - 1, size))
            swaps += [Swap(part, frozenset(company), weight) for company in itertools.combinations(others, size)]
    return tuple(swaps)


def sampled_swaps(parts: Sequence[str], orders: int, seed: int = 0) -> tuple[Swap, ...]:
    """Return the swaps of some orders in which parts are exchanged; each is also gone through backwards.

    Args:
        parts: The parts.
        orders: Number of orders, forwards and backwards counted as one.
        seed: Seed of the drawing.

    Raises:
        UserError: There are no orders.
    """
    if orders < 1:
        raise UserError(f"{orders} orders: at least one is needed")
    generator = np.random.default_rng(seed)
    swaps = []
    for _ in range(orders):
        forwards = [parts[place] for place in generator.permutation(len(parts))]
        for order in (forwards, forwards[::-1]):
            swaps += [Swap(part, frozenset(order[:place]), 0.5 / orders) for place, part in enumerate(order)]
    return tuple(swaps)


def contributions(
    paired: pd.DataFrame, names: Mapping[Coalition, str], swaps: Sequence[Swap], *, level: float = 0.95
) -> pd.DataFrame:
    """Return what each part contributes to the gap between no and all parts.

    Every contribution is taken case by case and seed by seed, so its interval is that of a mean of paired differences,
    see :func:`llmseg.stats.intervals.mean_interval`.

    Args:
        paired: A column per coalition, a row per ``case``, ``group`` and ``seed`` (the index).
        names: Coalitions, and the columns that hold their scores.
        swaps: What is averaged, see :func:`one_swaps`, :func:`all_swaps` and :func:`sampled_swaps`.
        level: Level of the intervals.

    Returns:
        A row per part, then ``interaction`` (what is left), then ``gap``: ``part, difference, low, high, level, groups,
        seeds``. All rows but the last add up to the last.

    Raises:
        UserError: As :func:`llmseg.stats.intervals.mean_interval`.

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
        without, having = (paired[names[coalition]] for coalition in swap.coalitions)
        columns[swap.part] = columns[swap.part] + swap.weight * (having - without)
    gap = paired[names[frozenset(parts)]] - paired[names[frozenset()]]
    columns["interaction"] = gap - sum(columns.values())
    columns["gap"] = gap
    table: pd.DataFrame = pd.DataFrame([_row(part, values, level) for part, values in columns.items()])
    return table


def _row(part: str, values: pd.Series, level: float) -> dict[str, object]:
    interval = asdict(mean_interval(values.rename("value").reset_index(), level=level))
    return {"part": part, "difference": interval.pop("mean"), **interval}
