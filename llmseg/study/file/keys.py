"""The tables of a study file: which keys they have, and what kind of value each takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from llmseg.errors import UserError, nearest

Kind = Literal["whole", "number", "text", "path", "rule", "texts", "table"]
"""The kinds of values. A rule is a text or a whole number, as for how pixels are read."""

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "whole": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "text": ((str,), "a text"),
    "path": ((str, Path), "a text"),
    "rule": ((str, int), "a text or a whole number"),
    "texts": ((list, tuple), "a list of texts"),
    "table": ((Mapping,), "a table"),
}


def check_table(values: Any, kinds: Mapping[str, Kind], origin: str) -> None:
    """Refuse what is no table, keys that it does not have, and values of another kind.

    Args:
        values: The table.
        kinds: Its keys, each with the kind of its value.
        origin: What messages call it.

    Raises:
        UserError: The message names the key, and the nearest one there is.

    Example:
        >>> check_table({"sedes": 3}, {"seeds": "whole", "epochs": "whole"}, "study.toml")
        Traceback (most recent call last):
        llmseg.errors.UserError: study.toml: no key 'sedes'; did you mean 'seeds'?; keys are seeds, epochs
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{origin} is {values!r}; it must be a table")
    for key, value in values.items():
        if key not in kinds:
            raise UserError(f"{origin}: no key '{key}'{nearest(key, kinds)}; keys are {', '.join(kinds)}")
        types, words = _TYPES[kinds[key]]
        # True is a whole number for Python.
        fits = isinstance(value, types) and not isinstance(value, bool)
        if not fits or (kinds[key] == "texts" and not all(isinstance(item, str) for item in value)):
            raise UserError(f"{origin}: {key} is {value!r}; it must be {words}")
