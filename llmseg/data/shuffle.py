"""Seeded orders that depend on names alone: not on a platform, a version, or what else is ordered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def shuffle_names(names: Iterable[str], seed: int) -> list[str]:
    """Return names in an order drawn by seed; adding a name leaves the order of the others.

    Example:
        >>> shuffle_names(["a", "b", "c"], seed=0)
        ['b', 'a', 'c']
    """
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
