"""The words by which names of files and folders say that they are for training, validation or test."""

from __future__ import annotations

import re
from typing import Literal

PartName = Literal["", "training", "validation", "test"]

PARTS: tuple[PartName, ...] = ("training", "validation", "test")

_WORDS: dict[PartName, str] = {
    "training": "train(?:ing)?",
    "validation": "val(?:id(?:ation)?)?",
    "test": "test(?:ing)?",
}
_INSIDE = {part: re.compile(rf"(?:^|[^a-z]){word}(?:[^a-z]|$)") for part, word in _WORDS.items()}
_WHOLE = {part: re.compile(rf"{word}(?:[_-]?(?:set|data|dataset))?") for part, word in _WORDS.items()}


def find_part(name: str) -> PartName:
    """Return the part that a name has a word for; an empty text for none, or for more than one.

    Example:
        >>> find_part("train_images"), find_part("Val"), find_part("trainer"), find_part("train_val")
        ('training', 'validation', '', '')
    """
    found = [part for part, pattern in _INSIDE.items() if pattern.search(name.lower())]
    return found[0] if len(found) == 1 else ""


def find_named_part(name: str) -> PartName:
    """Return the part whose word a name is, alone or with ``set`` or ``data`` behind it; an empty text for none.

    Example:
        >>> find_named_part("test"), find_named_part("train_set"), find_named_part("test_masks")
        ('test', 'training', '')
    """
    return next((part for part, pattern in _WHOLE.items() if pattern.fullmatch(name.lower())), "")


def find_path_part(path: str) -> PartName:
    """Return the part that the names in a path have a word for; the last one that has a word counts.

    Example:
        >>> find_path_part("data/train/images"), find_path_part("/home/me/unet/masks")
        ('training', '')
    """
    names = re.split(r"[\\/]", path)
    return next((part for name in reversed(names) if (part := find_part(name))), "")
