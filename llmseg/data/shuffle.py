"""Shuffling names by a seed, so that the order is the same on every machine and in every version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def shuffle_names(names: Iterable[str], seed: int) -> list[str]:
    """Return names in an order that the seed decides.

    Neither the order in which they are given nor the platform matters. A further name finds its place among the
    others and leaves their order as it is.

    Args:
        names: Ids of cases, or names of groups.
        seed: Another seed gives another order.

    Example:
        >>> shuffle_names(["a", "b", "c"], seed=0)
        ['b', 'a', 'c']
        >>> shuffle_names(["c", "d", "b", "a"], seed=0)
        ['b', 'a', 'c', 'd']
    """
    # Sorting by a hash instead of a generator's permutation: libraries have changed their generators before, and a
    # permutation of n + 1 names has nothing in common with one of n.
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
