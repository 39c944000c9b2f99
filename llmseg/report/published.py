"""The page that puts a report's results beside the published figures of the study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.figures import published_ranks, save
from llmseg.report.question import Question
from llmseg.stats.published import dice_table
from llmseg.study.published.comparison import MEASURE, PHASE, PublishedComparison, compare_with_published
from llmseg.study.published.texts import COLUMNS, NOTE, row_texts
from llmseg.study.results import Results

PICTURE = "images/published.png"
"""Path of the figure, relative to the folder of the report."""


def find_published(results: Results, question: Question, stores: Sequence[Store]) -> PublishedComparison | None:
    """Return the results beside the published figures; ``None`` where the study has none of these.

    Args:
        results: The results of the report, which have scores of the question's measure.
        question: What the report is about.
        stores: Stores that were given beside the results.
    """
    if (question.measure, question.phase) != (MEASURE, PHASE):
        return None
    try:
        return compare_with_published(results, stores=stores)
    except UserError:
        # No pipeline of the study on a dataset of the study: then a report has no such page.
        return None


def draw_published(comparison: PublishedComparison, folder: Path) -> tuple[int, int]:
    """Write the figure of the page; return its width and height in pixels.

    Args:
        comparison: What it shows.
        folder: The folder of the report.
    """
    from PIL import Image

    path = folder / PICTURE
    path.parent.mkdir(exist_ok=True)
    save(published_ranks(comparison), path)
    with Image.open(path) as image:
        return image.width, image.height


def fill_page(comparison: PublishedComparison, size: tuple[int, int]) -> dict[str, Any]:
    """Return what the template of the page shows.

    Args:
        comparison: What is compared.
        size: Width and height of the figure.
    """
    tables = [
        (part, [(row["pipeline"], row_texts(row), row["defects"]) for row in part.frame.to_dict("records")])
        for part in comparison.datasets
    ]
    return {
        "comparison": comparison,
        "tables": tables,
        "columns": COLUMNS,
        "column_note": NOTE,
        "picture": {"path": PICTURE, "width": size[0], "height": size[1]},
    }


def list_published_means(name: str, question: Question) -> list[tuple[str, str]]:
    """Return what the study published of a pipeline: datasets with the mean Dice in the test.

    Args:
        name: The contender; of variants of a pipeline nothing was published.
        question: What the report is about; another measure has no published means.
    """
    if MEASURE not in question.measures or question.phase != PHASE:
        return []
    frame = dice_table().frame
    own = frame[frame["pipeline"] == name]
    return [(str(dataset), f"{value:.4f}") for dataset, value in zip(own["dataset"], own["value"], strict=True)]
