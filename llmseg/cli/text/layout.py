"""Aligned columns, titled sections, and numbers of bytes."""

from __future__ import annotations

from collections.abc import Sequence


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of equally many cells as lines with aligned columns.

    Example:
        >>> print(align_columns([("name", "size"), ("a", "10")]))
        name  size
        a     10
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def section(title: str, lines: Sequence[str]) -> str:
    """Return a title with indented lines below it, or nothing where there are no lines."""
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines)]) if lines else ""


def megabytes(count: int) -> str:
    """Return a number of bytes in megabytes.

    Example:
        >>> megabytes(2_500_000)
        '2.5 MB'
    """
    return f"{count / 1e6:.1f} MB"
