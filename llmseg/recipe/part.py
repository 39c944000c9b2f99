"""Parts: frozen values with checked fields, which read from and write to plain data.

A part is a frozen dataclass derived from :class:`Part`. Its fields are plain values: numbers, booleans, words, tuples,
further parts or ``None``. So equality, a digest, JSON and a readable difference come for free.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from llmseg.errors import UserError, nearest
from llmseg.recipe.paths import Difference, changed, find_differences, parse_text, read_path, walk_fields

P = TypeVar("P", bound="Part")

# Every class of part by its name, which JSON gives as ``kind``.
_KINDS: dict[str, type[Part]] = {}


class Part:
    """Base of every part, and of every part inside a part: checks fields, and registers the class for JSON.

    A dotted path names a field of a part, or of a part inside it. A recipe is a part, too: what is
    ``"fit.schedule.patience"`` in a recipe is ``"schedule.patience"`` in its fit.

    A derived class is a ``@dataclass(frozen=True, kw_only=True)``. Its kind is its class name, which must be unique.
    A field of the wrong type is refused when the part is made. A whole number given for a ``float`` becomes a float, so
    that equal recipes have equal digests.

    Raises:
        UserError: A field has a value its annotation does not allow.
        TypeError: A second class takes a kind that is already used.
    """

    def __init_subclass__(cls) -> None:
        registered = _KINDS.setdefault(cls.__name__, cls)
        # A class that is defined again, by a reloaded module or a repeated notebook cell, replaces its predecessor.
        if (registered.__module__, registered.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"the kind '{cls.__name__}' is already used by {registered.__module__}; rename the class")
        _KINDS[cls.__name__] = cls

    def __post_init__(self) -> None:
        cls: Any = type(self)
        for name, annotation in _annotations(cls).items():
            value = _coerce(getattr(self, name), annotation)
            if value is _REFUSED:
                given = getattr(self, name)
                raise UserError(
                    f"{cls.__name__}.{name} is {given!r}; allowed: {describe(annotation)}"
                    + _nearest_word(given, annotation)
                )
            object.__setattr__(self, name, value)  # how a frozen dataclass sets its own fields

    def get(self, path: str) -> object:
        """Return the value at a dotted path.

        Raises:
            UserError: The path names no field.
        """
        return read_path(self, path)

    def change(self: P, path: str, value: object) -> P:
        """Return a copy with one field changed.

        Args:
            path: Dotted path of a field, such as ``"fit.epochs"`` of a recipe, or of a whole part, such as ``"loss"``.
            value: The new value, of the field's type.

        Raises:
            UserError: The path names no field, or the value does not fit.

        Example:
            >>> from llmseg import zoo
            >>> zoo.get("gpt-4").recipe.change("fit.batch_size", 4).fit.batch_size
            4
        """
        copy: P = changed(self, path.split("."), value, path)
        return copy

    def change_text(self: P, assignment: str) -> P:
        """Return a copy with one field changed by text as typed on a command line.

        Args:
            assignment: ``path=value``. Tuples are written with commas, ``None`` as ``none``.

        Raises:
            UserError: The text is no assignment, or as for :meth:`change`.

        Example:
            >>> from llmseg import zoo
            >>> zoo.get("gpt-4").recipe.change_text("images.size=128,128").images.size
            (128, 128)
        """
        path, equals, text = assignment.partition("=")
        if not equals or not path:
            raise UserError(f"'{assignment}' is no assignment; write path=value, for example fit.epochs=120")
        return self.change(path, parse_text(text, self.get(path)))

    def items(self) -> Iterator[tuple[str, object]]:
        """Yield every (dotted path, plain value), the kind of each part inside this one first under ``part.kind``."""
        return walk_fields(self)

    def diff(self, other: Part) -> tuple[Difference, ...]:
        """Return the fields in which two parts, such as two recipes, differ, in field order.

        Where parts are of different kinds, a field that only one of them has is paired with ``None``. So is a part that
        only one of them has, such as a schedule.

        Example:
            >>> from llmseg import zoo
            >>> [d.path for d in zoo.get("gpt-4").recipe.fit.diff(zoo.get("gpt-4o").recipe.fit)]
            ['batch_size', 'rate']
        """
        return tuple(find_differences(self, other))


def describe(annotation: Any) -> str:
    """Return the allowed values of a field annotation in words.

    Example:
        >>> describe(int | None)
        'a whole number or none'
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " or ".join(f"'{word}'" for word in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(argument) for argument in arguments)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return f"a list of {describe(arguments[0])}"
        return f"{len(arguments)} values ({', '.join(describe(a) for a in arguments)})"
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return f"a {annotation.__name__} part{_what_to_derive_from(annotation)}"
    words = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text", type(None): "none"}
    return words.get(annotation, str(annotation))


def _what_to_derive_from(cls: type[Part]) -> str:
    """Tell somebody who wrote a part of their own which class it has to derive from, if the field takes such parts."""
    if not inspect.isabstract(cls):
        return ""
    # Abstract parts of the package are public in llmseg.recipe, whichever module they stand in.
    module = "llmseg.recipe" if cls.__module__.startswith("llmseg.recipe.") else cls.__module__
    return f" (of a class derived from {module}.{cls.__name__})"


def to_plain(value: object) -> Any:
    """Return a part as dictionaries and lists, each dictionary with the ``kind`` of its part."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **fields}
    return [to_plain(v) for v in value] if isinstance(value, tuple) else value


def parse(where: str, value: Any) -> Any:
    """Rebuild a part from what :func:`to_plain` returned; ``where`` is its path, for error messages."""
    if isinstance(value, list):
        return tuple(parse(where, v) for v in value)
    if not isinstance(value, dict):
        return value
    cls = _find_kind(where, value.get("kind"))
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    check_names(where, value, ["kind", *names])
    return cls(**{name: parse(f"{where}.{name}", value[name]) for name in names})


def _find_kind(where: str, kind: object) -> type[Part]:
    kinds = sorted(name for name, cls in _KINDS.items() if dataclasses.is_dataclass(cls))
    if not isinstance(kind, str) or kind not in kinds:
        raise UserError(
            f"{where}: unknown kind {kind!r}{nearest(str(kind), kinds)}; known: {', '.join(kinds)}; "
            "import the module of a kind of your own first"
        )
    return _KINDS[kind]


def check_names(where: str, given: Mapping[str, Any], expected: Sequence[str]) -> None:
    """Require exactly the expected names; raise :class:`UserError` otherwise."""
    missing = [name for name in expected if name not in given]
    extra = [name for name in given if name not in expected]
    if missing:
        raise UserError(f"{where}: missing {', '.join(missing)}")
    if extra:
        raise UserError(f"{where}: unknown {', '.join(extra)}{nearest(extra[0], expected)}")


_REFUSED = object()  # not None, which many fields allow


@functools.cache  # evaluating annotations takes longer than everything else a part does
def _annotations(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _coerce(value: object, annotation: Any) -> Any:
    """Return the value in the type of the annotation, or ``_REFUSED`` if it does not fit."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return value if value in arguments else _REFUSED
    if origin in (typing.Union, types.UnionType):
        coerced = (_coerce(value, argument) for argument in arguments)
        return next((candidate for candidate in coerced if candidate is not _REFUSED), _REFUSED)
    if origin is tuple:
        return _coerce_tuple(value, arguments)
    if annotation is float and type(value) in (int, float):
        return float(value) if math.isfinite(value) else _REFUSED  # type: ignore[arg-type]
    if annotation in (int, float, bool, str):
        # Not isinstance: True is an int for Python, and "epochs=True" is a mistake.
        return value if type(value) is annotation else _REFUSED
    return value if isinstance(value, annotation) else _REFUSED


def _coerce_tuple(value: object, arguments: tuple[Any, ...]) -> Any:
    if not isinstance(value, tuple):
        return _REFUSED
    if arguments[-1] is Ellipsis:
        arguments = (arguments[0],) * len(value)
    if len(arguments) != len(value):
        return _REFUSED
    items = tuple(_coerce(item, argument) for item, argument in zip(value, arguments, strict=True))
    return _REFUSED if any(item is _REFUSED for item in items) else items


def _nearest_word(given: object, annotation: Any) -> str:
    words = [word for word in typing.get_args(annotation) if isinstance(word, str)]
    return nearest(given, words) if isinstance(given, str) else ""
