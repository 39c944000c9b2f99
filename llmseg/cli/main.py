"""The command line: a thin wrapper on the public names."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import llmseg
from llmseg import Terminated, UserError
from llmseg.cli import data as cli_data
from llmseg.cli import evaluation as cli_evaluation
from llmseg.cli import figures as cli_figures
from llmseg.cli import nnunet as cli_nnunet
from llmseg.cli import options as option
from llmseg.cli import quirks as cli_quirks
from llmseg.cli import report as cli_report
from llmseg.cli import study as cli_study
from llmseg.cli import text as cli_text
from llmseg.cli.common import folder_of, print_result, recipe_of, speaks, store_of

if TYPE_CHECKING:
    from torch import nn

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for commands in (cli_data.data_app, cli_data.cache_app, cli_nnunet.nnunet_app):
    app.add_typer(commands)
app.command()(cli_evaluation.evaluate)
app.command()(cli_evaluation.conventions)
app.command()(cli_figures.figure)
app.command()(cli_quirks.quirks)
app.command()(cli_study.ablate)
app.command()(cli_study.compare)
app.command()(cli_study.gap)
app.command()(cli_report.report)


def _version(wanted: bool) -> None:
    if wanted:
        print(llmseg.__version__)
        raise typer.Exit


@app.callback()
def llmseg_command(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Segmentation pipelines written by large language models: list, show, replay, train, predict."""


@app.command("list")
def list_pipelines(
    cohort: Annotated[int | None, typer.Option(help="2024 or 2025.")] = None,
    reasoning: Annotated[bool | None, typer.Option(help="Only models counted as reasoning, or only others.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Beginning of the vendor's name.")] = None,
    references: Annotated[bool, typer.Option(help="The references that experts wrote, instead.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also variants, those outside the study, and references.")
    ] = False,
    as_json: option.Json = False,
) -> None:
    """List the pipelines."""
    names = llmseg.zoo.names(
        cohort=cohort,
        reasoning=reasoning,
        vendor=vendor,
        in_study=None if everything else True,
        variants=everything,
        reference=True if references else None if everything else False,
    )
    if not names and not as_json:
        every = [llmseg.zoo.get(name).card for name in llmseg.zoo.names(in_study=None, reference=None)]
        vendors = ", ".join(dict.fromkeys(card.vendor for card in every))
        raise UserError(f"no pipeline fits all of that; cohorts: 2024, 2025; vendors: {vendors}")
    pipelines = [llmseg.zoo.get(name) for name in names]
    print_result(cli_text.table_rows(pipelines) if as_json else cli_text.table(pipelines), as_json)


@app.command()
def show(name: option.Name, as_json: option.Json = False) -> None:
    """Show a pipeline: card, recipe, how it differs from the textbook recipe, published against actual."""
    pipeline = llmseg.zoo.get(name)
    if as_json:
        print_result({"id": pipeline.id, "card": asdict(pipeline.card), "recipe": pipeline.recipe.to_dict()}, as_json)
    else:
        print_result(cli_text.description(pipeline), as_json)


@app.command()
def diff(
    left: Annotated[str, typer.Argument(help="A pipeline or a recipe in JSON.")],
    right: Annotated[str, typer.Argument(help="Another.")],
    as_json: option.Json = False,
) -> None:
    """Show the fields in which two recipes differ."""
    differences = recipe_of(left)[1].diff(recipe_of(right)[1])
    if as_json:
        print_result([asdict(d) for d in differences], as_json)
    else:
        print_result(cli_text.differences(differences, left, right), as_json)


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="A pipeline's id, or a file with a recipe in JSON.")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    images: option.Images = None,
    masks: option.Masks = None,
    mask_suffix: option.Suffix = None,
    foreground: option.Foreground = None,
    data: option.Data = None,
    synthetic: option.Synthetic = None,
    cases: option.Cases = 24,
    epochs: option.Epochs = None,
    seed: option.Seed = 0,
    device: option.Device = "auto",
    precision: option.Precision = "auto",
    exact: option.Exact = False,
    compile: option.Compile = False,
    tf32: option.Tf32 = False,
    at_once: option.AtOnce = None,
    max_memory: option.MaxMemory = None,
    holdout: option.Holdout = None,
    no_cache: option.NoCache = False,
    changes: option.Set = [],  # noqa: B006
    checkpoint_every: option.Every = 60.0,
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Train a recipe and write the run folder; the same command again continues an interrupted run."""
    label, recipe = recipe_of(name)
    for change in changes:
        recipe = recipe.change_text(change)
    cli_quirks.warn(name, recipe)
    store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
    run = llmseg.train(
        recipe,
        store,
        out,
        label=label,
        seed=seed,
        epochs=epochs,
        device=device,
        precision=precision,
        exact=exact,
        compile=compile,
        tf32=tf32,
        at_once=at_once,
        max_memory=max_memory,
        holdout=None if holdout is None else llmseg.Holdout.load(holdout),
        cache=not no_cache,
        progress=not quiet,
        checkpoint_every=checkpoint_every,
    )
    print_result(cli_text.run_summary(run, as_json), as_json)


@app.command()
def replay(
    name: option.Name,
    out: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    images: option.Images = None,
    masks: option.Masks = None,
    mask_suffix: option.Suffix = None,
    foreground: option.Foreground = None,
    data: option.Data = None,
    synthetic: option.Synthetic = None,
    cases: option.Cases = 24,
    epochs: option.Epochs = None,
    seed: option.Seed = 0,
    device: option.Device = "auto",
    holdout: option.Holdout = None,
    verify: Annotated[Path | None, typer.Option(help="Check against this record of the original instead.")] = None,
    level: Annotated[str, typer.Option(help="Levels to check, with commas.")] = "F1,F2,F3,F4,bookkeeping",
    bookkeeping_images: Annotated[Path | None, typer.Option(help="Images of the record's bookkeeping run.")] = None,
    bookkeeping_masks: Annotated[Path | None, typer.Option(help="Masks of it.")] = None,
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Run a pipeline as its script would, or check it against a record of the original script.

    With --verify, exit code 1 means that a level diverges.
    """
    pipeline = llmseg.zoo.get(name)
    if verify is None:
        store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
        if out is None:
            raise UserError("replay needs --out DIR for the run folder, or --verify RECORD.json")
        run = llmseg.replay(
            pipeline,
            store,
            out,
            seed=seed,
            epochs=epochs,
            device=device,
            holdout=None if holdout is None else llmseg.Holdout.load(holdout),
            progress=not quiet,
        )
        print_result(cli_text.run_summary(run, as_json), as_json)
        return
    first = folder_of(images, masks, mask_suffix, foreground)
    second = folder_of(bookkeeping_images, bookkeeping_masks, mask_suffix, foreground)
    _verify(pipeline, verify, level, first, second, as_json, quiet)


@app.command()
def predict(
    model: option.Model,
    images: Annotated[Path, typer.Option(help="Folder of images.")],
    out: Annotated[Path, typer.Option(help="Folder for masks and probabilities.")],
    weights: option.Weights = None,
    device: option.Device = "auto",
    precision: option.Precision = "auto",
    exact: option.Exact = False,
    batch_size: option.Together = None,
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Write a probability map and a mask for every image, on the image's own grid."""
    masks = llmseg.predict(
        *_model(model, weights),
        images,
        out,
        device=device,
        precision=precision,
        exact=exact,
        batch_size=batch_size,
        progress=not quiet,
    )
    print_result([str(m) for m in masks] if as_json else f"{len(masks)} masks in {out / 'masks'}", as_json)


@app.command()
def export(
    model: option.Model,
    out: Annotated[Path, typer.Option(help="The file: .pt2 for torch.export, .onnx for ONNX.")],
    weights: option.Weights = None,
    size: Annotated[str | None, typer.Option(help="Height and width instead of the recipe's, as 256,256.")] = None,
    as_json: option.Json = False,
) -> None:
    """Write a network as a file that runs without llmseg, and check that both agree."""
    net, recipe = _model(model, weights)
    wanted = llmseg.prediction.export_size(recipe, None if size is None else _pair(size))
    path = llmseg.export_model(net, recipe, out, size=wanted)
    difference = llmseg.prediction.export_difference(net, recipe, path, size=wanted)
    if as_json:
        print_result(
            {"path": str(path), "size": wanted, "bytes": path.stat().st_size, "difference": difference}, as_json
        )
    else:
        megabytes = cli_text.megabytes(path.stat().st_size)
        text = f"{path} ({megabytes}) for images of {wanted[0]} x {wanted[1]}; largest difference {difference:.1e}"
        print_result(text, as_json)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one line and exit code 2, SIGTERM in 143."""
    try:
        app(arguments)
    except UserError as error:
        _complain(error)
        raise SystemExit(2) from None
    except Terminated as stop:
        _complain(stop)
        raise SystemExit(128 + signal.SIGTERM) from None


def _complain(error: Exception) -> None:
    """Print an error once, however many processes meet it."""
    if speaks():
        print(f"llmseg: {error}", file=sys.stderr)


def _model(model: str, weights: Path | None) -> tuple[nn.Module, llmseg.Recipe]:
    """Return network and recipe of a run folder, or of a pipeline with the original's weights."""
    if weights is None:
        return llmseg.load_model(model)
    return llmseg.prediction.load_original_model(llmseg.zoo.get(model), weights)


def _pair(size: str) -> tuple[int, int]:
    try:
        height, width = (int(side) for side in size.split(","))
    except ValueError:
        raise UserError(f"--size {size} is not height and width; write it as 256,256") from None
    return height, width


def _verify(
    pipeline: llmseg.Pipeline,
    record: Path,
    level: str,
    store: llmseg.Store | None,
    bookkeeping_store: llmseg.Store | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print a verdict per level as it is reached; exit with 1 if one diverges."""
    verdicts = []
    for verdict in llmseg.verify(
        pipeline,
        llmseg.fidelity.read_record(record),
        store=store,
        bookkeeping_store=bookkeeping_store,
        only=[part.strip() for part in level.split(",") if part.strip()],
        progress=not quiet,
    ):
        verdicts.append(verdict)
        if not as_json:
            print(verdict, flush=True)
    if as_json:
        print_result([asdict(v) for v in verdicts], as_json)
    if not all(v.holds for v in verdicts):
        raise typer.Exit(1)
