"""What llmseg published prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmseg.cli.text.layout import align_columns, section
from llmseg.stats.words import sentence
from llmseg.study.published.texts import COLUMNS, NOTE, row_texts

if TYPE_CHECKING:
    from llmseg.study import DatasetComparison, PublishedComparison


def describe_comparison(comparison: PublishedComparison) -> str:
    """Return a table per dataset with its agreement above it, and below all what is wrong and what is not alike."""
    defects = [f"{name}: {text}" for name, text in comparison.explanations.items()]
    parts = [
        "\n".join(sentence(text) for text in comparison.remarks),
        *(_describe_dataset(part) for part in comparison.datasets),
        section("What is wrong with published numbers", defects),
        section("What cannot be compared", [sentence(text) for text in comparison.limits]),
        section("Left out", [sentence(text) for text in comparison.left_out]),
    ]
    return "\n\n".join(part for part in parts if part)


def _describe_dataset(part: DatasetComparison) -> str:
    header = ("pipeline", *(title.lower() for title in COLUMNS.values()), "wrong with the published number")
    rows = [
        (str(row["pipeline"]), *row_texts(row).values(), ", ".join(row["defects"]) or "-")
        for row in part.frame.to_dict("records")
    ]
    remarks = [sentence(remark) for remark in part.remarks]
    return "\n".join([part.sentence, align_columns([header, *rows]), NOTE, *remarks])
