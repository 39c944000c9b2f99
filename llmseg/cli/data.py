"""The commands about data: llmseg data, llmseg cache."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer

import llmseg
from llmseg.cli import options as option
from llmseg.cli import text as cli_text
from llmseg.cli.common import folder_of, print_result, store_of

data_app = typer.Typer(name="data", no_args_is_help=True, help="Datasets: list, info, prepare, split, doctor.")
cache_app = typer.Typer(name="cache", no_args_is_help=True, help="Prepared cases that are kept on disk: list, clear.")


@data_app.command("list")
def list_datasets(as_json: option.Json = False) -> None:
    """List the datasets of the catalogue."""
    entries = [llmseg.data.get_dataset(name) for name in llmseg.data.dataset_names()]
    print_result([asdict(entry) for entry in entries] if as_json else cli_text.datasets(entries), as_json)


@data_app.command()
def info(
    name: Annotated[str, typer.Argument(help="A dataset's id or usual name; see llmseg data list.")],
    as_json: option.Json = False,
) -> None:
    """Show the facts of a dataset: layout, oddities, licence, what the study took."""
    entry = llmseg.data.get_dataset(name)
    print_result(asdict(entry) if as_json else cli_text.dataset(entry), as_json)


@data_app.command()
def prepare(
    name: Annotated[str, typer.Argument(help="A dataset, or folder, nnunet or medsegbench for data in these layouts.")],
    root: Annotated[Path, typer.Option(help="Folder of the download, or an archive.")],
    out: Annotated[Path | None, typer.Option(help="The store; NAME.h5 without it.")] = None,
    select: Annotated[str, typer.Option(help="all cases, or those of the study.")] = "all",
    seed: option.DrawSeed = 0,
    orientation: Annotated[
        str, typer.Option(help="Slices of volumes: as the study cut them, or as for display.")
    ] = "study",
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Read a dataset as it is published, folders or archives, and write it as one file; a rerun continues."""
    store = llmseg.data.prepare_dataset(
        name,
        root,
        out or Path(f"{name.lower()}.h5"),
        select=cast(Any, select),
        seed=seed,
        orientation=cast(Any, orientation),
        progress=not quiet,
    )
    print_result(cli_text.store_facts(store) if as_json else cli_text.store(store), as_json)


@data_app.command()
def split(
    out: Annotated[Path | None, typer.Option(help="The manifest; without it, NAME-test.json beside the store.")] = None,
    data: option.Data = None,
    images: option.Images = None,
    masks: option.Masks = None,
    mask_suffix: option.Suffix = None,
    foreground: option.Foreground = None,
    synthetic: option.Synthetic = None,
    cases: option.Cases = 24,
    fraction: Annotated[float, typer.Option(help="Share of the cases to hold out.")] = 0.1,
    seed: option.DrawSeed = 0,
    by: Annotated[
        str, typer.Option("--split", help="grouped, or random as the study did, to see what leakage is worth.")
    ] = "grouped",
    stratified: Annotated[bool, typer.Option(help="Spread test cases over small and large foreground.")] = True,
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Draw the test cases of a dataset and write them as a manifest."""
    store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
    source = data or Path(store.name)
    out = out or source.with_name(f"{source.stem}-test.json")
    holdout = llmseg.hold_out(
        store,
        fraction=fraction,
        seed=seed,
        split=cast(Any, by),
        stratified=stratified,
        progress=not quiet,
    )
    holdout.save(out)
    print_result(cli_text.holdout_facts(holdout) if as_json else cli_text.holdout(holdout, out), as_json)


@data_app.command()
def doctor(
    data: option.Data = None,
    images: option.Images = None,
    masks: option.Masks = None,
    mask_suffix: option.Suffix = None,
    foreground: option.Foreground = None,
    synthetic: option.Synthetic = None,
    cases: option.Cases = 24,
    holdout: option.Holdout = None,
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Look for what could spoil a training or a score; with --holdout, also for what lies on both sides of it.

    Exit code 1 means that there are errors.
    """
    store = store_of(folder_of(images, masks, mask_suffix, foreground, orphans="skip"), synthetic, cases, data)
    parts = None if holdout is None else llmseg.Holdout.load(holdout).parts(store)
    findings = llmseg.data.examine(
        store, parts=parts or _official_parts(store), alone=_alone(store), progress=not quiet
    )
    print_result(findings.to_dict() if as_json else findings.text(), as_json)
    if findings.of("error"):
        raise typer.Exit(1)


def _official_parts(store: llmseg.Store) -> dict[str, str]:
    """Return the parts that a prepared store knows."""
    parts = store.parts if isinstance(store, llmseg.Hdf5Store) else {}
    return {id: part for id, part in parts.items() if part}


def _alone(store: llmseg.Store) -> tuple[str, ...]:
    return store.alone if isinstance(store, (llmseg.Hdf5Store, llmseg.FolderStore)) else ()


@cache_app.command("list")
def list_cache(as_json: option.Json = False) -> None:
    """List the prepared cases that are kept on disk."""
    entries = llmseg.data.cache_entries()
    if as_json:
        print_result([{**asdict(entry), "path": str(entry.path)} for entry in entries], as_json)
    else:
        print_result(cli_text.cache(entries, llmseg.data.cache_folder()), as_json)


@cache_app.command("clear")
def clear_cache() -> None:
    """Remove them, but those that are being written."""
    print_result(f"{cli_text.megabytes(llmseg.data.clear_cache())} freed in {llmseg.data.cache_folder()}", False)
