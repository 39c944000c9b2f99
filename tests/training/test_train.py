from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from llmseg import SyntheticStore, UserError, train


def test_the_folder_is_the_record_of_the_run(run, tiny_recipe, phantoms):
    assert {p.name for p in run.folder.iterdir()} == {
        "run.json", "private.json", "history.csv", "timing.csv", "listed.csv", "scores.csv", "weights.safetensors",
    }  # fmt: skip
    record = run.record
    assert run.recipe == tiny_recipe
    assert record["recipe_digest"] == tiny_recipe.digest
    assert record["store"] == {"name": phantoms.name, "cases": 25, "digest": phantoms.digest}
    assert record["split_digest"] == run.split.digest
    assert (record["status"], record["seed"], record["label"], record["how"]["device"]) == ("done", 1, "tiny", "cpu")
    assert record["versions"]["torch"] == torch.__version__.split("+")[0]
    assert sorted(run.split.train + run.split.validation + run.split.test) == list(phantoms.ids)


def test_a_row_per_epoch_and_per_test_case(run, phantoms):
    assert list(run.history["epoch"]) == [1, 2]
    assert tuple(run.scores["case"]) == run.split.test
    assert list(run.scores["group"]) == [phantoms.groups[id] for id in run.split.test]
    listed = run.listed
    assert list(listed.columns) == ["phase", "epoch", "position", "value"]
    last = listed[(listed["phase"] == "validation") & (listed["epoch"] == 2)]["value"]
    assert run.history["validation_score"].iloc[-1] == pytest.approx(last.mean(), rel=1e-15)


def test_the_same_run_gives_the_same_bytes(content, run, tiny_recipe, phantoms, tmp_path):
    twin = train(tiny_recipe, phantoms, tmp_path / "twin", label="tiny", seed=1, progress=False)
    assert content(twin.folder) == content(run.folder)


def test_another_seed_gives_another_run(run, tiny_recipe, phantoms, tmp_path):
    other = train(tiny_recipe, phantoms, tmp_path / "other", seed=2, progress=False)
    assert list(other.history["train_loss"]) != list(run.history["train_loss"])


def test_epochs_given_are_in_the_recipe_of_the_run(tiny_recipe, phantoms, tmp_path):
    run = train(tiny_recipe, phantoms, tmp_path / "one", epochs=1, progress=False)
    assert run.recipe.fit.epochs == 1
    assert len(run.history) == 1


def test_a_finished_run_is_taken_as_it_is(run, tiny_recipe, phantoms):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.folder.iterdir()}
    assert train(tiny_recipe, phantoms, run.folder, label="tiny", seed=1, progress=False) == run
    for changed, words in (
        ({"recipe": tiny_recipe.change("fit.rate", 0.5)}, r"another recipe \(fit\.rate is 0\.01 there and 0\.5 here\)"),
        ({"seed": 2}, "another seed"),
        ({"store": SyntheticStore("mri-tumour", count=24)}, "another set of cases"),
    ):
        call = {"recipe": tiny_recipe, "store": phantoms, "out": run.folder, "seed": 1, "progress": False} | changed
        with pytest.raises(UserError, match=f"holds a run .*{words}; choose another --out or move it away"):
            train(**call)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.folder.iterdir()} == before


def test_a_run_without_a_checkpoint_starts_again(content, run, tiny_recipe, phantoms, tmp_path):
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps(run.record | {"status": "running"}))
    again = train(tiny_recipe, phantoms, folder, label="tiny", seed=1, progress=False)
    assert content(again.folder)["weights.safetensors"] == content(run.folder)["weights.safetensors"]


def test_a_process_killed_before_its_record_leaves_a_folder_that_can_be_used(run, tiny_recipe, phantoms, tmp_path):
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / ".lock").touch()
    (folder / ".run.json-x1y2_z3a.part").write_text("half")  # as earlier versions named it
    again = train(tiny_recipe, phantoms, folder, label="tiny", seed=1, progress=False)
    assert sorted(path.name for path in again.folder.iterdir()) == sorted(path.name for path in run.folder.iterdir())


def test_a_process_killed_after_its_record_leaves_nothing(run, tiny_recipe, phantoms, tmp_path):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "state.pt").touch()
    (folder / ".lock").touch()
    train(tiny_recipe, phantoms, folder, label="tiny", seed=1, progress=False)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in run.folder.iterdir())


def test_a_folder_of_something_else_is_left_alone(tiny_recipe, phantoms, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty and holds no run"):
        train(tiny_recipe, phantoms, tmp_path, progress=False)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        train(tiny_recipe, phantoms, tmp_path / "file", progress=False)


def test_a_run_whose_record_is_damaged_is_left_alone(run, tiny_recipe, phantoms, tmp_path):
    copy = shutil.copytree(run.folder, tmp_path / "run")
    (copy / "run.json").write_text('{"status": "done", "seed"')
    before = {path: path.read_bytes() for path in copy.iterdir()}
    with pytest.raises(UserError, match=r"run\.json is damaged: it holds no JSON; put it back from a copy"):
        train(tiny_recipe, phantoms, copy, progress=False)
    assert {path: path.read_bytes() for path in copy.iterdir()} == before


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that takes no folders")
def test_a_place_that_takes_no_folder(tiny_recipe, phantoms):
    with pytest.raises(UserError, match=r"cannot make the folder /proc/llmseg.*choose another --out"):
        train(tiny_recipe, phantoms, "/proc/llmseg", progress=False)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("images.size", (30, 32), "choose images.size accordingly"),
        ("net.skip_from", "pooling", "16x16 meets a skip of 8x8"),
        ("images.size", None, "this recipe keeps the native size"),
    ],
)
def test_parts_that_do_not_fit_leave_no_folder(tiny_recipe, phantoms, tmp_path, path, value, message):
    with pytest.raises(UserError, match=message):
        train(tiny_recipe.change(path, value), phantoms, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_run_on_a_gpu(tiny_recipe, phantoms, tmp_path, run):
    other = train(tiny_recipe, phantoms, tmp_path / "gpu", seed=1, device="cuda", progress=False)
    assert other.history["train_loss"].to_numpy() == pytest.approx(run.history["train_loss"].to_numpy(), rel=1e-2)
