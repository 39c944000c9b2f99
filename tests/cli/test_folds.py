"""Folds on the command line: drawn, written, read and compared."""

from __future__ import annotations

import json

import pytest

from llmseg import SyntheticStore
from llmseg.data import load_folds
from llmseg.data.hdf5 import write_store
from llmseg.data.packed_case import pack_case

PHANTOMS = ("--synthetic", "mri-tumour", "--cases", 12, "-q")


@pytest.fixture
def one_epoch_json(tiny_recipe, tmp_path):
    """The tiny recipe with one epoch as a file."""
    path = tmp_path / "tiny.json"
    path.write_text(tiny_recipe.change("fit.epochs", 1).to_json())
    return path


@pytest.mark.slow
def test_an_ablation_in_folds_says_what_its_intervals_leave_out(one_epoch_json, tmp_path, call):
    ablation = ["ablate", one_epoch_json, *PHANTOMS, "--field", "fit.rate=1e-12", "--seeds", 1, "--device", "cpu"]
    code, out, err = call(*ablation, "--folds", 2, "--out", tmp_path / "s")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].endswith("95 % interval over folds")
    assert "12 groups, 1 seed" in out
    assert any(line.startswith("cross-validation in 2 folds: trainings of different folds share") for line in lines)
    assert lines[-1].startswith("next: llmseg report")
    # The same folds from their manifests are the same study: nothing is trained again.
    assert call("data", "split", *PHANTOMS, "--folds", 2, "--out", tmp_path / "folds")[0] == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").glob("*/cell.json")}
    assert len(before) == 4
    assert call(*ablation, "--holdout", tmp_path / "folds", "--out", tmp_path / "s")[:2] == (0, out)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "s").glob("*/cell.json")} == before


def test_a_split_into_folds_writes_a_manifest_for_each(tmp_path, call):
    code, out, err = call("data", "split", *PHANTOMS, "--folds", 4, "--out", tmp_path / "folds")
    assert (code, err) == (0, "")
    assert "12 cases in 4 folds (grouped, seed 0) of 3, 3, 3, 3 cases in 3, 3, 3, 3 groups" in out
    folds = load_folds(tmp_path / "folds")
    assert len(folds) == 4
    code, out, _ = call("data", "split", *PHANTOMS, "--folds", 4, "--out", tmp_path / "folds", "--json")
    assert [fact["digest"] for fact in json.loads(out)] == [fold.digest for fold in folds]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ablate", "gpt-4", "--repair", "each", *PHANTOMS, "--folds", 1, "--out", "s"], "folds is 1; it must be 2"),
        (["compare", "gpt-4", "gpt-o3", *PHANTOMS, "--folds", 13, "--out", "s"], "too few groups for 13 folds: 12"),
        (
            ["compare", "gpt-4", "gpt-o3", *PHANTOMS, "--folds", 3, "--holdout", "test.json", "--out", "s"],
            "--folds makes every case one; leave one of them out",
        ),
        (["data", "split", *PHANTOMS, "--folds", 3, "--fraction", 0.2], "give --fraction or --folds"),
    ],
)
def test_mistakes(arguments, words, check_mistake):
    check_mistake(words, *arguments)


def test_a_dataset_with_a_test_part_of_its_own(tmp_path, call):
    """Folds also divide the official test cases, and a line says so."""
    phantoms = SyntheticStore("mri-tumour", count=4)
    parts = zip(phantoms.ids, ("training", "test", "training", "test"), strict=True)
    cases = (pack_case(phantoms.read(id), phantoms.groups[id], part) for id, part in parts)
    store = write_store(tmp_path / "brain.h5", "brain", cases, {})
    code, _, err = call("data", "split", "--data", store.path, "--folds", 2, "--out", tmp_path / "folds")
    assert code == 0
    assert "note: 2 of the 4 cases of brain were published as its test part; folds divide all cases" in err


def test_two_groups_are_few(tmp_path, call):
    phantoms = SyntheticStore("mri-tumour", count=4)
    cases = (pack_case(phantoms.read(id), "ab"[place % 2]) for place, id in enumerate(phantoms.ids))
    store = write_store(tmp_path / "brain.h5", "brain", cases, {})
    given = ("ablate", "gpt-4", "--repair", "each", "--data", store.path, "--folds", 2, "--out", tmp_path / "s", "-q")
    code, _, err = call(*given)
    assert code == 2  # two cases are too few to train on
    assert "warning: 2 groups of cases: no difference can be established" in err
