"""The commands about data: llmseg data, llmseg cache."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import options as option
from llmseg.cli.few_cases import note_official_test_cases, warn_of_few_test_cases
from llmseg.cli.groups import note_independent_cases
from llmseg.cli.help import Command, Group
from llmseg.cli.options import Cases, CasesAndHoldout, ReadingOptions
from llmseg.cli.output import Output, OutputWithProgress
from llmseg.cli.spread import spread
from llmseg.cli.text.data import (
    cache_table,
    dataset_table,
    describe_dataset,
    describe_folds,
    describe_holdout,
    describe_store,
    holdout_facts,
    store_facts,
)
from llmseg.cli.text.layout import megabytes
from llmseg.data.folds import check_place_of_folds
from llmseg.data.group_names import propose_pattern

data_app = typer.Typer(cls=Group, name="data", no_args_is_help=True, help="Prepare, split and examine datasets.")
cache_app = typer.Typer(
    cls=Group, name="cache", no_args_is_help=True, help="List or clear prepared cases that are kept on disk."
)


@data_app.command("list", cls=Command)
@spread
def list_datasets(output: Output) -> None:
    """List the datasets of the catalogue.

    Example: llmseg data list
    """
    datasets = [llmseg.data.get_dataset(name) for name in llmseg.data.dataset_names()]
    output.print([asdict(dataset) for dataset in datasets] if output.as_json else dataset_table(datasets))


@data_app.command(cls=Command)
@spread
def info(
    name: Annotated[str, typer.Argument(help="A dataset's id or usual name; see llmseg data list.")], output: Output
) -> None:
    """Show the facts of a dataset: layout, oddities, licence, what the study took.

    Example: llmseg data info hrf
    """
    dataset = llmseg.data.get_dataset(name)
    output.print(asdict(dataset) if output.as_json else describe_dataset(dataset))


@data_app.command(cls=Command)
@spread
def prepare(
    name: Annotated[str, typer.Argument(help="A dataset, or folder, nnunet or medsegbench for data in these layouts.")],
    root: Annotated[Path, typer.Option(help="Folder of the download, or an archive.")],
    reading: ReadingOptions,
    output: OutputWithProgress,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The store; NAME.h5 without it.")] = None,
    select: Annotated[str, typer.Option(help="all cases, or those of the study.")] = "all",
    seed: option.DrawSeed = 0,
    orientation: Annotated[
        str, typer.Option(help="Slices of volumes: as the study cut them, or as for display.")
    ] = "study",
    label: Annotated[
        str | None, typer.Option(help="nnunet: name or number of the label that is foreground; all without it.")
    ] = None,
    channel: Annotated[int | None, typer.Option(help="nnunet: the one channel to read.")] = None,
    group: option.GroupPattern = None,
    groups: option.GroupTable = None,
) -> None:
    """Read a dataset as it is published, folders or archives, and write it as one file; a rerun continues.

    Example: llmseg data prepare folder --root brain -o brain.h5
    """
    store = llmseg.data.prepare_dataset(
        name,
        root,
        out or Path(f"{name.lower()}.h5"),
        select=cast(Any, select),
        seed=seed,
        orientation=cast(Any, orientation),
        label=label,
        channel=channel,
        group=group,
        group_table=groups,
        reading=reading.reading,
        progress=output.progress,
    )
    if propose_pattern(store.ids):
        note_independent_cases(store)
    output.print(store_facts(store) if output.as_json else describe_store(store))


@data_app.command(cls=Command)
@spread
def split(
    cases: Cases,
    output: OutputWithProgress,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The manifest; without it, NAME-test.json beside the store.")
    ] = None,
    fraction: Annotated[float | None, typer.Option(help="Share of the cases to hold out; a tenth without it.")] = None,
    seed: option.DrawSeed = 0,
    by: Annotated[
        str, typer.Option("--split", help="grouped, or random as the study did, to see what leakage is worth.")
    ] = "grouped",
    stratified: Annotated[bool, typer.Option(help="Spread test cases over small and large foreground.")] = True,
    folds: Annotated[
        int | None, typer.Option(help="Divide all cases into so many folds instead; --out is then a folder.")
    ] = None,
) -> None:
    """Draw the test cases of a dataset and write them as a manifest, or as one for every fold.

    Example: llmseg data split --data brain.h5 --fraction 0.2 -o brain-test.json
    """
    store = cases.open()
    source = cases.data or Path(store.name)
    if folds is not None:
        if fraction is not None:
            raise UserError("give --fraction or --folds; with folds, every case is a test case once")
        out = out or source.with_name(f"{source.stem}-folds")
        how: dict[str, Any] = {"seed": seed, "split": by, "stratified": stratified, "progress": output.progress}
        _split_into_folds(store, folds, out, output, how)
        return
    out = out or source.with_name(f"{source.stem}-test.json")
    llmseg.Holdout.check_place(out)  # before the draw, which reads all cases
    holdout = llmseg.hold_out(
        store,
        fraction=0.1 if fraction is None else fraction,
        seed=seed,
        split=cast(Any, by),
        stratified=stratified,
        progress=output.progress,
    )
    warn_of_few_test_cases(holdout, how="--fraction")
    holdout.save(out)
    if by == "grouped":
        note_independent_cases(store)
    output.print(holdout_facts(holdout) if output.as_json else describe_holdout(holdout, out))


def _split_into_folds(
    store: llmseg.Store, count: int, folder: Path, output: OutputWithProgress, how: dict[str, Any]
) -> None:
    check_place_of_folds(folder, count)  # before the draw, which reads all cases
    folds = llmseg.draw_folds(store, count, **how)
    llmseg.data.save_folds(folds, folder)
    note_official_test_cases(store)
    if how["split"] == "grouped":
        note_independent_cases(store)
    output.print([holdout_facts(fold) for fold in folds] if output.as_json else describe_folds(folds, folder))


@data_app.command(cls=Command)
@spread
def doctor(cases: CasesAndHoldout, output: OutputWithProgress) -> None:
    """Look for what could spoil a training or a score; with --holdout, also for what lies on both sides of it.

    Exit code 1 means that there are errors.

    Example: llmseg data doctor --data brain.h5
    """
    # Elsewhere a file without partner is refused; here it is one of the findings.
    store, holdout = cases.open(orphans="skip"), cases.load_holdout()
    parts = None if holdout is None else holdout.parts(store)
    findings = llmseg.data.examine(
        store,
        parts=parts or _official_parts(store),
        unpaired=_files_without_partner(store),
        progress=output.progress,
    )
    output.print(findings.to_dict() if output.as_json else findings.text())
    if findings.of("error"):
        raise typer.Exit(1)


def _official_parts(store: llmseg.Store) -> dict[str, str]:
    """Return the part of every case of a prepared store whose dataset was published in parts."""
    parts = store.parts if isinstance(store, llmseg.Hdf5Store) else {}
    return {id: part for id, part in parts.items() if part}


def _files_without_partner(store: llmseg.Store) -> tuple[str, ...]:
    return store.unpaired if isinstance(store, (llmseg.Hdf5Store, llmseg.FolderStore)) else ()


@cache_app.command("list", cls=Command)
@spread
def list_cache(output: Output) -> None:
    """List the prepared cases that are kept on disk.

    Example: llmseg cache list
    """
    entries = llmseg.data.cache_entries()
    if output.as_json:
        output.print([{**asdict(entry), "path": str(entry.path)} for entry in entries])
    else:
        output.print(cache_table(entries, llmseg.data.cache_folder()))


@cache_app.command("clear", cls=Command)
def clear_cache() -> None:
    """Remove them, but those that are being written.

    Example: llmseg cache clear
    """
    Output().print(f"{megabytes(llmseg.data.clear_cache())} freed in {llmseg.data.cache_folder()}")
