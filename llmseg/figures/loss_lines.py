"""Losses of a contender over epochs as one line: mean, lowest and highest over its seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llmseg.figures.contenders import Contender
from llmseg.study.results import Curve


@dataclass(frozen=True, eq=False)
class LossLine:
    """Losses of a contender on a dataset: mean, lowest and highest over seeds, float ``[E]``; NaN where there is none.

    ``chosen`` is the number of epochs that the pipeline itself asks for, if the training had another.
    """

    contender: Contender
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    chosen: int | None


def make_lines(curves: Sequence[Curve], loss: str, contenders: Mapping[str, Contender]) -> dict[str, list[LossLine]]:
    """Return a line per contender, by dataset."""
    lines: dict[str, list[LossLine]] = {}
    for dataset, name in dict.fromkeys((curve.dataset, curve.contender) for curve in curves):
        same = [curve for curve in curves if (curve.dataset, curve.contender) == (dataset, name)]
        losses = [getattr(curve, loss) for curve in same]
        lines.setdefault(dataset, []).append(_make_line(contenders[name], losses, same[0].chosen))
    return lines


def _make_line(contender: Contender, losses: Sequence[np.ndarray], chosen: int | None) -> LossLine:
    rows = np.full((len(losses), max(map(len, losses))), np.nan)
    for row, of_seed in zip(rows, losses, strict=True):
        row[: len(of_seed)] = np.where(np.isfinite(of_seed), of_seed, np.nan)
    # A seed that has ended or has no finite loss leaves the mean to the others. Epochs at which no seed has one stay
    # NaN and are kept away from numpy, which would warn of them.
    any_finite = np.isfinite(rows).any(axis=0)
    mean, low, high = (np.full(rows.shape[1], np.nan) for _ in range(3))
    for target, reduce in ((mean, np.nanmean), (low, np.nanmin), (high, np.nanmax)):
        target[any_finite] = reduce(rows[:, any_finite], axis=0)
    return LossLine(contender, mean, low, high, chosen)


def carry_last(losses: np.ndarray, length: int) -> np.ndarray:
    """Return losses for a number of epochs; where there is none, the last one before that is a number."""
    rows = np.full(length, np.nan)
    rows[: len(losses)] = losses
    last = np.maximum.accumulate(np.where(np.isfinite(rows), np.arange(length), 0))
    carried: np.ndarray = rows[last]
    return carried


def number_epochs(losses: np.ndarray) -> np.ndarray:
    """Return the numbers of the epochs of some losses, from 1."""
    return np.arange(1, len(losses) + 1)
