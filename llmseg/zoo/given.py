"""What may be given where a pipeline or its recipe is meant."""

from __future__ import annotations

from pathlib import Path

from llmseg.errors import UserError
from llmseg.recipe.given import GivenRecipe, read_recipe
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

    Raises:
        UserError: There is no such pipeline, file or folder, or it holds no recipe.

    Example:
        >>> find_recipe("4o")[0], find_recipe(get("gpt-4"))[0]
        ('gpt-4o', 'gpt-4')
    """
    if isinstance(given, str) and not _is_path(Path(given)):
        pipeline = get(given)
        return pipeline.id, pipeline.recipe
    if isinstance(given, str | Path):
        return Path(given).stem, read_recipe(given)
    return str(getattr(given, "id", getattr(given, "name", ""))), read_recipe(given)


def _is_path(path: Path) -> bool:
    return path.suffix == ".json" or len(path.parts) > 1 or (path / "run.json").is_file()
