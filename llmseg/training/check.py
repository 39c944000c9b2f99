"""Whether a recipe can be trained on a store, found out before anything is trained."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.recipe.recipe import Recipe
from llmseg.training.loop import draw_start


def check_recipe(recipe: Recipe, store: Store, seed: int = 0) -> None:
    """Split the cases, build the network and let it take a batch.

    Args:
        recipe: What would be trained.
        store: The cases, without held-out ones.
        seed: Seed of the training.

    Raises:
        UserError: The split leaves too few cases for a part, or network and loss cannot take the images or a batch.
    """
    case = store.read(store.ids[0])
    image, mask = recipe.images(case.image, case.mask)
    with torch.random.fork_rng(devices=[]):
        split, net = draw_start(recipe, store.ids, seed, (image.shape[-2], image.shape[-1]))
        check_batch(recipe, net, (image[None], mask[None]), split.train)


def check_batch(recipe: Recipe, net: nn.Module, batch: tuple[Tensor, Tensor], train: Sequence[str]) -> None:
    """Let a copy of a network take the smallest batch that its training has; the network itself stays as it is.

    Args:
        recipe: The recipe.
        net: The network.
        batch: Image and mask of one case, ``[1, C, H, W]`` and ``[1, 1, H, W]``.
        train: Ids of the cases it is to be trained on.

    Raises:
        UserError: It cannot.
    """
    size = recipe.fit.batch_size
    # Batch normalisation cannot learn from a single value per channel, which a batch of one case may come down to.
    alone = size == 1 or (not recipe.fit.drop_last and len(train) % size == 1)
    cases = 1 if alone else 2
    image, mask = (part.expand(cases, -1, -1, -1).contiguous() for part in batch)
    try:
        with torch.no_grad():
            recipe.loss(copy.deepcopy(net).train()(image), mask)
    except (RuntimeError, ValueError) as error:
        height, width = image.shape[-2:]
        last = f", and {len(train)} cases leave a batch of one" if alone and size > 1 else ""
        reason = str(error).splitlines()[0]
        raise UserError(
            f"the network cannot be trained on images of {height}x{width} in batches of {size}{last} ({reason}); "
            "change images.size or fit.batch_size"
        ) from error
