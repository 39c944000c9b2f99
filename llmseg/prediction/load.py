"""Load a network with its weights: of a run, or as an original script saved them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.errors import UserError
from llmseg.files import nearest_path
from llmseg.recipe.recipe import Recipe
from llmseg.training.run import Run
from llmseg.zoo import Pipeline
from llmseg.zoo.given import find_pipeline

if TYPE_CHECKING:
    from torch import nn


def load_model(run: Run | str | Path) -> tuple[nn.Module, Recipe]:
    """Return the trained network and the recipe of a run, or of a run folder.

    Raises:
        UserError: The folder holds no finished run.
    """
    if isinstance(run, Run):
        run = run.folder
    if not Path(run).is_dir():
        raise UserError(
            f"no run folder {run}{nearest_path(run)}; for a pipeline of that name, give the original's --weights, too"
        )
    opened = Run.open(run)
    return opened.load_net(), opened.recipe


def load_original_model(pipeline: Pipeline | str, weights: str | Path) -> tuple[nn.Module, Recipe]:
    """Return the network of a pipeline (or its name) with weights that the original script saved, and the recipe.

    If the weights are of a network with three input channels, the recipe is changed to read images in colour.

    Raises:
        UserError: The weights do not fit the network.

    Example:
        >>> net, recipe = load_original_model("gpt-4", "theirs/model.pth")  # doctest: +SKIP
    """
    pipeline = find_pipeline(pipeline)
    net = pipeline.load_original(weights)
    channels = next(p for p in net.parameters() if p.ndim == 4).shape[1]  # of the first convolution's input
    return net, pipeline.recipe.change("images.colour", "rgb" if channels == 3 else "grey")
