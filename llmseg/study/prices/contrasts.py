"""A recipe with and without a quirk: what a price list compares."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import torch

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe.quirks import Quirk
from llmseg.recipe.recipe import Recipe
from llmseg.study.variants import Variant, same_masks


@dataclass(frozen=True)
class Contrast:
    """A quirk, a recipe that has it, and the same recipe without it.

    Attributes:
        quirk: The quirk.
        without: The recipe without it.
        having: The recipe with it.
        planted: Whether the base of the study is the recipe without it.
    """

    quirk: Quirk
    without: Recipe
    having: Recipe
    planted: bool

    @property
    def field(self) -> str:
        """Path of the field that the repair changes."""
        return self.quirk.change(self.having)[0]

    @property
    def changes_masks(self) -> bool:
        """Whether the quirk changes what is learnt, and not only how masks are scored."""
        return not same_masks(self.without, self.having)

    @property
    def variant(self) -> Variant:
        """The recipe that the study compares with its base."""
        if self.planted:
            return Variant(f"with {self.quirk.id}", self.having)
        return Variant(f"without {self.quirk.id}", self.without)


def find_contrast(base: Recipe, quirk: Quirk, *, plant: bool = False) -> Contrast | None:
    """Return a recipe with and without a quirk; ``None`` if it does not have it.

    Args:
        base: The recipe.
        quirk: The quirk.
        plant: Plant the quirk in a recipe that lacks it, see :func:`planted`; ``None`` only if that cannot be done.
    """
    if quirk.applies(base):
        return Contrast(quirk, quirk.repair(base), base, planted=False)
    having = planted(base, quirk) if plant else None
    return None if having is None else Contrast(quirk, base, having, planted=True)


def planted(recipe: Recipe, quirk: Quirk) -> Recipe | None:
    """Return a recipe with a quirk, brought in by one field with a value that some pipeline has there.

    The field that the repair of the quirk changes is tried first. ``None`` if no single field brings the quirk in, or
    if nothing could be trained with it. A quirk of a score is planted only where it changes no mask.
    """
    having_it = zoo.all_names(reference=False, quirk=quirk.id)
    donors = [zoo.get(id).recipe for id in dict.fromkeys((*having_it, *zoo.all_names(reference=False)))]
    repaired_fields = ((quirk.change(donor)[0], donor) for donor in donors if quirk.applies(donor))
    all_fields = ((field.path, donor) for donor in donors for field in recipe.diff(donor) if "." in field.path)
    for path, donor in itertools.chain(repaired_fields, all_fields):
        try:
            having = recipe.change(path, donor.get(path))
        except UserError:
            continue
        if not quirk.applies(having) or same_masks(recipe, having) != same_masks(quirk.repair(having), having):
            continue
        if _can_train(having):
            return having
    return None


@functools.cache
def _can_train(recipe: Recipe) -> bool:
    """Return whether network and loss fit together; a loss of probabilities has no number for logits."""
    channels = recipe.images.channels
    try:
        with torch.no_grad():
            loss = recipe.loss(recipe.net.build(channels)(torch.rand(1, channels, 64, 64)), torch.ones(1, 1, 64, 64))
    except (UserError, RuntimeError, ValueError):
        return False
    return bool(loss.isfinite())
