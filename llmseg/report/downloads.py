"""The tables of a report that readers can download."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from llmseg.files.cells import guard_cell
from llmseg.report.analysis import Analysis
from llmseg.stats.claims import claims_frame
from llmseg.study.published.comparison import PublishedComparison


@dataclass(frozen=True)
class Download:
    """A table that readers can download.

    Attributes:
        path: Path of the file, relative to the folder of the report.
        about: What it holds, in a few words.
        rows: Number of its rows.
    """

    path: str
    about: str
    rows: int


def write_downloads(analysis: Analysis, published: PublishedComparison | None, folder: Path) -> list[Download]:
    """Write the tables that readers can download.

    Args:
        analysis: What was computed.
        published: What is beside the published figures, if there are some.
        folder: The folder of the report.
    """
    claims = claims_frame([claim for family in analysis.families for claim in family.claims])
    for name in ("datasets", "assumptions", "remarks"):
        if name in claims.columns:
            claims[name] = ["; ".join(values) for values in claims[name]]
    rows = [
        # What two seeds say of resamples is left empty here, too: they always agree with themselves.
        {"dataset": standing.dataset, **vars(place), **({"first": None} if standing.few else {})}
        for standing in analysis.standings()
        for place in standing.places
    ]
    tables = {
        "scores": ("All scores of this report, a row per contender, seed and case", analysis.scores.frame),
        "leaderboard": ("Means, intervals and ranks, over all datasets and on each", pd.DataFrame(rows)),
        "claims": ("All claims with their sentences", claims),
    }
    if published:
        tables["published"] = ("Published Dice and ranks of the study beside these", published.frame)
    (folder / "data").mkdir()
    downloads = []
    for name, (about, frame) in tables.items():
        # The same bytes on every system. People open these tables in spreadsheets; names in them are no formulas.
        frame.apply(_guard_texts).to_csv(folder / f"data/{name}.csv", index=False, lineterminator="\n")
        downloads.append(Download(f"data/{name}.csv", about, len(frame)))
    analysis.scores.frame.to_parquet(folder / "data/scores.parquet", index=False)
    downloads.insert(1, Download("data/scores.parquet", "The same as parquet", len(analysis.scores.frame)))
    return downloads


def _guard_texts(column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column):
        return column
    guarded = {cell: guard_cell(cell) for cell in column.unique() if isinstance(cell, str)}
    return column.map(lambda cell: guarded.get(cell, cell))
