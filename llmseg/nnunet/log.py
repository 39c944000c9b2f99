"""Training curves from the logs of nnU-Net, of version 1 and of all of version 2."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.errors import UserError
from llmseg.files import read_bytes

if TYPE_CHECKING:
    import pandas as pd

HISTORY = ("epoch", "train_loss", "validation_loss", "validation_score", "rate")
"""Columns of a run's ``history.csv``."""

_STAMP = re.compile(r"^\d{4}-\d\d-\d\d[ T][\d:.]+: ?")
_EPOCH = re.compile(r"(?:Epoch|epoch: )\s*(\d+)")
_PATTERNS = {
    "rate": re.compile(r"(?:Current learning rate|lr):\s*(\S+)"),
    "train_loss": re.compile(r"train(?:_loss| loss ?:)\s*(\S+)"),
    "validation_loss": re.compile(r"(?:val_loss|validation loss:|val loss \(train=False\):)\s*(\S+)"),
    "validation_score": re.compile(r"(?:Pseudo dice|Average global foreground Dice:)\s*\[(.*)\]"),
    "seconds": re.compile(r"(?:Epoch time:|This epoch took)\s*(\S+)\s*s?"),
}
_NEEDED = ("train_loss", "validation_loss", "validation_score")


def log_files(fold: Path) -> tuple[Path, ...]:
    """Return the training logs of a fold's folder in the order in which they were begun.

    Their names hold the time. Its numbers are compared, as not all are filled up with zeros to the same length.
    """
    return tuple(
        sorted(fold.glob("training_log_*.txt"), key=lambda path: [int(n) for n in re.findall(r"\d+", path.stem)])
    )


def read_logs(files: Iterable[Path]) -> pd.DataFrame:
    """Read the training curves of a training that may have been interrupted.

    A training that is continued writes another log and repeats the epochs after its last checkpoint. The rows of
    earlier logs for these epochs are dropped, and so is an epoch that did not end.

    Args:
        files: The logs in the order in which they were begun.

    Returns:
        A row per epoch, counted from 1: ``epoch, train_loss, validation_loss, validation_score, rate, seconds``. The
        score is the mean over the foreground classes of nnU-Net's Dice of validation patches; the last two are
        not-a-number where the log does not say them. nnU-Net rounds losses and scores to four decimals, rates to five.

    Raises:
        UserError: A log cannot be read, or no epoch has ended.
    """
    import pandas as pd

    rows: dict[int, dict[str, float]] = {}
    names = []
    for path in files:
        names.append(path.name)
        continued = dict(_epochs(_lines(path)))
        if continued:
            rows = {epoch: row for epoch, row in rows.items() if epoch < min(continued)}
        rows |= continued
    complete = [
        {"epoch": epoch + 1, **row} for epoch, row in sorted(rows.items()) if all(name in row for name in _NEEDED)
    ]
    if not complete:
        raise UserError(f"no epoch of nnU-Net has ended by its log ({', '.join(names) or 'there is none'})")
    curves: pd.DataFrame = pd.DataFrame(complete, columns=[*HISTORY, "seconds"])
    return curves


def _lines(path: Path) -> list[str]:
    text = read_bytes(path).decode("utf-8", errors="replace")
    return [_STAMP.sub("", line.strip()).strip() for line in text.splitlines()]


def _epochs(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield every epoch of a log with its values by the names of columns."""
    epoch: int | None = None
    row: dict[str, float] = {}
    next_rate: float | None = None
    for line in lines:
        start = _EPOCH.fullmatch(line)
        if start:
            if epoch is not None:
                yield epoch, row
            epoch, row = int(start.group(1)), {} if next_rate is None else {"rate": next_rate}
        for name, pattern in _PATTERNS.items():
            match = pattern.fullmatch(line)
            if match is None:
                continue
            if line.startswith("lr:"):
                # Version 1 prints a learning rate when it sets it, before the line of the epoch that uses it.
                next_rate = _parse_number(match.group(1))
            else:
                row[name] = _parse_mean(match.group(1)) if name == "validation_score" else _parse_number(match.group(1))
    if epoch is not None:
        yield epoch, row


def _parse_number(text: str) -> float:
    """Return a number, also one that numpy has printed with its type.

    Example:
        >>> _parse_number("np.float32(0.5)")
        0.5
    """
    try:
        return float(re.sub(r"^.*\((.*)\)$", r"\1", text.strip()))
    except ValueError:
        return math.nan


def _parse_mean(listed: str) -> float:
    """Return the mean of a printed list without the values that are not-a-number, as nnU-Net takes it."""
    values = [_parse_number(text) for text in listed.split(",")]
    numbers = [value for value in values if not math.isnan(value)]
    return sum(numbers) / len(numbers) if numbers else math.nan
