"""What records from files must have: which field of which file lacks, or has another type."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import GenericAlias
from typing import Any, TypeAlias, get_args, get_origin

from llmseg.errors import UserError

_TYPES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    type(None): "null",
}
DAMAGED = "put it back from a copy, or move its folder away and start again"

Kind: TypeAlias = type | GenericAlias | tuple[type, ...]
"""A type, several, or what a list or an object holds, such as ``list[str]`` and ``dict[str, str]``."""

Fields: TypeAlias = Collection[str] | Mapping[str, Kind]
"""What a record must have: names, or names with types.

``store.digest`` is the digest in the store. A field whose name ends in a question mark may be missing.
"""


def check_fields(path: Path, record: Mapping[str, Any], keys: Fields) -> None:
    """Refuse a record that lacks a field, or has a value of another type there.

    Args:
        path: The file that messages name.
        record: Its content.
        keys: What it must have.

    Raises:
        UserError: It does; the message names file and field.

    Example:
        >>> check_fields(Path("run.json"), {"seed": "one"}, {"seed": int})
        Traceback (most recent call last):
        llmseg.errors.UserError: run.json is damaged: 'seed' is 'one', not a whole number; put it back from a copy, ...
    """
    for key in keys:
        value: Any = record
        path_inside = key.removesuffix("?").split(".")
        if key.endswith("?") and path_inside[0] not in record:
            continue
        for name in path_inside:
            if not isinstance(value, Mapping) or name not in value:
                raise UserError(f"{path} is damaged: it does not say '{key}'; {DAMAGED}")
            value = value[name]
        _check_value(path, key.removesuffix("?"), value, keys[key] if isinstance(keys, Mapping) else object)


def _check_value(path: Path, key: str, value: Any, expected: Kind) -> None:
    if isinstance(expected, GenericAlias):
        _check_value(path, key, value, get_origin(expected))
        inside = get_args(expected)[-1]
        for name, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            _check_value(path, f"{key}.{name}", inner, inside)
        return
    kinds = expected if isinstance(expected, tuple) else (expected,)
    # True is a whole number for Python.
    if not isinstance(value, kinds) or (isinstance(value, bool) and int in kinds and bool not in kinds):
        words = " or ".join(_TYPES.get(kind, kind.__name__) for kind in kinds)
        raise UserError(f"{path} is damaged: '{key}' is {_shorten(value)}, not {words}; {DAMAGED}")


def read_texts(path: Path, record: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a field that is a list of texts.

    Raises:
        UserError: As :func:`check_fields`, also for a list of anything else.

    Example:
        >>> read_texts(Path("run.json"), {"split": {"test": ["a.png", 3]}}, "split.test")
        Traceback (most recent call last):
        llmseg.errors.UserError: run.json is damaged: 'split.test' has 3, not a text; put it back from a copy, ...
    """
    check_fields(path, record, {key: list})
    value: Any = record
    for name in key.split("."):
        value = value[name]
    for item in value:
        if not isinstance(item, str):
            raise UserError(f"{path} is damaged: '{key}' has {_shorten(item)}, not a text; {DAMAGED}")
    return tuple(value)


def read_named_texts(path: Path, record: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return a field that is an object of texts, such as digests by name.

    Raises:
        UserError: As :func:`check_fields`, also for an object of anything else.
    """
    check_fields(path, record, {key: dict})
    for name, value in record[key].items():
        if not isinstance(value, str):
            raise UserError(f"{path} is damaged: '{key}' has {_shorten(value)} for '{name}', not a text; {DAMAGED}")
    return dict(record[key])


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
