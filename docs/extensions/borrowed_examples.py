"""An example on every page of the reference: of a name without one, that of another name which uses or returns it."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

from public_names import find_homes, list_names
from sphinx.application import Sphinx

_EXAMPLE = re.compile(r"^Examples?:\n((?:(?: {4}.*)?\n?)+)", re.MULTILINE)


@cache
def own_examples() -> dict[str, str]:
    """Return the example in the docstring of each public name that has one."""
    texts = {name: inspect.getdoc(value) or "" for name, value in list_names().items() if name in find_homes().values()}
    return {
        name: found[1].rstrip() for name, text in texts.items() if (found := _EXAMPLE.search(text)) and ">>>" in text
    }


def find_example(name: str) -> str:
    """Return the public name whose example shows this one: itself, one whose example uses it, or one that returns it.

    Of several, one of the same namespace, with the shortest example. Empty if there is none.
    """
    if name in own_examples():
        return name
    namespace, _, last = name.rpartition(".")
    word = re.compile(rf"\b{last}\b")
    for texts in (own_examples(), {other: _returned(other) for other in own_examples()}):
        found = [other for other, text in texts.items() if word.search(text)]
        if found:
            return min(found, key=lambda other: (other.rpartition(".")[0] != namespace, len(own_examples()[other])))
    return ""


def _returned(name: str) -> str:
    """Return the type that a function returns, and those that the methods of a class do."""
    value = list_names()[name]
    functions = [value, *vars(value).values()] if inspect.isclass(value) else [value]
    return " ".join(str(getattr(function, "__annotations__", {}).get("return", "")) for function in functions)


def add_example(app: Sphinx, what: str, name: str, owner: Any, options: Any, lines: list[str]) -> None:
    """Append the example of another name to a docstring without one, and say whose it is."""
    if name in find_homes().values() and what != "module" and name not in own_examples():
        other = find_example(name)
        if other:
            example = inspect.cleandoc("\n" + own_examples()[other]).splitlines()
            lines += ["", f"An example with :py:obj:`{other}`:", "", *example, ""]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect with Sphinx."""
    app.connect("autodoc-process-docstring", add_example, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
