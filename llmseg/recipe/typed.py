"""Values as somebody types them: ``fit.epochs=3``, ``fit.schedule=cosine``, ``loss=bce+0.5*dice``.

A part is typed as its kind, capitals do not matter, with fields in brackets: ``cosine(warmup=5,final=0)``. Fields that
are not typed stay as they are if the part is of that kind already; otherwise they take the usual values of the kind,
if it has any. :func:`parse_typed` reads such texts, and :func:`write_typed` writes them.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from llmseg.errors import UserError, nearest
from llmseg.recipe.annotations import REFUSED, check_value, coerce, field_annotations, list_kinds, list_words
from llmseg.recipe.paths import check_field


def parse_typed(text: str, annotation: Any, present: object, path: str) -> object:
    """Return the value that somebody typed for a field.

    Args:
        text: The text.
        annotation: The annotation of the field.
        present: The present value of the field.
        path: The dotted path of the field, for messages.

    Raises:
        UserError: The text names no part where a part is meant, or one of which fields are missing.
    """
    if text in list_words(annotation):
        return text
    if list_kinds(annotation):
        return _parse_part(text, annotation, present, path)
    value = _parse_plain(text, present)
    return text if coerce(value, annotation) is REFUSED and coerce(text, annotation) is not REFUSED else value


def write_typed(value: object) -> str:
    """Return a field's value as it is typed.

    Example:
        >>> from llmseg.recipe import Cosine
        >>> write_typed((32, 64)), write_typed(None), write_typed(Cosine(warmup=5, final=0.0))
        ('32,64', 'none', 'Cosine(warmup=5,final=0.0)')
    """
    if dataclasses.is_dataclass(value):
        fields = (f"{field.name}={write_typed(getattr(value, field.name))}" for field in dataclasses.fields(value))
        return f"{type(value).__name__}({','.join(fields)})"
    if isinstance(value, tuple):
        return ",".join(map(write_typed, value))
    return "none" if value is None else str(value)


def split_typed(text: str, separator: str = ",") -> list[str]:
    """Split a typed list; what stands in brackets stays together.

    Example:
        >>> split_typed("cosine(warmup=5,final=0), none")
        ['cosine(warmup=5,final=0)', 'none']
    """
    pieces, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == separator and not depth:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece.strip() for piece in pieces]


def list_spellings(annotation: Any) -> list[str]:
    """Return how the parts that a field allows are typed: by kind, and by what kinds read besides their names."""
    kinds: tuple[Any, ...] = list_kinds(annotation)
    words = dict.fromkeys(cls.WORDS for cls in kinds if cls.WORDS)
    none = ["none"] if coerce(None, annotation) is None else []
    return [*(cls.__name__.lower() for cls in kinds), *words, *none]


def _parse_plain(text: str, present: object) -> object:
    """Return the number, word or tuple that somebody typed; the present value tells whether it is a tuple."""
    if text.lower() in ("none", "null"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if "," in text or isinstance(present, tuple):
        return tuple(_parse_plain(piece.strip(), None) for piece in text.split(",") if piece.strip())
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _parse_part(text: str, annotation: Any, present: Any, path: str) -> object:
    """Return the part that somebody typed; ``None`` where that is typed and allowed."""
    if text.lower() in ("none", "null") and coerce(None, annotation) is None:
        return None
    kinds: dict[str, Any] = {cls.__name__.lower(): cls for cls in list_kinds(annotation)}
    typed = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", text, re.DOTALL)
    cls = kinds.get(typed[1].lower()) if typed else None
    if typed and cls:
        return _make_part(cls, typed[2] or "", present, path)
    part = present.read_words(text) if type(present) in kinds.values() else None
    if part is None:
        raise UserError(
            f"{path} is '{text}'; allowed: {', '.join(list_spellings(annotation))}{nearest(text, kinds)}; "
            f"fields are typed in brackets, and llmseg fields {path} lists them"
        )
    return part


def _make_part(cls: Any, text: str, present: Any, path: str) -> object:
    """Return a part with the fields that somebody typed in brackets, and otherwise those it has or usually has."""
    annotations = field_annotations(cls)
    values = {name: getattr(present, name) for name in annotations} if type(present) is cls else dict(cls.USUAL)
    for name, typed in _split_fields(text, path):
        check_field(cls, name, f"{path}.{name}")
        value = parse_typed(typed, annotations[name], values.get(name), f"{path}.{name}")
        values[name] = check_value(f"{path}.{name}", value, annotations[name])
    missing = [name for name in annotations if name not in values]
    if missing:
        example = ",".join(f"{name}=..." for name in missing)
        raise UserError(
            f"{path}: {cls.__name__} needs {', '.join(missing)}, too; type {path}={cls.__name__.lower()}({example}), "
            f"and see llmseg fields {path}"
        )
    return cls(**values)


def _split_fields(text: str, path: str) -> list[tuple[str, str]]:
    """Split ``encoder=8,16,norm=batch`` into names and values; a piece without a name belongs to the one before."""
    fields: list[tuple[str, str]] = []
    for piece in split_typed(text) if text.strip() else []:
        named = re.match(r"(\w+)\s*=\s*(.*)", piece, re.DOTALL)
        if named:
            fields.append((named[1], named[2]))
        elif fields:
            fields[-1] = (fields[-1][0], f"{fields[-1][1]},{piece}")
        else:
            raise UserError(f"{path}: '{piece}' in brackets names no field; write field=value")
    return fields
