"""Every field of a recipe: what it means, and what it may be. The parts say both, in docstrings and annotations."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from llmseg.errors import UserError, nearest
from llmseg.recipe.annotations import describe, field_annotations, list_kinds, list_words
from llmseg.recipe.paths import read_path
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.typed import list_spellings, write_typed


@dataclass(frozen=True)
class Field:
    """A field of a recipe.

    Attributes:
        path: Its dotted path.
        kind: The kind of part that has it. A path may stand for fields of several kinds, such as ``net.encoder``.
        meaning: What it means.
        allowed: What it may be, in words.
        choices: The words, or the kinds of parts, among which one chooses; empty where there is no such list.
        value: Its value as it is typed, in the recipe that was asked about; ``None`` without one.
    """

    path: str
    kind: str
    meaning: str
    allowed: str
    choices: tuple[str, ...]
    value: str | None = None


def list_fields(path: str = "", recipe: Recipe | None = None) -> tuple[Field, ...]:
    """Return the fields of a recipe, in its order.

    Args:
        path: A dotted path: this field alone, or all below a part such as ``"net"`` or ``"fit.schedule"``. All fields
            if it is empty.
        recipe: A recipe: its values, and only the kinds of parts that it has. ``None`` for all kinds there are.

    Raises:
        UserError: The path names no field.

    Example:
        >>> (field,) = list_fields("fit.optimizer")
        >>> field.choices
        ('adam', 'adamw', 'keras-adam')
        >>> sorted({field.kind for field in list_fields("fit.schedule")})
        ['Cosine', 'Fit', 'Plateau']
    """
    every = tuple(_walk(Recipe, "", recipe))
    found = tuple(field for field in every if not path or field.path == path or field.path.startswith(f"{path}."))
    if not found:
        paths = dict.fromkeys(field.path for field in every)
        raise UserError(f"no field '{path}'{nearest(path, paths)}; llmseg fields lists all of them")
    return found


def describe_kind(name: str) -> str:
    """Return what a kind of part is, in one sentence, and its usual values if it has any.

    Example:
        >>> describe_kind("Cosine")
        'Raise the learning rate linearly, then lower it along half a cosine. Usually Cosine(warmup=0,final=0.0).'
    """
    cls = next(cls for cls in _list_all_kinds() if cls.__name__ == name)
    summary = _plain(inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")
    return f"{summary} Usually {write_typed(cls(**cls.USUAL))}." if cls.USUAL else summary


def _list_all_kinds(cls: Any = Recipe) -> Iterator[Any]:
    yield cls
    for annotation in field_annotations(cls).values():
        for kind in list_kinds(annotation):
            yield from _list_all_kinds(kind)


def _walk(cls: type, prefix: str, recipe: Recipe | None) -> Iterator[Field]:
    """Yield the fields of a kind of part, each followed by the fields of the parts that it may be."""
    meanings = read_attributes(cls)
    for name, annotation in field_annotations(cls).items():
        path, kinds = f"{prefix}{name}", list_kinds(annotation)
        allowed = ", ".join(list_spellings(annotation)) if kinds else describe(annotation)
        choices = tuple(kind.__name__ for kind in kinds) or list_words(annotation)
        value = None if recipe is None else read_path(recipe, path)
        text = None if recipe is None else type(value).__name__ if type(value) in kinds else write_typed(value)
        yield Field(path, cls.__name__, meanings[name], allowed, choices, text)
        for kind in kinds if recipe is None else [kind for kind in kinds if kind is type(value)]:
            yield from _walk(kind, f"{path}.", recipe)


def read_attributes(cls: type) -> dict[str, str]:
    """Return what docstring and annotation of a class say of each field, without marks.

    Example:
        >>> from llmseg.recipe import Cosine
        >>> read_attributes(Cosine)["warmup"]
        'Epochs before the first one with the whole learning rate.'
    """
    text = inspect.getdoc(cls) or ""
    section = re.search(r"^Attributes:\n((?:^(?: .*)?\n?)*)", text, re.MULTILINE)
    entries = re.findall(r"^    (\w+): (.*(?:\n      .*)*)", section[1] if section else "", re.MULTILINE)
    meanings = dict(entries)
    for name, annotation in typing.get_type_hints(cls, include_extras=True).items():
        if typing.get_origin(annotation) is typing.Annotated:
            # The meaning of words that several kinds share stands at the type, to which the docstring refers.
            own = re.sub(r", see :data:`.*?`", "", meanings.get(name, ""))
            meanings[name] = " ".join([own, *annotation.__metadata__])
    return {name: " ".join(_plain(meanings.get(name, "")).split()) for name in field_annotations(cls)}


def _plain(text: str) -> str:
    """Return a text without the marks of reStructuredText, and values as they are typed."""
    text = re.sub(r":\w+:`~?([^`]*)`", r"\1", text)
    text = re.sub(r"``(None|True|False)``", lambda found: found[1].lower(), text)
    return re.sub(r"``(.*?)``", r"'\1'", text)
