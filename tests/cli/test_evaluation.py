from __future__ import annotations

import json

import pytest
from PIL import Image

from llmseg import hold_out, train
from llmseg.data import Subset
from llmseg.evaluation import evaluate_masks

PHANTOMS = ("--synthetic", "mri-tumour", "--cases", 25, "--quiet")


@pytest.fixture
def perfect(phantoms, tmp_path):
    """A folder with the true masks of all phantoms."""
    folder = tmp_path / "perfect"
    folder.mkdir()
    for id in phantoms.ids:
        Image.fromarray(phantoms.read(id).mask).save((folder / id).with_suffix(".png"))
    return folder


def test_a_run_and_masks_are_scored_and_compared(phantoms, perfect, tiny_recipe, tmp_path, call):
    holdout = hold_out(phantoms, fraction=0.2)
    holdout.save(tmp_path / "m.json")
    recipe, options = tiny_recipe.change("fit.epochs", 1), {"device": "cpu", "progress": False}
    run = train(recipe, phantoms, tmp_path / "run", label="tiny", holdout=holdout, **options)
    cases = [*PHANTOMS, "--holdout", tmp_path / "m.json"]
    code, out, err = call("evaluate", run.folder, *cases, "--out", tmp_path / "a")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == ["mean", "native", "working"]
    assert f"tiny on 5 cases of {phantoms.name}" in out
    code, out, _ = call("evaluate", perfect, *cases, "--out", tmp_path / "b", "--label", "truth", "--json")
    assert json.loads(out)["means"]["native"]["dice"] == 1
    code, out, _ = call("conventions", tmp_path / "a", tmp_path / "b")
    assert code == 0
    assert {line.split()[-1] for line in out.splitlines()[1:-1]} == {"truth"}
    assert out.splitlines()[-1].startswith("stability: 1.000")
    assert len(json.loads(call("conventions", tmp_path / "a", tmp_path / "b", "--json")[1])["rows"]) == 50


def test_evaluations_of_other_cases_are_not_compared(phantoms, perfect, tmp_path, call):
    for name, ids in (("a", phantoms.ids), ("b", phantoms.ids[:3])):
        evaluate_masks(perfect, Subset(phantoms, ids), tmp_path / name, progress=False)
    code, _, err = call("conventions", tmp_path / "a", tmp_path / "b")
    assert code == 2
    assert "not of the same cases" in err


def test_a_mistake_is_one_line_and_exit_code_two(check_mistake):
    check_mistake("no run, study or folder of masks no", "evaluate", "no", "--synthetic", "fundus", "--out", "e", "-q")
