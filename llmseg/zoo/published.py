"""What the study printed of each pipeline's network and training: the rows of ``published.csv``."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

from llmseg.zoo.card import Published


def read_published(name: str) -> Published:
    """Return a pipeline's column of the study's tables.

    Args:
        name: The id of the pipeline.

    Raises:
        KeyError: The study printed nothing of a pipeline of that id.

    Example:
        >>> read_published("gpt-4").training_time
        '1474.03 s'
    """
    row = _rows()[name]
    return Published(
        parameters=row["parameters"],
        training_time=row["training_time"],
        batch_size=int(row["batch_size"]),
        epochs=int(row["epochs"]),
        optimizer=row["optimizer"],
        loss=row["loss"],
        image_size=_size(row["image_size"]),
        encoder_stages=int(row["encoder_stages"]),
        decoder_stages=int(row["decoder_stages"]),
        block=row["block"],
        encoder=_channels(row["encoder"]),
        bottleneck=row["bottleneck"],
        decoder=_channels(row["decoder"]),
        head=row["head"],
    )


@functools.cache
def _rows() -> dict[str, dict[str, str]]:
    with Path(__file__).with_name("published.csv").open(encoding="utf-8", newline="") as file:
        return {row["pipeline"]: row for row in csv.DictReader(file)}


def _size(text: str) -> tuple[int, int] | None:
    """Read ``256 x 256``; the table of 2025 has no such row."""
    if not text:
        return None
    height, width = map(int, text.split(" x "))
    return height, width


def _channels(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))
