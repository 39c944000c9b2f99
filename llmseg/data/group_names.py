"""Guess from the names of cases which of them belong together, and propose the pattern that says so.

A guess is only shown (``llmseg data doctor`` prints it as an option), it is never used on its own: a name may count
visits or sites instead of patients.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from llmseg.data.groups import match_groups
from llmseg.errors import UserError

_PATIENT = ("patient", "pat", "pt", "p", "subject", "subj", "sub", "person", "pid", "child", "animal", "mouse")
_SCAN = ("case", "video", "vid", "exam", "study", "scan", "series", "volume", "vol")
_SLICE = ("slice", "slc", "sl", "s", "z", "frame", "fr", "f", "tile", "patch", "crop", "page", "layer", "time", "t")
"""Words before the number of one image among those of a patient or a scan."""

_LEAST_CASES = 4
_MOST_GROUPS = 0.9
"""Share of groups among cases above which a pattern is not proposed: it would join hardly any cases."""

_TOKEN = re.compile(r"\d+|[^\W\d_]+|[\W_]+")


def propose_pattern(ids: Sequence[str]) -> str | None:
    r"""Return a pattern for :func:`llmseg.data.groups.match_groups` if names look as if several cases belong together.

    A number after a word such as *patient* comes first, then folders, then a number after a word such as *case*, then
    the beginning of the name up to its first number that several cases have in common.

    Args:
        ids: Ids of the cases.

    Returns:
        The pattern; ``None`` if no part of the names makes groups.

    Example:
        >>> propose_pattern([f"patient{patient:02d}_slice{index}.png" for patient in range(3) for index in range(4)])
        '^(patient\\d+)'
        >>> propose_pattern([f"img_{index:03d}.png" for index in range(12)]) is None
        True
    """
    if len(ids) < _LEAST_CASES:
        return None
    candidates = (
        *_number_after(_PATIENT, ids),
        r"^(.+)/",
        *_number_after(_SCAN, ids),
        *_beginnings(ids),
        *_mixed_beginnings(ids),
    )
    return next((pattern for pattern in candidates if _makes_groups(pattern, ids)), None)


def _makes_groups(pattern: str, ids: Sequence[str]) -> bool:
    try:
        groups = match_groups(pattern, ids)
    except UserError:
        return False
    return len(set(groups.values())) <= _MOST_GROUPS * len(ids)


def _number_after(words: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Return patterns for a word and a number, as the first name writes the word: p07, Patient-7, sub_07."""
    patterns = []
    for word in words:
        match = re.search(rf"(?<![A-Za-z])({word})([_ -]?)\d", ids[0], re.IGNORECASE)
        if match:
            number = rf"({match[1]}{_write(match[2])}\d+)"
            patterns.append(f"^{number}" if match.start() == 0 else f"(?<![A-Za-z]){number}")
    return patterns


def _beginnings(ids: Sequence[str]) -> list[str]:
    """Return patterns for the beginning of all names up to a number, the shortest first."""
    names = [_TOKEN.findall(str(PurePosixPath(id).with_suffix(""))) for id in ids]
    patterns, written, text = [], "^(", ""
    for tokens in zip(*names, strict=False):
        alike = _write_tokens(tokens)
        if not alike:
            break
        of_slice = re.search(rf"(?:^|[^A-Za-z])(?:{'|'.join(_SLICE)})[_ -]?$", text, re.IGNORECASE)
        written, text = written + alike, text + tokens[0]
        # A number in which all names agree makes no groups; the check of every pattern finds that.
        if tokens[0].isdigit() and not of_slice:
            patterns.append(written + ")")
    return patterns


def _mixed_beginnings(ids: Sequence[str]) -> list[str]:
    """Return patterns for beginnings that mix letters and digits, such as a3f9_01 and 77b2_01."""
    if re.match(rf"(?:{'|'.join(_SLICE)})\d", ids[0], re.IGNORECASE):
        return []
    return [rf"^([^{separator}]*\d[^{separator}]*){separator}" for separator in "_-"]


def _write_tokens(tokens: Sequence[str]) -> str:
    """Return a pattern for tokens that stand at one place of all names; empty if they differ in kind."""
    if all(map(str.isdigit, tokens)):
        return r"\d+"
    if len(set(tokens)) == 1:
        return _write(tokens[0])
    return r"[^\W\d_]+" if all(map(str.isalpha, tokens)) else ""


def _write(text: str) -> str:
    # Without spaces, a line of text that shows the pattern is never broken in its middle.
    return re.escape(text).replace("\\ ", r"\s")
