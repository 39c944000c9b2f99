"""The commands that score: llmseg evaluate, llmseg conventions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg import UserError
from llmseg.cli.groups import note_divided_groups
from llmseg.cli.options import CasesAndHoldout, Computing
from llmseg.cli.output import Output, OutputWithProgress
from llmseg.cli.spread import spread
from llmseg.cli.text.evaluation import convention_table, describe_evaluation
from llmseg.files.fields import check_fields


@spread
def evaluate(
    what: Annotated[
        Path, typer.Argument(help="A run folder, a study with --contender, or a folder of masks from elsewhere.")
    ],
    cases: CasesAndHoldout,
    computing: Computing,
    output: OutputWithProgress,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder of the evaluation; without it, NAME-evaluation beside what is scored."
        ),
    ] = None,
    allow_overlap: Annotated[
        bool, typer.Option("--allow-overlap", help="Score cases although the run may have seen them.")
    ] = False,
    tolerance: Annotated[float, typer.Option(help="Pixels up to which NSD counts a boundary as met.", min=0)] = 2.0,
    label: Annotated[str, typer.Option(help="What rows call the maker of masks; by default the folder.")] = "",
    predicted_foreground: Annotated[
        str | None, typer.Option(help="As --foreground, for masks from elsewhere that are scored.")
    ] = None,
    contender: Annotated[str | None, typer.Option(help="Which contender, if a study is scored.")] = None,
    seed: Annotated[int | None, typer.Option(help="Which seed of it; the first without it.", min=0)] = None,
) -> None:
    """Score a run, or masks from elsewhere, case by case, as everybody is scored.

    Example: llmseg evaluate runs/llama --synthetic fundus
    """
    chosen = contender is not None or seed is not None
    trained = chosen or llmseg.study.is_training(what)
    run = llmseg.Run.open(llmseg.study.find_run(what, contender, seed)) if trained else None
    store, holdout = cases.open() if run is None else cases.open_as(run), cases.load_holdout()
    evaluation = llmseg.evaluate(
        what,
        store,
        out,
        holdout=holdout,
        allow_overlap=allow_overlap,
        tolerance=tolerance,
        label=label,
        predicted_foreground=predicted_foreground,
        contender=contender,
        seed=seed,
        progress=output.progress,
        **asdict(computing),
    )
    # Then its own test cases are scored, unless some are held out.
    if run is not None and run.record["store"]["digest"] == store.digest:
        note_divided_groups(run, store, holdout)
    output.print(evaluation.record if output.as_json else describe_evaluation(evaluation))


@spread
def conventions(
    evaluations: Annotated[list[Path], typer.Argument(help="Folders that llmseg evaluate wrote, of the same cases.")],
    output: Output,
) -> None:
    """Score the same masks by the rules of others: who wins where, and how stable the order is.

    Example: llmseg conventions runs/llama-evaluation
    """
    opened = [llmseg.Evaluation.open(folder) for folder in evaluations]
    records = [evaluation.record for evaluation in opened]
    for evaluation, record in zip(opened, records, strict=True):
        known = {"store_digest": str, "holdout": (str, type(None)), "pipeline": str}
        check_fields(evaluation.folder / "evaluation.json", record, known)
    if len({(record["store_digest"], record["holdout"], record["cases"]) for record in records}) > 1:
        raise UserError("these evaluations are not of the same cases; evaluate all with one store and one --holdout")
    names = [record["pipeline"] for record in records]
    # Two runs of one pipeline are told apart by their folders.
    if len(set(names)) < len(names):
        names = [str(folder) for folder in evaluations]
    systems = {name: evaluation.counts() for name, evaluation in zip(names, opened, strict=True)}
    frame = llmseg.evaluation.compare_conventions(systems, llmseg.study.all_conventions())
    stability = llmseg.evaluation.compute_stability(frame)
    if output.as_json:
        output.print({"stability": stability, "rows": frame.to_dict("records")})
    else:
        output.print(convention_table(frame, stability))
