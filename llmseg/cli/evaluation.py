"""The commands that score: llmseg evaluate, llmseg conventions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import options as option
from llmseg.cli import text as cli_text
from llmseg.cli.common import folder_of, print_result, store_of


def evaluate(
    what: Annotated[Path, typer.Argument(help="A run folder, or a folder of masks from elsewhere.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the evaluation; without it, NAME-evaluation beside what is scored."),
    ] = None,
    data: option.Data = None,
    images: option.Images = None,
    masks: option.Masks = None,
    mask_suffix: option.Suffix = None,
    foreground: option.Foreground = None,
    synthetic: option.Synthetic = None,
    cases: option.Cases = 24,
    holdout: option.Holdout = None,
    allow_overlap: Annotated[
        bool, typer.Option("--allow-overlap", help="Score cases although the run may have seen them.")
    ] = False,
    tolerance: Annotated[float, typer.Option(help="Pixels up to which NSD counts a boundary as met.", min=0)] = 2.0,
    label: Annotated[str, typer.Option(help="What rows call the maker of masks; by default the folder.")] = "",
    predicted_foreground: Annotated[
        int | None, typer.Option(help="Value that means foreground in masks from elsewhere, if they are not 0 and 255.")
    ] = None,
    device: option.Device = "auto",
    precision: option.Precision = "auto",
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Score a run, or masks from elsewhere, case by case, as everybody is scored."""
    store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
    out = out or what.resolve().with_name(f"{what.resolve().name}-evaluation")
    manifest = None if holdout is None else llmseg.Holdout.load(holdout)
    if (what / "run.json").is_file():
        evaluation = llmseg.evaluate_run(
            llmseg.Run.open(what),
            store,
            out,
            holdout=manifest,
            allow_overlap=allow_overlap,
            tolerance=tolerance,
            rules=llmseg.study.all_conventions(),
            device=device,
            precision=precision,
            progress=not quiet,
        )
    else:
        evaluation = llmseg.evaluate_masks(
            what,
            store,
            out,
            label=label,
            holdout=manifest,
            foreground=predicted_foreground,
            tolerance=tolerance,
            rules=llmseg.study.all_conventions(),
            progress=not quiet,
        )
    print_result(evaluation.record if as_json else cli_text.evaluation(evaluation), as_json)


def conventions(
    evaluations: Annotated[list[Path], typer.Argument(help="Folders that llmseg evaluate wrote, of the same cases.")],
    as_json: option.Json = False,
) -> None:
    """Score the same masks by the rules of others: who wins where, and how stable the order is."""
    opened = [llmseg.Evaluation.open(folder) for folder in evaluations]
    if len({(e.record["store_digest"], e.record["holdout"], e.record["cases"]) for e in opened}) > 1:
        raise UserError("these evaluations are not of the same cases; evaluate all with one store and one --holdout")
    names = [e.record["pipeline"] for e in opened]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in evaluations]
    systems = {name: e.counts() for name, e in zip(names, opened, strict=True)}
    frame = llmseg.evaluation.compare_conventions(systems, llmseg.study.all_conventions())
    stability = llmseg.evaluation.stability_index(frame)
    if as_json:
        print_result({"stability": stability, "rows": frame.to_dict("records")}, as_json)
    else:
        print_result(cli_text.conventions(frame, stability), as_json)
