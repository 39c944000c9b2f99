"""Scores as arrays, a block per dataset: what every analysis computes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmseg.errors import UserError, nearest, shorten_list
from llmseg.stats.table import Table, contender_names


@dataclass(frozen=True, eq=False)
class Block:
    """The scores of all contenders on one dataset.

    A block has no gaps: every contender has a score on every case with every seed. Comparisons are paired, so a case
    that one contender lacks says nothing about it; and without gaps, sums over groups and resamples are plain matrix
    products.

    Attributes:
        dataset: Name of the dataset.
        contenders: Names of the ``P`` contenders.
        seeds: The ``S`` seeds, ascending.
        groups: Index of the group of every case, from 0, int ``[C]``.
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


def make_blocks(table: Table, measure: str = "dice", *, phase: str = "test") -> tuple[Block, ...]:
    """Return a block per dataset, all with the same contenders in the same order.

    Args:
        table: The scores.
        measure: Which measure.
        phase: Which phase.

    Raises:
        UserError: There is no such measure or phase, or a score is missing.

    Example:
        >>> from llmseg.stats import simulate
        >>> [block.values.shape for block in make_blocks(simulate(pipelines=3, datasets=2, seeds=2, cases=5))]
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
    # Missing rows and undefined scores both leave a NaN here.
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
            example = f"among them all of {shorten_list(lacking)}, "
        raise UserError(
            f"{absent} of {values.size} scores ({measure}) on {dataset} are missing, {example}see table.missing(); "
            "select() what is complete, or leave cases out by table.complete(), which says so in every claim"
        )
    group = np.empty(len(cases), dtype=np.int64)
    group[case] = pd.factorize(part["group"])[0]
    return Block(dataset, contenders, tuple(int(seed) for seed in seeds), group, values)


def find_contender(contenders: tuple[str, ...], name: str) -> int:
    """Return the index of a contender.

    Raises:
        UserError: No contender has that name.

    Example:
        >>> find_contender(("gpt-4o", "gpt-o3"), "gpt-o3")
        1
    """
    if name not in contenders:
        raise UserError(f"no contender '{name}'{nearest(name, contenders)}; the table has {shorten_list(contenders)}")
    return contenders.index(name)
