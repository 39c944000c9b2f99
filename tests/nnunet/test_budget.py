from __future__ import annotations

from types import SimpleNamespace

import pytest

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.nnunet.budget import Budget, parse_shares
from llmseg.nnunet.equal import equal_images, equal_to_run


def test_shares_scale_epochs_and_amount_alike():
    whole = Budget.of_epochs()
    assert (whole.epochs, whole.iterations) == (1000, 250_000)
    assert [whole.share(part) for part in (0.0001, 1, 100)] == [
        Budget(epochs=1, iterations=1),
        Budget(epochs=10, iterations=2500),
        whole,
    ]
    assert Budget(epochs=20, seconds=60.0).share(25) == Budget(epochs=5, seconds=15.0)
    assert Budget(epochs=20, images=1000).share(5) == Budget(epochs=1, images=50)


def test_images_become_batches_and_no_epoch_is_without_one():
    assert Budget(epochs=25, images=250).planned(2) == Budget(epochs=25, iterations=125)
    assert Budget(epochs=25, images=250).planned(16) == Budget(epochs=16, iterations=16)
    assert Budget(epochs=25, images=250).images_seen(16) == 256
    assert Budget(epochs=2, seconds=1.5).images_seen(16) is None


def test_equal_images_knows_batches_that_a_recipe_drops():
    recipe = zoo.get("gpt-o3").recipe.change("fit.epochs", 3)
    assert equal_images(recipe, 10).images == 30
    assert equal_images(recipe.change("fit.drop_last", True), 10).images == 24


def test_a_run_gives_what_it_saw_or_what_it_took(tmp_path):
    (tmp_path / "timing.csv").write_text("epoch,seconds\n1,2.5\n2,2.0\n")
    recipe = zoo.get("gpt-o3").recipe.change("fit.epochs", 2)
    run = SimpleNamespace(folder=tmp_path, recipe=recipe, split=SimpleNamespace(train=("a", "b", "c")))
    assert equal_to_run(run) == Budget(epochs=2, images=6)
    assert equal_to_run(run, "seconds") == Budget(epochs=2, seconds=4.5)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"epochs": 1}, "give one of them"),
        ({"epochs": 1, "iterations": 5, "seconds": 1.0}, "give one of them"),
        ({"epochs": 0, "iterations": 5}, "at least one"),
        ({"epochs": 6, "iterations": 5}, "fewer epochs"),
        ({"epochs": 1, "seconds": 0.0}, "above 0"),
        ({"epochs": 1, "seconds": float("inf")}, "above 0"),
    ],
)
def test_impossible_budgets_are_refused(fields, words):
    with pytest.raises(UserError, match=words):
        Budget(**fields)


@pytest.mark.parametrize("text", ["", "1,,5", "1,zero", "0", "-5%", "inf"])
def test_shares_that_are_none_are_refused(text):
    with pytest.raises(UserError, match="no list of shares"):
        parse_shares(text)
