"""What llmseg fields prints."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from llmseg.recipe import describe_kind

if TYPE_CHECKING:
    from llmseg.recipe import Field

_WIDEST = 100
"""Longer lines of prose are hard to read, however wide the terminal is."""


def describe_fields(fields: Iterable[Field]) -> str:
    """Return every field with what it may be, its meaning below it; kinds of parts where their fields begin."""
    return "\n".join(_lines(fields, min(_WIDEST, shutil.get_terminal_size().columns))).lstrip("\n")


def _lines(fields: Iterable[Field], width: int) -> Iterator[str]:
    named = {"Recipe"}
    for field in fields:
        if field.kind not in named:
            named.add(field.kind)
            part = field.path.rpartition(".")[0]
            yield ""
            yield from textwrap.wrap(f"{part}, kind {field.kind}: {describe_kind(field.kind)}", width)
        yield f"  {field.path} = {_allowed(field)}"
        yield from textwrap.wrap(field.meaning, width, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _allowed(field: Field) -> str:
    return field.allowed if field.value is None else f"{field.value}   ({field.allowed})"
