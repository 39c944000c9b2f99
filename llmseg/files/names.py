"""Names of files, and paths as they are given."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmseg.errors import UserError, escape_controls


def as_list(given: str | os.PathLike[str] | Iterable[Any]) -> list[Any]:
    """Return what is given as a list; a single text or path is one item, not its letters.

    Example:
        >>> as_list("study"), as_list(("a", "b"))
        (['study'], ['a', 'b'])
    """
    if isinstance(given, str | os.PathLike):
        return [given]
    return list(given)


def nearest_path(path: str | Path) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest name beside a file or folder that is not there, or nothing.

    Example:
        >>> nearest_path("/nowhere/at/all")
        ''
    """
    path = Path(path)
    try:
        beside = [entry.name for entry in path.absolute().parent.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return ""
    # Names of files are alike where nobody means another: what is proposed is closer than for words of a list.
    found = difflib.get_close_matches(path.name, [name for name in beside if name != path.name], n=1, cutoff=0.7)
    return f"; did you mean '{path.with_name(found[0])}'?" if found else ""


def clean_name(text: str, *, also: str, instead: str = "_") -> str:
    """Replace every character that is neither a letter, nor a digit, nor one of some others.

    File systems refuse some characters. Callers state which others they keep, because names of files that were
    written once must stay what they are.

    Args:
        text: What is made a name of.
        also: Characters that are kept besides letters and digits.
        instead: What stands in the place of each other character.

    Example:
        >>> clean_name("fit.rate=1e-3, 1e-4", also="-_.=")
        'fit.rate=1e-3__1e-4'
    """
    return "".join(letter if letter.isalnum() or letter in also else instead for letter in text)


def check_text(what: str, text: str) -> None:
    r"""Refuse a name with control characters: they do harm in figures, pages, tables and terminals.

    Args:
        what: What is called so, for the message.
        text: The name.

    Raises:
        UserError: It has some.

    Example:
        >>> check_text("contender", "a\x1b[31m")
        Traceback (most recent call last):
        llmseg.errors.UserError: contender 'a\x1b[31m' has control characters; give it another name
    """
    if escape_controls(text) != text:
        raise UserError(f"{what} '{text}' has control characters; give it another name")


def check_name(path: Path) -> None:
    """Refuse a file whose name tables, pages and figures could not hold.

    It may not be UTF-8, as in an archive from an old Windows, or have control characters.

    Raises:
        UserError: It is such a name. The message shows the bytes that are none.
    """
    if escape_controls(str(path)) != str(path):  # also in the names of folders, after which datasets are called
        raise UserError(f"the name of {path.parent}/{path.name} has control characters; rename the file")
    try:
        path.name.encode("utf-8")
    except UnicodeEncodeError as error:
        shown = path.name.encode("utf-8", "backslashreplace").decode()
        raise UserError(f"the name of {path.parent}/{shown} is not UTF-8; rename the file") from error
