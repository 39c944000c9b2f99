"""What the annotation of a field allows: numbers, words, tuples, and the kinds of parts that are registered here.

:class:`llmseg.recipe.part.Part` checks its fields by these functions, and :mod:`llmseg.recipe.fields` lists them.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import types
import typing
from typing import Any, Literal

from llmseg.errors import UserError, nearest

_KINDS: dict[str, type] = {}
"""Every class of part by its name, which JSON gives as ``kind``."""

REFUSED = object()
"""What :func:`coerce` returns for a value that does not fit; not ``None``, which many fields allow."""


def register_kind(cls: type) -> None:
    """Add a class of part; one that is defined again, by a reloaded module or a notebook cell, replaces the earlier.

    Raises:
        TypeError: A second class takes a name that is already used.
    """
    registered = _KINDS.setdefault(cls.__name__, cls)
    if (registered.__module__, registered.__qualname__) != (cls.__module__, cls.__qualname__):
        raise TypeError(f"the kind '{cls.__name__}' is already used by {registered.__module__}; rename the class")
    _KINDS[cls.__name__] = cls


def find_kind(where: str, kind: object) -> type:
    """Return the class of a name; ``where`` is the path of its part, for the message of :class:`UserError`."""
    kinds = sorted(name for name, cls in _KINDS.items() if dataclasses.is_dataclass(cls))
    if not isinstance(kind, str) or kind not in kinds:
        raise UserError(
            f"{where}: unknown kind {kind!r}{nearest(str(kind), kinds)}; known: {', '.join(kinds)}; "
            "a kind of your own is known once its file is imported: import it, or give the command --import FILE.py"
        )
    return _KINDS[kind]


@functools.cache  # evaluating annotations takes longer than everything else a part does
def field_annotations(cls: type) -> dict[str, Any]:
    """Return the annotation of every field of a dataclass, by its name."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def list_words(annotation: Any) -> tuple[str, ...]:
    """Return the words that an annotation allows.

    Example:
        >>> list_words(Literal["adam", "adamw"] | None)
        ('adam', 'adamw')
    """
    if typing.get_origin(annotation) is Literal:
        return tuple(word for word in typing.get_args(annotation) if isinstance(word, str))
    return tuple(word for argument in _alternatives(annotation) for word in list_words(argument))


def list_kinds(annotation: Any) -> tuple[type, ...]:
    """Return the kinds of parts that an annotation allows, in the order in which they were defined."""
    bases = tuple(base for base in (*_alternatives(annotation), annotation) if base in _KINDS.values())
    return tuple(cls for cls in _KINDS.values() if dataclasses.is_dataclass(cls) and issubclass(cls, bases))


def describe(annotation: Any) -> str:
    """Return the allowed values of a field annotation in words.

    Example:
        >>> describe(int | None)
        'a whole number or none'
    """
    if typing.get_origin(annotation) is Literal:
        return " or ".join(f"'{word}'" for word in typing.get_args(annotation))
    if alternatives := _alternatives(annotation):
        return " or ".join(map(describe, alternatives))
    if typing.get_origin(annotation) is tuple:
        arguments = typing.get_args(annotation)
        if arguments[-1] is Ellipsis:
            return f"a list, each {describe(arguments[0])}"
        return f"{len(arguments)} values ({', '.join(describe(a) for a in arguments)})"
    if annotation in _KINDS.values():
        return f"a {annotation.__name__} part{_what_to_derive_from(annotation)}"
    words = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text", type(None): "none"}
    return words.get(annotation, str(annotation))


def check_value(where: str, given: object, annotation: Any) -> Any:
    """Return a value in the type of the annotation; ``where`` is the path of its field.

    Raises:
        UserError: It does not fit. The message says what was given, what is allowed, and the nearest word.
    """
    value = coerce(given, annotation)
    if value is REFUSED:
        near = nearest(given, list_words(annotation)) if isinstance(given, str) else ""
        shown = ",".join(map(str, given)) if isinstance(given, tuple) else repr(given)
        raise UserError(f"{where} is {shown}; allowed: {describe(annotation)}{near}")
    return value


def coerce(value: object, annotation: Any) -> Any:
    """Return the value in the type of the annotation, or :data:`REFUSED` if it does not fit."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return value if value in arguments else REFUSED
    if alternatives := _alternatives(annotation):
        coerced = (coerce(value, alternative) for alternative in alternatives)
        return next((candidate for candidate in coerced if candidate is not REFUSED), REFUSED)
    if origin is tuple:
        return _coerce_tuple(value, arguments)
    if annotation is float and type(value) in (int, float):
        return float(value) if math.isfinite(value) else REFUSED  # type: ignore[arg-type]
    if annotation in (int, float, bool, str):
        # Not isinstance: True is an int for Python, and "epochs=True" is a mistake.
        return value if type(value) is annotation else REFUSED
    return value if isinstance(value, annotation) else REFUSED


def _coerce_tuple(value: object, arguments: tuple[Any, ...]) -> Any:
    if not isinstance(value, tuple):
        return REFUSED
    if arguments[-1] is Ellipsis:
        arguments = (arguments[0],) * len(value)
    if len(arguments) != len(value):
        return REFUSED
    items = tuple(coerce(item, argument) for item, argument in zip(value, arguments, strict=True))
    return REFUSED if any(item is REFUSED for item in items) else items


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return what stands between the bars of an annotation such as ``Plateau | Cosine | None``."""
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if union else ()


def _what_to_derive_from(cls: type) -> str:
    """Tell somebody who wrote a part of their own which class it has to derive from, if the field takes such parts."""
    if not inspect.isabstract(cls):
        return ""
    # Abstract parts of the package are public in llmseg.recipe, whichever module they stand in.
    module = "llmseg.recipe" if cls.__module__.startswith("llmseg.recipe.") else cls.__module__
    return f" (of a class derived from {module}.{cls.__name__})"
