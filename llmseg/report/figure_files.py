"""The figures of a report as files, for a paper: all that the data allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llmseg.data.store import Store
from llmseg.figures import KINDS, Choices, check_format, draw_all
from llmseg.study.results import Results

FOLDER = "figures"


@dataclass(frozen=True)
class FigureFiles:
    """The figures of a report.

    Attributes:
        drawn: What each file shows, by its path relative to the folder of the report.
        left_out: Why a figure was not drawn, by the name of its kind.
    """

    drawn: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


def check_extension(extension: str | None) -> None:
    """Refuse an extension that no figure can have; ``None`` stands for no figures.

    Raises:
        UserError: There is no such format.

    Example:
        >>> check_extension("pfd")
        Traceback (most recent call last):
        llmseg.errors.UserError: no format '.pfd' for figure.pfd; did you mean '.pdf'?; there are .pdf, .png, .svg
    """
    if extension is not None:
        check_format(Path(f"figure.{extension}"))


def draw_figures(
    results: Results,
    folder: Path,
    extension: str | None,
    *,
    measure: str,
    references: Sequence[str],
    stores: Sequence[Store],
) -> FigureFiles:
    """Draw every figure that the data allow, as ``llmseg figure --all`` does.

    Args:
        results: The results of the report.
        folder: The folder of the report.
        extension: ``pdf``, ``svg`` or ``png``; ``None`` draws nothing.
        measure: Which measure.
        references: Contenders to show as references, beside those that the zoo knows as such.
        stores: Stores with the images, for figures that show them.
    """
    if extension is None:
        return FigureFiles()
    choices = Choices(measure=measure, references=tuple(references), stores=tuple(stores))
    files, left_out = draw_all(results, folder / FOLDER, choices, extension=extension)
    return FigureFiles({f"{FOLDER}/{path.name}": _describe(path.stem) for path in files}, left_out)


def _describe(name: str) -> str:
    """Return what a figure shows, by the name of its file: that of its kind, and of a dataset behind it."""
    kind = max((kind for kind in KINDS if name == kind or name.startswith(f"{kind}-")), key=len)
    return KINDS[kind].shows
