"""What may be given where a pipeline or its recipe is meant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llmseg.errors import UserError
from llmseg.files import read_json_if_any
from llmseg.recipe.given import SUFFIXES, GivenRecipe, read_recipe
from llmseg.recipe.recipe import Recipe
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.registry import get


def find_pipeline(given: Pipeline | str) -> Pipeline:
    """Return a pipeline, or the one of a name.

    Raises:
        UserError: No pipeline has that name, or something else is given.

    Example:
        >>> find_pipeline("GPT 4").id
        'gpt-4'
    """
    if isinstance(given, Pipeline):
        return given
    if isinstance(given, str):
        return get(given)
    raise UserError(f"a pipeline is needed, not {type(given).__name__}; give its name or llmseg.zoo.get(NAME)")


def find_recipe(given: GivenRecipe) -> tuple[str, Recipe]:
    """Return name and recipe of what is meant.

    A text is the name of a pipeline, unless it is a file or folder with a recipe; a path is always a file or folder.

    Args:
        given: The name of a pipeline, or as for :func:`llmseg.recipe.given.read_recipe`.

    Returns:
        The id of the pipeline, the name of the variant or the file, or the label of the run; empty for a bare recipe.

    Raises:
        UserError: There is no such pipeline, file or folder, or it holds no recipe.

    Example:
        >>> find_recipe("4o")[0], find_recipe(get("gpt-4"))[0]
        ('gpt-4o', 'gpt-4')
    """
    if isinstance(given, str) and is_name(given):
        pipeline = get(given)
        return pipeline.id, pipeline.recipe
    if isinstance(given, str | Path):
        path = Path(given)
        label = (read_json_if_any(path / "run.json") or {}).get("label") if path.is_dir() else None
        return str(label or path.resolve().stem), read_recipe(given)
    record = getattr(given, "record", None)
    label = record.get("label", "") if isinstance(record, Mapping) else ""
    return str(getattr(given, "id", getattr(given, "name", label))), read_recipe(given)


def is_name(text: str) -> bool:
    """Return whether a text can only be the name of a pipeline, because it is no file or folder with a recipe."""
    path = Path(text)
    return path.suffix not in SUFFIXES and len(path.parts) < 2 and not (path / "run.json").is_file()
