"""The command about quirks, llmseg quirks, and what llmseg train says of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import llmseg
from llmseg import Recipe
from llmseg.cli import completion
from llmseg.cli.output import Output, print_message
from llmseg.cli.spread import spread
from llmseg.cli.text.layout import align_columns
from llmseg.errors import UserError, nearest
from llmseg.recipe import Quirk, write_typed
from llmseg.recipe.given import SUFFIXES
from llmseg.zoo.given import find_recipe, is_name


@spread
def quirks(
    output: Output,
    name: Annotated[
        str | None,
        typer.Argument(
            help="A pipeline's id, a file with a recipe, or a quirk; all without it.",
            autocompletion=completion.QUIRKS_AND_PIPELINES,
        ),
    ] = None,
) -> None:
    """List all known quirks, those of a recipe with their repairs, or what is known of one.

    Example: llmseg quirks gpt-4o
    """
    if name is None:
        every = [llmseg.recipe.get_quirk(id) for id in llmseg.recipe.quirk_names()]
        output.print([_facts(quirk) for quirk in every] if output.as_json else _quirk_table(every))
    elif name in llmseg.recipe.quirk_names():
        facts = _facts(llmseg.recipe.get_quirk(name))
        output.print(facts if output.as_json else _describe_quirk(facts))
    else:
        label, recipe = _find_recipe(name)
        findings = [{**_headline(quirk), "why": quirk.why, **_repair_facts(quirk, recipe)} for quirk in recipe.quirks]
        output.print(findings if output.as_json else _describe_findings(label, findings))


def _find_recipe(name: str) -> tuple[str, Recipe]:
    """Return name and recipe of what is meant; a misspelt name may be that of a quirk as well."""
    try:
        return find_recipe(name)
    except UserError:
        if not is_name(name):
            raise
        known = [*llmseg.recipe.quirk_names(), *llmseg.zoo.all_names()]
        where = "llmseg quirks lists the quirks, llmseg list --all the pipelines"
        raise UserError(f"no quirk or pipeline '{name}'{nearest(name, known)}; {where}") from None


def warn_of_mistakes(name: str, recipe: Recipe, original: Recipe) -> None:
    """Print a line for every mistake in a recipe that its user made; the mistakes of a pipeline are its nature.

    Args:
        name: What the user named: a pipeline, or a file with a recipe.
        recipe: The recipe with the user's changes.
        original: The recipe without them.
    """
    # A recipe in a file is the user's own, so all its mistakes are told.
    expected = () if Path(name).suffix in SUFFIXES else original.quirks
    for quirk in recipe.quirks:
        if quirk.kind == "mistake" and quirk not in expected:
            how = _repair_facts(quirk, recipe)["how"]
            print_message(f"warning: {quirk.id}: {quirk.sentence} {quirk.why} Mend it with {how}")


def _headline(quirk: Quirk) -> dict[str, Any]:
    return {"id": quirk.id, "kind": quirk.kind, "sentence": quirk.sentence}


def _facts(quirk: Quirk) -> dict[str, Any]:
    return {
        **_headline(quirk),
        "why": quirk.why,
        "found_in": _pipelines_with(quirk),
        "explains": [
            {"what": explained.what, "pipelines": explained.pipelines, "source": explained.source}
            for explained in quirk.explains
        ],
    }


def _pipelines_with(quirk: Quirk) -> tuple[str, ...]:
    return llmseg.zoo.names(in_study=None, variants=True, quirk=quirk.id)


def _repair_facts(quirk: Quirk, recipe: Recipe) -> dict[str, str]:
    """Return the one field that a repair changes, and how to change it."""
    field = quirk.repaired_field(recipe)
    before, after = write_typed(field.left), write_typed(field.right)
    return {"field": field.path, "from": before, "to": after, "how": f"--set {shlex.quote(f'{field.path}={after}')}"}


def _quirk_table(quirks: Sequence[Quirk]) -> str:
    rows = [(quirk.id, quirk.kind, str(len(_pipelines_with(quirk))), quirk.sentence) for quirk in quirks]
    return align_columns([("quirk", "kind", "pipelines", "what it is"), *rows])


def _describe_quirk(facts: dict[str, Any]) -> str:
    explained = [
        f"explains: {entry['what']} ({', '.join([*entry['pipelines'], entry['source']])})"
        for entry in facts["explains"]
    ]
    pipelines = ", ".join(facts["found_in"]) or "no pipeline"
    return "\n".join(
        [f"{facts['id']} ({facts['kind']})", facts["sentence"], facts["why"], f"in: {pipelines}", *explained]
    )


def _describe_findings(label: str, findings: Sequence[dict[str, Any]]) -> str:
    lines = [f"{label}: {len(findings)} quirks" if findings else f"{label}: no known quirk"]
    for finding in findings:
        lines += [
            f"\n{finding['id']} ({finding['kind']})",
            f"  {finding['sentence']}",
            f"  {finding['why']}",
            f"  {finding['field']} is {finding['from']}; repair: {finding['how']}",
        ]
    return "\n".join(lines)
