"""A recipe fitted to an observation: each part counts only if it gives the tensors and numbers that were seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from llmseg.admission.observing.fitting.fits import fit_fit
from llmseg.admission.observing.fitting.images import Files, draw_files, fit_images, prepare_masks
from llmseg.admission.observing.fitting.losses import fit_loss
from llmseg.admission.observing.fitting.nets import fit_net
from llmseg.admission.observing.fitting.scores import fit_scores
from llmseg.admission.observing.fitting.seeds import fit_own_seed
from llmseg.admission.observing.fitting.splits import fit_split
from llmseg.admission.observing.observation import Observation, Pass
from llmseg.admission.scripts import Scripts
from llmseg.recipe.images import Prepare
from llmseg.recipe.recipe import TEXTBOOK, Recipe


@dataclass(frozen=True)
class FittedRecipe:
    """A recipe fitted to an observation.

    Attributes:
        recipe: The textbook recipe with every part that was explained.
        explained: The parts that give what was seen.
        foreign: The others, each with the reason. In the recipe they are those of the textbook.

    Example:
        >>> FittedRecipe(TEXTBOOK, ("loss",), {"net": "no network of the library has these shapes"}).is_whole
        False
    """

    recipe: Recipe
    explained: tuple[str, ...]
    foreign: dict[str, str]

    @property
    def is_whole(self) -> bool:
        """Whether every part was explained."""
        return not self.foreign

    def without(self, name: str, reason: str) -> FittedRecipe:
        """Return it with the textbook's value of a part that says nothing of the scripts.

        Args:
            name: The part.
            reason: Why.
        """
        recipe = replace(self.recipe, **{name: getattr(TEXTBOOK, name)})
        explained = tuple(each for each in self.explained if each != name)
        return FittedRecipe(recipe, explained, {**self.foreign, name: reason})


def fit_recipe(observation: Observation, files: Files | None = None, scripts: Scripts | None = None) -> FittedRecipe:
    """Fit a recipe to what was seen of a script.

    Preparation and split have to give the very tensors and cases, the loss its number, the network its output with the
    script's own weights, a score the numbers that the script computed. The number of epochs is that of the observed
    run, which is short.

    Args:
        observation: Of a run of one epoch at least; two show how the loss of an epoch is averaged.
        files: The pixels of the files of each case, image and mask; ``None`` if they are those that are drawn, as
            where no format changes them.
        scripts: The scripts. Their text decides between numbers that give the same, such as 0.1111 and one ninth.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from llmseg.admission import Phantoms, fit_recipe, read_observation
        >>> with tempfile.TemporaryDirectory() as empty:
        ...     fit_recipe(read_observation(Path(empty), Phantoms(12))).explained
        ()
    """
    files = files or draw_files(observation)
    images = fit_images(observation, files)

    def masks(seen: Pass) -> torch.Tensor | None:
        return prepare_masks(seen, images, files) if isinstance(images, Prepare) else None

    found: dict[str, Any] = {
        "images": images,
        "split": fit_split(observation, scripts),
        "net": fit_net(observation),
        "loss": fit_loss(observation, masks),
        "fit": fit_fit(observation, scripts),
        **fit_scores(observation, masks),
    }
    foreign = {name: part for name, part in found.items() if isinstance(part, str)}
    explained = {name: part for name, part in found.items() if name not in foreign}
    recipe = replace(TEXTBOOK, **explained)
    if {"images", "split", "net", "fit"} <= set(explained):
        recipe = replace(recipe, fit=replace(recipe.fit, own_seed=fit_own_seed(observation, recipe)))
    return FittedRecipe(recipe, tuple(explained), foreign)
