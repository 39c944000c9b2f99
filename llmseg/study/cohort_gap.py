"""Gaps between two cohorts of recipes: what each part contributes, on average over all pairs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from llmseg.data.given import GivenHoldout, GivenStore, find_store
from llmseg.errors import UserError
from llmseg.files import check_kind, clean_name, write_text
from llmseg.study.gap import Gap, Swaps, design_gap, finish_gap
from llmseg.study.grid import run_designs
from llmseg.study.options import Launch
from llmseg.study.variants import Variant

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from llmseg.study.options import StudyOptions


@dataclass(frozen=True)
class CohortGap:
    """The gaps of all pairs of two cohorts, divided among the parts of their recipes, on disk.

    Attributes:
        folder: Holds a folder per pair (see :class:`llmseg.study.Gap`), ``pairs.csv`` and ``means.csv``.
        gaps: The gap of every pair.
    """

    folder: Path
    gaps: tuple[Gap, ...]

    @property
    def pairs(self) -> pd.DataFrame:
        """A row per part and pair: the columns of :meth:`llmseg.study.Gap.contributions`, ``left`` and ``right``."""
        rows: pd.DataFrame = pd.concat(
            [gap.contributions().assign(left=gap.left.name, right=gap.right.name) for gap in self.gaps],
            ignore_index=True,
        )
        return rows

    @property
    def means(self) -> pd.DataFrame:
        """A row per part: ``part, mean, std, count``, over the pairs."""
        return average_contributions(self.pairs)


def average_contributions(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the mean contribution of each part over pairs, with its standard deviation over them and their number.

    Args:
        pairs: A row per part and pair, with the columns ``part`` and ``difference``.

    Example:
        >>> rows = pd.DataFrame({"part": ["net", "loss", "net", "loss"], "difference": [0.1, 0.0, 0.3, 0.2]})
        >>> average_contributions(rows)["mean"].round(3).tolist()
        [0.2, 0.1]
    """
    parts = pairs.groupby("part", sort=False)["difference"]
    means: pd.DataFrame = parts.agg(["mean", "std", "count"]).reset_index()
    return means


def run_cohort_gap(
    left: Sequence[Variant],
    right: Sequence[Variant],
    store: GivenStore,
    out: str | Path,
    *,
    holdout: GivenHoldout | Sequence[GivenHoldout],
    swaps: Swaps = "single",
    orders: int = 4,
    **options: Unpack[StudyOptions],
) -> CohortGap:
    """Divide the gap of every pair of two cohorts among the parts of their recipes, and average over all pairs.

    No single pair decides the means. Their spread over pairs is that of the language models; the interval of each pair
    is in its own row. All 88 pairs of the study's eleven and eight models take about ten trainings a seed each.

    The same call made again continues an interrupted one.

    Args:
        left: The recipes whose lead is explained, such as those of 2025.
        right: The recipes they are compared with, such as those of 2024.
        store: The cases.
        out: Folder for everything.
        holdout: The test cases, or folds, as for :func:`llmseg.run_study`.
        swaps: As for :func:`llmseg.run_gap`.
        orders: As for :func:`llmseg.run_gap`.
        **options: The options of :func:`llmseg.run_study`: ``seeds``, ``epochs``, ``device``, ``precision``,
            ``tolerance``, ``progress``, and ``leave_out_failing``, which leaves out pairs with a mixture that fails.

    Raises:
        UserError: A cohort is empty, a recipe is in both, no pair is left, or as :func:`llmseg.run_gap`.

    Example:
        >>> from llmseg.study import find_sides
        >>> left, right = find_sides("2025", "2024")
        >>> gap = run_cohort_gap(left, right, "cohort.h5", "gaps/years", holdout="holdout.json")  # doctest: +SKIP
        >>> gap.means()  # doctest: +SKIP
    """
    check_cohorts(left, right)
    store = find_store(store)
    pairs = list(itertools.product(left, right))
    cohort_gap = CohortGap(Path(out), ())
    check_kind(cohort_gap.folder, "gap of cohorts", holds=any(cohort_gap.folder.glob("*/study/study.json")))
    gaps, designs = zip(
        *(
            design_gap(
                *pair,
                store,
                cohort_gap.folder / clean_name("-".join(variant.name for variant in pair), also="-_.@"),
                holdout=holdout,
                swaps=swaps,
                orders=orders,
                **options,
            )
            for pair in pairs
        ),
        strict=True,
    )
    for gap, study in zip(gaps, run_designs(designs, Launch.of(options)), strict=True):
        if study is None:
            continue
        cohort_gap = CohortGap(cohort_gap.folder, (*cohort_gap.gaps, finish_gap(gap)))
        # After every pair, so that a run of days can be looked at.
        write_text(cohort_gap.folder / "pairs.csv", cohort_gap.pairs.to_csv(index=False))
        write_text(cohort_gap.folder / "means.csv", cohort_gap.means.to_csv(index=False))
    if not cohort_gap.gaps:
        raise UserError("no pair is left; mend what failed")
    return cohort_gap


def check_cohorts(left: Sequence[Variant], right: Sequence[Variant]) -> None:
    """Raise :class:`UserError` if a cohort is empty, or a recipe is in both.

    Example:
        >>> from llmseg.study.variants import pipelines
        >>> check_cohorts(pipelines("gpt-o3"), pipelines("gpt-4"))
    """
    if not left or not right:
        raise UserError("a cohort is empty; name at least one pipeline on either side")
    twice = [variant.name for variant in left if variant.name in {other.name for other in right}]
    if twice:
        raise UserError(f"{twice[0]} is on both sides; name every pipeline once")
