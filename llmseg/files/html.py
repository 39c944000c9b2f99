"""What values show in a notebook: HTML without colours of its own, so that it fits a light and a dark one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

MOST_ROWS = 30
"""Rows of a table; more are counted."""


def table_html(head: Iterable[str], rows: Iterable[Iterable[str]], most: int | None = None) -> str:
    """Return a table as HTML; all texts are escaped.

    Args:
        head: The headings; none for a table without.
        rows: The cells of every row.
        most: Rows that are shown; a line below counts the others. ``None`` shows all.

    Example:
        >>> table_html((), [("a", "<b>")])
        '<table><tbody><tr><td>a</td><td>&lt;b&gt;</td></tr></tbody></table>'
    """
    listed = list(rows)
    shown = listed[:most]
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in shown)
    more = f"<p>{len(listed) - len(shown)} more rows.</p>" if len(shown) < len(listed) else ""
    return f"<table>{f'<thead><tr>{top}</tr></thead>' if top else ''}<tbody>{body}</tbody></table>{more}"


def facts_html(title: str, facts: Mapping[str, str]) -> str:
    """Return a title and a table of facts by name, as HTML."""
    return f"<p><b>{escape(title)}</b></p>{table_html((), facts.items())}"


def list_html(texts: Iterable[str]) -> str:
    """Return a list of sentences as HTML; nothing if there are none.

    Example:
        >>> list_html(["one"]), list_html([])
        ('<ul><li>one</li></ul>', '')
    """
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def fold_html(summary: str, inner: str) -> str:
    """Return HTML that is folded below a line."""
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"
