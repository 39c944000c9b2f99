"""Bars of what is quick, except in very large folders and on slow disks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

_DELAY = 2.0
"""Seconds after which one should know what is going on."""

_hidden = False

Item = TypeVar("Item")


def hide_slow_bars(hidden: bool) -> None:
    """Say whether :func:`show_if_slow` shows no bars in this process."""
    global _hidden
    _hidden = hidden


def show_if_slow(items: Iterable[Item], doing: str, unit: str) -> Iterator[Item]:
    """Yield items; if that takes longer than two seconds, a bar says what is being done.

    Args:
        items: What is gone through.
        doing: What is being done, in a few words.
        unit: What an item is.

    Example:
        >>> list(show_if_slow("ab", "list images", "file"))
        ['a', 'b']
    """
    from tqdm import tqdm

    return iter(tqdm(items, desc=doing, unit=f" {unit}s", delay=_DELAY, leave=False, disable=_hidden))
