from __future__ import annotations

import datetime
import shutil
from dataclasses import replace

import openpyxl
import pytest
import torch
from PIL import Image

from llmseg import FolderStore, Run, zoo
from llmseg.fidelity.replay import replay, write_artefacts
from llmseg.recipe.splits import WholeSplit


@pytest.fixture(scope="module")
def toy(tiny_recipe):
    """A pipeline with the tiny recipe, and names as a script would have given them."""
    names = (
        ("encoder.0", "down1"),
        ("encoder.1", "down2"),
        ("bottleneck", "middle"),
        *((f"up.{i}", f"up{i + 1}") for i in range(2)),
        *((f"decoder.{i}", f"conv{i + 1}") for i in range(2)),
        ("head", "final"),
    )
    return replace(zoo.get("gpt-o3"), id="toy", recipe=tiny_recipe, original_names=names)


@pytest.fixture(scope="module")
def run(toy, phantoms, tmp_path_factory):
    return replay(toy, phantoms, tmp_path_factory.mktemp("replay") / "toy", progress=False)


def cells(path):
    return [list(row) for row in openpyxl.load_workbook(path).active.iter_rows(values_only=True)]


def test_loss_sheets_are_epoch_numbers_over_losses(run):
    for name, column in (("train_losses", "train_loss"), ("val_losses", "validation_loss")):
        first, second = cells(run.folder / "replay" / f"{name}.xlsx")
        assert first == [1, 2]
        assert second == pytest.approx(list(run.history[column]), rel=1e-12)


def test_score_sheets_have_a_row_per_epoch_and_no_header(run):
    sheet = cells(run.folder / "replay" / "validation_dice_scores.xlsx")
    listed = run.listed[run.listed["phase"] == "validation"]
    assert sheet == [pytest.approx(list(listed[listed["epoch"] == epoch]["value"])) for epoch in (1, 2)]
    (row,) = cells(run.folder / "replay" / "test_dice_scores.xlsx")
    assert row == pytest.approx(list(run.listed[run.listed["phase"] == "test"]["value"]))


def test_the_same_run_gives_the_same_files_at_another_time(run, toy, phantoms, tmp_path, monkeypatch):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    later = datetime.datetime(2031, 5, 6, 7, 8, 9)
    with monkeypatch.context() as patch:
        patch.setattr("openpyxl.writer.excel.datetime.datetime", type("Later", (), {"now": lambda *_, **__: later}))
        patch.setattr("time.time", lambda: later.timestamp())
        write_artefacts(Run(folder), toy, phantoms)
    files = {path.name: path.read_bytes() for path in (folder / "replay").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (run.folder / "replay").iterdir()}


def test_figures_can_be_opened(run):
    for name in ("losses.png", "samples.png"):
        with Image.open(run.folder / "replay" / name) as image:
            assert min(image.size) > 300
            assert len(image.convert("L").getcolors()) > 10, "an empty figure has few grey values"


def test_weights_have_the_original_names_and_load_again(run, toy):
    path = run.folder / "replay" / "model_state_dict.pth"
    state = torch.load(path, weights_only=True)
    assert {name.split(".")[0] for name in state} == {
        "down1", "down2", "middle", "up1", "up2", "conv1", "conv2", "final",
    }  # fmt: skip
    loaded = toy.load_original(path).state_dict()
    for name, tensor in run.load_net().state_dict().items():
        assert torch.equal(loaded[name], tensor)


def test_a_recipe_without_test_writes_no_test_sheet(toy, phantoms, tmp_path):
    without = replace(toy, recipe=toy.recipe.change("test", None).change("fit.epochs", 1))
    folder = replay(without, phantoms, tmp_path / "run", progress=False).folder / "replay"
    assert not (folder / "test_dice_scores.xlsx").exists()
    assert (folder / "validation_dice_scores.xlsx").exists()


def test_a_pipeline_without_a_split_and_names_shows_what_it_has(toy, phantoms, tmp_path):
    recipe = toy.recipe.change("split", WholeSplit(held_out=0.0, seed=42)).change("test", None).change("fit.epochs", 1)
    without = replace(toy, recipe=recipe, original_names=())
    run = replay(without, phantoms, tmp_path / "run", progress=False)
    state = torch.load(run.folder / "replay" / "model_state_dict.pth", weights_only=True)
    assert state.keys() == run.load_net().state_dict().keys()
    with Image.open(run.folder / "replay" / "samples.png") as image:
        assert len(image.convert("L").getcolors()) > 10


def test_files_that_an_interrupted_replay_lacks_are_written_by_the_next(toy, phantoms, tmp_path, monkeypatch):
    arguments = {"pipeline": toy, "store": phantoms, "out": tmp_path / "run", "progress": False}
    with monkeypatch.context() as patch:
        patch.setattr("llmseg.fidelity.replay._write_weights", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            replay(**arguments)
    assert not (tmp_path / "run" / "replay").exists()
    folder = replay(**arguments).folder
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {"replay"}
    assert len(list((folder / "replay").iterdir())) == 7
    times = {path: path.stat().st_mtime_ns for path in (folder / "replay").iterdir()}
    replay(**arguments)
    assert {path: path.stat().st_mtime_ns for path in (folder / "replay").iterdir()} == times


FORMULAS = [rf"${name}{{{number}$" for number in range(6) for name in (r"\frac", r"\text")]
"""None of them can be read as a formula, so a figure of any of them would fail."""


@pytest.mark.parametrize("artefacts", ["common", "original"])
def test_names_of_files_may_look_like_formulas(artefacts, toy, make_folder, tmp_path):
    store = FolderStore(*make_folder(dict.fromkeys(FORMULAS, (32, 32))))
    outputs = zoo.get("claude-4-sonnet").outputs  # its figure names all files that it shows
    run = replay(replace(toy, outputs=outputs), store, tmp_path / "run", artefacts=artefacts, progress=False)
    name = "original/test_predictions.png" if artefacts == "original" else "replay/samples.png"
    with Image.open(run.folder / name) as image:
        assert len(image.convert("L").getcolors()) > 10
