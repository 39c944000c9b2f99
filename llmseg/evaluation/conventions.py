"""Conventions: how others take the mean Dice of the same masks, such as nnU-Net, MONAI and the nineteen scripts.

On masks of 0 and 1 thresholds change nothing, and soft Dice equals Dice. So every convention is a function of the
:class:`Counts` of each case, and conventions differ in three things: which pixels are added up before the fraction is
taken, what is added to numerator and denominator, and what the value of empty masks is.

The convention of a script tells what the script would write about these masks. What it wrote about its own output may
differ: some scripts compare other values than probabilities with one half, or use no threshold.
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
    """A rule by which a mean score of masks is taken.

    Attributes:
        name: Whose rule it is.
        measure: ``dice`` or ``iou``.
        over: Whose pixels one fraction is taken over: those of each ``case``, of a ``batch``, or of the whole ``set``.
        batch_size: Number of cases in a batch; cases are taken in the order given. ``None`` for rules without batches.
        mean_of: Whether the mean is taken over all ``values``, or first in each batch and then over the ``batches``.
        smooth: A constant that is added to the fraction.
        smoothed: Whether it is added to numerator and denominator (``both``), or to the denominator only (``below``).
        both_empty: The value if neither mask has foreground. ``None`` takes the formula, which gives not-a-number
            without smoothing.
        reference_empty: The value if only the prediction has foreground. ``None`` takes the formula.
        skip_nan: Whether values that are not a number are left out of the mean.

    Raises:
        UserError: The rule needs a batch size and has none, or ``smooth`` is negative.
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
        """Return the values whose mean is taken, float64 ``[N]``: one per case, one per batch, or a single one.

        Args:
            counts: The counts of each case.

        Raises:
            UserError: There are no cases.

        Example:
            >>> MONAI.values([Counts(1, 1, 0, 9), Counts(0, 3, 0, 8)])
            array([0.66666667,        nan])
        """
        if not counts:
            raise UserError("there are no cases to score")
        pooled = [_add_up(row) for row in self._group_cases(counts)]
        values = np.array([self._score(total) for total in pooled])
        if self.mean_of == "values" or self.over != "case":
            return values
        return np.array([batch.mean() for batch in _cut(values, self.batch_size)])

    def mean(self, counts: Sequence[Counts]) -> float:
        """Return the mean over all cases. It is not a number if a value is not, unless the rule skips such values."""
        values = self.values(counts)
        if not self.skip_nan:
            return float(values.mean())
        # nanmean adds a zero for each value that it leaves out. Dropping the values first would change how NumPy groups
        # the sum, and with it the last bit, to which nnU-Net's own figure is reproduced.
        return float(np.nanmean(values)) if not np.isnan(values).all() else math.nan

    def _group_cases(self, counts: Sequence[Counts]) -> list[Sequence[Counts]]:
        """Return the groups of cases whose pixels go into one fraction."""
        if self.over == "set":
            return [counts]
        return _cut(counts, 1 if self.over == "case" else self.batch_size)

    def _score(self, counts: Counts) -> float:
        if counts.tp + counts.fn == 0:
            fixed_value = self.reference_empty if counts.fp else self.both_empty
            if fixed_value is not None:
                return fixed_value
        weight = 2 if self.measure == "dice" else 1
        numerator = weight * counts.tp + (self.smooth if self.smoothed == "both" else 0.0)
        denominator = weight * counts.tp + counts.fp + counts.fn + self.smooth
        return numerator / denominator if denominator else math.nan


_Row = TypeVar("_Row", np.ndarray, Sequence[Counts])


def _cut(row: _Row, size: int | None) -> list[_Row]:
    """Cut a sequence into pieces of a size; the last one has what is left. ``None`` leaves it whole."""
    step = size or len(row)
    return [row[start : start + step] for start in range(0, len(row), step)]


def _add_up(row: Sequence[Counts]) -> Counts:
    tp, fp, fn, tn = (sum(values) for values in zip(*((c.tp, c.fp, c.fn, c.tn) for c in row), strict=True))
    return Counts(tp, fp, fn, tn)


OURS = Convention(name="llmseg", both_empty=1.0)
"""Ours, and the Dice of Metrics Reloaded: 1 if both masks are empty, 0 if one is."""

NNUNET = Convention(name="nnU-Net", both_empty=math.nan, skip_nan=True)
"""The summaries of nnU-Net and of MedSegBench: cases in which both masks are empty are left out of the mean."""

MONAI = Convention(name="MONAI", both_empty=math.nan, reference_empty=math.nan, skip_nan=True)
"""MONAI's ``DiceMetric`` with its defaults: cases with an empty reference are left out, whatever was predicted."""

SMP_IMAGES = Convention(name="smp micro-imagewise", both_empty=1.0)
"""``f1_score`` of segmentation-models-pytorch with ``micro-imagewise``: one value per image."""

SMP_POOLED = Convention(name="smp micro", over="set")
"""``f1_score`` of segmentation-models-pytorch with ``micro``: the pixels of all images in one fraction."""

UBENCH = Convention(name="U-Bench", measure="iou", both_empty=0.0)
"""The IoU of U-Bench: 0 if both masks are empty."""

PACKAGES = (OURS, NNUNET, MONAI, SMP_IMAGES, SMP_POOLED, UBENCH)
"""The rules of packages and benchmarks, ours first."""


def derive_convention(name: str, recipe: Recipe) -> Convention:
    """Return the rule of a script: that of its test scores or, if it runs no test, of its validation scores.

    Batches are formed of the cases in the order given, which need not be the script's. Without smoothing, a batch
    without foreground in either mask is not a number, and then the mean is not, either.

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
"""Values that agree to this many decimals count as equal; what differs beyond is rounding."""


def compare_conventions(systems: Mapping[str, Sequence[Counts]], rules: Sequence[Convention]) -> pd.DataFrame:
    """Score several systems on the same cases by several rules.

    Args:
        systems: The counts of each case for every system, by its name; cases are in the same order in all.
        rules: The rules.

    Returns:
        A row per rule and system: ``convention, measure, system, value, rank, winner``. Rank 1 is best. Systems whose
        values agree to :data:`TIE_DECIMALS` share their mean rank. A system whose value is not a number ranks last.
        ``winner`` holds the names of the winners of the rule, joined by ``=``, and is empty if no value is a number.

    Raises:
        UserError: There are no systems, they were not scored on the same references, or two rules have one name.
    """
    _check_same_cases(systems)
    names = [rule.name for rule in rules]
    if len(set(names)) < len(names):
        raise UserError(f"two rules are called '{next(name for name in names if names.count(name) > 1)}'; rename one")
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
    """Refuse systems that were scored on other references: foreground and size of each case would differ."""
    if len({len(counts) for counts in systems.values()}) != 1:
        raise UserError("systems must be scored on the same cases; there are none, or their numbers differ")
    for position, row in enumerate(zip(*systems.values(), strict=True)):
        if len({(c.tp + c.fn, c.fp + c.tn) for c in row}) > 1:
            raise UserError(
                f"systems must be scored on the same cases in the same order; case {position + 1} has another reference"
            )


def compute_stability(frame: pd.DataFrame) -> float:
    """Return the share of pairs of systems that all rules put into the same order, in 0..1.

    1 means that the choice of a rule changes no order. A rule counts for a pair if it gives both systems a number, and
    a pair counts if there is such a rule. A tie (values that agree to :data:`TIE_DECIMALS`) is an order of its own.
    With a single system the result is 1; if no two systems can be compared, it is not a number.

    Args:
        frame: As :func:`compare_conventions` returns it.

    Example:
        >>> systems = {"a": [Counts(8, 0, 2, 90)], "b": [Counts(8, 2, 2, 88)]}
        >>> compute_stability(compare_conventions(systems, PACKAGES))
        1.0
    """
    wide = frame.pivot(index="convention", columns="system", values="value").round(TIE_DECIMALS)
    pairs = list(itertools.combinations(wide.columns, 2))
    orders = [set(np.sign((wide[left] - wide[right]).dropna())) for left, right in pairs]
    compared = [order for order in orders if order]
    if not compared:
        return math.nan if pairs else 1.0
    return sum(len(order) == 1 for order in compared) / len(compared)
