"""What may be given where a recipe is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeAlias

from llmseg.errors import UserError
from llmseg.files import read_bytes, read_json
from llmseg.recipe.recipe import Recipe


class HasRecipe(Protocol):
    """Something with a recipe, such as a pipeline, a variant of a study, or a run."""

    @property
    def recipe(self) -> Recipe: ...


GivenRecipe: TypeAlias = Recipe | HasRecipe | str | Path
"""A recipe, something that has one, a file with a recipe in JSON, or a run folder. At the top of ``llmseg`` a text may
also be the name of a pipeline."""


def read_recipe(given: GivenRecipe) -> Recipe:
    """Return the recipe that is meant.

    Args:
        given: A recipe, something that has one, a file with a recipe in JSON, or a run folder.

    Raises:
        UserError: There is no such file or folder, or it holds no recipe.

    Example:
        >>> from llmseg import zoo
        >>> pipeline = zoo.get("gpt-4")
        >>> read_recipe(pipeline) is read_recipe(pipeline.recipe) is pipeline.recipe
        True
    """
    recipe = given if isinstance(given, Recipe) else getattr(given, "recipe", None)
    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(given, str | Path):
        raise UserError(f"a recipe is needed, not {type(given).__name__}; give a recipe, a pipeline or a run")
    path = Path(given)
    if (path / "run.json").is_file():
        return Recipe.from_dict(read_json(path / "run.json", ("recipe",))["recipe"])
    if path.is_file():
        return Recipe.from_json(_read_text(path))
    what = "recipe file" if path.suffix == ".json" else "recipe file or run folder"
    raise UserError(f"no {what} {path}; of a pipeline, give llmseg.zoo.get(NAME).recipe")


def _read_text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} holds no recipe: it is no text in UTF-8; write one by recipe.to_json()") from error
