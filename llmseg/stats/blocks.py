"""A table as arrays: what every analysis computes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmseg.errors import UserError, nearest
from llmseg.stats.columns import listed
from llmseg.stats.table import Table, contender_names


@dataclass(frozen=True, eq=False)
class Block:
    """The scores of all contenders on one dataset.

    Attributes:
        dataset: Its name.
        contenders: Names, ``P`` of them.
        seeds: ``S`` seeds.
        groups: Number of the group of every case, int ``[C]``, from 0.
        values: Scores, float ``[P, S, C]``.
    """

    dataset: str
    contenders: tuple[str, ...]
    seeds: tuple[int, ...]
    groups: np.ndarray
    values: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Number of cases of every group, float ``[G]``."""
        return np.bincount(self.groups).astype(float)

    @property
    def sums(self) -> np.ndarray:
        """Sums over the cases of every group, float ``[P, S, G]``."""
        order = np.argsort(self.groups, kind="stable")
        starts = np.r_[0, np.cumsum(self.sizes.astype(int))[:-1]]
        sums: np.ndarray = np.add.reduceat(self.values[:, :, order], starts, axis=2)
        return sums

    @property
    def means(self) -> np.ndarray:
        """Mean over seeds and cases, float ``[P]``."""
        means: np.ndarray = self.values.mean(axis=(1, 2))
        return means


def blocks(table: Table, measure: str = "dice", *, phase: str = "test") -> tuple[Block, ...]:
    """Return a block per dataset, all with the same contenders in the same order.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.

    Raises:
        UserError: There is no such measure or phase, or a cell is missing.

    Example:
        >>> from llmseg.stats import simulate
        >>> [block.values.shape for block in blocks(simulate(pipelines=3, datasets=2, seeds=2, cases=5))]
        [(3, 2, 5), (3, 2, 5)]
    """
    frame = table.select(measure=measure, phase=phase).frame
    codes, names = pd.factorize(contender_names(frame))
    contenders = tuple(str(name) for name in names)
    parts = frame.assign(contender=codes).groupby("dataset", sort=False, observed=True)
    return tuple(_block(table, measure, phase, str(dataset), contenders, part) for dataset, part in parts)


def _block(
    table: Table, measure: str, phase: str, dataset: str, contenders: tuple[str, ...], part: pd.DataFrame
) -> Block:
    seed, seeds = pd.factorize(part["seed"], sort=True)
    case, cases = pd.factorize(part["case"])
    values = np.full((len(contenders), len(seeds), len(cases)), np.nan)
    values[part["contender"].to_numpy(), seed, case] = part["value"].to_numpy()
    absent = int(np.isnan(values).sum())
    if absent:
        first = table.select(dataset=dataset).missing(measure, phase=phase)
        example = (
            f"such as {first.iloc[0]['contender']}, seed {first.iloc[0]['seed']}, case {first.iloc[0]['case']}, "
            if len(first)
            else ""
        )
        lacking = [name for name, rows in zip(contenders, np.isnan(values).all(axis=(1, 2)), strict=True) if rows]
        if lacking:
            example = f"among them all of {listed(lacking)}, "
        raise UserError(
            f"{absent} of {values.size} scores ({measure}) on {dataset} are missing, {example}see table.missing(); "
            "select() what is complete, or leave cases out by table.complete(), which says so in every claim"
        )
    group = np.empty(len(cases), dtype=np.int64)
    group[case] = pd.factorize(part["group"])[0]
    return Block(dataset, contenders, tuple(int(one) for one in seeds), group, values)


def position(contenders: tuple[str, ...], name: str) -> int:
    """Return the place of a contender.

    Raises:
        UserError: There is none of that name.
    """
    if name not in contenders:
        raise UserError(f"no contender '{name}'{nearest(name, contenders)}; the table has {listed(contenders)}")
    return contenders.index(name)
