"""What llmseg published prints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from llmseg.cli.text.layout import align_columns, section
from llmseg.stats.words import sentence

if TYPE_CHECKING:
    from llmseg.study import DatasetComparison, PublishedComparison

_HEADER = (
    *("pipeline", "published", "its median", "ours", "95 %", "our median", "difference", "rank then", "now", "95 %"),
    "wrong with the published number",
)


def describe_comparison(comparison: PublishedComparison) -> str:
    """Return a table per dataset with its agreement above it, and below all what is wrong and what is not alike."""
    codes = [f"{name}: {text}" for name, text in comparison.explanations.items()]
    parts = [
        *(_describe_dataset(part) for part in comparison.datasets),
        section("What is wrong with published numbers", codes),
        section("What cannot be compared", [sentence(text) for text in comparison.limits]),
        section("Left out", [sentence(text) for text in comparison.left_out]),
    ]
    return "\n\n".join(part for part in parts if part)


def _describe_dataset(part: DatasetComparison) -> str:
    table = align_columns([_HEADER, *(_cells(row) for row in part.frame.to_dict("records"))])
    note = (
        "published: mean, without header cells where known; difference: of the means or, where none is published, of "
        "the medians (m); rank then: by published median; now: by our mean"
    )
    remarks = [sentence(remark) for remark in part.remarks]
    return "\n".join([part.sentence, table, note, *remarks])


def _cells(row: dict[Any, Any]) -> tuple[str, ...]:
    of_means = not math.isnan(row["difference"])
    difference = row["difference"] if of_means else row["difference_of_medians"]
    ranks = "" if math.isnan(row["rank_low"]) else f"{math.floor(row['rank_low'])} to {math.ceil(row['rank_high'])}"
    return (
        str(row["pipeline"]),
        _number(row["published_mean"]),
        _number(row["published_median"]),
        _number(row["mean"]),
        f"{_number(row['low'])} to {_number(row['high'])}",
        _number(row["median"]),
        "-" if math.isnan(difference) else f"{difference:+.3f}{'' if of_means else ' (m)'}",
        _number(row["published_rank"], 0),
        _number(row["rank"], 0),
        ranks or "-",
        ", ".join(row["defects"]) or "-",
    )


def _number(value: float, digits: int = 3) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
