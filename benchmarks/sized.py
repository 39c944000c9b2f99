"""Recipes for trainings that are small enough for a benchmark."""

from __future__ import annotations

from llmseg import Recipe


def sized(recipe: Recipe, size: int, batch_size: int = 0) -> Recipe:
    """Return a recipe for small trainings; one that reads images at their own size keeps doing so.

    Args:
        recipe: Any recipe.
        size: Height and width in pixels; 0 for the recipe's own.
        batch_size: Cases per step; 0 for the recipe's own.
    """
    if size and recipe.get("images.size") is not None:
        recipe = recipe.change("images.size", (size, size))
    return recipe.change("fit.batch_size", batch_size) if batch_size else recipe
