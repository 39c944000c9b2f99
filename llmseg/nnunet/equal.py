"""Budgets that equal what a pipeline takes."""

from __future__ import annotations

from typing import Literal

from llmseg.files.tables import read_table
from llmseg.nnunet.budget import Budget
from llmseg.recipe.recipe import Recipe
from llmseg.training.run import Run


def equal_images(recipe: Recipe, cases: int) -> Budget:
    """Return the budget of as many images and epochs as a training of a recipe has.

    Args:
        recipe: The recipe.
        cases: Number of training cases.

    Raises:
        UserError: The recipe drops incomplete batches, and none is complete.

    Example:
        >>> from llmseg import zoo
        >>> equal_images(zoo.get("gpt-o3").recipe.change("fit.epochs", 5), 30)
        Budget(epochs=5, iterations=None, images=150, seconds=None)
    """
    fit = recipe.fit
    return Budget(epochs=fit.epochs, images=fit.count_images(cases) * fit.epochs)


def equal_to_run(run: Run, by: Literal["images", "seconds"] = "images") -> Budget:
    """Return the budget of a finished run: the images it saw, or the seconds of its epochs.

    Args:
        run: The run.
        by: ``images`` or ``seconds``. Seconds are comparable only if both trainings are made on the same machine.

    Example:
        >>> import llmseg
        >>> equal_to_run(llmseg.Run.open("runs/gpt-o3"))  # doctest: +SKIP
    """
    if by == "images":
        return equal_images(run.recipe, len(run.split.train))
    seconds = float(read_table(run.folder / "timing.csv", {"seconds": "number"})["seconds"].sum())
    return Budget(epochs=run.recipe.fit.epochs, seconds=seconds)
