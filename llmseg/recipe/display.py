"""How a recipe shows itself: in a line, and as a table in a notebook. Both show what differs from the textbook."""

from __future__ import annotations

from collections.abc import Iterable

from llmseg.files.html import fold_html, table_html
from llmseg.recipe.part import Part
from llmseg.recipe.typed import write_typed

LONGEST = 160
"""Characters of the differences in a line; others are counted."""


def recipe_line(recipe: Part, textbook: Part) -> str:
    """Return the fields in which a recipe differs from the textbook recipe, as they are typed, as many as a line holds.

    Example:
        >>> from llmseg import zoo
        >>> recipe_line(zoo.TEXTBOOK.change("fit.epochs", 3), zoo.TEXTBOOK)
        'the textbook recipe with fit.epochs=3'
        >>> recipe_line(zoo.TEXTBOOK, zoo.TEXTBOOK)
        'the textbook recipe'
    """
    changes = [f"{path}={write_typed(value)}" for path, value in _own_fields(recipe, textbook)]
    shown, length = 0, 0
    for change in changes:
        length += len(change) + 2
        if length > LONGEST:
            break
        shown += 1
    left = len(changes) - shown
    listed = changes[:shown] + ([f"{left} more" if shown else f"{left} other fields"] if left else [])
    return "the textbook recipe" + (f" with {', '.join(listed)}" if listed else "")


def _own_fields(recipe: Part, textbook: Part) -> Iterable[tuple[str, object]]:
    """Yield the fields of a recipe that the textbook recipe lacks or has with another value."""
    usual = dict(textbook.items())
    return ((path, value) for path, value in recipe.items() if path not in usual or usual[path] != value)


def recipe_html(recipe: Part, textbook: Part) -> str:
    """Return a table of the fields in which a recipe differs from the textbook recipe, and all fields, folded.

    Example:
        >>> from llmseg import zoo
        >>> html = recipe_html(zoo.TEXTBOOK.change("fit.epochs", 3), zoo.TEXTBOOK)
        >>> "<td>fit.epochs</td><td>25</td><td>3</td>" in html
        True
    """
    usual = dict(textbook.items())
    different = [
        (path, write_typed(usual[path]) if path in usual else "", write_typed(value))
        for path, value in _own_fields(recipe, textbook)
    ]
    table = table_html(("field", "textbook", "here"), different) if different else "<p>It is the textbook recipe.</p>"
    everything = table_html(("field", "value"), ((path, write_typed(value)) for path, value in recipe.items()))
    return table + fold_html("All fields", everything)
