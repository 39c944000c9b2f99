"""The TensorFlow variants: what their cards admit, and that each of them trains."""

from __future__ import annotations

import pytest

import llmseg
from llmseg import zoo

# Of these variants the recorded answer leaves out a part; of all others these parts are known.
UNKNOWN = {
    "gpt-4@tensorflow": {"net", "score", "loss"},
    "bing-copilot@tensorflow": {"test", "fit"},
    "llama-3.1-405b@tensorflow": {"split"},
}
RUN_AS_GIVEN = {"gpt-o1-preview@tensorflow", "claude-3.5-sonnet@tensorflow"}
# Stated by every answer.
KNOWN = (
    "images.size",
    "images.image_resize",
    "images.mask_resize",
    "images.mask_threshold",
    "loss.bce",
    "loss.dice",
    "fit.batch_size",
    "fit.epochs",
    "fit.optimizer",
    "fit.rate",
    "fit.keep",
    "fit.epoch_loss",
    "net.dialect",
)
IDS = [id for id in zoo.names(variants=True) if zoo.get(id).card.framework == "TensorFlow"]
TINY = {
    "images.size": (32, 32),
    "fit.batch_size": 2,
    "fit.epochs": 1,
    "net.bottleneck": 8,
}


def test_one_for_each_model_of_2024():
    assert set(IDS) == {f"{id}@tensorflow" for id in zoo.names(cohort=2024)}
    assert len(IDS) == 8


def test_assumed_paths_are_there_and_known_ones_are_not_among_them():
    for name in IDS:
        card, recipe = zoo.get(name).card, zoo.get(name).recipe
        paths = [assumed.path for assumed in card.assumed]
        assert len(set(paths)) == len(paths), name
        assert not set(paths) & set(KNOWN), name
        for assumed in card.assumed:
            recipe.get(assumed.path)  # raises an error that names the path
            assert assumed.reason.strip(), name
        # Beyond what an answer leaves out: sizes where a mend is needed, and what depends on the library's version.
        excused = {"loss.reads", "loss.clipped", "loss.sizes", "score.sizes", "images.colour", "split.order"}
        beyond = {path.partition(".")[0] for path in paths if path not in excused}
        assert beyond <= UNKNOWN.get(name, set()), name


def test_every_unknown_is_admitted():
    for name in IDS:
        assert bool(zoo.get(name).card.mends) == (name not in RUN_AS_GIVEN), name
    unknown = zoo.get("gpt-4@tensorflow")
    fields = {path for path, _ in unknown.recipe.items() if path.startswith("net.")}
    assumed = {assumed.path for assumed in unknown.card.assumed if assumed.path.startswith("net.")}
    assert fields - {"net.kind", "net.dialect", "net.output"} == assumed


def test_nothing_is_said_to_have_been_trained():
    for name in IDS:
        published = zoo.get(name).card.published
        assert published.parameters == published.training_time == "not stated", name


def test_show_tells_it(call):
    for name in IDS:
        text = call("show", name)[1]
        card = zoo.get(name).card
        assert "its settings only, for TensorFlow; no training is reported" in text, name
        for mend in card.mends:
            assert f"- {mend.fault}; here: {mend.reading}" in text, name
        for assumed in card.assumed:
            assert assumed.reason in text, name


def test_no_state_dictionary_to_load(tmp_path):
    for name in IDS:
        with pytest.raises(llmseg.UserError, match="written for TensorFlow and saves no state dictionary"):
            zoo.get(name).load_original(tmp_path / "weights.h5")


@pytest.mark.parametrize("id", IDS)
def test_trains(id, phantoms, tmp_path):
    recipe = zoo.get(id).recipe
    depth = len(recipe.net.encoder)
    for path, value in {**TINY, "net.encoder": (4,) * depth, "net.decoder": (4,) * depth}.items():
        recipe = recipe.change(path, value)
    run = llmseg.train(recipe, phantoms, tmp_path / "run", exact=True)
    assert run.history["train_loss"].notna().all()
    assert (len(run.scores) > 0) == (recipe.test is not None)


def test_what_the_network_learns_from_a_wrong_sign():
    """The repair turns the Dice term around and nothing else."""
    recipe = zoo.get("gpt-4o@tensorflow").recipe
    (change,) = recipe.diff(recipe.repaired("dice-added"))
    assert (change.path, change.left, change.right) == ("loss.dice_term", "coefficient", "loss")
