"""Recipes in YAML: plain values to text and back, exactly, so that a recipe keeps its digest."""

from __future__ import annotations

import io
import json
import re
from typing import Any

from llmseg.errors import UserError

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


def write_yaml(content: dict[str, Any]) -> str:
    """Return dictionaries, lists and plain values as YAML: a line per value, a list on one line."""
    import yaml

    root = yaml.SafeDumper(io.StringIO(), sort_keys=False).represent_data(content)
    _set_styles(root)
    text: str = yaml.serialize(root, Dumper=yaml.SafeDumper, width=10_000)
    return text


def read_yaml(text: str) -> Any:
    """Return what :func:`write_yaml` wrote, or somebody in its place.

    Words and numbers are read as YAML 1.2 has them: ``1e-4`` is a number, and ``no`` is a word.

    Raises:
        UserError: The text is no YAML, names a key twice, or uses aliases or tags.
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"this is no recipe in YAML: {' '.join(str(error).split())}") from error
    return None if root is None else _read_node(root, set())


def _set_styles(node: Any) -> None:
    if node.id == "scalar":
        if node.tag.endswith(":str") and not isinstance(_read_scalar(node.value), str):
            node.style = "'"
        return
    node.flow_style = node.id == "sequence"
    for child in node.value:
        for each in child if isinstance(child, tuple) else (child,):
            _set_styles(each)


def _read_node(node: Any, seen: set[int]) -> Any:
    line = f"line {node.start_mark.line + 1}"
    # A few aliases of aliases stand for more values than any memory holds.
    if id(node) in seen:
        raise UserError(f"{line} is used again by an alias (*name), which a recipe has no need of; write it out")
    seen.add(id(node))
    if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
        raise UserError(f"{line} has the tag {node.tag}, which a recipe has no need of; take it away")
    if node.id == "scalar":
        return _read_scalar(node.value) if node.style is None else node.value
    if node.id == "sequence":
        return [_read_node(child, seen) for child in node.value]
    content: dict[str, Any] = {}
    for key, value in node.value:
        if key.id != "scalar":
            raise UserError(f"line {key.start_mark.line + 1} has a key that is no name")
        name = key.value
        if name in content:
            raise UserError(f"line {key.start_mark.line + 1} names {name} a second time; take one away")
        content[name] = _read_node(value, seen)
    return content


def _read_scalar(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    whole = re.fullmatch(r"[-+]?\d+", text)
    return json.loads(text.lstrip("+")) if whole and not re.match(r"[-+]?0\d", text) else number
