"""Parts: frozen values with checked fields, which read from and write to plain data.

A part is a frozen dataclass derived from :class:`Part`. Its fields are plain values: numbers, booleans, words, tuples,
further parts or ``None``. So equality, a digest, JSON and a readable difference come for free.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from llmseg.errors import UserError, nearest
from llmseg.recipe.annotations import check_value, field_annotations, find_kind, register_kind
from llmseg.recipe.paths import Difference, changed, find_differences, read_path, walk_fields
from llmseg.recipe.typed import parse_typed

P = TypeVar("P", bound="Part")


class Part:
    """Base of every part, and of every part inside a part: checks fields, and registers the class for JSON.

    A dotted path names a field of a part, or of a part inside it. A recipe is a part, too: what is
    ``"fit.schedule.patience"`` in a recipe is ``"schedule.patience"`` in its fit.

    A derived class is a ``@dataclass(frozen=True, kw_only=True)``. Its kind is its class name, which must be unique.
    A field of the wrong type is refused when the part is made. A whole number given for a ``float`` becomes a float, so
    that equal recipes have equal digests.

    Attributes:
        USUAL: Values of fields that the name of the kind alone stands for, when somebody types it.
        WORDS: What the kind reads besides its name, when somebody types it; see :meth:`read_words`.

    Raises:
        UserError: A field has a value its annotation does not allow.
        TypeError: A second class takes a kind that is already used.

    Example:
        >>> from llmseg import zoo
        >>> part: Part = zoo.TEXTBOOK.fit
        >>> part.change("epochs", 3).epochs
        3
    """

    USUAL: ClassVar[Mapping[str, Any]] = {}
    WORDS: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        register_kind(cls)

    def __post_init__(self) -> None:
        cls: Any = type(self)
        for name, annotation in field_annotations(cls).items():
            value = check_value(f"{cls.__name__}.{name}", getattr(self, name), annotation)
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
        annotation = self._find_annotation(path)
        if annotation is not None:
            check_value(path, value, annotation)
        copy: P = changed(self, path.split("."), value, path)
        return copy

    def change_text(self: P, assignment: str) -> P:
        """Return a copy with one field changed by text as typed on a command line.

        Args:
            assignment: ``path=value``. Tuples are written with commas, ``None`` as ``none``, and parts by their kind,
                such as ``fit.schedule=cosine`` or ``fit.schedule=cosine(warmup=5)``; see :mod:`llmseg.recipe.typed`.

        Raises:
            UserError: The text is no assignment, or as for :meth:`change`.

        Example:
            >>> from llmseg import zoo
            >>> zoo.get("gpt-4").recipe.change_text("images.size=128,128").images.size
            (128, 128)
            >>> zoo.get("gpt-4").recipe.change_text("fit.schedule=cosine").fit.schedule
            Cosine(warmup=0, final=0.0)
        """
        path, equals, text = assignment.partition("=")
        if not equals or not path:
            raise UserError(f"'{assignment}' is no assignment; write path=value, for example fit.epochs=120")
        present = self.get(path)
        return self.change(path, parse_typed(text.strip(), self._find_annotation(path), present, path))

    def read_words(self: P, text: str) -> P | None:
        """Return this part as words ask for it that only its kind knows; ``None`` if it knows no such words."""
        return None

    def _find_annotation(self, path: str) -> Any:
        """Return the annotation of the field at a path; ``None`` if no part has it."""
        above, _, name = path.rpartition(".")
        owner = self.get(above) if above else self
        cls: Any = type(owner)
        return field_annotations(cls).get(name) if isinstance(owner, Part) else None

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
    cls = find_kind(where, value.get("kind"))
    annotations = field_annotations(cls)
    check_names(where, value, ["kind", *annotations])
    fields = {name: parse(f"{where}.{name}", value[name]) for name in annotations}
    # The part itself would refuse a value, too, but knows only its kind and not where it stands.
    return cls(**{name: check_value(f"{where}.{name}", fields[name], annotations[name]) for name in annotations})


def check_names(where: str, given: Mapping[str, Any], expected: Sequence[str]) -> None:
    """Require exactly the expected names; raise :class:`UserError` otherwise."""
    missing = [name for name in expected if name not in given]
    extra = [name for name in given if name not in expected]
    if missing:
        raise UserError(f"{where}: missing {', '.join(missing)}")
    if extra:
        raise UserError(f"{where}: unknown {', '.join(extra)}{nearest(extra[0], expected)}")
