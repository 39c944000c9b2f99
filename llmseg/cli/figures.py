"""The command that draws: llmseg figure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

import llmseg
from llmseg import UserError
from llmseg.cli.dataset_names import PreparedAs, read_dataset_names
from llmseg.cli.output import Output
from llmseg.cli.spread import spread

if TYPE_CHECKING:
    from llmseg.figures import Choices
    from llmseg.study import Results


@dataclass(frozen=True)
class FigureOptions:
    """What a figure shows."""

    data: Annotated[
        list[Path] | None, typer.Option(help="A store with the images, for figures that show them; repeatable.")
    ] = None
    dataset: Annotated[str | None, typer.Option(help="Draw this dataset alone.")] = None
    measure: Annotated[str, typer.Option(help="Which measure.")] = "dice"
    loss: Annotated[str, typer.Option(help="train or validation.")] = "validation"
    rule: Annotated[str, typer.Option(help="mean-then-rank, rank-then-mean or test-based.")] = "mean-then-rank"
    reference: Annotated[
        list[str] | None, typer.Option(help="A contender to show as reference, beside the zoo's own; repeatable.")
    ] = None
    case: Annotated[list[str] | None, typer.Option(help="A case for the panels; repeatable.")] = None
    prepared_as: PreparedAs = None

    def read(self, folders: list[str]) -> Results:
        """Return what the folders and tables hold of the dataset."""
        # A run without scores has curves to draw; a report has to have scores.
        read = llmseg.report.read_sources if any(map(os.path.isfile, folders)) else llmseg.study.read_results
        results = read(folders) if folders else llmseg.study.Results(None, ())
        return results if self.dataset is None else results.select_datasets(self.dataset)

    def choices(self) -> Choices:
        """Return the choices that the kinds of figures know."""
        return llmseg.figures.Choices(
            measure=self.measure,
            loss=cast(Any, self.loss),
            rule=cast(Any, self.rule),
            references=tuple(self.reference or ()),
            cases=tuple(self.case or ()),
            prepared_as=read_dataset_names(self.prepared_as),
            stores=tuple(llmseg.Hdf5Store(path) for path in self.data or ()),
        )


@spread
def figure(
    options: FigureOptions,
    output: Output,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KIND RUNS...", help="A kind, and folders or tables of scores; with --all, without a kind."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file (.pdf, .svg or .png); with --all, a folder.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every figure that the data allow.")] = False,
    kinds: Annotated[bool, typer.Option("--kinds", help="List the kinds.")] = False,
    extension: Annotated[str, typer.Option("--format", help="With --all: pdf, svg or png.")] = "pdf",
) -> None:
    """Draw a figure of studies, runs and evaluations; --kinds lists the figures there are.

    Example: llmseg figure boxes studies/two -o boxes.pdf
    """
    if kinds:
        sentences = {name: kind.shows for name, kind in llmseg.figures.KINDS.items()}
        output.print(sentences if output.as_json else _kind_table(sentences))
    elif everything:
        _draw_all(names or [], out, extension, options, output)
    else:
        _draw(names or [], out, options, output)


def _draw(names: list[str], out: Path | None, options: FigureOptions, output: Output) -> None:
    """Draw a figure of one kind."""
    kind, folders = _kind_and_folders(names)
    if out is None:
        raise UserError(f"say where to write: -o {kind}.pdf")
    # A wrong format is refused before folders are read and networks predict.
    llmseg.figures.check_format(out)
    llmseg.figures.check_replaceable(out)
    path = llmseg.figures.save(llmseg.figures.draw(kind, options.read(folders), options.choices()), out)
    output.print({"written": [str(path)]} if output.as_json else str(path))


def _draw_all(folders: list[str], out: Path | None, extension: str, options: FigureOptions, output: Output) -> None:
    """Draw every figure that the data allow, and say what was left out."""
    if out is None:
        raise UserError("say where to write: -o FOLDER")
    llmseg.figures.check_format(Path(f"figure.{extension}"))
    results, choices = options.read(folders), options.choices()
    files, left_out = llmseg.figures.draw_all(results, out, choices, extension=extension)
    written = [str(file) for file in files]
    if output.as_json:
        output.print({"written": written, "left_out": left_out})
    else:
        output.print("\n".join([*written, *(f"left out {name}: {reason}" for name, reason in left_out.items())]))


def _kind_and_folders(names: list[str]) -> tuple[str, list[str]]:
    """Tell the kind of figure from the folders and tables."""
    if not names:
        raise UserError(f"name a figure, or --all; there are {', '.join(llmseg.figures.KINDS)}")
    kind, *folders = names
    llmseg.figures.check_kind(kind)
    if not folders and kind != "errors":
        raise UserError(f"llmseg figure {kind} needs results: what llmseg compare, train or evaluate wrote")
    return kind, folders


def _kind_table(sentences: dict[str, str]) -> str:
    return "\n".join(f"{name:20} {sentence}" for name, sentence in sentences.items())
