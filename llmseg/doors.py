"""Functions of the top that take the name of a pipeline although the trainer below them knows no pipelines."""

from __future__ import annotations

import functools
from typing import Any

from llmseg.recipe.given import GivenRecipe
from llmseg.training.run import Run
from llmseg.training.train import train as train_recipe
from llmseg.zoo.given import find_recipe


@functools.wraps(train_recipe)
def train(recipe: GivenRecipe, *arguments: Any, **options: Any) -> Run:
    name, found = find_recipe(recipe)
    # A run says whose recipe it is, unless it is called otherwise.
    return train_recipe(found, *arguments, **{"label": name, **options})
