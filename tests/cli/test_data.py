from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from llmseg import Hdf5Store, Holdout
from llmseg.data import dataset_names


@pytest.fixture
def fundus(tmp_path):
    """A small HRF in its official layout; the last image has no mask."""
    random = np.random.default_rng(0)
    folder = tmp_path / "HRF"
    for name in ("images", "manual1", "mask"):
        (folder / name).mkdir(parents=True)
    for index in range(1, 9):
        stem = f"{index:02}_h"
        Image.fromarray(random.integers(0, 255, (40, 36, 3), dtype=np.uint8)).save(folder / f"images/{stem}.JPG")
        Image.fromarray(np.full((40, 36), 255, np.uint8)).save(folder / f"mask/{stem}_mask.tif")
        mask = np.zeros((40, 36), np.uint8)
        mask[:index] = 255
        if index < 8:
            Image.fromarray(mask).save(folder / f"manual1/{stem}.tif")
    return folder


@pytest.fixture
def store(fundus, tmp_path, call):
    path = tmp_path / "hrf.h5"
    assert call("data", "prepare", "hrf", "--root", fundus, "--out", path, "--quiet")[0] == 0
    return path


def test_all_datasets_are_listed(call):
    code, out, _ = call("data", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(dataset_names())
    assert [entry["id"] for entry in json.loads(call("data", "list", "--json")[1])] == list(dataset_names())


@pytest.mark.parametrize("name", dataset_names())
def test_facts_are_shown(name, call):
    _, out, _ = call("data", "info", name)
    facts = json.loads(call("data", "info", name, "--json")[1])
    assert facts["title"] in out
    assert facts["citation"] in out
    assert all(line in out for line in facts["layout"])


def test_prepare_says_what_it_found(fundus, tmp_path, call):
    code, out, err = call("data", "prepare", "hrf", "--root", fundus, "--out", tmp_path / "hrf.h5", "--quiet")
    assert (code, err) == (0, "")
    assert "7 cases in 7 groups" in out
    assert "the official set has 45" in out
    assert "1 files without partner, first images/08_h.JPG" in out
    assert Hdf5Store(tmp_path / "hrf.h5").digest in out


def test_prepare_as_json(fundus, tmp_path, call):
    facts = json.loads(
        call("data", "prepare", "HRF", "--root", fundus, "--out", tmp_path / "a.h5", "--json", "--quiet")[1]
    )
    assert facts["cases"] == 7
    assert facts["alone"] == ["images/08_h.JPG"]
    assert facts["licence"]["spdx"] == "CC-BY-4.0"


def test_split_train_and_predict_from_a_store(store, tmp_path, call, tiny_recipe):
    recipe, manifest = tmp_path / "tiny.json", tmp_path / "test.json"
    recipe.write_text(tiny_recipe.change("split.first_size", 0.5).to_json())
    code, out, _ = call("data", "split", "--data", store, "--out", manifest, "--fraction", "0.3", "--quiet")
    holdout = Holdout.load(manifest)
    assert (code, len(holdout.test_ids)) == (0, 2)
    assert "2 of 7 cases of hrf held out in 2 groups (grouped, seed 0)" in out
    assert holdout.digest in out
    run = tmp_path / "run"
    assert call("train", recipe, "--data", store, "--holdout", manifest, "--out", run, "--epochs", 1, "-q")[0] == 0
    record = json.loads((run / "run.json").read_text())
    assert record["holdout"] == holdout.digest
    used = {id for part in record["split"].values() for id in part}
    assert used == set(Hdf5Store(store).ids) - set(holdout.test_ids)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prepare", "hfr", "--root", "."], "did you mean 'hrf'"),
        (["prepare", "hrf", "--root", "nowhere"], "no folder or archive nowhere"),
        (["prepare", "hrf", "--root", ".", "--select", "some"], "it may be all or study"),
        (["prepare", "hrf", "--root", ".", "--orientation", "display"], "hrf is a set of pictures"),
        (
            ["prepare", "umd", "--root", ".", "--orientation", "upside"],
            "orientation is 'upside'; it may be study or display",
        ),
        (["info", "hamm"], "no dataset 'hamm'"),
        (["split", "--out", "m.json"], "give the cases in one way"),
        (["split", "--out", "m.json", "--data", "nothing.h5"], "nothing.h5 is not there"),
        (["split", "--out", "m.json", "--synthetic", "fundus", "--fraction", "2"], "fraction is 2.0"),
        (["split", "--out", "m.json", "--synthetic", "fundus", "--split", "fair"], "grouped or random"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(arguments, words, check_mistake):
    check_mistake(words, "data", *arguments)


def test_a_folder_of_images_and_masks_is_data_too(folders, tmp_path, call, check_mistake):
    images, masks = folders
    whole = tmp_path / "whole"
    whole.mkdir()
    images.rename(whole / "images")
    masks.rename(whole / "masks")
    assert call("data", "split", "--data", whole, "--quiet")[0] == 0
    two = ("--images", whole / "images", "--masks", whole / "masks")
    assert call("data", "split", *two, "--out", tmp_path / "two.json", "--quiet")[0] == 0
    first, second = (Holdout.load(tmp_path / name) for name in ("whole-test.json", "two.json"))
    assert (first.store_digest, first.test_ids) == (second.store_digest, second.test_ids)
    # Options that say how folders are read count, too.
    check_mistake("not-there", "data", "split", "--data", whole, "--foreground", "not-there")
    code, _, err = call("data", "split", "--data", whole, *two)
    assert (code, "in one way" in err) == (2, True)


def test_cases_in_two_ways_are_refused(store, tmp_path, call):
    code, _, err = call("data", "split", "--data", store, "--synthetic", "fundus", "--out", tmp_path / "m.json")
    assert code == 2
    assert "in one way" in err


def test_places_that_are_not_named_lie_beside_the_source(store, tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("data", "split", "--data", store, "--quiet")[0] == 0
    assert len(Holdout.load(tmp_path / "hrf-test.json").test_ids) == 1
    masks = tmp_path / "masks"
    masks.mkdir()
    opened = Hdf5Store(store)
    for id in opened.ids:
        Image.fromarray(opened.read(id).mask).save(masks / id, format="PNG")
    assert call("evaluate", masks, "--data", store, "--quiet")[0] == 0
    assert (tmp_path / "masks-evaluation/evaluation.json").is_file()


class TestDoctor:
    def test_a_clean_dataset_and_one_that_leaks(self, store, tmp_path, call):
        code, out, err = call("data", "doctor", "--data", store, "--quiet")
        assert (code, err) == (0, "")
        assert out.startswith("hrf: 7 cases in 7 groups")
        assert "files without a partner: 1" in out
        code, out, _ = call("data", "doctor", "--synthetic", "endoscopy", "--cases", 12, "--quiet", "--json")
        assert code == 0
        manifest = tmp_path / "random.json"
        cases = ["--synthetic", "endoscopy", "--cases", 12, "--quiet"]
        assert call("data", "split", *cases, "--split", "random", "--fraction", 0.4, "--out", manifest)[0] == 0
        code, out, _ = call("data", "doctor", *cases, "--holdout", manifest, "--json")
        assert code == 1
        assert "group-overlap" in {finding["kind"] for finding in json.loads(out)["findings"]}

    def test_folders_may_have_orphans(self, fundus, call):
        for path in fundus.glob("manual1/*.tif"):
            path.rename(path.with_stem(f"{path.stem}_mask"))
        code, out, _ = call("data", "doctor", "--images", fundus / "images", "--masks", fundus / "manual1", "-q")
        assert code == 0
        assert "files without a partner: 1" in out
        assert "images/08_h.JPG" in out

    def test_a_mistake_is_one_line(self, call):
        code, _, err = call("data", "doctor", "--data", "nothing.h5", "-q")
        assert code == 2
        assert err.count("\n") == 1


def test_the_cache_is_listed_and_cleared(call, tmp_path, monkeypatch, tiny_recipe):
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))
    recipe = tmp_path / "recipe.json"
    recipe.write_text(tiny_recipe.change("fit.epochs", 1).to_json())
    train = ["train", str(recipe), "--synthetic", "endoscopy", "--cases", "12", "-q", "--out"]
    assert call(*train, str(tmp_path / "without"), "--no-cache")[0] == 0
    assert "0 sets of cases" in call("cache", "list")[1]
    assert call(*train, str(tmp_path / "with"))[0] == 0
    assert "12 cases" in call("cache", "list")[1]
    assert json.loads(call("cache", "list", "--json")[1])[0]["cases"] == 12
    assert "MB freed" in call("cache", "clear")[1]
    assert "0 sets of cases" in call("cache", "list")[1]
