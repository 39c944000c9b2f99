"""The commands about studies: llmseg ablate, llmseg compare, llmseg gap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import options as option
from llmseg.cli import study_text as cli_study_text
from llmseg.cli.common import folder_of, print_result, recipe_of, store_of

_FIGURES = ("pdf", "png")


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
    study = llmseg.run_study(
        label,
        variants,
        store,
        out,
        holdout=_holdout(holdout, store, quiet),
        seeds=seeds,
        epochs=epochs,
        device=device,
        precision=precision,
        progress=not quiet,
    )
    found = study.differences()
    _draw_differences(study)
    print_result(
        found.to_dict("records") if as_json else cli_study_text.differences_table(found, study.folder), as_json
    )


def compare(
    names: Annotated[list[str], typer.Argument(help="Pipelines, patterns such as 'gpt-4o@run-*', or recipes in JSON.")],
    out: Annotated[Path, typer.Option(help="Folder of the study.")],
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
    """Train several pipelines on the same cases and compare them with the first; the same command again continues.

    'study' stands for the nineteen of the study. Without --holdout, test cases are drawn by group with seed 0.
    """
    store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
    study = llmseg.run_study(
        None,
        _compared(names, changes),
        store,
        out,
        holdout=_holdout(holdout, store, quiet),
        seeds=seeds,
        epochs=epochs,
        device=device,
        precision=precision,
        progress=not quiet,
    )
    found = study.means()
    _draw_differences(study)
    print_result(found.to_dict("records") if as_json else cli_study_text.means_table(found, study.folder), as_json)


def gap(
    left: Annotated[str, typer.Argument(help="A pipeline, or a file with a recipe in JSON.")],
    right: Annotated[str, typer.Argument(help="The one it is compared with.")],
    out: Annotated[Path, typer.Option(help="Folder for the trainings and the result.")],
    swaps: Annotated[
        str, typer.Option(help="single: each part alone, both ways; all: every mixture; sampled: some orders.")
    ] = "single",
    orders: Annotated[int, typer.Option(help="Number of orders for --swaps sampled.", min=1)] = 4,
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
    """Say which parts make one pipeline better than another; the same command again continues.

    --set changes both. Without --holdout, test cases are drawn by group with seed 0.
    """
    first, second = _compared([left, right], changes)
    store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
    found = llmseg.run_gap(
        first,
        second,
        store,
        out,
        holdout=_holdout(holdout, store, quiet),
        swaps=swaps,  # type: ignore[arg-type]
        orders=orders,
        seeds=seeds,
        epochs=epochs,
        device=device,
        precision=precision,
        progress=not quiet,
    )
    table = found.contributions()
    for extension in _FIGURES:
        path = found.folder / f"gap.{extension}"
        llmseg.figures.draw_contributions(table, path, left=found.left.name, right=found.right.name)
    _draw_differences(found.study)
    print_result(table.to_dict("records") if as_json else cli_study_text.gap_table(table, found), as_json)


def _draw_differences(study: llmseg.Study) -> None:
    base = study.record["label"] or study.variants[0]
    for extension in _FIGURES:
        llmseg.figures.draw_differences(study.differences(), study.folder / f"differences.{extension}", base=base)


def _compared(names: list[str], changes: list[str]) -> tuple[llmseg.study.Variant, ...]:
    """Return the recipes that names, patterns and files stand for, all changed alike."""
    chosen: dict[str, llmseg.study.Variant] = {}
    for name in names:
        if name.endswith(".json"):
            found: tuple[llmseg.study.Variant, ...] = (llmseg.study.Variant(*recipe_of(name)),)
        else:
            found = llmseg.study.pipelines(llmseg.zoo.names() if name == "study" else [name])
        chosen |= {variant.name: variant for variant in found}
    if len(chosen) < 2:
        raise UserError(f"there is one recipe to compare, {next(iter(chosen))}; name at least two different ones")
    variants = tuple(chosen.values())
    for change in changes:
        variants = tuple(llmseg.study.Variant(v.name, v.recipe.change_text(change)) for v in variants)
    return variants


def _holdout(manifest: Path | None, store: llmseg.Store, quiet: bool) -> llmseg.Holdout:
    """Return the test cases: as written in a file, or drawn."""
    return llmseg.hold_out(store, progress=not quiet) if manifest is None else llmseg.Holdout.load(manifest)


def _variants(
    recipe: llmseg.Recipe,
    fields: list[str],
    crossed: bool,
    repair: str | None,
    transplant: str | None,
    source: str | None,
) -> tuple[llmseg.study.Variant, ...]:
    """Return what the options ask for, in one of three ways."""
    if sum((bool(fields), repair is not None, transplant is not None)) != 1:
        raise UserError("say what to change in one way: --field PATH=VALUE,VALUE, --repair each, or --transplant PART")
    if fields:
        return llmseg.study.ablations(recipe, dict(_field(recipe, text) for text in fields), crossed=crossed)
    if repair is not None:
        return llmseg.study.repairs(recipe, repair)
    if source is None:
        raise UserError("--transplant needs --from PIPELINE")
    other, donor = recipe_of(source)
    return llmseg.study.transplants(recipe, donor, [part.strip() for part in str(transplant).split(",")], other)


def _field(recipe: llmseg.Recipe, text: str) -> tuple[str, list[object]]:
    """Read a field and its values as they are typed; values that have commas themselves are separated by semicolons."""
    path, equals, typed = text.partition("=")
    if not equals:
        raise UserError(f"'{text}' names no values; write path=value,value, for example fit.batch_size=4,8")
    separator = ";" if isinstance(recipe.get(path), tuple) else ","
    return path, [recipe.change_text(f"{path}={value.strip()}").get(path) for value in typed.split(separator)]
