from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image

from llmseg import hold_out, zoo
from llmseg.data.folder import FolderStore
from llmseg.data.reading import ReadingWarning
from llmseg.data.store import Case
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.nnunet import preparation
from llmseg.nnunet.folder import Baseline
from llmseg.nnunet.preparation import prepare_nnunet, recipe_split


@pytest.fixture(autouse=True)
def _no_planning(monkeypatch):
    """What nnU-Net itself does belongs to the slow test."""
    monkeypatch.setattr(preparation, "run_step", lambda *_, **__: None)


def _read(path):
    return np.asarray(Image.open(path))


def test_raw_data_and_split_are_those_of_the_benchmark(store, tmp_path):
    holdout = hold_out(store, fraction=0.25)
    recipe = zoo.get("gpt-o3").recipe
    baseline = prepare_nnunet(store, tmp_path / "out", holdout=holdout, recipe=recipe, seed=3, progress=False)
    wanted = recipe_split(recipe, holdout.rest(store), 3)
    assert baseline.split == replace(wanted, test=holdout.test_ids)
    assert baseline.holdout == holdout

    raw, ids = baseline.folder / "raw" / baseline.dataset, baseline.cases
    (fold,) = json.loads((baseline.folder / "preprocessed" / baseline.dataset / "splits_final.json").read_text())
    assert tuple(ids[name] for name in fold["train"]) == wanted.train
    assert tuple(ids[name] for name in fold["val"]) == wanted.validation
    assert sorted(path.stem for path in (raw / "labelsTr").iterdir()) == sorted(fold["train"] + fold["val"])
    held = {ids[path.stem[:-5]] for path in (baseline.folder / "test").iterdir()}
    assert held == set(holdout.test_ids)
    for name in fold["train"] + fold["val"]:
        case = store.read(ids[name])
        assert np.array_equal(_read(raw / "imagesTr" / f"{name}_0000.png"), case.image)
        assert np.array_equal(_read(raw / "labelsTr" / f"{name}.png"), case.mask > 127)
    described = json.loads((raw / "dataset.json").read_text())
    assert (described["numTraining"], described["channel_names"]) == (len(fold["train"] + fold["val"]), {"0": "grey"})


def test_a_prepared_folder_is_kept_and_one_with_something_else_refused(store, tmp_path):
    out = tmp_path / "out"
    first = prepare_nnunet(store, out, progress=False)
    label = next((out / "raw").rglob("case_*.png"))
    label.unlink()
    assert prepare_nnunet(store, out, progress=False) == first
    assert not label.exists()
    with pytest.raises(UserError, match="is prepared with another split"):
        prepare_nnunet(store, out, validation=0.5, progress=False)
    with pytest.raises(UserError, match="is not empty and holds no dataset of nnU-Net"):
        prepare_nnunet(store, tmp_path / "data", progress=False)


def test_an_interrupted_preparation_is_done_again(store, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise UserError("nnU-Net's plan ended with exit code 1")

    with monkeypatch.context() as patch:
        patch.setattr(preparation, "run_step", fail)
        with pytest.raises(UserError, match="exit code 1"):
            prepare_nnunet(store, tmp_path / "out", progress=False)
    with pytest.raises(UserError, match="holds an unfinished preparation"):
        Baseline.open(tmp_path / "out")
    prepare_nnunet(store, tmp_path / "out", progress=False)
    assert Baseline.open(tmp_path / "out").split.train


@dataclass(frozen=True)
class Altered:
    """A store whose images and masks pass through functions."""

    whole: FolderStore
    image: object = staticmethod(lambda id, image: image)
    mask: object = staticmethod(lambda mask: mask)

    def __getattr__(self, name):
        return getattr(self.whole, name)

    def read(self, id):
        case = self.whole.read(id)
        return Case(id, self.image(id, case.image), self.mask(case.mask))


def test_grey_masks_are_cut_where_the_evaluator_cuts_and_others_refused(store, tmp_path):
    random = np.random.default_rng(0)
    grey = Altered(store, mask=lambda mask: random.integers(100, 156, mask.shape, dtype=np.uint8) | (mask & 128))
    baseline = prepare_nnunet(grey, tmp_path / "grey", progress=False)
    labels = [_read(path) for path in (baseline.folder / "raw").rglob("labelsTr/*.png")]
    assert {0, 1} == set(np.unique(labels))
    with pytest.raises(UserError, match=r"has values up to 1, where foreground is above 127; .*--foreground 1"):
        prepare_nnunet(Altered(store, mask=lambda mask: mask // 255), tmp_path / "ones", progress=False)
    with pytest.raises(UserError, match=r"no mask of the .* has foreground"):
        prepare_nnunet(Altered(store, mask=np.zeros_like), tmp_path / "empty", progress=False)


def test_grey_images_among_coloured_ones_get_three_channels(store, tmp_path):
    coloured = Altered(store, image=lambda id, image: image if id == "c00.png" else np.stack([image] * 3, axis=-1))
    baseline = prepare_nnunet(coloured, tmp_path / "out", progress=False)
    shapes = {_read(path).shape for path in (baseline.folder).rglob("*_0000.png")}
    assert shapes == {(9, 7, 3)}


def test_a_store_without_enough_cases_is_refused(store, tmp_path):
    two = Subset(store, store.ids[:2])
    with pytest.raises(UserError, match="1 cases of one group are left to train and validate on"):
        prepare_nnunet(two, tmp_path / "out", progress=False)
    with pytest.raises(UserError, match="too few for this recipe's split"):
        prepare_nnunet(two, tmp_path / "out", recipe=zoo.get("gpt-o3").recipe, progress=False)
    assert not (tmp_path / "out").exists()


def test_no_group_is_divided_between_training_validation_and_test(make_folder, tmp_path):
    folders = make_folder({f"p{patient}_{slice}": (32, 32) for patient in range(6) for slice in range(3)})
    store = FolderStore(*folders, group=r"p\d")
    split = prepare_nnunet(store, tmp_path / "baseline", progress=False).split
    patients = [{id[:2] for id in ids} for ids in (split.train, split.validation, split.test)]
    assert all(patients)
    assert sum(map(len, patients)) == len(set.union(*patients)) == 6


def test_a_split_that_divides_groups_says_which_and_the_advice_helps(make_folder, tmp_path, recwarn):
    folders = make_folder({f"p{patient}_{slice}": (32, 32) for patient in range(4) for slice in range(6)})
    store = FolderStore(*folders, group=r"p\d")
    recipe = zoo.get("gpt-4").recipe
    with pytest.warns(ReadingWarning, match=r"divides (\d) of \1 groups of its validation cases.*: p\d, .*--split-of"):
        prepare_nnunet(store, tmp_path / "divided", recipe=recipe, progress=False)
    recwarn.clear()
    prepare_nnunet(store, tmp_path / "by group", progress=False)
    prepare_nnunet(FolderStore(*folders), tmp_path / "without groups", recipe=recipe, progress=False)
    assert not [warning for warning in recwarn if warning.category is ReadingWarning]
