from __future__ import annotations

import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from llmseg.data.folder import FolderStore
from llmseg.data.mask_values import LabelValues
from llmseg.data.reading import Reading, ReadingWarning
from llmseg.data.reading_check import check_reading
from llmseg.data.store import SizesDiffer
from llmseg.errors import UserError


def test_reads_what_was_written(make_folder):
    images, masks = make_folder({"a": (6, 5), "b": (3, 8)})
    store = FolderStore(images, masks)
    assert store.ids == ("a.png", "b.png")
    for id in store.ids:
        case = store.read(id)
        assert case.id == id
        assert case.image.dtype == case.mask.dtype == np.uint8
        np.testing.assert_array_equal(case.image, np.asarray(Image.open(images / id)))
        np.testing.assert_array_equal(case.mask, np.asarray(Image.open(masks / id)))


def test_accepts_text_for_paths(make_folder):
    images, masks = make_folder()
    assert FolderStore(str(images), str(masks)).ids == FolderStore(images, masks).ids


def test_every_case_is_a_group_of_its_own(tiny_store):
    assert set(tiny_store.groups) == set(tiny_store.ids)
    assert len(set(tiny_store.groups.values())) == len(tiny_store.ids)


def test_name(make_folder, tmp_path):
    images, masks = make_folder()
    assert FolderStore(images, masks).name == tmp_path.name
    renamed = images.rename(tmp_path / "retina")
    assert FolderStore(renamed, masks).name == "retina"


class TestDigest:
    def test_is_of_the_content_not_of_the_place(self, make_folder, tmp_path):
        images, masks = make_folder()
        before = FolderStore(images, masks).digest
        copy = tmp_path / "elsewhere"
        shutil.copytree(images, copy / "images")
        shutil.copytree(masks, copy / "masks")
        assert FolderStore(copy / "images", copy / "masks").digest == before
        assert len(before) == 64

    def test_passed_over_files_do_not_count(self, make_folder):
        images, masks = make_folder()
        before = FolderStore(images, masks).digest
        (images / "notes.txt").write_text("x")
        assert FolderStore(images, masks).digest == before

    @pytest.mark.parametrize("what", ["image", "mask", "name", "fewer", "foreground", "swapped"])
    def test_changes_with(self, make_folder, what):
        images, masks = make_folder()
        before, foreground = FolderStore(images, masks).digest, None
        if what in ("image", "mask"):
            file = (images if what == "image" else masks) / "b.png"
            pixels = np.array(Image.open(file))
            pixels[0, 0] = 255 - pixels[0, 0]
            Image.fromarray(pixels).save(file)
        elif what == "name":
            for folder in (images, masks):
                (folder / "b.png").rename(folder / "bb.png")
        elif what == "fewer":
            (images / "b.png").unlink()
        elif what == "foreground":
            foreground = 255
        else:
            (images / "a.png").rename(images / "x")
            (images / "b.png").rename(images / "a.png")
            (images / "x").rename(images / "b.png")
        assert FolderStore(images, masks, foreground=foreground).digest != before


class TestBadInput:
    def test_no_pairs_is_reported_where_the_store_is_made(self, make_folder, tmp_path):
        images, _ = make_folder()
        with pytest.raises(UserError, match="no mask folder"):
            FolderStore(images, tmp_path / "nowhere")

    def test_unknown_case(self, tiny_store):
        with pytest.raises(UserError, match=r"no case 'd\.png' .*it has 3, first 'a\.png'"):
            tiny_store.read("d.png")

    def test_sizes_differ(self, make_folder):
        images, masks = make_folder({"a": (6, 5)})
        Image.new("L", (7, 6)).save(masks / "a.png")
        with pytest.raises(UserError, match=r"mask a\.png is 7x6, its image a\.png is 5x6 \(width x height\)"):
            FolderStore(images, masks).read("a.png")

    def test_transposed_sizes_differ(self, make_folder):
        images, masks = make_folder({"a": (6, 5)})
        Image.new("L", (6, 5)).save(masks / "a.png")
        with pytest.raises(UserError, match="make them equal"):
            FolderStore(images, masks).read("a.png")

    @pytest.mark.parametrize("which", ["image", "mask"])
    def test_damaged_file(self, make_folder, which):
        folders = dict(zip(("image", "mask"), make_folder({"a": (60, 50)}), strict=True))
        file = folders[which] / "a.png"
        file.write_bytes(file.read_bytes()[:-40])
        with pytest.raises(UserError, match=r"a\.png is damaged"):
            FolderStore(*folders.values()).read("a.png")

    def test_label_values(self, make_folder):
        images, masks = make_folder({"a": (2, 2)})
        Image.fromarray(np.array([[0, 1], [2, 3]], np.uint8)).save(masks / "a.png")
        with pytest.raises(UserError, match=r"values 0, 1, 2, 3, where .*--foreground 3"):
            FolderStore(images, masks).read("a.png")
        assert FolderStore(images, masks, foreground=2).read("a.png").mask.tolist() == [[0, 0], [255, 0]]

    def test_faults_of_a_mask_can_be_told_apart(self, make_folder):
        images, masks = make_folder({"a": (6, 5), "b": (6, 5), "c": (60, 50)})
        Image.new("L", (7, 6)).save(masks / "a.png")
        Image.new("L", (5, 6), 1).save(masks / "b.png")
        (masks / "c.png").write_bytes((masks / "c.png").read_bytes()[:-40])
        store = FolderStore(images, masks)
        with pytest.raises(SizesDiffer):
            store.read("a.png")
        with pytest.raises(LabelValues, match="--foreground 1"):
            store.read("b.png")
        with pytest.raises(UserError, match="damaged") as error:
            store.read("c.png")
        assert type(error.value) is UserError


class TestOrphans:
    @pytest.fixture
    def folders(self, make_folder):
        images, masks = make_folder(dict.fromkeys("abcd", (2, 2)))
        (images / "a.png").unlink()
        (masks / "c.png").unlink()
        return images, masks

    def test_images_without_mask_are_refused(self, folders):
        with pytest.raises(UserError, match="1 of 3 images"):
            FolderStore(*folders)

    def test_images_without_mask_are_skipped(self, folders):
        store = FolderStore(*folders, orphans="skip")
        assert store.ids == ("b.png", "d.png")
        assert store.unpaired == ("images/c.png", "masks/a.png")

    def test_masks_without_image_are_listed_in_either_case(self, make_folder):
        images, masks = make_folder()
        (images / "b.png").unlink()
        assert (
            FolderStore(images, masks).unpaired
            == FolderStore(images, masks, orphans="skip").unpaired
            == ("masks/b.png",)
        )

    def test_a_whole_store_is_the_same_store(self, make_folder):
        folders = make_folder()
        refusing, skipping = FolderStore(*folders), FolderStore(*folders, orphans="skip")
        assert skipping.unpaired == ()
        assert (skipping.ids, skipping.digest) == (refusing.ids, refusing.digest)

    def test_unknown_word(self, make_folder):
        with pytest.raises(UserError, match="orphans 'skipp': must be one of refuse, skip; did you mean 'skip'"):
            FolderStore(*make_folder(), orphans="skipp")


class TestGroups:
    """Groups of the files in a folder: by a pattern for names, or by a table."""

    @pytest.fixture
    def folders(self, make_folder):
        return make_folder({f"p{patient}_{slice}": (6, 5) for patient in range(3) for slice in range(2)})

    def test_by_pattern_and_by_table_are_the_same_store(self, folders):
        by_pattern = FolderStore(*folders, group=r"^(p\d)")
        by_table = FolderStore(*folders, group_table={id: id[:2] for id in by_pattern.ids})
        assert by_pattern.groups == by_table.groups == {id: id[:2] for id in by_pattern.ids}
        assert by_pattern.digest == by_table.digest

    def test_other_groups_are_another_store(self, folders):
        digests = {
            FolderStore(*folders).digest,
            FolderStore(*folders, group=r"p\d").digest,
            FolderStore(*folders, group=r"p(\d)").digest,
            FolderStore(*folders, group=r"_\d").digest,
        }
        assert len(digests) == 4

    def test_a_table_in_which_each_case_is_its_own_group_changes_nothing(self, folders):
        store = FolderStore(*folders)
        assert FolderStore(*folders, group_table={id: id for id in store.ids}).digest == store.digest

    def test_the_digest_without_groups_is_what_it_was(self, tmp_path):
        for folder in ("images", "masks"):
            (tmp_path / folder).mkdir()
            Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / folder / "a.bmp")
        store = FolderStore(tmp_path / "images", tmp_path / "masks")
        assert store.digest == "38a9603d7db6b8fa43c2bc85dcf986fd973e6ce9b3ba746dfb9a0785ac9daa44"

    def test_a_mistake_is_reported_when_the_store_is_opened(self, folders):
        with pytest.raises(UserError, match="matches nothing"):
            FolderStore(*folders, group="x")
        with pytest.raises(UserError, match="lacks 6 of 6 cases"):
            FolderStore(*folders, group_table={})

    def test_a_table_may_name_images_that_are_left_out(self, folders):
        images, masks = folders
        (masks / "p2_1.png").unlink()
        table = {f"p{patient}_{slice}": f"p{patient}" for patient in range(3) for slice in range(2)}
        with pytest.warns(ReadingWarning, match=r"has 1 cases that are not there .* p2_1"):
            assert len(FolderStore(images, masks, orphans="skip", group_table=table).groups) == 5

    def test_a_store_with_a_mapping_is_hashable(self, folders):
        assert hash(FolderStore(*folders, group_table={f"p{p}_{s}": "a" for p in range(3) for s in range(2)}))


@pytest.mark.parametrize("orphans", ["refuse", "skip"])
def test_folders_are_listed_once(make_folder, monkeypatch, orphans):
    images, masks = make_folder()
    listed = []
    list_folder = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(folder) or list_folder(folder))
    store = FolderStore(images, masks, orphans=orphans)
    assert store.unpaired == ()
    assert store.groups
    assert store.digest
    assert listed == [images, masks]


class TestSeveralMasks:
    @pytest.fixture
    def folder(self, tmp_path):
        """Image a has two lesions, each in a mask of its own; b has one."""
        for name in ("a", "b"):
            Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / f"{name}.png")
        for k, name in enumerate(("a_mask", "a_mask_1", "b_mask")):
            Image.fromarray(np.eye(8, k=4 * k % 8, dtype=np.uint8) * 255).save(tmp_path / f"{name}.png")
        return tmp_path

    def test_they_are_refused_and_the_advice_can_be_followed(self, folder):
        with pytest.raises(UserError, match=r"image a\.png has 2 masks.*--several-masks=join") as error:
            FolderStore(folder, folder)
        value = re.search(r"--several-masks=(\w+)", str(error.value))[1]
        store = FolderStore(folder, folder, reading=Reading(several_masks=value))
        both = np.maximum(np.eye(8), np.eye(8, k=4)) * 255
        np.testing.assert_array_equal(store.read("a.png").mask, both)
        np.testing.assert_array_equal(store.read("b.png").mask, np.eye(8) * 255)

    def test_all_of_them_are_in_the_digest(self, folder):
        reading = Reading(several_masks="join")
        before = FolderStore(folder, folder, reading=reading).digest
        Image.new("L", (8, 8)).save(folder / "a_mask_1.png")
        assert FolderStore(folder, folder, reading=reading).digest != before

    def test_other_sizes_are_refused_by_name(self, folder):
        Image.new("L", (8, 4), 255).save(folder / "a_mask_1.png")
        store = FolderStore(folder, folder, reading=Reading(several_masks="join"))
        with pytest.raises(SizesDiffer, match=r"mask a_mask_1\.png is 8x4, its image a\.png is 8x8"):
            store.read("a.png")
        with pytest.raises(UserError, match=r"the masks of a\.png are 8x4, 8x8 \(width x height\); make them equal"):
            check_reading(store)

    def test_labels_in_a_further_mask_are_refused(self, folder):
        labels = np.kron(np.array([[1, 2], [0, 3]], np.uint8), np.ones((4, 4), np.uint8))
        Image.fromarray(labels).save(folder / "a_mask_1.png")
        with pytest.raises(LabelValues, match=r"a\.png has values 0, 1, 2, 3"):
            check_reading(FolderStore(folder, folder, reading=Reading(several_masks="join")))


def test_files_without_partner_are_told_before_work(make_folder):
    images, masks = make_folder()
    (images / "b.png").unlink()
    with pytest.warns(ReadingWarning, match=r"1 files have no partner and are left out: masks/b\.png"):
        check_reading(FolderStore(images, masks))


def test_folders_below_are_a_store_whose_groups_are_told_by_a_pattern(tmp_path):
    for patient in ("ann", "bob"):
        for kind in ("images", "masks"):
            (tmp_path / patient / kind).mkdir(parents=True)
            for k in range(2):
                pixels = np.full((8, 8), 255 if kind == "masks" else k, np.uint8)
                Image.fromarray(pixels * (np.arange(8) < 4)).save(tmp_path / patient / kind / f"{k}.png")
    store = FolderStore(tmp_path, tmp_path, group=r"^(.+)/")
    assert dict(store.groups) == {f"{patient}/{k}.png": patient for patient in ("ann", "bob") for k in range(2)}
    assert store.read("bob/1.png").image.max() == 1
    assert FolderStore(tmp_path, tmp_path).groups["bob/1.png"] == "bob/1.png"
