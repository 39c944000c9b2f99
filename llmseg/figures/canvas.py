"""Making figures, and writing them to files."""

from __future__ import annotations

import functools
import io
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from llmseg.errors import UserError, nearest
from llmseg.figures.style import DOUBLE, DPI, SETTINGS, SINGLE, SMALL
from llmseg.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Given = ParamSpec("_Given")
_Drawn = TypeVar("_Drawn")

FORMATS: dict[str, dict[str, Any]] = {
    ".pdf": {"CreationDate": None, "Creator": "llmseg", "Producer": None},
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": "llmseg"},
}
"""Formats by extension, with metadata that hold no time and no version."""


@contextmanager
def settings() -> Iterator[None]:
    """Use the library's settings of matplotlib, whatever the user's own are, and restore those."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)  # type: ignore[arg-type]
        yield


def styled(draw: Callable[_Given, _Drawn]) -> Callable[_Given, _Drawn]:
    """Let a function draw under :func:`settings`."""

    @functools.wraps(draw)
    def drawn(*args: _Given.args, **kwargs: _Given.kwargs) -> _Drawn:
        with settings():
            return draw(*args, **kwargs)

    return drawn


def canvas(width: float, height: float) -> Figure:
    """Return an empty figure; sizes are in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure to place things on by inches from its upper left corner."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure, axes


def panels(number: int, height: float, *, most: int = 3, extra: float = 0.4) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels side by side and below each other.

    Args:
        number: How many.
        height: Height of each in inches, with its labels.
        most: Panels in a row; a single one is as wide as a journal's column.
        extra: Inches for what stands below all.
    """
    columns = most if number > most and number != 4 else min(number, 2) if number == 4 else number
    rows = -(-number // columns)
    figure = canvas(SINGLE if number == 1 else DOUBLE, rows * height + extra)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in axes[number:]:
        unused.remove()
    return figure, list(axes[:number])


def note(figure: Figure, *sentences: str) -> None:
    """Write below a figure what its marks mean, in lines as long as the figure is wide."""
    letters = int(figure.get_size_inches()[0] * 72 / (0.53 * SMALL))
    text = textwrap.fill(" ".join(one for one in sentences if one), letters)
    figure.supxlabel(text, x=0.01, ha="left", fontsize=SMALL, fontweight="normal", linespacing=1.3)


def sentences(remarks: tuple[str, ...]) -> str:
    """Return remarks as one text."""
    return " ".join(f"{remark[0].upper()}{remark[1:].rstrip('.')}." for remark in remarks)


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure so that it appears as a whole; the same figure gives the same bytes.

    Args:
        figure: The figure.
        path: The file; its extension decides the format: ``.pdf``, ``.svg`` or ``.png``.

    Returns:
        The file.

    Raises:
        UserError: The extension is none of these, or the disk is full or refuses the file.

    Example:
        >>> save(canvas(1, 1), "figure.tex")
        Traceback (most recent call last):
        llmseg.errors.UserError: no format '.tex' for figure.tex; there are .pdf, .png, .svg
    """
    path = Path(path)
    check_format(path)
    content = io.BytesIO()
    with settings():
        figure.savefig(content, format=path.suffix.lower()[1:], dpi=DPI, metadata=FORMATS[path.suffix.lower()])
    write_bytes(path, content.getvalue())
    return path


def check_format(path: Path) -> None:
    """Refuse a file whose extension is none that figures have.

    Raises:
        UserError: It is not.
    """
    known = ", ".join(FORMATS)
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"no format '{path.suffix}' for {path.name}{nearest(path.suffix, FORMATS)}; there are {known}")
