"""What llmseg ablate, compare and gap print."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.cli.text.layout import align_columns
from llmseg.stats.columns import sign
from llmseg.stats.words import CROSS_VALIDATED, ONE_SEED, count_text
from llmseg.zoo.outside import imported_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from llmseg.study import CohortGap, Gap, PriceList


def gain_table(differences: pd.DataFrame, folder: Path, folds: int = 1, measure: str = "dice", role: str = "") -> str:
    """Return what every variant of a study gains over its base.

    Args:
        differences: One row per variant, see :meth:`llmseg.Study.differences`.
        folder: The folder of the study.
        folds: Number of its folds.
        measure: The measure.
        role: ``primary`` or ``secondary``, where there are several measures.
    """
    if not differences["groups"].any():
        return f"{_name_role(measure, role)}{measure} applies to no case; in {folder}"
    rows: list[tuple[str, ...]] = [
        (
            str(row.variant),
            f"{row.mean:.4f}",
            f"{row.difference:+.4f}",
            f"{row.low:+.4f} to {row.high:+.4f}",
            f"{row.p_corrected:.2g}",
            str(row.verdict),
        )
        for row in differences.itertuples()
    ]
    header: tuple[str, ...] = ("variant", measure, "difference", _interval(differences), "corrected p", "verdict")
    if folds > 1:
        header = (*header, f"{_interval(differences)} over folds")
        ends = zip(differences["low_folds"], differences["high_folds"], strict=True)
        rows = [(*row, f"{low:+.4f} to {high:+.4f}") for row, (low, high) in zip(rows, ends, strict=True)]
    table = align_columns([header, *rows])
    family = "all pairs in all secondary measures" if role == "secondary" else "all pairs"
    note = f"intervals are of single differences; p and verdict are corrected for {family} (Holm)"
    basis = f"base {differences.iloc[0]['base']:.4f}; {_basis(differences)}; in {folder}"
    return f"{_name_role(measure, role)}{table}\n{note}\n{basis}{_note_of_folds(folds)}"


def mean_table(
    means: pd.DataFrame,
    folder: Path,
    beside: pd.DataFrame,
    verdict: str,
    folds: int = 1,
    measure: str = "dice",
    role: str = "",
) -> str:
    """Return the verdict and the mean of every recipe of a study, best first, and how far means and seeds lie apart.

    Args:
        means: One row per recipe, see :meth:`llmseg.Study.means`.
        folder: The folder of the study.
        beside: One row per other contender, see :meth:`llmseg.Study.means_beside`.
        verdict: Which difference is established, in one sentence.
        folds: Number of folds of the study.
        measure: The measure.
        role: ``primary`` or ``secondary``, where there are several measures.
    """
    means_of_all = [*means.to_dict("records"), *beside.to_dict("records")]
    rows = [
        (row["variant"], _score(row["mean"]), _ends(row["low"], row["high"]), _score(row["seed_sd"]))
        for row in sorted(means_of_all, key=lambda row: -sign(measure) * row["mean"])
    ]
    table = align_columns([("recipe", measure, _interval(means), "sd of seeds"), *rows])
    spread = f"standard deviation between recipes {_score(means['mean'].std())}"
    return (
        f"{_name_role(measure, role)}{verdict}\n{table}\n{spread}; {_basis(means)}; in {folder}{_note_of_folds(folds)}"
    )


def report_hint(folder: Path, measures: Sequence[str] = ("dice",)) -> str:
    """Return the command that makes a report of a study, with the files of pipelines that it needs, too."""
    files = [word for path in imported_files() for word in ("--import", path)]
    asked = () if tuple(measures) == ("dice",) else [word for name in measures for word in ("--measure", name)]
    return "next: " + shlex.join(["llmseg", *files, "report", str(folder), "-o", f"{folder}-report", *asked])


def _name_role(measure: str, role: str) -> str:
    """Return a line that says how a measure was named, above its table; nothing if it is the only one."""
    words = {"primary": "the primary measure", "secondary": "a secondary measure, which decides nothing by itself"}
    return f"{measure}, {words[role]}:\n" if role else ""


def contribution_table(contributions: pd.DataFrame, gap: Gap) -> str:
    """Return what each part contributes to a gap, and the gap in a sentence."""
    rows = [
        (str(row.part), f"{row.difference:+.4f}", f"{row.low:+.4f} to {row.high:+.4f}")
        for row in contributions.itertuples()
    ]
    table = align_columns([("part", "dice", _interval(contributions)), *rows])
    return f"{table}\n{gap.sentence()}\n{_basis(contributions)}; in {gap.folder}{_note_of_folds(gap.study.folds)}"


def cohort_table(result: CohortGap) -> str:
    """Return what each part contributes on average over the pairs of two cohorts."""
    means = result.means.to_dict("records")
    rows = [(str(row["part"]), f"{row['mean']:+.4f}", _score(row["std"])) for row in means]
    table = align_columns([("part", "dice", "sd over pairs"), *rows])
    pairs = f"{len(result.gaps)} pairs; each in pairs.csv"
    alone = f"{ONE_SEED}; " if (result.gaps[0].contributions()["seeds"] == 1).any() else ""
    return f"{table}\n{pairs}; {alone}in {result.folder}{_note_of_folds(result.gaps[0].study.folds)}"


def price_table(prices: PriceList) -> str:
    """Return what the repair of every quirk gains."""
    rows = [
        (
            str(row["dataset"]),
            str(row["pipeline"]),
            str(row["quirk"]),
            f"{row['gained']:+.4f}",
            f"{row['low']:+.4f} to {row['high']:+.4f}",
        )
        for row in prices.record["rows"]
    ]
    table = align_columns([("dataset", "pipeline", "quirk", "dice gained", "95 % interval"), *rows])
    alone = f"{ONE_SEED}; " if prices.record["settings"]["seeds"] == 1 else ""
    return f"{table}\n{alone}in {prices.path}"


def _interval(frame: pd.DataFrame) -> str:
    """Return the head of a column of confidence intervals; all rows have the same level."""
    return f"{100 * frame.iloc[0]['level']:g} % interval"


def _basis(frame: pd.DataFrame) -> str:
    """Return on how many groups of cases and seeds the numbers rest; they are the same in all rows."""
    first = frame.iloc[0]
    alone = f"; {ONE_SEED}" if first["seeds"] == 1 else ""
    counts = (count_text(f"{first[noun]:g}", noun.removesuffix("s")) for noun in ("groups", "seeds"))
    return f"{', '.join(counts)}{alone}"


def _note_of_folds(folds: int) -> str:
    """Return what numbers of a cross-validation leave out, as a further line; nothing without folds."""
    return f"\n{CROSS_VALIDATED.format(folds=folds)}" if folds > 1 else ""


def _score(value: float) -> str:
    """Return a score or a standard deviation; a dash where there is none, as for a single value."""
    return "-" if math.isnan(value) else f"{value:.4f}"


def _ends(low: float, high: float) -> str:
    return "-" if math.isnan(low) else f"{low:.4f} to {high:.4f}"
