"""Making figures, and writing them to files."""

from __future__ import annotations

import functools
import io
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from llmseg.errors import UserError, nearest
from llmseg.figures.style import DOUBLE, DPI, SETTINGS, SINGLE, SMALL
from llmseg.files import clear_leftovers, make_folder, read_bytes, write_bytes
from llmseg.stats.words import sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Given = ParamSpec("_Given")
_Drawn = TypeVar("_Drawn")

FORMATS: dict[str, dict[str, Any]] = {
    ".pdf": {"CreationDate": None, "Creator": "llmseg", "Producer": None},
    ".png": {"Software": "llmseg"},
    ".svg": {"Date": None, "Creator": "llmseg"},
}
"""Formats by extension, with metadata that name no time and no version: the same figure gives the same bytes.

Each has our name, by which :func:`check_replaceable` knows what may be replaced.
"""

_SIGNED = re.compile(rb"/Creator \(llmseg\)|tEXtSoftware\0llmseg|<cc:Agent>\s*<dc:title>llmseg</dc:title>")


@contextmanager
def use_settings() -> Iterator[None]:
    """Use the library's settings of matplotlib, whatever the user's own are, and restore those at the end."""
    import matplotlib

    with matplotlib.rc_context():
        # The user's own settings are forgotten first, also those that SETTINGS does not name.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)  # type: ignore[arg-type]
        yield


def styled(draw: Callable[_Given, _Drawn]) -> Callable[_Given, _Drawn]:
    """Let a function draw under :func:`use_settings`."""

    @functools.wraps(draw)
    def drawn(*args: _Given.args, **kwargs: _Given.kwargs) -> _Drawn:
        with use_settings():
            return draw(*args, **kwargs)

    return drawn


def make_figure(width: float, height: float) -> Figure:
    """Return an empty figure; sizes are in inches."""
    # Not by pyplot, which would keep every figure in memory and may open windows.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def make_sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure with axes that measure inches from the upper left corner, to place things by hand."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure, axes


def make_panels(count: int, height: float, *, most: int = 3, extra: float = 0.4) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels in rows; a single panel is as wide as a column of a journal.

    Args:
        count: Number of panels.
        height: Height of a panel in inches, with its labels.
        most: Panels in a row, at most. Four panels stand two by two.
        extra: Inches for what stands below all.
    """
    columns = 2 if count == 4 else min(count, most)
    rows = -(-count // columns)
    figure = make_figure(SINGLE if count == 1 else DOUBLE, rows * height + extra)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in axes[count:]:
        unused.remove()
    return figure, list(axes[:count])


def add_note(figure: Figure, *sentences: str) -> None:
    """Write below a figure what its marks mean, in lines as long as the figure is wide."""
    # A point is 1/72 inch, and a letter of DejaVu Sans is 0.53 of the font size wide, on average.
    letters = int(figure.get_size_inches()[0] * 72 / (0.53 * SMALL))
    text = textwrap.fill(" ".join(sentence for sentence in sentences if sentence), letters)
    figure.supxlabel(text, x=0.01, ha="left", fontsize=SMALL, fontweight="normal", linespacing=1.3)


def join_remarks(remarks: tuple[str, ...]) -> str:
    """Return remarks as sentences of one text."""
    return " ".join(sentence(remark) for remark in remarks)


def save(figure: Figure, path: str | Path, *, keep_text: bool = False) -> Path:
    """Write a figure so that it appears as a whole; the same figure gives the same bytes.

    Args:
        figure: The figure.
        path: The file; its extension decides the format: ``.pdf``, ``.svg`` or ``.png``.
        keep_text: Whether the text of an SVG stays text, which can be searched, copied and read aloud, and is shown in
            a similar font where ours is missing. Otherwise it is drawn as outlines, which look the same everywhere.

    Returns:
        The file.

    Raises:
        UserError: The extension is none of these, or the disk is full or refuses the file.

    Example:
        >>> save(make_figure(1, 1), "figure.tex")
        Traceback (most recent call last):
        llmseg.errors.UserError: no format '.tex' for figure.tex; there are .pdf, .png, .svg
    """
    import matplotlib

    path = Path(path)
    check_format(path)
    content = io.BytesIO()
    with use_settings():
        if keep_text:
            matplotlib.rcParams["svg.fonttype"] = "none"
        figure.savefig(content, format=path.suffix.lower()[1:], dpi=DPI, metadata=FORMATS[path.suffix.lower()])
    make_folder(path.parent)
    clear_leftovers(path.parent, path.name)
    write_bytes(path, content.getvalue())
    return path


def check_replaceable(path: Path) -> None:
    """Refuse a file that is there and is no figure of ours: each of ours says so in its metadata.

    Raises:
        UserError: The file was made by something else, or is a folder.

    Example:
        >>> check_replaceable(Path("ranking.png"))  # doctest: +SKIP
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file in it")
    if path.exists() and not _SIGNED.search(read_bytes(path)):
        raise UserError(f"{path} was not drawn by llmseg; move it away, or choose another -o")


def check_format(path: Path) -> None:
    """Refuse a file whose extension is not that of a format in :data:`FORMATS`.

    Raises:
        UserError: The extension is another.

    Example:
        >>> check_format(Path("dice.pfd"))
        Traceback (most recent call last):
        llmseg.errors.UserError: no format '.pfd' for dice.pfd; did you mean '.pdf'?; there are .pdf, .png, .svg
    """
    formats = ", ".join(FORMATS)
    if path.suffix.lower() not in FORMATS:
        raise UserError(
            f"no format '{path.suffix}' for {path.name}{nearest(path.suffix, FORMATS)}; there are {formats}"
        )
