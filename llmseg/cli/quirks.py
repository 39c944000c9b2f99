"""The command about quirks, llmseg quirks, and what llmseg train says of them."""

from __future__ import annotations

import sys
from dataclasses import is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

import llmseg
from llmseg import Recipe
from llmseg.cli import options as option
from llmseg.cli import text as cli_text
from llmseg.cli.common import print_result, recipe_of, speaks
from llmseg.recipe import Quirk


def quirks(
    name: Annotated[
        str | None, typer.Argument(help="A pipeline's id, a file with a recipe in JSON, or a quirk; all without it.")
    ] = None,
    as_json: option.Json = False,
) -> None:
    """List all known quirks, those of a recipe with their repairs, or what is known of one."""
    if name is None:
        every = [llmseg.recipe.get_quirk(id) for id in llmseg.recipe.quirk_names()]
        print_result([_facts(quirk) for quirk in every] if as_json else _table(every), as_json)
    elif name in llmseg.recipe.quirk_names():
        facts = _facts(llmseg.recipe.get_quirk(name))
        print_result(facts if as_json else _described(facts), as_json)
    else:
        label, recipe = recipe_of(name)
        found = [{**_short(quirk), "why": quirk.why, **_repair(quirk, recipe)} for quirk in recipe.quirks]
        print_result(found if as_json else _found(label, found), as_json)


def warn(name: str, recipe: Recipe) -> None:
    """Print a line for every mistake in a recipe that its user made; those a pipeline came with are its nature.

    Args:
        name: What the user named: a pipeline, or a file with a recipe.
        recipe: The recipe with the user's changes.
    """
    known = () if Path(name).suffix == ".json" else recipe_of(name)[1].quirks
    for quirk in recipe.quirks:
        if quirk.kind == "mistake" and quirk not in known and speaks():
            mend = _repair(quirk, recipe)["how"]
            print(f"llmseg: warning: {quirk.id}: {quirk.sentence} {quirk.why} Mend it with {mend}", file=sys.stderr)


def _short(quirk: Quirk) -> dict[str, Any]:
    return {"id": quirk.id, "kind": quirk.kind, "sentence": quirk.sentence}


def _facts(quirk: Quirk) -> dict[str, Any]:
    return {
        **_short(quirk),
        "why": quirk.why,
        "found_in": llmseg.zoo.all_names(reference=False, quirk=quirk.id),
        "explains": [{"what": e.what, "pipelines": e.pipelines, "source": e.source} for e in quirk.explains],
    }


def _repair(quirk: Quirk, recipe: Recipe) -> dict[str, str]:
    """Return the one field that a repair changes, and how to change it; a part cannot be typed."""
    field = quirk.repaired_field(recipe)
    before, after = (cli_text.value_text(value) for value in (field.left, field.right))
    typed = f"--set {field.path}={after}"
    how = f'recipe.repaired("{quirk.id}")' if is_dataclass(field.right) else typed
    return {"field": field.path, "from": before, "to": after, "how": how}


def _table(every: list[Quirk]) -> str:
    rows = [(q.id, q.kind, str(len(llmseg.zoo.all_names(reference=False, quirk=q.id))), q.sentence) for q in every]
    return cli_text.columns([("quirk", "kind", "pipelines", "what it is"), *rows])


def _described(facts: dict[str, Any]) -> str:
    explained = [f"explains: {e['what']} ({', '.join([*e['pipelines'], e['source']])})" for e in facts["explains"]]
    found_in = ", ".join(facts["found_in"]) or "no pipeline"
    return "\n".join(
        [f"{facts['id']} ({facts['kind']})", facts["sentence"], facts["why"], f"in: {found_in}", *explained]
    )


def _found(label: str, found: list[dict[str, Any]]) -> str:
    lines = [f"{label}: {len(found)} quirks" if found else f"{label}: no known quirk"]
    for quirk in found:
        lines += [
            f"\n{quirk['id']} ({quirk['kind']})",
            f"  {quirk['sentence']}",
            f"  {quirk['why']}",
            f"  {quirk['field']} is {quirk['from']}; repair: {quirk['how']}",
        ]
    return "\n".join(lines)
