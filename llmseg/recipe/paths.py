"""Dotted paths: reading, listing, comparing and changing the fields of a part and of the parts inside it.

These functions take any dataclass. :class:`llmseg.recipe.part.Part` has them as methods.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llmseg.errors import UserError, nearest


@dataclass(frozen=True)
class Difference:
    """One field in which two parts, such as two recipes, differ.

    Attributes:
        path: Its dotted path.
        left: Its value in the first part, ``None`` if that has no such field.
        right: Its value in the second part, ``None`` if that has no such field.
    """

    path: str
    left: object
    right: object


def read_path(part: object, path: str) -> object:
    """Return the value at a dotted path; raise :class:`UserError` if it names no field."""
    value = part
    for name in path.split("."):
        value = getattr(value, check_field(value, name, path))
    return value


def changed(part: Any, names: Sequence[str], new: object, path: str) -> Any:
    """Return a copy of a part in which one field, of it or of a part inside it, has another value.

    Args:
        part: The part.
        names: Names of fields from this part down to the field to change.
        new: The new value of that field.
        path: The whole dotted path, for error messages.
    """
    name = check_field(part, names[0], path)
    if len(names) > 1:
        new = changed(getattr(part, name), names[1:], new, path)
    return dataclasses.replace(part, **{name: new})


def check_field(value: object, name: str, path: str) -> str:
    """Return the name if a value, or a dataclass, has such a field; raise :class:`UserError` that names what it has."""
    names = [field.name for field in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else []
    if name in names:
        return name
    kind = value if isinstance(value, type) else type(value)
    where = kind.__name__ if names else f"the plain value {value!r}"
    allowed = f"; it has: {', '.join(names)}" if names else "; it has no fields"
    raise UserError(f"no field '{path}': {where} has no '{name}'{nearest(name, names)}{allowed}")


def walk_fields(part: Any, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield (dotted path, plain value) of every field of a part; parts inside it begin with their kind."""
    for field in dataclasses.fields(part):
        path, value = f"{prefix}{field.name}", getattr(part, field.name)
        if dataclasses.is_dataclass(value):
            yield f"{path}.kind", type(value).__name__
            yield from walk_fields(value, f"{path}.")
        else:
            yield path, value


def find_differences(left: Any, right: Any, prefix: str = "") -> Iterator[Difference]:
    """Yield every field in which two parts differ, in field order.

    Parts of two kinds are compared by their kind, then field by field. A field that only one of them has is paired with
    ``None``. A part that only one side has is one difference.
    """
    if type(left) is not type(right):
        yield Difference(f"{prefix}kind", type(left).__name__, type(right).__name__)
    ours, theirs = ({f.name: getattr(part, f.name) for f in dataclasses.fields(part)} for part in (left, right))
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        path, values = f"{prefix}{name}", (ours.get(name), theirs.get(name))
        if name not in ours or name not in theirs:
            yield Difference(path, *values)
        elif all(dataclasses.is_dataclass(value) for value in values):
            yield from find_differences(*values, f"{path}.")
        elif values[0] != values[1]:
            yield Difference(path, *values)
