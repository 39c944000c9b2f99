"""Telling scripts another number of epochs than they have written into themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

from llmseg.admission.scripts import Script, Scripts
from llmseg.admission.settings import Settings

_NAME = re.compile(r"((num|n|nb|max|total|train(ing)?)_?)?epochs?(_(num|count|max))?")


@dataclass(frozen=True)
class EpochsTold:
    """A number of epochs that a copy of the scripts was told.

    Attributes:
        place: Where it stands, as ``file:line``.
        was: The number in the scripts.
        now: The number in the copy.

    Example:
        >>> told = EpochsTold("main.py:24", was=50, now=3)
        >>> told.was, told.now
        (50, 3)
    """

    place: str
    was: int
    now: int


def tell_epochs(scripts: Scripts, epochs: int) -> tuple[dict[str, str], tuple[EpochsTold, ...]]:
    """Return the texts of scripts in which the number of epochs is another one, and where it stood.

    Only numbers are replaced, within their line, so every line keeps its number.

    Args:
        scripts: The scripts.
        epochs: The number.

    Example:
        >>> import tempfile, pathlib
        >>> from llmseg.admission.scripts import read_scripts
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "main.py").write_text("num_epochs = 50")
        >>> tell_epochs(read_scripts(folder), 1)
        ({'main.py': 'num_epochs = 1'}, (EpochsTold(place='main.py:1', was=50, now=1),))
    """
    texts: dict[str, str] = {}
    told = []
    found = {(script.path, node.lineno, node.col_offset): (script, node) for script, node in _find_numbers(scripts)}
    # From the end of a script backwards, so that what is replaced moves nothing that is still to be replaced.
    for (path, _, _), (script, node) in sorted(found.items(), key=lambda item: item[0], reverse=True):
        was = int(str(node.value))
        if was != epochs:
            texts[path] = _replace(texts.get(path, script.text), node, str(epochs))
            told.append(EpochsTold(script.place(node), was, epochs))
    return texts, tuple(reversed(told))


def _find_numbers(scripts: Scripts) -> Iterator[tuple[Script, ast.Constant]]:
    """Yield the numbers of epochs: those of settings, and of loops whose variable is the epoch."""
    for setting in Settings(scripts).all:
        if _NAME.fullmatch(setting.name) and _is_number(setting.value):
            yield setting.script, setting.value
    for script in scripts:
        for node in script.nodes:
            if isinstance(node, ast.For) and re.fullmatch(r"ep(och)?", getattr(node.target, "id", "").lower()):
                for call in ast.walk(node.iter):
                    if isinstance(call, ast.Call) and script.dotted(call.func).rpartition(".")[2] in (
                        "range",
                        "trange",
                    ):
                        yield from _end_of(script, call)


def _end_of(script: Script, call: ast.Call) -> Iterator[tuple[Script, ast.Constant]]:
    """Yield the number at which a range ends; one that begins at 1 ends one later, which is left alone."""
    if len(call.args) == 1 and _is_number(call.args[0]):
        yield script, call.args[0]


def _is_number(node: ast.expr) -> TypeGuard[ast.Constant]:
    # A counter that begins at 0 or 1, such as start_epoch, is no number of epochs.
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value > 1


def _replace(text: str, node: ast.Constant, number: str) -> str:
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    line = lines[node.lineno - 1].encode()
    lines[node.lineno - 1] = (line[: node.col_offset] + number.encode() + line[node.end_col_offset :]).decode()
    return "".join(lines)
