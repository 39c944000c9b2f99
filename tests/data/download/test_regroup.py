from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from llmseg.data import prepare_dataset
from llmseg.errors import UserError


@pytest.fixture
def root(tmp_path):
    """Images in a folder per patient, whose names do not tell the patient; two of each."""
    folder = tmp_path / "download"
    random = np.random.default_rng(0)
    for patient in ("ann", "bob", "eve"):
        for kind in ("images", "masks"):
            (folder / kind / patient).mkdir(parents=True)
            for slice in range(2):
                pixels = random.integers(0, 2, (6, 5), dtype=np.uint8) * np.uint8(255)
                Image.fromarray(pixels).save(folder / kind / patient / f"{patient[0]}{slice}.png")
    return folder


def _prepare(root, tmp_path, name="s", **options):
    return prepare_dataset("folder", root, tmp_path / f"{name}.h5", progress=False, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"group": r"^([a-z])\d"},
        {"group": r"images/([a-z]+)/"},
        {"group_table": {f"{letter}{slice}": letter for letter in "abe" for slice in range(2)}},
    ],
)
def test_groups_by_id_by_path_or_by_table(root, tmp_path, options):
    store = _prepare(root, tmp_path, **options)
    assert [group[0] for group in store.groups.values()] == [id[0] for id in store.ids]
    assert len(set(store.groups.values())) == 3
    assert store.provenance["options"].get("group") == options.get("group")


def test_without_groups_the_store_is_what_it_was(root, tmp_path):
    store = _prepare(root, tmp_path)
    assert store.groups == {id: id for id in store.ids}
    assert set(store.provenance["options"]) == {"select", "seed", "orientation"}
    grouped = _prepare(root, tmp_path, "grouped", group="^[a-z]")
    assert grouped.digest != store.digest
    with pytest.raises(UserError, match="other files or options"):
        _prepare(root, tmp_path, group="^[a-z]")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"group": "x"}, "matches nothing in 6 of 6 cases: a0.png"),
        ({"group": "images"}, "gives all 6 cases the same group"),
        ({"group_table": {"a0": "a"}}, "lacks 5 of 6 cases"),
        ({"group": "a", "group_table": {}}, "not both"),
    ],
)
def test_groups_that_do_not_fit_write_nothing(root, tmp_path, options, words):
    with pytest.raises(UserError, match=words):
        _prepare(root, tmp_path, **options)
    assert not (tmp_path / "s.h5").exists()


def test_a_dataset_that_knows_its_groups_keeps_them(tmp_path):
    folder = tmp_path / "bagls" / "training"
    folder.mkdir(parents=True)
    for index in range(2):
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(folder / f"{index}.png")
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / f"{index}_seg.png")
        (folder / f"{index}.meta").write_text('{"Video Id": 7}')
    with pytest.raises(UserError, match=r"'.*0\.png' is of '.*7' by the layout"):
        prepare_dataset("bagls", tmp_path / "bagls", tmp_path / "b.h5", group="x", progress=False)
