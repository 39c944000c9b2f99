"""Scores that scripts print and write, by the words that name them. Nothing is unpickled or executed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SCORE_WORDS = (
    *("dice", "dsc", "iou", "jaccard", "f1", "score"),
    *("accuracy", "precision", "recall", "sensitivity", "specificity"),
)

# What stands beside such a word in settings and messages, and is no result.
_SETTING_WORDS = ("loss", "weight", "smooth", "threshold", "alpha", "beta", "gamma", "target", "patience", "eps")

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d+(?:[eE][-+]?\d+)?(?![\w.]*\w)|(?:nan|inf|NaN|Infinity)\b)")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CELL = re.compile(rb'<c r="([A-Z]{1,3}\d{1,7})"[^>]{0,80}><v>([-+0-9.eE]{1,40})</v>')

# Whoever wrote this text may have wanted the reader to work for hours.
_FILE_BYTES = 2**22
_TEXT = 2**20
_LINE = 500
_NUMBERS = 10_000


@dataclass(frozen=True)
class Score:
    """A number that a script calls a score.

    Attributes:
        place: Where it stands: ``"printed"`` or the name of a file.
        name: The words before it, with all other numbers as ``#``, or the cell of a table.
        index: Which number of that name in that place it is, from 0.
        text: Its digits.

    Example:
        >>> Score("printed", "Test Dice", 0, "91.5").share
        0.915
    """

    place: str
    name: str
    index: int
    text: str

    @property
    def key(self) -> tuple[str, str, int]:
        """What stays the same from run to run."""
        return self.place, self.name, self.index

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @property
    def share(self) -> float:
        """The number as a share of 1; above 1 it is taken for percent."""
        return self.value / 100 if self.value > 1 else self.value

    @property
    def digits(self) -> int:
        """How many digits it has behind the point."""
        return len(self.text.lower().partition("e")[0].partition(".")[2])

    @property
    def concerns_test(self) -> bool:
        """Whether it is called a test score."""
        return "test" in f"{self.place} {self.name}".lower()

    def __str__(self) -> str:
        return f"{self.place}: {self.name} {self.text}"


def read_scores(printed: str, files: Iterable[Path]) -> tuple[Score, ...]:
    """Return the scores that a script printed and wrote into tables and texts, with a decimal point.

    Args:
        printed: All that it printed.
        files: Files that it wrote. Of these, ``.xlsx``, ``.csv``, ``.txt``, ``.json`` and ``.log`` are read if their
            name has the word of a score or their text has it beside a number.

    Example:
        >>> [str(score) for score in read_scores("Epoch 3: loss 0.51, val Dice: 0.4213", [])]
        ['printed: Epoch #: loss #, val Dice 0.4213']
    """
    named = list(_from_text("printed", printed))
    for file in sorted(files):
        named += _from_file(file)
    counts: dict[tuple[str, str], int] = {}
    scores = []
    for place, name, text in named[:_NUMBERS]:
        index = counts.get((place, name), 0)
        counts[place, name] = index + 1
        scores.append(Score(place, name, index, text))
    return tuple(scores)


def _from_text(place: str, text: str) -> Iterator[tuple[str, str, str]]:
    # A progress bar writes its line again and again; what counts is how it ended.
    for line in text[-_TEXT:].splitlines():
        line = _ESCAPE.sub("", line.rsplit("\r", 1)[-1])[:_LINE]
        if "%|" in line:
            continue
        for found in _NUMBER.finditer(line):
            before = line[: found.start()]
            if _names_score(before) and not before.rstrip().endswith((">", "<", ">=", "<=", "@")):
                yield place, re.sub(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", "#", before).strip(" :="), found.group()


def _names_score(before: str) -> bool:
    """Return whether the last words before a number name a score, and no setting."""
    clause = re.split(r"[,;|()\[\]]|\d\s", before.lower().rstrip(" (["))[-1]
    words = re.findall(r"[a-z]+\d?", clause.replace("_", " "))[-5:]
    return any(word in SCORE_WORDS for word in words) and not any(word in _SETTING_WORDS for word in words)


def _from_file(file: Path) -> Iterator[tuple[str, str, str]]:
    if file.is_symlink() or not file.is_file() or file.stat().st_size > _FILE_BYTES:
        return
    is_named = any(word in file.stem.lower() for word in SCORE_WORDS) and "loss" not in file.stem.lower()
    if file.suffix == ".xlsx":
        if is_named:
            yield from ((file.name, cell, text) for cell, text in _cells(file) if "." in text or "e" in text.lower())
        return
    if file.suffix not in (".csv", ".txt", ".json", ".log"):
        return
    text = file.read_text(encoding="utf-8", errors="replace")
    if is_named and file.suffix == ".csv":
        for row, line in enumerate(text.splitlines()):
            yield from ((file.name, f"row {row}", found.group()) for found in _NUMBER.finditer(line))
    else:
        yield from _from_text(file.name, text)


def _cells(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the numbers of a workbook by cell, without an XML parser: the file comes from a script nobody has read."""
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if entry.filename.startswith("xl/worksheets/") and entry.file_size <= _FILE_BYTES:
                    with archive.open(entry) as sheet:
                        content = sheet.read(_FILE_BYTES)
                    yield from ((found[1].decode(), found[2].decode()) for found in _CELL.finditer(content))
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError):
        return
