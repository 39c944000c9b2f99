"""The seed that a script sets itself, if all its random numbers up to the first epoch follow from it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

import torch

from llmseg.admission.observing.observation import Observation
from llmseg.errors import UserError
from llmseg.recipe.fit import OwnSeed
from llmseg.recipe.recipe import Recipe


def fit_own_seed(observation: Observation, recipe: Recipe) -> OwnSeed | None:
    """Return the seed of a script, with what it draws before the training.

    It counts if torch's generator is where it has to be when the first epoch begins.

    Args:
        observation: The observation.
        recipe: What else was fitted.
    """
    learnt, begun = observation.learnt, observation.record.list("iterate")
    seeds = [event for event in observation.record.list("seed") if event["of"] == "torch" and event["seed"] is not None]
    images = learnt[0].images if learnt else None
    batches = [event for event in observation.record.list("batch") if learnt and event.at < learnt[0].at]
    if not seeds or images is None or not batches:
        return None
    own = [event for event in begun if event["loader"] == batches[-1]["loader"]]
    shown = [len(each.images) for each in observation.passes if each.at < learnt[0].at and each.images is not None]
    spare = (Counter(event["loader"] for event in begun)[own[0]["loader"]] - observation.epochs) / observation.epochs
    seed = OwnSeed(seed=seeds[-1]["seed"], summary_batch=shown[0] if shown else 0, spare_orders=max(0, int(spare)))
    found = replace(recipe, fit=replace(recipe.fit, own_seed=seed))
    return seed if _compute_state(found, observation, images.shape[-2:]) == own[0]["generator"] else None


def _compute_state(recipe: Recipe, observation: Observation, size: tuple[int, ...]) -> str:
    """Return the digest of the state of torch's generator when the first epoch of a recipe begins."""
    own = recipe.fit.own_seed
    assert own is not None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(own.seed)
        try:
            recipe.split(observation.phantoms.ids, torch.default_generator)
        except UserError:
            return ""
        recipe.net.build(recipe.images.channels)
        torch.rand(own.summary_batch, recipe.images.channels, *size)
        return hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest()
