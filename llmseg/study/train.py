"""``llmseg.train``: looks up the name of a pipeline, which the trainer below must not see."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from llmseg.training.train import train as train_recipe
from llmseg.zoo.given import find_recipe

if TYPE_CHECKING:
    from llmseg.training.train import train as train  # the signature is the same
else:

    @functools.wraps(train_recipe)
    def train(recipe, *arguments, **options):
        name, found = find_recipe(recipe)
        # A run says whose recipe it is, unless it is called otherwise.
        return train_recipe(found, *arguments, **{"label": name, **options})
