"""The commands that train: llmseg train, llmseg replay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal, cast

import typer
from tqdm import tqdm

import llmseg
from llmseg import UserError
from llmseg.admission import own_record
from llmseg.cli import completion
from llmseg.cli import options as option
from llmseg.cli.few_cases import warn_of_few_test_cases
from llmseg.cli.groups import note_divided_groups
from llmseg.cli.options import CasesAndHoldout, Changes, Computing
from llmseg.cli.output import OutputWithProgress
from llmseg.cli.quirks import warn_of_mistakes
from llmseg.cli.spread import spread
from llmseg.cli.text.training import describe_run, run_facts
from llmseg.cli.watching import Watching, note_written
from llmseg.files.notes import note
from llmseg.training.start import Start
from llmseg.zoo.given import find_recipe


@dataclass(frozen=True)
class TrainingComputing(Computing):
    """How a training computes; the names are those of the parameters of :func:`llmseg.train`."""

    exact: option.Exact = False
    compile: Annotated[bool, typer.Option("--compile", help="Compile the network before the first step.")] = False
    tf32: Annotated[bool, typer.Option("--tf32", help="Allow TF32 in fp32.")] = False
    at_once: Annotated[
        int | None, typer.Option(help="Cases in the network at once; less memory, but slower.", min=1)
    ] = None
    max_memory: Annotated[float | None, typer.Option(help="Gigabytes the training may take.", min=0)] = None


@dataclass(frozen=True)
class VerificationOptions:
    """A check against records of the original scripts."""

    verify: Annotated[Path | None, typer.Option(help="Check against this record of the original instead.")] = None
    verify_all: Annotated[
        Path | None,
        typer.Option(help="Check the pipelines of all records in this folder, which has their images."),
    ] = None
    level: Annotated[str, typer.Option(help="Levels to check, with commas: F1 to F5, bookkeeping.")] = (
        "F1,F2,F3,F4,bookkeeping"
    )
    bookkeeping_images: Annotated[Path | None, typer.Option(help="Images of the record's bookkeeping run.")] = None
    bookkeeping_masks: Annotated[Path | None, typer.Option(help="Masks of it.")] = None

    @property
    def levels(self) -> list[str]:
        """The levels to check."""
        return [level.strip() for level in self.level.split(",") if level.strip()]

    def open_bookkeeping(self, cases: CasesAndHoldout) -> llmseg.FolderStore | None:
        """Return the cases of the bookkeeping run, whose masks are called and valued like those of the main run."""
        bookkeeping = CasesAndHoldout(
            images=self.bookkeeping_images,
            masks=self.bookkeeping_masks,
            mask_suffix=cases.mask_suffix,
            foreground=cases.foreground,
            alpha=cases.alpha,
        )
        return bookkeeping.open_folders()


@spread
def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="The run folder.")],
    cases: CasesAndHoldout,
    computing: TrainingComputing,
    watching: Watching,
    changes: Changes,
    output: OutputWithProgress,
    name: Annotated[
        str | None,
        typer.Argument(
            help="A pipeline's id, or a file with a recipe; not needed with --from.",
            autocompletion=completion.PIPELINES,
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="A finished run whose weights the training starts from: --epochs more of them."),
    ] = None,
    epochs: option.Epochs = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of what the recipe leaves to chance: 0, or that of --from.", min=0)
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Do not keep prepared cases on disk.")] = False,
    checkpoint_every: Annotated[float, typer.Option(help="Seconds between checkpoints.", min=0)] = 60.0,
) -> None:
    """Train a recipe and write the run folder; the same command again continues an interrupted run.

    With --from, the weights of a finished run are trained further, in a folder of their own.

    Example: llmseg train llama-3.1-405b --synthetic fundus --epochs 1 -o runs/llama
    """
    observers = watching.build_observers()
    begins = None if start is None else llmseg.Run.open(llmseg.study.find_run(start))
    label, original = _choose_recipe(name, begins)
    recipe = changes.apply(original)
    warn_of_mistakes(label if name is None else name, recipe, original)
    store, holdout = cases.open() if begins is None else cases.open_as(begins), cases.load_holdout()
    if holdout is not None:
        warn_of_few_test_cases(holdout)
    run = llmseg.train(
        recipe,
        store,
        out,
        label=label,
        seed=seed if seed is not None else begins.record["seed"] if begins else 0,
        epochs=epochs,
        holdout=holdout,
        start=begins,
        cache=not no_cache,
        progress=output.progress,
        checkpoint_every=checkpoint_every,
        observers=observers,
        **asdict(computing),
    )
    note_written(observers)
    note_divided_groups(run, store, holdout)
    if begins is not None:
        _note_start(begins, run.recipe.fit.epochs)
    output.print(run_facts(run) if output.as_json else describe_run(run))


def _choose_recipe(name: str | None, begins: llmseg.Run | None) -> tuple[str, llmseg.Recipe]:
    """Return label and recipe of what is named or, without a name, of the run that the training starts from."""
    if name is not None:
        return find_recipe(name)
    if begins is None:
        raise UserError("name a pipeline or a recipe in a file, or a finished run by --from")
    return begins.record["label"], begins.recipe


def _note_start(run: llmseg.Run, epochs: int) -> None:
    """Say what a run that starts from another is not."""
    before = Start(run).record["epochs"]
    note(
        f"note: {epochs} epochs from the weights of {run.folder}, which had {before}; a finished run keeps no moments "
        "of the optimiser, so these and the learning rate begin anew, and the result is not that of one training of "
        f"{before + epochs} epochs"
    )


@spread
def replay(
    cases: CasesAndHoldout,
    verification: VerificationOptions,
    output: OutputWithProgress,
    name: Annotated[
        str | None,
        typer.Argument(
            help="A pipeline's id or alias, see llmseg list; not with --verify-all.",
            autocompletion=completion.PIPELINES,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The run folder.")] = None,
    epochs: option.Epochs = None,
    seed: option.Seed = 0,
    device: option.Device = "auto",
    tf32: Annotated[
        bool, typer.Option("--tf32", help="Let convolutions use TF32, as the scripts did on a GPU by torch's default.")
    ] = False,
    artefacts: Annotated[
        str,
        typer.Option(help="common: the same files for all pipelines, in replay; original: as the script, in original."),
    ] = "common",
) -> None:
    """Run a pipeline as its script would, or check it against a record of the original script.

    With --verify and --verify-all, exit code 1 means that a level diverges. Records were made on a CPU, so they are
    checked there unless --device names another. The record of an admission needs no NAME: its own recipe is checked.

    Example: llmseg replay llama-3.1-405b --synthetic fundus --epochs 1 -o runs/replay
    """
    checked_on = "cpu" if device == "auto" else device
    if verification.verify_all is not None:
        _verify_all(verification.verify_all, verification.levels, output, device=checked_on, tf32=tf32)
        return
    if verification.verify is not None and own_record.is_own_record(verification.verify):
        recipe = own_record.find_own_recipe(verification.verify) if name is None else find_recipe(name)[1]
        verdicts = llmseg.admission.verify_own_record(recipe, verification.verify, only=verification.levels)
        _print_verdicts(verdicts, output)
        return
    if name is None:
        if verification.verify is not None:
            llmseg.fidelity.read_record(verification.verify)  # a file that is not there is named first
        raise UserError("name a pipeline, see llmseg list, or a folder of records: --verify-all DIR")
    pipeline = llmseg.zoo.get(name)
    if verification.verify is not None:
        _verify(pipeline, verification.verify, verification, cases, output, device=checked_on, tf32=tf32)
        return
    store, holdout = cases.open(), cases.load_holdout()
    if holdout is not None:
        warn_of_few_test_cases(holdout)
    if out is None:
        raise UserError("replay needs --out DIR for the run folder, or --verify RECORD.json")
    run = llmseg.replay(
        pipeline,
        store,
        out,
        seed=seed,
        epochs=epochs,
        device=device,
        tf32=tf32,
        holdout=holdout,
        artefacts=cast("Literal['common', 'original']", artefacts),
        progress=output.progress,
    )
    note_divided_groups(run, store, holdout)
    stop = llmseg.fidelity.describe_stop(run, pipeline) if artefacts == "original" else ""
    if stop:
        note(f"note: {stop}")
    output.print(run_facts(run) if output.as_json else describe_run(run))


def _verify(
    pipeline: llmseg.Pipeline,
    record: Path,
    verification: VerificationOptions,
    cases: CasesAndHoldout,
    output: OutputWithProgress,
    *,
    device: str,
    tf32: bool,
) -> None:
    """Check a pipeline against a record of the study, level by level."""
    store, bookkeeping_store = cases.open_folders(), verification.open_bookkeeping(cases)
    verdicts = llmseg.verify(
        pipeline,
        llmseg.fidelity.read_record(record),
        store=store,
        bookkeeping_store=bookkeeping_store,
        only=verification.levels,
        device=device,
        tf32=tf32,
        progress=output.progress,
    )
    _print_verdicts(verdicts, output)


def _print_verdicts(reached: Iterable[llmseg.fidelity.Verdict], output: OutputWithProgress) -> None:
    """Print a verdict per level as soon as it is reached; exit with 1 if a level diverges."""
    verdicts = []
    for verdict in reached:
        verdicts.append(verdict)
        if not output.as_json:
            print(verdict, flush=True)
    if output.as_json:
        output.print([asdict(verdict) for verdict in verdicts])
    if not all(verdict.holds for verdict in verdicts):
        raise typer.Exit(1)


def _verify_all(folder: Path, levels: list[str], output: OutputWithProgress, *, device: str, tf32: bool) -> None:
    """Print a line per record and level as soon as a record is checked; exit with 1 if a level diverges."""
    records = []
    for record in llmseg.fidelity.verify_all(folder, only=levels, device=device, tf32=tf32, progress=output.progress):
        records.append(record)
        if not output.as_json:
            # Written above the progress bar, which would tear a plain line apart.
            tqdm.write("\n".join(f"{record.pipeline:<28}{verdict}" for verdict in record.verdicts))
    if output.as_json:
        import torch

        versions = {"llmseg": llmseg.__version__, "torch": torch.__version__}
        facts = {"hardware": llmseg.hardware(), "versions": versions}
        output.print({**facts, "records": [asdict(record) for record in records]})
    if not all(record.holds for record in records):
        raise typer.Exit(1)
