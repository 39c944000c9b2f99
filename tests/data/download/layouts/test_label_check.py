"""All label files of a raw dataset of nnU-Net are judged before a case is written."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from llmseg.data.download.prepare_dataset import prepare_dataset
from llmseg.errors import UserError

IMAGE = np.arange(48, dtype=np.uint8).reshape(6, 8)


@pytest.fixture
def prepare(tmp_path, png, nifti):
    def run(values, labels=None, volume=False, **options):
        root = tmp_path / "D"
        encode, ending = (nifti, ".nii.gz") if volume else (png, ".png")
        for folder in ("imagesTr", "labelsTr"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for k, occurring in enumerate(values):
            mask = np.zeros((6, 8), np.uint8)
            mask.flat[: 4 * len(occurring)] = np.repeat(occurring, 4).astype(np.uint8)
            (root / "imagesTr" / f"c{k}_0000{ending}").write_bytes(encode(IMAGE))
            (root / "labelsTr" / f"c{k}{ending}").write_bytes(encode(mask))
        if labels is not None:
            (root / "dataset.json").write_text(json.dumps({"labels": labels}))
        return prepare_dataset("nnunet", root, tmp_path / "store.h5", progress=False, **options)

    return run


def count(store):
    return [int((store.read(id).mask > 127).sum()) for id in store.ids]


@pytest.mark.parametrize("volume", [False, True])
@pytest.mark.parametrize("values", [[[1, 255], [1]], [[1], [255]], [[2, 7, 255], []]])
def test_255_beside_small_labels_is_asked_about(prepare, tmp_path, values, volume):
    with pytest.raises(UserError, match="label 255 beside smaller ones is a border, or ignored") as error:
        prepare(values, volume=volume)
    assert not (tmp_path / "store.h5").exists()
    (label,) = re.findall(r"--label=(\d+)", str(error.value))
    assert count(prepare(values, volume=volume, label=label)) == [4 * (int(label) in file) for file in values]


def test_a_dataset_json_answers_it(prepare):
    assert count(prepare([[1, 255], [1]], {"background": 0, "object": 1, "ignore": 255})) == [4, 4]


@pytest.mark.parametrize("values", [[[255], [255]], [[1], [1]]])
def test_one_label_is_no_question(prepare, values):
    store = prepare(values)
    assert count(store) == [4, 4]
    assert store.provenance["notes"] == []


def test_several_labels_without_names_are_told(prepare):
    store = prepare([[1, 2], [3]])
    assert count(store) == [8, 4]
    assert store.provenance["notes"] == ["the labels 1, 2, 3 are joined as one foreground; --label=3 reads one"]


@pytest.mark.parametrize("strange", [2, 255])
def test_a_label_that_dataset_json_does_not_name_is_refused(prepare, strange):
    with pytest.raises(UserError, match=rf"labels have {strange}, which dataset.json does not name: of 2 files"):
        prepare([[1, strange], [1]], {"background": 0, "object": 1})
    assert count(prepare([[1, strange], [1]], {"background": 0, "object": 1}, label="object")) == [4, 4]


def test_a_label_that_no_file_has_is_refused(prepare):
    with pytest.raises(UserError, match=r"no file has the label tumour \(2\): .* labels are 0 \(2\), 1 \(2\)"):
        prepare([[1], [1]], {"background": 0, "liver": 1, "tumour": 2}, label="tumour")


@pytest.mark.parametrize(("values", "word"), [([[], []], "empty"), ([[1] * 12, [1] * 12], "full")])
def test_nothing_to_learn_is_refused(prepare, values, word):
    with pytest.raises(UserError, match=f"all label files are {word}"):
        prepare(values)


def test_the_ignored_label_alone_is_nothing_to_learn(prepare):
    with pytest.raises(UserError, match="all label files are empty"):
        prepare([[3], [3]], {"background": 0, "object": 1, "ignore": 3})
