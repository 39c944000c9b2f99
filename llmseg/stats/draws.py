"""Many random draws over many groups, some rows at a time, so that memory does not grow with both."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

MOST_NUMBERS = 2**23
"""Numbers of one array that are in memory at a time, at most; 64 MiB of them."""

_ROWS = 64
"""Rows are taken in multiples of this, for matrix products compute rows in blocks.

With blocks that begin elsewhere, the last bits of a product could differ from those of all rows together.
"""


def count_rows(columns: int) -> int:
    """Return how many rows of a large array to compute at a time: a multiple of 64, and 64 at least.

    Example:
        >>> count_rows(columns=20_000), count_rows(columns=1_000_000)
        (384, 64)
    """
    return max(1, MOST_NUMBERS // (_ROWS * max(columns, 1))) * _ROWS


def split_rows(rows: int, columns: int) -> Iterator[slice]:
    """Yield the rows of a large array in slices of :func:`count_rows`; of a small array, all in one.

    Args:
        rows: Number of rows of the whole array.
        columns: Numbers in a row.

    Example:
        >>> [(part.start, part.stop) for part in split_rows(1000, 20_000)]
        [(0, 384), (384, 768), (768, 1000)]
    """
    step = count_rows(columns)
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def draw_weights(generator: np.random.Generator, groups: int, draws: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield how often each resample draws each group, in slices of the resamples.

    The numbers are those of one call for all resamples.

    Args:
        generator: Where random numbers come from.
        groups: Number of groups; a resample draws as many, with replacement.
        draws: Number of resamples.

    Yields:
        Which resamples, and their weights, float ``[R, G]``.

    Example:
        >>> [(part, weights.sum(axis=1).tolist()) for part, weights in draw_weights(np.random.default_rng(0), 5, 2)]
        [(slice(0, 2, None), [5.0, 5.0])]
    """
    shares = np.full(groups, 1 / groups)
    for part in split_rows(draws, groups):
        yield part, generator.multinomial(groups, shares, part.stop - part.start).astype(float)
