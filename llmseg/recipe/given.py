"""What may be given where a recipe is meant."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypeAlias

from llmseg.errors import UserError, nearest
from llmseg.files import as_list, make_folder, read_bytes, read_json, write_text
from llmseg.recipe.recipe import Recipe


class HasRecipe(Protocol):
    """Something with a recipe, such as a pipeline, a variant of a study, or a run."""

    @property
    def recipe(self) -> Recipe: ...


GivenRecipe: TypeAlias = Recipe | HasRecipe | str | Path
"""A recipe, something that has one, a file with a recipe in JSON or YAML, or a run folder. At the top of ``llmseg`` a
text may also be the name of a pipeline."""


SUFFIXES = (".json", ".yaml", ".yml")
"""What names of files with a recipe end in."""


def read_recipe(given: GivenRecipe) -> Recipe:
    """Return the recipe that is meant.

    Args:
        given: A recipe, something that has one, a file with a recipe in JSON or YAML, or a run folder.

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
        return _read_file(path)
    what = "recipe file" if path.suffix in SUFFIXES else "recipe file or run folder"
    raise UserError(f"no {what} {path}; of a pipeline, give llmseg.zoo.get(NAME).recipe")


def write_recipe(recipe: Recipe, path: str | Path) -> Path:
    """Write a recipe to a file, in JSON or YAML by the suffix of its name; :func:`read_recipe` reads it.

    Raises:
        UserError: The suffix is another one, or the file holds something else.

    Example:
        >>> from llmseg import zoo
        >>> write_recipe(zoo.get("gpt-4").recipe, "mine.yaml")  # doctest: +SKIP
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        near = nearest(path.suffix, SUFFIXES)
        raise UserError(f"{path}: recipes are written to files that end in {', '.join(SUFFIXES)}{near}")
    text = recipe.to_json() if path.suffix == ".json" else recipe.to_yaml()
    if path.exists() and (not path.is_file() or path.read_bytes() != text.encode()):
        raise UserError(f"{path} is there already and holds something else; choose another file")
    make_folder(path.parent)
    write_text(path, text)
    return path


def change_all(recipe: Recipe, changes: str | Iterable[str]) -> Recipe:
    """Return a recipe with changes as they are typed, one after the other; one text is one change.

    Example:
        >>> from llmseg import zoo
        >>> change_all(zoo.get("gpt-4").recipe, ["fit.epochs=3", "fit.rate=0.1"]).fit.rate
        0.1
    """
    return functools.reduce(Recipe.change_text, as_list(changes), recipe)


def _read_file(path: Path) -> Recipe:
    text = _read_text(path)
    try:
        return Recipe.from_yaml(text) if path.suffix in (".yaml", ".yml") else Recipe.from_json(text)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _read_text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} holds no recipe: it is no text in UTF-8; write one by recipe.to_json()") from error
