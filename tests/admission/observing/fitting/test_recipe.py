"""A recipe fitted to a sample has the sample's own values, and says which parts no field explains."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from llmseg import zoo
from llmseg.admission import Phantoms, fit_recipe, read_observation
from llmseg.admission.observing.fitting.recipe import FittedRecipe
from llmseg.recipe.fit import OwnSeed


def test_nothing_is_explained_by_nothing(tmp_path):
    fitted = fit_recipe(read_observation(tmp_path, Phantoms(12)))
    assert (fitted.recipe, fitted.explained, fitted.is_whole) == (zoo.TEXTBOOK, (), False)
    assert set(fitted.foreign) == {"images", "split", "net", "loss", "fit", "score", "test"}


def test_a_part_that_says_nothing_of_scripts_is_foreign():
    fitted = FittedRecipe(zoo.TEXTBOOK.change("split.seed", 77), ("split", "loss"), {})
    without = fitted.without("split", "not theirs")
    assert (without.recipe, without.explained, without.foreign) == (zoo.TEXTBOOK, ("loss",), {"split": "not theirs"})
    assert not without.is_whole


@pytest.mark.slow
def test_a_sample_is_explained_whole(observe_sample):
    ran = observe_sample("alder")
    fitted = fit_recipe(read_observation(ran.record, ran.phantoms))
    assert fitted.foreign == {}
    changed = {each.path: each.right for each in zoo.TEXTBOOK.diff(fitted.recipe)}
    assert changed == {
        "images.size": (64, 64),
        "net.encoder": (8, 16, 32),
        "net.bottleneck": 64,
        "net.decoder": (32, 16, 8),
        "net.concat": "up-first",
        "loss.dice": 1.0,
        "loss.dice_over": "case",
        "fit.batch_size": 4,
        "fit.epochs": 3,
        "fit.rate": 0.001,
        # Its summary draws a batch, where the package for summaries is installed.
        "fit.own_seed": OwnSeed(seed=42, summary_batch=int(find_spec("torchinfo") is not None), spare_orders=0),
        "score.lists": "batch",
        "score.smooth": 1e-07,
        "test.lists": "batch",
        "test.smooth": 1e-07,
    }


@pytest.mark.slow
def test_what_no_field_explains_is_named(observe_sample):
    ran = observe_sample("hazel")
    fitted = fit_recipe(read_observation(ran.record, ran.phantoms))
    assert fitted.explained == ("images", "split")
    assert fitted.foreign["net"] == "networks of the library with these shapes give another output"
    assert fitted.foreign["fit"] == "the optimiser is SGD"
    assert fitted.recipe.net == zoo.TEXTBOOK.net
    assert fitted.recipe.split.seed == 7
