"""Admitted pipelines: their card and recipe as files, and how they come into the zoo."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from llmseg.errors import UserError
from llmseg.files import make_folder, read_json, write_text
from llmseg.files.fields import check_fields
from llmseg.recipe.recipe import Recipe
from llmseg.zoo.card import Admitted, Card, FoundMistake
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.registry import is_registered, register

CARD = "card.json"
"""Name of the file with the card, beside that with the recipe."""

FOLDER = "recipe"
"""Folder of an admission that holds both."""

_FIELDS = {
    "id": str,
    "recipe": str,
    "recipe_digest": str,
    "parameters": int,
    "summary": str,
    "scripts": str,
    "admitted.date": str,
    "admitted.stage": str,
    "admitted.prompt_version": (int, type(None)),
    "admitted.edits": int,
    "admitted.turns": int,
    "admitted.facts": dict[str, str],
    "admitted.findings": list[dict[str, str]],
}

_FOUND = tuple(field.name for field in fields(FoundMistake))


def find_recipe_file(folder: Path, id: str) -> Path:
    """Return where the folder of an admission has the recipe; contenders are called as the file of their recipe."""
    return folder / FOLDER / f"{id}.json"


def make_card(name: str, *, parameters: int, summary: str, scripts: str, admitted: Admitted) -> Card:
    """Return the card of an admitted pipeline.

    Args:
        name: What it is called.
        parameters: Parameters of its network.
        summary: Its network in a sentence.
        scripts: Name of the folder of its scripts.
        admitted: How it was admitted.
    """
    return Card(
        name=name,
        vendor="not stated",
        cohort=None,
        parameters=parameters,
        published_for="none",
        scripts=scripts,
        origin="its recipe was read from what its scripts did",
        summary=summary,
        admitted=admitted,
    )


def write_admitted(folder: Path, pipeline: Pipeline) -> Path:
    """Write recipe and card of an admitted pipeline.

    Args:
        folder: The folder of the admission.
        pipeline: The pipeline, whose card says how it was admitted.

    Returns:
        The file with the recipe.
    """
    card, path = pipeline.card, find_recipe_file(folder, pipeline.id)
    admitted = card.admitted
    if admitted is None:
        raise UserError(f"{pipeline.id} was not admitted")
    record = {
        "id": pipeline.id,
        "recipe": path.name,
        "recipe_digest": pipeline.recipe.digest,
        "parameters": card.parameters,
        "summary": card.summary,
        "scripts": card.scripts,
        "admitted": {**asdict(admitted), "facts": dict(admitted.facts)},
    }
    make_folder(path.parent)
    write_text(path, pipeline.recipe.to_json())
    write_text(path.with_name(CARD), json.dumps(record, indent=2) + "\n")
    return path


def is_admitted(path: Path) -> bool:
    """Return whether a path is the folder of an admission with a recipe, or a file beside the card of one."""
    return (path / FOLDER / CARD if path.is_dir() else path.with_name(CARD)).is_file()


def read_admitted(path: str | Path, id: str | None = None) -> Pipeline:
    """Return an admitted pipeline without registering it.

    Args:
        path: The folder of the admission, or the file with its recipe.
        id: The name that users type; ``None`` for that of the admission.

    Raises:
        UserError: No pipeline was admitted there, its recipe is not the admitted one any more, or a file is damaged.

    Example:
        >>> from llmseg import zoo
        >>> zoo.read_admitted("admissions/my-llm").id  # doctest: +SKIP
        'my-llm'
    """
    path = Path(path)
    if not is_admitted(path):
        what = f"{path} holds no admitted recipe" if path.exists() else f"no folder {path}"
        raise UserError(f"{what}; give the --out of a llmseg admit that wrote {FOLDER}/NAME.json")
    place = path / FOLDER / CARD if path.is_dir() else path.with_name(CARD)
    record = read_json(place, _FIELDS)
    file = place.with_name(Path(record["recipe"]).name)
    if not path.is_dir() and path.name != file.name:
        raise UserError(f"{path} is not the admitted recipe, which is {file.name}; give that one")
    recipe = Recipe.from_dict(read_json(file))
    if recipe.digest != record["recipe_digest"]:
        raise UserError(
            f"{file} was changed since the admission; give the same llmseg admit command again, or the file where a "
            "recipe is wanted"
        )
    return Pipeline(id=id or record["id"], card=_read_card(place, record), recipe=recipe, original_names=())


def _read_card(place: Path, record: dict[str, Any]) -> Card:
    admitted = {field.name: record["admitted"][field.name] for field in fields(Admitted)}
    for found in admitted["findings"]:
        check_fields(place, found, _FOUND)
    findings = tuple(FoundMistake(**{key: found[key] for key in _FOUND}) for found in admitted["findings"])
    return make_card(
        record["id"],
        parameters=record["parameters"],
        summary=record["summary"],
        scripts=record["scripts"],
        admitted=Admitted(**{**admitted, "facts": tuple(admitted["facts"].items()), "findings": findings}),
    )


def load(path: str | Path, id: str | None = None) -> Pipeline:
    """Register an admitted pipeline, so that :func:`llmseg.zoo.get` and all that takes names find it in this process.

    Args:
        path: The folder of the admission, which ``llmseg admit`` calls ``--out``, or the file with its recipe.
        id: The name that users type; ``None`` for that of the admission.

    Returns:
        The pipeline with its card. One that is registered already is returned as it is.

    Raises:
        UserError: No pipeline was admitted there, its recipe is not the admitted one any more, or the name is taken.

    Example:
        >>> from llmseg import zoo
        >>> zoo.load("admissions/my-llm").card.admitted.date  # doctest: +SKIP
        '2026-03-01'
        >>> zoo.get("my-llm").quirks  # doctest: +SKIP
        ()
    """
    pipeline = read_admitted(path, id)
    if is_registered(pipeline):
        return pipeline
    try:
        return register(pipeline)
    except UserError as error:
        raise UserError(f"{error}: llmseg.zoo.load(PATH, id=NAME), or llmseg admit --name NAME") from error
