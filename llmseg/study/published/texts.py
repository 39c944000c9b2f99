"""How pages and the command line write a row of results beside published figures."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

COLUMNS = {
    "published": "Published",
    "published_median": "Its median",
    "ours": "Ours",
    "interval": "95 %",
    "median": "Our median",
    "difference": "Difference",
    "published_rank": "Rank then",
    "rank": "Now",
    "ranks": "95 %",
}
"""The columns between the pipeline and the defects, with their headings."""

NOTE = (
    "Published: the mean, without header cells where known. Difference: ours less published, of the means, or of the "
    "medians (m) where no mean is known. Rank then: by the published median; now: by our mean."
)
"""What the columns hold."""

_DASH = "-"


def row_texts(row: Mapping[Hashable, Any]) -> dict[str, str]:
    """Return the texts of a row, by column of :data:`COLUMNS`.

    Args:
        row: A row of :attr:`llmseg.study.DatasetComparison.frame`.

    Example:
        >>> row_texts({"published_mean": 0.8, "published_median": 0.9, "mean": 0.75, "low": 0.5, "high": 0.9,
        ...            "median": 0.7, "difference": -0.05, "difference_of_medians": -0.2, "published_rank": 2.0,
        ...            "rank": 1, "rank_low": 1.0, "rank_high": 1.5})["ranks"]
        '1 to 2'
    """
    of_means = not math.isnan(row["difference"])
    difference = row["difference"] if of_means else row["difference_of_medians"]
    is_ranked = not math.isnan(row["rank_low"])
    return {
        "published": _number(row["published_mean"]),
        "published_median": _number(row["published_median"]),
        "ours": _number(row["mean"]),
        "interval": _DASH if math.isnan(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}",
        "median": _number(row["median"]),
        "difference": _DASH if math.isnan(difference) else f"{difference:+.3f}{'' if of_means else ' (m)'}",
        "published_rank": _number(row["published_rank"], 0),
        "rank": _number(row["rank"], 0),
        "ranks": f"{math.floor(row['rank_low'])} to {math.ceil(row['rank_high'])}" if is_ranked else _DASH,
    }


def _number(value: float, digits: int = 3) -> str:
    return _DASH if math.isnan(value) else f"{value:.{digits}f}"
