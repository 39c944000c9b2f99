"""The command about studies: llmseg ablate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg import UserError, cli_text
from llmseg import cli_options as option
from llmseg.cli_common import folder_of, print_result, recipe_of, store_of


def ablate(
    name: Annotated[str, typer.Argument(help="A pipeline's id, or a file with a recipe in JSON.")],
    out: Annotated[Path, typer.Option(help="Folder of the study.")],
    field: Annotated[
        list[str], typer.Option(help="A field and the values it takes: path=value,value; repeatable.")
    ] = [],  # noqa: B006
    crossed: Annotated[bool, typer.Option("--crossed", help="Every combination, not one field at a time.")] = False,
    repair: Annotated[str | None, typer.Option(help="each quirk alone, all together, or ids with commas.")] = None,
    transplant: Annotated[str | None, typer.Option(help="Parts to take from another, with commas.")] = None,
    source: Annotated[str | None, typer.Option("--from", help="The other pipeline, or recipe in JSON.")] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1)] = 3,
    data: option.Data = None,
    images: option.Images = None,
    masks: option.Masks = None,
    mask_suffix: option.Suffix = None,
    foreground: option.Foreground = None,
    synthetic: option.Synthetic = None,
    cases: option.Cases = 24,
    holdout: option.Holdout = None,
    epochs: option.Epochs = None,
    changes: option.Set = [],  # noqa: B006
    device: option.Device = "auto",
    precision: option.Precision = "auto",
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Change one thing at a time and measure what it is worth; the same command again continues.

    Without --holdout, test cases are drawn by group with seed 0.
    """
    label, recipe = recipe_of(name)
    for change in changes:
        recipe = recipe.change_text(change)
    variants = _variants(recipe, field, crossed, repair, transplant, source)
    store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
    manifest = llmseg.hold_out(store, progress=not quiet) if holdout is None else llmseg.Holdout.load(holdout)
    study = llmseg.run_study(
        label,
        variants,
        store,
        out,
        holdout=manifest,
        seeds=seeds,
        epochs=epochs,
        device=device,
        precision=precision,
        progress=not quiet,
    )
    found = study.differences()
    print_result(found.to_dict("records") if as_json else cli_text.differences_table(found, study.folder), as_json)


def _variants(
    recipe: llmseg.Recipe,
    fields: list[str],
    crossed: bool,
    repair: str | None,
    transplant: str | None,
    source: str | None,
) -> tuple[llmseg.Variant, ...]:
    """Return what the options ask for, in one of three ways."""
    if sum((bool(fields), repair is not None, transplant is not None)) != 1:
        raise UserError("say what to change in one way: --field PATH=VALUE,VALUE, --repair each, or --transplant PART")
    if fields:
        return llmseg.ablations(recipe, dict(_field(recipe, text) for text in fields), crossed=crossed)
    if repair is not None:
        return llmseg.repairs(recipe, repair)
    if source is None:
        raise UserError("--transplant needs --from PIPELINE")
    other, donor = recipe_of(source)
    return llmseg.transplants(recipe, donor, [part.strip() for part in str(transplant).split(",")], other)


def _field(recipe: llmseg.Recipe, text: str) -> tuple[str, list[object]]:
    """Read a field and its values as they are typed; values that have commas themselves are separated by semicolons."""
    path, equals, typed = text.partition("=")
    if not equals:
        raise UserError(f"'{text}' names no values; write path=value,value, for example fit.batch_size=4,8")
    separator = ";" if isinstance(recipe.get(path), tuple) else ","
    return path, [recipe.change_text(f"{path}={value.strip()}").get(path) for value in typed.split(separator)]
