"""The same masks by the rules of others: what a mean Dice is, in nnU-Net, in MONAI, in the nineteen scripts.

On masks of 0 and 1, thresholds change nothing and soft Dice is Dice, so that every rule is a function of the pixels by
agreement: what is summed before the fraction is taken, what is added to it, and what becomes of empty masks. So a
script's rule says what it would write about these masks. What it wrote about its own output is another matter where it
compares something else than a probability with one half, or nothing at all.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.evaluation.measures import Counts
from llmseg.recipe.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Convention:
    """A rule by which masks are scored.

    Attributes:
        name: Whose rule it is.
        measure: ``dice`` or ``iou``.
        over: What one fraction is taken over: each ``case``, the pixels of a ``batch``, or those of the whole ``set``.
        batch_size: Cases in a batch, in the order in which they are given; ``None`` for rules without batches.
        mean_of: Whether the mean is that of all ``values``, or of the ``batches``' means.
        smooth: What is added above and below the fraction line.
        smoothed: Whether it is added above and below (``both``), or ``below`` only.
        both_empty: Value where neither mask has foreground; ``None`` takes the formula, which without smoothing gives
            not-a-number.
        reference_empty: Value where only the prediction has foreground; ``None`` takes the formula.
        skip_nan: Whether not-a-number is left out of the mean.

    Raises:
        UserError: The rule needs a batch size and has none, or smoothing is negative.
    """

    name: str
    measure: Literal["dice", "iou"] = "dice"
    over: Literal["case", "batch", "set"] = "case"
    batch_size: int | None = None
    mean_of: Literal["values", "batches"] = "values"
    smooth: float = 0.0
    smoothed: Literal["both", "below"] = "both"
    both_empty: float | None = None
    reference_empty: float | None = None
    skip_nan: bool = False

    def __post_init__(self) -> None:
        batches = self.over == "batch" or self.mean_of == "batches"
        if batches and (self.batch_size is None or self.batch_size < 1):
            raise UserError(f"the rule '{self.name}' needs a batch size of at least 1, not {self.batch_size}")
        if not self.smooth >= 0:
            raise UserError(f"the rule '{self.name}' adds {self.smooth}; it must not be negative")

    def values(self, counts: Sequence[Counts]) -> np.ndarray:
        """Return what the rule lists, float64: a value per case, per batch, or one.

        Args:
            counts: Pixels by agreement of each case.

        Raises:
            UserError: There are no cases.

        Example:
            >>> MONAI.values([Counts(1, 1, 0, 9), Counts(0, 3, 0, 8)])
            array([0.66666667,        nan])
        """
        if not counts:
            raise UserError("there are no cases to score")
        sums = [_add_up(row) for row in self._rows(counts)]
        values = np.array([self._value(row) for row in sums])
        if self.mean_of == "values" or self.over != "case":
            return values
        return np.array([part.mean() for part in _parts(values, self.batch_size)])

    def mean(self, counts: Sequence[Counts]) -> float:
        """Return the one number that the rule gives for all cases; not-a-number if one is, unless these are skipped."""
        values = self.values(counts)
        if not self.skip_nan:
            return float(values.mean())
        # Leaving values out before adding would change the order of the sum, and with it the last bit.
        return float(np.nanmean(values)) if not np.isnan(values).all() else math.nan

    def _rows(self, counts: Sequence[Counts]) -> list[Sequence[Counts]]:
        """Return the cases that share a fraction."""
        if self.over == "set":
            return [counts]
        return _parts(counts, 1 if self.over == "case" else self.batch_size)

    def _value(self, row: Counts) -> float:
        if row.tp + row.fn == 0:
            ruled = self.reference_empty if row.fp else self.both_empty
            if ruled is not None:
                return ruled
        weight = 2 if self.measure == "dice" else 1
        above = weight * row.tp + (self.smooth if self.smoothed == "both" else 0.0)
        below = weight * row.tp + row.fp + row.fn + self.smooth
        return above / below if below else math.nan


_Row = TypeVar("_Row", np.ndarray, Sequence[Counts])


def _parts(row: _Row, size: int | None) -> list[_Row]:
    """Cut a row into parts of a size, the last of which takes what is left; ``None`` leaves it whole."""
    step = size or len(row)
    return [row[start : start + step] for start in range(0, len(row), step)]


def _add_up(row: Sequence[Counts]) -> Counts:
    tp, fp, fn, tn = (sum(values) for values in zip(*((c.tp, c.fp, c.fn, c.tn) for c in row), strict=True))
    return Counts(tp, fp, fn, tn)


OURS = Convention(name="llmseg", both_empty=1.0)
"""Ours, and Metrics Reloaded's Dice: a correctly empty mask is perfect, a false alarm is worth nothing."""

NNUNET = Convention(name="nnU-Net", both_empty=math.nan, skip_nan=True)
"""nnU-Net's summary, and MedSegBench's: correctly empty masks are left out of the mean."""

MONAI = Convention(name="MONAI", both_empty=math.nan, reference_empty=math.nan, skip_nan=True)
"""MONAI's ``DiceMetric`` as it comes: cases with an empty reference are left out, false alarms, too."""

SMP_IMAGES = Convention(name="smp micro-imagewise", both_empty=1.0)
"""``f1_score`` of segmentation-models-pytorch with ``micro-imagewise``: a value per image."""

SMP_POOLED = Convention(name="smp micro", over="set")
"""The same with ``micro``: the pixels of all images in one fraction."""

UBENCH = Convention(name="U-Bench", measure="iou", both_empty=0.0)
"""U-Bench's IoU: a correctly empty mask counts as nothing."""

PACKAGES = (OURS, NNUNET, MONAI, SMP_IMAGES, SMP_POOLED, UBENCH)
"""The rules of packages and benchmarks, ours first."""


def derive_convention(name: str, recipe: Recipe) -> Convention:
    """Return the rule by which a script lists its test scores, or, if it runs no test, its validation scores.

    Batches are those of the cases in the order in which they are given, which need not be the script's. Without
    smoothing, a batch that is empty in both masks is not-a-number, and so is the mean.

    Args:
        name: What the rule is called.
        recipe: The script's recipe.

    Example:
        >>> from llmseg import zoo
        >>> derive_convention("gpt-4", zoo.get("gpt-4").recipe).over
        'batch'
    """
    part, score = ("score", recipe.score) if recipe.test is None else ("test", recipe.test)
    return Convention(
        name=name,
        over=score.over,
        batch_size=recipe.fit.batch_size_in_test,
        mean_of="values" if recipe.get(f"{part}.lists") == "case" else "batches",
        smooth=float(str(recipe.get(f"{part}.smooth"))),
        smoothed="below" if recipe.get(f"{part}.smoothed") == "below" else "both",
    )


TIE_DECIMALS = 12
"""Values that agree to so many decimals are equal; what lies beyond is rounding."""


def compare_conventions(systems: Mapping[str, Sequence[Counts]], rules: Sequence[Convention]) -> pd.DataFrame:
    """Score several systems on the same cases by several rules.

    Args:
        systems: Pixels by agreement of each case, for every system in the same order.
        rules: The rules.

    Returns:
        A row per rule and system: ``convention, measure, system, value, rank, winner``. Rank 1 is best, values that
        agree to :data:`TIE_DECIMALS` share their mean rank. Where ``value`` is not-a-number, the rule has none for the
        system, which ranks last. The winners of a rule are joined by ``=``; there is none (an empty word) where no
        value is a number.

    Raises:
        UserError: There are no systems, they were not scored on the same references, or two rules have one name.
    """
    _check_same_cases(systems)
    names = [rule.name for rule in rules]
    if len(set(names)) < len(names):
        raise UserError(f"two rules are called '{next(n for n in names if names.count(n) > 1)}'; rename one")
    frames = []
    for rule in rules:
        values = pd.Series({name: rule.mean(counts) for name, counts in systems.items()})
        rounded = values.round(TIE_DECIMALS)
        ranks = rounded.rank(ascending=False, na_option="bottom")
        winner = "=".join(values.index[rounded == rounded.max()])
        columns = {"convention": rule.name, "measure": rule.measure, "system": values.index, "value": values.to_numpy()}
        frames.append(pd.DataFrame({**columns, "rank": ranks.to_numpy(), "winner": winner}))
    table: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return table


def _check_same_cases(systems: Mapping[str, Sequence[Counts]]) -> None:
    """Refuse systems whose references differ; case by case, they have a foreground and a size."""
    if len({len(counts) for counts in systems.values()}) != 1:
        raise UserError("systems must be scored on the same cases; there are none, or their numbers differ")
    for position, row in enumerate(zip(*systems.values(), strict=True)):
        if len({(c.tp + c.fn, c.fp + c.tn) for c in row}) > 1:
            raise UserError(
                f"systems must be scored on the same cases in the same order; case {position + 1} has another reference"
            )


def compute_stability(frame: pd.DataFrame) -> float:
    """Return the share of pairs of systems that all rules put in the same order.

    Of a pair, those rules are asked that give both systems a number; a pair without such a rule is not counted. A tie
    (values that agree to :data:`TIE_DECIMALS`) is an order of its own. So 1 means that no rule changes any order. With
    one system there is none to change; not-a-number means that no two systems can be compared.

    Args:
        frame: As :func:`compare_conventions` returns it.

    Example:
        >>> one, other = [Counts(8, 0, 2, 90)], [Counts(8, 2, 2, 88)]
        >>> compute_stability(compare_conventions({"a": one, "b": other}, PACKAGES))
        1.0
    """
    wide = frame.pivot(index="convention", columns="system", values="value").round(TIE_DECIMALS)
    pairs = list(itertools.combinations(wide.columns, 2))
    orders = [set(np.sign((wide[one] - wide[other]).dropna())) for one, other in pairs]
    compared = [order for order in orders if order]
    if not compared:
        return math.nan if pairs else 1.0
    return sum(len(order) == 1 for order in compared) / len(compared)
