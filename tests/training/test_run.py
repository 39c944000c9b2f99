from __future__ import annotations

import json
import shutil

import pytest
import torch

from llmseg import Run, UserError


def test_an_opened_run_is_the_one_that_was_trained(run, tiny_recipe):
    opened = Run.open(str(run.folder))
    assert opened == run
    assert opened.recipe == tiny_recipe
    assert opened.record["status"] == "done"
    assert [len(part) for part in (opened.split.train, opened.split.validation, opened.split.test)] == [20, 2, 3]


def test_stored_weights_give_the_stored_scores(run, phantoms):
    net, recipe = run.load_net(), run.recipe
    for id, value in zip(run.scores["case"], run.scores["value"], strict=True):
        case = phantoms.read(id)
        image, mask = recipe.images(case.image, case.mask)
        with torch.no_grad():
            assert recipe.test.score_cases(net(image[None]), mask[None]).item() == pytest.approx(value, rel=1e-6)


def test_a_loaded_network_is_in_evaluation_mode(run):
    assert not any(module.training for module in run.load_net().modules())


def test_a_folder_without_a_run_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match="holds no run; give the folder of a finished run"):
            Run.open(folder)
    (tmp_path / "run.json").write_text('{"scripts": {"test": "jest"}}')
    with pytest.raises(UserError, match="holds no run"):
        Run.open(tmp_path)


def test_an_unfinished_run_is_refused(run, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(run.record | {"status": "running"}))
    with pytest.raises(UserError, match="holds an unfinished run"):
        Run.open(tmp_path)


def test_a_damaged_record_is_one_line(run, tmp_path):
    copy = shutil.copytree(run.folder, tmp_path / "run")
    (copy / "run.json").write_text('{"status": "done", "seed"')
    with pytest.raises(UserError, match=r"run\.json is damaged: it holds no JSON; put it back from a copy"):
        Run.open(copy)
