"""What the checks of requirements share: what a check says, and questions about the scripts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from llmseg.admission.prompt.prompt import Prompt
from llmseg.admission.scripts import Script, Scripts
from llmseg.admission.settings import Settings

State = Literal["met", "not met", "cannot be seen"]


@dataclass(frozen=True)
class Sign:
    """What the text of the scripts says about a requirement.

    Attributes:
        state: Whether it is met; ``"cannot be seen"`` if that shows only when the scripts run.
        note: Why, in a few words.
        places: Where, as ``file:line``.
    """

    state: State
    note: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A node of a syntax tree with its script.

    Attributes:
        script: The script.
        node: The node.
        name: The dotted name of what a call calls; the name of a function or class.
    """

    script: Script
    node: ast.AST
    name: str = ""

    @property
    def place(self) -> str:
        """Where it stands, as ``file:line``."""
        return self.script.place(self.node)

    @property
    def last(self) -> str:
        """The last word of the name."""
        return self.name.rpartition(".")[2]

    @property
    def call(self) -> ast.Call:
        """The node, which is a call."""
        assert isinstance(self.node, ast.Call)
        return self.node


@dataclass(frozen=True)
class Source:
    """The scripts that are checked, and the prompt that they answer.

    Attributes:
        scripts: The scripts.
        prompt: The prompt.
    """

    scripts: Scripts
    prompt: Prompt

    @cached_property
    def settings(self) -> Settings:
        """What the scripts set."""
        return Settings(self.scripts)

    @cached_property
    def calls(self) -> tuple[Found, ...]:
        """Every call."""
        return tuple(
            Found(script, node, script.dotted(node.func))
            for script in self.scripts
            for node in script.nodes
            if isinstance(node, ast.Call)
        )

    @cached_property
    def functions(self) -> tuple[Found, ...]:
        """Every function and method."""
        return tuple(
            Found(script, node, node.name)
            for script in self.scripts
            for node in script.nodes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )

    @cached_property
    def classes(self) -> tuple[Found, ...]:
        """Every class."""
        return tuple(
            Found(script, node, node.name)
            for script in self.scripts
            for node in script.nodes
            if isinstance(node, ast.ClassDef)
        )

    def called(self, *lasts: str, within: Found | None = None) -> list[Found]:
        """Return the calls whose name ends in one of some words, in a function or class if one is given."""
        inside = None if within is None else set(ast.walk(within.node))
        return [each for each in self.calls if each.last in lasts and (inside is None or each.node in inside)]

    def texts(self, within: ast.AST) -> str:
        """Return all constant texts in a node, in small letters, with spaces between."""
        return " ".join(
            node.value.lower()
            for node in ast.walk(within)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )

    def bases(self, found: Found) -> list[str]:
        """Return the dotted names of what a class is derived from."""
        assert isinstance(found.node, ast.ClassDef)
        return [found.script.dotted(base) for base in found.node.bases]


Check = Callable[[Source], Sign]


def places(found: Iterable[Found], most: int = 4) -> tuple[str, ...]:
    """Return where nodes stand, each line once, the first few."""
    return tuple(dict.fromkeys(each.place for each in found))[:most]


def met(note: str, found: Iterable[Found] = ()) -> Sign:
    """Return that a requirement is met."""
    return Sign("met", note, places(found))


def unmet(note: str, found: Iterable[Found] = ()) -> Sign:
    """Return that a requirement is not met."""
    return Sign("not met", note, places(found))


def unseen(note: str, found: Iterable[Found] = ()) -> Sign:
    """Return that only a run can tell."""
    return Sign("cannot be seen", note, places(found))


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return what a call passes under a name, or ``None``."""
    return next((each.value for each in call.keywords if each.arg == name), None)


def words_of(node: ast.AST) -> Iterator[str]:
    """Yield the names in a node, in small letters: variables, attributes and texts."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id.lower()
        elif isinstance(inner, ast.Attribute):
            yield inner.attr.lower()
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value.lower()


PHASE_WORDS = {
    "training": ("train", "fit"),
    "validation": ("val", "eval"),
    "test": ("test", "predict", "infer"),
}


def phases_of(words: Iterable[str]) -> set[str]:
    """Return which of training, validation and test some names speak of.

    Example:
        >>> sorted(phases_of(["val_loader", "train_losses"]))
        ['training', 'validation']
    """
    pieces = {piece for word in words for piece in word.replace("-", "_").replace(" ", "_").split("_")}
    return {
        phase for phase, starts in PHASE_WORDS.items() for piece in pieces if any(piece.startswith(s) for s in starts)
    }
