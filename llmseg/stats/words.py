"""How sentences write lists, counts and p values."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from llmseg.errors import shorten_list

ONE_SEED = "one seed: how much another training would change is not known, and is in no interval and no p value"
"""The remark of whatever rests on one training per contender."""

CROSS_VALIDATED = (
    "cross-validation in {folds} folds: trainings of different folds share cases, and intervals and p values do not "
    "count how much that changes (Bengio and Grandvalet 2004)"
)
"""The remark of whatever rests on several folds."""


def and_list(values: Iterable[object], most: int = 8) -> str:
    """Return values as a sentence lists them; of many, the first few and how many more there are.

    Example:
        >>> and_list(["a", "b", "c"]), and_list(range(4), most=2)
        ('a, b and c', '0, 1 and 2 more')
    """
    texts = [str(value) for value in values]
    if len(texts) > most:
        return shorten_list(texts, most)
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


def count_text(count: object, noun: str) -> str:
    """Return a count with its noun, in the plural unless the count is 1.

    Args:
        count: A number, or a range such as ``2 to 3``.
        noun: The noun in the singular.

    Example:
        >>> count_text(1, "case"), count_text(0, "case"), count_text("2 to 3", "seed")
        ('1 case', '0 cases', '2 to 3 seeds')
    """
    return f"{count} {noun}{'' if str(count) == '1' else 's'}"


def range_text(numbers: Collection[int]) -> str:
    """Return the smallest and the largest of some numbers, or the one number that all are; 0 if there are none.

    Example:
        >>> range_text([5002, 17, 40]), range_text([3, 3])
        ('17 to 5,002', '3')
    """
    low, high = min(numbers, default=0), max(numbers, default=0)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def p_text(p: float | None) -> str:
    """Return a p value in words, to stand behind the letter p.

    Example:
        >>> p_text(0.01234), p_text(0.00001)
        ('= 0.0123', '< 0.0001')
    """
    return "is unknown" if p is None or math.isnan(p) else "< 0.0001" if p < 0.0001 else f"= {p:.3g}"


def sentence(text: str) -> str:
    """Return text that begins and ends as a sentence does.

    Example:
        >>> sentence("one seed")
        'One seed.'
    """
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
