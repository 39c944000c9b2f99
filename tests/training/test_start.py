"""A run that starts from a finished one: more epochs in a folder of its own, the old one untouched."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import replace

import pytest
import torch

from llmseg import Run, SyntheticStore, Terminated, UserError, hold_out, train
from llmseg.training import job
from llmseg.training.random_streams import RandomStreams


@pytest.fixture
def more(run, tiny_recipe, phantoms, tmp_path):
    """A function that trains on from the finished run, which has two epochs and seed 1."""

    def call(name="more", **changed):
        options = {"recipe": tiny_recipe, "store": phantoms, "epochs": 1, "seed": 1, "start": run, **changed}
        recipe, store = options.pop("recipe"), options.pop("store")
        return train(recipe, store, tmp_path / name, progress=False, **options)

    return call


def test_it_begins_with_the_weights_of_the_finished_run_and_says_so(more, run):
    before = {path: path.read_bytes() for path in run.folder.iterdir()}
    still = more(recipe=run.recipe.change("fit.rate", 1e-30))
    weights, earlier = (one.load_net().state_dict() for one in (still, run))
    trained = [name for name, _ in run.load_net().named_parameters()]
    assert all(torch.equal(weights[name], earlier[name]) for name in trained)
    assert still.record["start"] == {
        "label": "tiny",
        "recipe_digest": run.record["recipe_digest"],
        "weights_digest": run.record["weights_digest"],
        "epochs": 2,
        "steps": 10,
    }
    assert still.split == run.split
    assert len(still.history) == 1
    assert {path: path.read_bytes() for path in run.folder.iterdir()} == before


def test_a_run_that_starts_from_none_is_as_before(run):
    assert "start" not in run.record


def test_starts_are_told_back_to_the_first_run(more, run):
    second = more()
    third = more("third", start=second.folder, epochs=2)
    start = third.record["start"]
    assert (start["epochs"], start["steps"]) == (3, 15)
    assert start["start"] == second.record["start"]
    assert start["weights_digest"] == second.record["weights_digest"] != run.record["weights_digest"]


def test_the_same_call_gives_the_same_bytes_and_is_not_computed_again(more, content, run):
    one, other = more("one"), more("other")
    assert content(one.folder) == content(other.folder)
    assert more("one") == one
    for changed, words in (({"start": None}, "a run with another start"), ({"start": other}, "another start")):
        with pytest.raises(UserError, match=words):
            more("one", **changed)


def test_an_interrupted_one_continues(more, content, monkeypatch, tmp_path):
    whole = more("whole", epochs=2)
    raised = []

    def stop_once(events):
        for event in events:
            yield event
            if not raised:
                raised.append(signal.raise_signal(signal.SIGTERM))

    real = job.run_loop
    monkeypatch.setattr(job, "run_loop", lambda *given, **options: stop_once(real(*given, **options)))
    with pytest.raises(Terminated, match="after step 2 of 10"):
        more("stopped", epochs=2)
    assert content(more("stopped", epochs=2).folder) == content(whole.folder)


def test_case_orders_go_on_where_the_finished_run_ended():
    def draw(streams, epoch):
        streams.seed_epoch(epoch)
        return torch.randperm(9).tolist()

    streams = RandomStreams(1, per_epoch=True)
    assert draw(streams.after(2, 10), 0) == draw(streams, 2)
    assert streams.after(2, 10).choose_image_seed(0) == streams.choose_image_seed(10)


def test_another_network_is_refused(more, tiny_recipe, run):
    words = r"is another one \(net\.\S+ is .* there and .* here\), so its weights do not fit"
    with pytest.raises(UserError, match=words):
        more(recipe=tiny_recipe.change("net", replace(tiny_recipe.net, bottleneck=8)))
    more(recipe=run.folder)  # as the message says
    more("loss", recipe=tiny_recipe.change("fit.rate", 0.5))  # what is no part of the network may change


def test_cases_that_the_finished_run_may_have_seen_are_no_test_cases(more, phantoms, tiny_recipe, tmp_path):
    holdout = hold_out(phantoms, fraction=0.2)
    with pytest.raises(UserError, match="without held-out test cases, so it may have seen these; leave out --holdout"):
        more(holdout=holdout)
    with pytest.raises(UserError, match="another set of cases, so it may have seen test cases"):
        more(store=SyntheticStore("mri-tumour", count=24))
    with pytest.raises(UserError, match="has seed 1, and seed 2 would divide the cases otherwise; give --seed 1"):
        more(seed=2)
    with pytest.raises(UserError, match="cases would be divided otherwise"):
        more(recipe=tiny_recipe.change("split.second_size", 0.4))
    assert not (tmp_path / "more").exists()
    held = train(tiny_recipe, phantoms, tmp_path / "held", epochs=1, holdout=holdout, progress=False)
    with pytest.raises(UserError, match="with other test cases held out; give the same --holdout"):
        more(start=held, seed=0)
    assert more(start=held, seed=0, holdout=holdout).record["holdout"] == holdout.digest


def test_damaged_and_unfinished_runs(more, run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    (copy / "weights.safetensors").write_bytes(b"none")
    with pytest.raises(UserError, match="is not the file that the training wrote"):
        more(start=copy)
    record = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**record, "status": "running"}))
    with pytest.raises(UserError, match="holds an unfinished run; give the command of its training again"):
        more(start=copy)
    with pytest.raises(UserError, match="holds no run"):
        more(start=tmp_path / "nowhere")


def test_a_run_of_an_earlier_version_has_no_digest_of_its_weights(more, run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    record = json.loads((copy / "run.json").read_text())
    digest = record.pop("weights_digest")
    (copy / "run.json").write_text(json.dumps(record))
    assert more(start=Run(copy)).record["start"]["weights_digest"] == digest
