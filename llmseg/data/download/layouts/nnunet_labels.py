"""Which labels of a raw dataset of nnU-Net are foreground: its ``dataset.json`` says what each label means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from llmseg.data.download.layouts.case_files import Files
from llmseg.errors import UserError

_IGNORE = "ignore"
_NO_FOREGROUND = ("background", _IGNORE)


@dataclass(frozen=True)
class Labels:
    """What the labels of a dataset mean, and which of them is wanted.

    Attributes:
        values: The numbers of each label by its name. A region of nnU-Net has several.
        chosen: Name of the label that is foreground; ``None`` for all but background and ``ignore``.
    """

    values: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    chosen: str | None = None

    @property
    def ignored(self) -> tuple[int, ...]:
        """Numbers of pixels that nobody has annotated."""
        return self.values.get(_IGNORE, ())

    def is_foreground(self, labels: np.ndarray) -> np.ndarray:
        """Return where an array of labels is foreground, bool of the same shape."""
        if self.chosen is not None:
            return np.isin(labels, self.values[self.chosen])
        inside: np.ndarray = (labels != 0) & ~np.isin(labels, self.ignored)
        return inside

    @property
    def rule(self) -> str:
        """How the labels are read, in words, where it is not "every label but 0"; else empty."""
        ignored = f"ignored label {_list(self.ignored)}" if self.ignored and self.chosen is None else ""
        return f"label {self.chosen} ({_list(self.values[self.chosen])})" if self.chosen else ignored

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know."""
        foreground = [name for name in self.values if name not in _NO_FOREGROUND]
        ignored = f"pixels of the ignore label ({_list(self.ignored)}) are background, for nobody has annotated them"
        named = ", ".join(f"{name} ({_list(self.values[name])})" for name in foreground)
        joined = (
            f"the labels {named} are joined as one foreground; --label={foreground[0] if foreground else ''} reads one"
        )
        is_joined = self.chosen is None and len(foreground) > 1
        return (*([ignored] if self.ignored else []), *([joined] if is_joined else []))


def read_labels_of(files: Files, label: str | None = None) -> Labels:
    """Return what the labels mean.

    Args:
        files: All files of the dataset. Without a ``dataset.json``, labels have no names.
        label: Name or number of the label that is foreground.

    Raises:
        UserError: ``dataset.json`` is damaged, there are several that differ, or there is no such label.
    """
    values = _read_values(files)
    if label is None:
        return Labels(values)
    if label in values and label not in _NO_FOREGROUND:
        return Labels(values, label)
    names = [name for name in values if name not in _NO_FOREGROUND]
    if label.isdigit() and int(label) and (not values or any(values[name] == (int(label),) for name in names)):
        name = next((name for name in names if values[name] == (int(label),)), label)
        return Labels({**values, name: (int(label),)}, name)
    allowed = (
        ", ".join(f"{name} ({_list(values[name])})" for name in names) or "numbers above 0, as there is no dataset.json"
    )
    raise UserError(f"no foreground label '{label}'; choose one of {allowed}")


def _read_values(files: Files) -> dict[str, tuple[int, ...]]:
    beside = {
        file.folders[:-1] for file in files.values() if file.folders and file.folders[-1] in ("labelstr", "labelsts")
    }
    records = [file for file in files.values() if file.name == "dataset.json" and file.folders in beside]
    found = []
    for file in records:
        try:
            labels = json.loads(file.read_unpacked()).get("labels", {})
            found.append(dict(_read_label(*item) for item in labels.items()))
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(
                f"{file.path} does not tell the labels ({type(error).__name__}: {error}); mend it"
            ) from error
    if any(other != found[0] for other in found[1:]):
        raise UserError(f"{records[0].path} and {records[1].path} have other labels; prepare one dataset at a time")
    return found[0] if found else {}


def _read_label(key: str, value: Any) -> tuple[str, tuple[int, ...]]:
    """Return name and numbers of a label. Version 2 writes name: number (or numbers), version 1 number: name."""
    if isinstance(value, str):
        return value, (int(key),)
    numbers = value if isinstance(value, list) else [value]
    return key, tuple(int(number) for number in numbers)


def _list(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
