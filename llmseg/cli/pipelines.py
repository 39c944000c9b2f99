"""The commands about pipelines: llmseg list, show, diff, fields."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import completion
from llmseg.cli.options import Changes
from llmseg.cli.output import Output, print_message
from llmseg.cli.spread import spread
from llmseg.cli.text.fields import describe_fields
from llmseg.cli.text.pipelines import (
    describe_pipeline,
    describe_recipe,
    difference_table,
    pipeline_facts,
    pipeline_table,
)
from llmseg.zoo.admitted import is_admitted
from llmseg.zoo.given import find_recipe, is_name


@spread
def list_pipelines(
    output: Output,
    cohort: Annotated[int | None, typer.Option(help="2024 or 2025.")] = None,
    reasoning: Annotated[bool | None, typer.Option(help="Only models counted as reasoning, or only others.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Beginning of the vendor's name.")] = None,
    references: Annotated[bool, typer.Option(help="The references that experts wrote, instead.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also variants, those outside the study, and references.")
    ] = False,
) -> None:
    """List the pipelines.

    Example: llmseg list --cohort 2025
    """
    names = llmseg.zoo.names(
        cohort=cohort,
        reasoning=reasoning,
        vendor=vendor,
        in_study=None if everything else True,
        variants=everything,
        reference=True if references else None if everything else False,
    )
    if not names and not output.as_json:
        cards = [llmseg.zoo.get(name).card for name in llmseg.zoo.names(in_study=None, reference=None)]
        vendors = ", ".join(dict.fromkeys(card.vendor for card in cards))
        raise UserError(f"no pipeline fits all of that; cohorts: 2024, 2025; vendors: {vendors}")
    pipelines = [llmseg.zoo.get(name) for name in names]
    output.print(pipeline_facts(pipelines) if output.as_json else pipeline_table(pipelines))


@spread
def show(
    name: Annotated[
        str,
        typer.Argument(help="A pipeline, a file with a recipe, or a run folder.", autocompletion=completion.PIPELINES),
    ],
    changes: Changes,
    output: Output,
    draw: Annotated[
        Path | None, typer.Option(help="Draw its network instead, into this file (.svg, .pdf or .png).")
    ] = None,
    to_file: Annotated[
        Path | None, typer.Option("--recipe", help="Write the recipe to this file (.yaml or .json) instead.")
    ] = None,
) -> None:
    """Show a pipeline: card, recipe, how it differs from the textbook recipe, published against actual.

    Example: llmseg show gpt-4o
    """
    label, original = find_recipe(name)
    recipe = changes.apply(original)
    if draw is not None or to_file is not None:
        written = [] if draw is None else [_draw_network(" ".join([label, *(changes.changes or ())]), recipe, draw)]
        written += [] if to_file is None else [llmseg.recipe.write_recipe(recipe, to_file)]
        output.print({"written": list(map(str, written))} if output.as_json else "\n".join(map(str, written)))
        return
    pipeline = _find_pipeline(name, label) if original is recipe else None
    if output.as_json:
        output.print({"id": label, "recipe": recipe.to_dict()} if pipeline is None else _facts(pipeline))
    else:
        output.print(describe_recipe(label, recipe) if pipeline is None else describe_pipeline(pipeline))


def _find_pipeline(name: str, label: str) -> llmseg.Pipeline | None:
    """Return the pipeline that a name or the file with an admitted recipe stands for; ``None`` for another recipe."""
    if is_name(name):
        return llmseg.zoo.get(label)
    if not is_admitted(Path(name)):
        return None
    try:
        return llmseg.zoo.read_admitted(name)
    except UserError as error:
        print_message(f"warning: without its card, for {error}")
        return None


def _draw_network(title: str, recipe: llmseg.Recipe, path: Path) -> Path:
    llmseg.figures.check_format(path)
    llmseg.figures.check_replaceable(path)
    return llmseg.figures.save(llmseg.figures.draw_network(llmseg.study.Variant(title, recipe)), path, keep_text=True)


def _facts(pipeline: llmseg.Pipeline) -> dict[str, Any]:
    outputs = [] if pipeline.outputs is None else pipeline.outputs.files
    return {
        "id": pipeline.id,
        "card": asdict(pipeline.card),
        "recipe": pipeline.recipe.to_dict(),
        "outputs": [{"kind": type(each).__name__, **asdict(each)} for each in outputs],
    }


@spread
def diff(
    left: Annotated[str, typer.Argument(help="A pipeline or a recipe in a file.", autocompletion=completion.PIPELINES)],
    right: Annotated[str, typer.Argument(help="Another.", autocompletion=completion.PIPELINES)],
    output: Output,
) -> None:
    """Show the fields in which two recipes differ.

    Example: llmseg diff gpt-4 gpt-4o
    """
    ours, theirs = find_recipe(left)[1], find_recipe(right)[1]
    if output.as_json:
        output.print([asdict(difference) for difference in ours.diff(theirs)])
    else:
        output.print(difference_table((left, ours), (right, theirs)))


@spread
def fields(
    output: Output,
    path: Annotated[
        str,
        typer.Argument(
            help="A field such as fit.optimizer, or a part such as net; all fields without it.",
            autocompletion=completion.FIELDS,
        ),
    ] = "",
    source: Annotated[
        str | None,
        typer.Option(
            "--of",
            help="A pipeline or a recipe in a file, to see its values and its kinds of parts.",
            autocompletion=completion.PIPELINES,
        ),
    ] = None,
) -> None:
    """List the fields of a recipe, with their meaning and what --set and --field may give them.

    Example: llmseg fields fit.schedule
    """
    found = llmseg.recipe.list_fields(path, None if source is None else find_recipe(source)[1])
    output.print([asdict(field) for field in found] if output.as_json else describe_fields(found))
