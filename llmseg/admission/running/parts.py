"""Cases that scripts want divided already, each part in a folder of its own, such as ``data/train``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmseg.admission.hard_coded_paths import find_demanded_arguments, find_paths
from llmseg.admission.part_words import PARTS, PartName, find_named_part
from llmseg.admission.scripts import Script, Scripts
from llmseg.admission.settings import last_name

_CHOSEN = re.compile(r"split|mode|phase|subset|part(ition)?|stage|set(_?name)?|dataset_type|data_type")
_RESULTS = re.compile(r"save|out|result|log|ckpt|checkpoint|model|weight|plot|fig|pred", re.IGNORECASE)
_KINDS = re.compile(r"images?|imgs?|masks?|labels?|gts?|ground_?truths?|annotations?", re.IGNORECASE)

_SHARE = 0.15
"""Of a part beside the training, if there are two; one alone has a fifth."""


@dataclass(frozen=True)
class PartFolders:
    """How scripts name the folders of the parts below one with all data.

    Attributes:
        names: The names by part; empty if no folder is joined to one with all data.
        below_kinds: Whether they lie in the folders of images and masks, as in ``images/train``.
    """

    names: dict[PartName, str]
    below_kinds: bool = False


def list_parts(scripts: Scripts, folders: PartFolders) -> tuple[PartName, ...]:
    """Return the parts that have folders of their own; none if there is one at most.

    Args:
        scripts: The scripts.
        folders: The folders of parts below one with all data.
    """
    named = {path.part for path in find_paths(scripts) if path.role in ("images", "masks", "data")}
    named |= {each.part for each in find_demanded_arguments(scripts) if each.role in ("images", "masks", "data")}
    found = tuple(part for part in PARTS if part in named or part in folders.names)
    return found if len(found) > 1 else ()


def read_part_folders(scripts: Scripts) -> PartFolders:
    """Return the folders of parts that scripts join to one with all data, by a word or by a variable such as ``split``.

    Args:
        scripts: The scripts.
    """
    names: dict[PartName, str] = {}
    below_kinds = False
    for script in scripts:
        for first, *pieces in list_joined(script):
            if _RESULTS.search(last_name(first)):
                continue
            for number, piece in enumerate(pieces):
                words = _list_words(scripts, piece)
                if words:
                    before = (each.value for each in pieces[:number] if isinstance(each, ast.Constant))
                    below_kinds |= any(isinstance(text, str) and _KINDS.fullmatch(text) for text in before)
                for word in words:
                    names.setdefault(find_named_part(word), word)
    return PartFolders(names, below_kinds)


def list_joined(script: Script) -> Iterator[list[ast.expr]]:
    """Yield the pieces of each path that a script joins, by a function, by ``/``, or in a text that is filled in.

    Args:
        script: The script.
    """
    for node in script.nodes:
        pieces: list[ast.expr] = []
        if isinstance(node, ast.Call) and script.dotted(node.func) in ("os.path.join", "posixpath.join"):
            pieces = node.args
        elif isinstance(node, ast.JoinedStr):
            pieces = _split(node)
        elif _is_joined(node) and not _is_joined(script.parents[node]):
            pieces = _flatten(node)
        if len(pieces) > 1:
            yield pieces


def _split(text: ast.JoinedStr) -> list[ast.expr]:
    """Return what stands alone between the slashes of a text that is filled in."""
    names: list[list[ast.expr]] = [[]]
    for each in text.values:
        if isinstance(each, ast.FormattedValue):
            names[-1].append(each.value)
        elif isinstance(each, ast.Constant):
            first, *rest = str(each.value).split("/")
            names[-1] += [ast.Constant(first)] if first else []
            names += [[ast.Constant(name)] if name else [] for name in rest]
    return [pieces[0] for pieces in names if len(pieces) == 1]


def _is_joined(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


def _flatten(node: ast.AST) -> list[ast.expr]:
    assert isinstance(node, ast.BinOp)
    return [*(_flatten(node.left) if _is_joined(node.left) else [node.left]), node.right]


def _list_words(scripts: Scripts, piece: ast.expr) -> list[str]:
    """Return the words for parts that a piece of a path may be."""
    if isinstance(piece, ast.Constant):
        first = piece.value.partition("/")[0] if isinstance(piece.value, str) else ""
        return [first] if find_named_part(first) else []
    if not _CHOSEN.fullmatch(last_name(piece).lower()):
        return []
    texts = (node.value for script in scripts for node in script.nodes if isinstance(node, ast.Constant))
    return [text for text in dict.fromkeys(texts) if isinstance(text, str) and find_named_part(text)]


def divide(names: Sequence[str], parts: Sequence[PartName]) -> dict[str, PartName]:
    """Return the part of each case, so that each is in one only: the training has most, and comes first.

    Args:
        names: The cases.
        parts: The parts; without any, all cases are in none.

    Example:
        >>> divided = divide([f"{number:03d}" for number in range(1, 24)], ("training", "validation", "test"))
        >>> [list(divided.values()).count(part) for part in ("training", "validation", "test")]
        [17, 3, 3]
    """
    ordered = sorted(names)
    if not parts:
        return dict.fromkeys(ordered, "")
    share = 1 / len(parts) if "training" not in parts else _SHARE if len(parts) > 2 else 0.2
    size = max(1, round(share * len(ordered)))
    divided: dict[str, PartName] = dict.fromkeys(ordered, parts[0])
    for number, part in enumerate(parts[1:], start=1):
        start = len(ordered) - size * (len(parts) - number)
        divided |= dict.fromkeys(ordered[max(start, 0) : max(start + size, 0)], part)
    return divided
