"""Facts of the catalogue stand in a report only where a store was prepared as that dataset."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from llmseg import FolderStore, Hdf5Store, write_report
from llmseg.data.download.prepare_dataset import prepare_dataset
from llmseg.data.origin import find_dataset_id
from llmseg.data.subset import Subset
from llmseg.evaluation import evaluate_masks

pytestmark = pytest.mark.quick

LICENCES = ("CC-BY-NC-4.0", "see its source")


def make_folder(root: Path) -> Path:
    random = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True)
    for number in range(3):
        Image.fromarray(random.integers(0, 255, (16, 16), np.uint8)).save(root / f"images/{number}.png")
        mask = np.zeros((16, 16), np.uint8)
        mask[4 : 9 + number, 4:10] = 255
        Image.fromarray(mask).save(root / f"masks/{number}.png")
    return root


def report_text(store: FolderStore | Hdf5Store, masks: Path, tmp_path: Path, **options: object) -> str:
    for label in ("ours", "theirs"):
        evaluate_masks(masks, store, tmp_path / "evaluated" / label, label=label, seed=0, progress=False)
    report = write_report([tmp_path / "evaluated"], tmp_path / "site", **options)  # type: ignore[arg-type]
    return "".join(path.read_text(encoding="utf-8") for path in report.folder.rglob("*.html"))


@pytest.mark.parametrize("name", ["skin", "brain", "glottis", "retina", "Chase"])
def test_a_folder_that_is_called_as_a_dataset_gets_none_of_its_facts(name, tmp_path):
    root = make_folder(tmp_path / name)
    store = FolderStore(root / "images", root / "masks")
    assert find_dataset_id(store) is None
    text = report_text(FolderStore(root / "images", root / "masks"), root / "masks", tmp_path)
    assert not any(word in text for word in ("et al.", "Licence", *LICENCES))
    assert "othing is known of it" in text


def test_a_folder_prepared_as_a_folder_gets_none_either(tmp_path):
    root = make_folder(tmp_path / "brain")
    store = prepare_dataset("folder", root, tmp_path / "brain.h5", progress=False)
    assert store.name == "brain"
    assert find_dataset_id(store) is None
    assert "et al." not in report_text(store, root / "masks", tmp_path, stores=[store])


def test_a_store_prepared_as_a_dataset_has_its_title_licence_and_citation(tmp_path):
    root = make_folder(tmp_path / "mine")
    store = prepare_dataset("skin", root, tmp_path / "skin.h5", progress=False)
    assert find_dataset_id(store) == find_dataset_id(Subset(store, store.ids[:2])) == "ham10000"
    text = report_text(store, root / "masks", tmp_path)
    assert all(word in text for word in ("HAM10000: ", "CC-BY-NC-4.0", "For ham10000: Tschandl et al."))


def test_where_two_evaluations_disagree_nothing_is_claimed(tmp_path):
    root = make_folder(tmp_path / "mine")
    store = prepare_dataset("skin", root, tmp_path / "skin.h5", progress=False)
    report_text(store, root / "masks", tmp_path)
    path = tmp_path / "evaluated/ours/evaluation.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "prepared_as": None}))
    write_report([tmp_path / "evaluated"], tmp_path / "site")
    assert "Tschandl" not in (tmp_path / "site/methods.html").read_text(encoding="utf-8")


def test_runs_say_what_their_store_was_prepared_as(run_report, study):
    (record,) = {run.record["prepared_as"] for variant in study.variants for run in study.runs(variant)}
    assert record is None
    assert "Phantoms that llmseg drew." in next((run_report.folder / "datasets").iterdir()).read_text(encoding="utf-8")
