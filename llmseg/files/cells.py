"""Cells of tables that people open in spreadsheets, which take a text such as ``=1+1`` for a formula."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def guard_cell(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    A text that has one there gets a second one, so :func:`unguard_cell` always gives back the very same text.

    Example:
        >>> guard_cell("=1+1"), guard_cell("-2"), guard_cell("gpt-4"), guard_cell("'=1")
        ("'=1+1", "'-2", 'gpt-4', "''=1")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguard_cell(text: str) -> str:
    """Undo :func:`guard_cell`.

    Example:
        >>> unguard_cell("'=1+1"), unguard_cell("gpt-4"), unguard_cell("=1")
        ('=1+1', 'gpt-4', '=1')
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
