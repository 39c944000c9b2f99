"""What stands above and below the drawing of a network."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from llmseg.figures.network.ground import INDENT, LINE, MARGIN, Ground
from llmseg.figures.network.labels import key_lines
from llmseg.figures.network.oddities import Oddity
from llmseg.figures.network.shapes import DISC, Disc, Label, text_width
from llmseg.figures.style import SMALL, TEXT


def title_labels(ground: Ground, title: str, remark: str) -> Iterator[Label]:
    """Yield the title, if there is one, and the number of parameters."""
    if title:
        yield Label((MARGIN, 0.13), _shorten(title, ground.width - 2 * MARGIN), bold=True, size=TEXT + 1)
    facts = f"{ground.plan.parameters:,} parameters{remark}"
    yield Label((MARGIN, 0.28 if title else 0.2), facts)


def _shorten(text: str, width: float) -> str:
    """Return as much of a title as fits into a width."""
    shown = text
    while text_width(shown, TEXT + 1, True) > width:
        text = text[:-1]
        shown = f"{text}..."
    return shown


def note_shapes(ground: Ground, oddities: Sequence[Oddity], top: float) -> Iterator[Label | Disc]:
    """Yield what stands below the drawing: the key, and what is unusual."""
    y = top
    letters = int((ground.width - 2 * MARGIN - INDENT) * 72 / (0.53 * SMALL))
    yield Label((MARGIN, y), "In a box: channels of the maps, and below their height x width.")
    y += LINE
    for sign, text in key_lines(ground.plan, ground.key):
        yield Label((MARGIN, y), sign, bold=True)
        for line in textwrap.wrap(text, letters):
            yield Label((MARGIN + INDENT, y), line)
            y += LINE
    y += 0.06 if oddities else 0
    for number, oddity in enumerate(oddities, start=1):
        yield Disc((MARGIN + DISC, y), number)
        if oddity.name:
            yield Label((MARGIN + INDENT, y), oddity.name, bold=True)
            y += LINE
        for line in textwrap.wrap(oddity.sentence, letters):
            yield Label((MARGIN + INDENT, y), line)
            y += LINE
        y += 0.03
