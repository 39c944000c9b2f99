from __future__ import annotations

import errno
import itertools
import os
import re
import signal
import subprocess
import sys
import weakref
from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock

from llmseg.data import read_ahead
from llmseg.data.catalog import get_dataset
from llmseg.data.download import prepare_dataset as module
from llmseg.data.download.prepare_dataset import prepare_dataset
from llmseg.data.download.tree import File
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.packed_case import PackedCase
from llmseg.data.store import Case
from llmseg.errors import UserError

COUNTS = {
    "bagls": 7,
    "bolus": 3,
    "brain": 3,
    "ham10000": 4,
    "umd": 9,
    "retina": 5,
    "drive": 2,
    "stare": 2,
    "chase_db1": 3,
    "hrf": 3,
    "folder": 3,
    "nnunet": 3,
    "medsegbench": 6,
}


def prepare(name, root, out, **options):
    return prepare_dataset(name, root, out, progress=False, **options)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(module, "_FILES_PER_SHARD", 2)


@pytest.fixture
def reads(monkeypatch):
    """Paths of the images whose content is asked for."""
    asked, read_unpacked = [], File.read_unpacked

    def counted(self):
        asked.append(self.path)
        return read_unpacked(self)

    monkeypatch.setattr(File, "read_unpacked", counted)
    return asked


@pytest.fixture
def folder(tmp_path, write_tree, download):
    """Eight images and masks."""
    files = download("folder")
    return write_tree(
        tmp_path / "set",
        {f"{kind}/{k}.png": files[f"{kind}/{'abc'[k % 3]}.png"] for k in range(8) for kind in ("images", "masks")},
    )


def same(one, other):
    return (one.ids, one.groups, one.parts, one.digest) == (other.ids, other.groups, other.parts, other.digest)


@pytest.mark.parametrize("id", COUNTS)
def test_folders_and_archives_give_the_same(id, tmp_path, download, write_tree, zipped, tarred, monkeypatch):
    monkeypatch.setattr(module, "_FILES_PER_SHARD", 64)
    files = download(id)
    stores = [prepare(id, write_tree(tmp_path / "folder", files), tmp_path / "folder.h5")]
    for name, content in {"a.zip": zipped(files), "a.tar.gz": tarred(files, "gz")}.items():
        (tmp_path / name).write_bytes(content)
        stores.append(prepare(id, tmp_path / name, tmp_path / f"{name}.h5"))
    assert len(stores[0].ids) == COUNTS[id]
    assert all(same(stores[0], other) for other in stores[1:])
    assert stores[0].provenance["notes"] == []
    for name in stores[0].ids:
        case = stores[0].read(name)
        assert case.image.shape[:2] == case.mask.shape
        assert np.array_equal(case.mask, stores[1].read(name).mask)
    assert not list(tmp_path.glob(".*")), "nothing is left of the work"


def test_groups_and_parts(tmp_path, download, write_tree):
    store = prepare("bagls", write_tree(tmp_path / "x", download("bagls")), tmp_path / "s.h5")
    assert store.groups["training/0.png"] == store.groups["training/1.png"] == "video training0"
    assert set(store.parts.values()) == {"training", "test"}
    store = prepare("medsegbench", write_tree(tmp_path / "y", download("medsegbench")), tmp_path / "t.h5")
    assert store.groups == {id: id for id in store.ids}
    assert store.parts["val_00000.png"] == "validation"


def test_provenance(tmp_path, download, write_tree):
    files = download("bagls")
    del files["test/0.png"]
    store = prepare("glottis", write_tree(tmp_path / "downloads", files), tmp_path / "s.h5")
    facts = store.provenance
    assert (store.name, facts["dataset"], facts["root"], facts["layout"]) == ("bagls", "bagls", "downloads", "BAGLS")
    assert facts["options"] == {"select": "all", "seed": 0, "orientation": "study"}
    assert facts["licence"]["spdx"] == "CC-BY-NC-SA-4.0"
    assert facts["official_cases"] == 59250
    assert store.unpaired == ("test/0_seg.png",)


class TestAgain:
    def test_the_same_call_returns_the_store(self, folder, tmp_path, reads):
        first = prepare("folder", folder, tmp_path / "s.h5")
        before = (tmp_path / "s.h5").stat()
        reads.clear()
        assert same(prepare("folder", folder, tmp_path / "s.h5"), first)
        assert (reads, (tmp_path / "s.h5").stat()) == ([], before)

    @pytest.mark.parametrize("change", ["file", "select", "orientation", "name"])
    def test_another_call_is_refused(self, tmp_path, download, write_tree, change, monkeypatch):
        root = write_tree(tmp_path / "x", download("umd"))
        options = {"name": "umd"}
        if change == "select":
            umd = get_dataset("umd")
            few = replace(umd, study=replace(umd.study, groups=1))
            monkeypatch.setattr(module, "get_dataset", lambda name: few)
            options["select"] = "study"
        elif change == "orientation":
            options["orientation"] = "display"
        elif change == "name":
            root = write_tree(tmp_path / "y", download("folder"))
            options["name"] = "folder"
        prepare("bolus" if change == "name" else "umd", root, tmp_path / "s.h5")
        before = (tmp_path / "s.h5").read_bytes()
        if change == "file":
            path = next(root.rglob("UMD_221129_001_t2.nii.gz"))
            path.write_bytes(path.read_bytes() + bytes(1))
        with pytest.raises(UserError, match=r"s\.h5 holds a store of other files or options; .* choose another --out"):
            prepare(root=root, out=tmp_path / "s.h5", **options)
        assert (tmp_path / "s.h5").read_bytes() == before

    @pytest.mark.parametrize("kind", ["file", "folder"])
    def test_what_is_no_store_stays(self, folder, tmp_path, kind):
        out = tmp_path / "s.h5"
        out.write_bytes(b"mine") if kind == "file" else out.mkdir()
        with pytest.raises(UserError, match=r"s\.h5 exists and is no store; choose another --out"):
            prepare("folder", folder, out)
        assert out.is_dir() or out.read_bytes() == b"mine"


class TestInterrupted:
    def test_a_damaged_file_is_named_and_replaced(self, folder, tmp_path, reads):
        whole = prepare("folder", folder, tmp_path / "whole.h5")
        good = (folder / "images" / "5.png").read_bytes()
        (folder / "images" / "5.png").write_bytes(good[:40])
        with pytest.raises(UserError, match=r"^images/5\.png is "):
            prepare("folder", folder, tmp_path / "s.h5")
        assert not (tmp_path / "s.h5").exists()
        (folder / "images" / "5.png").write_bytes(good)
        reads.clear()
        assert same(prepare("folder", folder, tmp_path / "s.h5"), whole)
        # A file has changed, so all are checked once more; cases are read from where the reading stopped.
        checked = [f"{kind}/{k}.png" for kind in ("images", "masks") for k in range(8)]
        again = [f"{kind}/{k}.png" for kind in ("images", "masks") for k in range(4, 8)]
        assert sorted(reads) == sorted(checked + again)

    def test_killed(self, folder, tmp_path, reads):
        whole = prepare("folder", folder, tmp_path / "whole.h5")
        code = (
            "import os, signal, sys; from llmseg.data.download import prepare_dataset as module\n"
            "from llmseg.data.download.tree import File\n"
            "module._FILES_PER_SHARD, read_unpacked = 2, File.read_unpacked\n"
            "seen = []\n"
            "def deadly(self):\n"
            "    seen.append(self.path)\n"
            "    # First it is checked, then it is read.\n"
            "    if seen.count('images/6.png') == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
            "    return read_unpacked(self)\n"
            "File.read_unpacked = deadly\n"
            "module.prepare_dataset('folder', sys.argv[1], sys.argv[2], progress=False)\n"
        )
        ended = subprocess.run([sys.executable, "-c", code, str(folder), str(tmp_path / "s.h5")], capture_output=True)
        assert ended.returncode == -signal.SIGKILL
        assert not (tmp_path / "s.h5").exists()
        reads.clear()
        assert same(prepare("folder", folder, tmp_path / "s.h5"), whole)
        assert sorted(reads) == [f"{kind}/{k}.png" for kind in ("images", "masks") for k in (6, 7)]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["s.h5", "set", "whole.h5"]

    def test_while_the_parts_were_put_together(self, folder, tmp_path, reads, monkeypatch):
        whole = prepare("folder", folder, tmp_path / "whole.h5")
        with monkeypatch.context() as patch:
            patch.setattr(module, "_read_shards", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                prepare("folder", folder, tmp_path / "s.h5")
        reads.clear()
        assert same(prepare("folder", folder, tmp_path / "s.h5"), whole)
        assert reads == []

    def test_after_the_store_was_there(self, folder, tmp_path):
        prepare("folder", folder, tmp_path / "s.h5")
        work = tmp_path / ".s.h5.work"
        work.mkdir()
        for name in ("lock", "0000000-0123456789abcdef.h5", ".0000000-0123456789abcdef.h5-x1y2_z3a.part"):
            (work / name).touch()
        (work / "thesis.txt").touch()
        with FileLock(work / "lock"):
            prepare("folder", folder, tmp_path / "s.h5")
        assert len(list(work.iterdir())) == 4, "another process is at work there"
        prepare("folder", folder, tmp_path / "s.h5")
        assert [path.name for path in work.iterdir()] == ["thesis.txt"]
        (work / "thesis.txt").unlink()
        prepare("folder", folder, tmp_path / "s.h5")
        assert not work.exists()

    def test_a_name_may_be_as_long_as_the_file_system_takes(self, folder, tmp_path):
        prepare("folder", folder, tmp_path / ("n" * 252 + ".h5"))
        assert sorted(path.name[:3] for path in tmp_path.iterdir()) == ["nnn", "set"]

    def test_work_of_another_way_is_not_taken(self, tmp_path, download, write_tree, monkeypatch):
        root = write_tree(tmp_path / "x", download("umd"))
        shown = prepare("umd", root, tmp_path / "shown.h5", orientation="display")
        with monkeypatch.context() as patch:
            patch.setattr(module, "_read_shards", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                prepare("umd", root, tmp_path / "s.h5")
        assert same(prepare("umd", root, tmp_path / "s.h5", orientation="display"), shown)

    def test_a_second_process_is_refused(self, folder, tmp_path):
        (tmp_path / ".s.h5.work").mkdir()
        with (
            FileLock(tmp_path / ".s.h5.work" / "lock"),
            pytest.raises(UserError, match=r"another process is writing .*s\.h5; wait for it or choose another --out"),
        ):
            prepare("folder", folder, tmp_path / "s.h5")
        assert len(prepare("folder", folder, tmp_path / "s.h5").ids) == 8

    def test_a_full_disk(self, folder, tmp_path, monkeypatch):
        def full(handle):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(UserError, match=r"cannot write .*s\.h5.*No space left on device"):
                prepare("folder", folder, tmp_path / "s.h5")
        assert not list(tmp_path.rglob("*.part"))
        assert len(prepare("folder", folder, tmp_path / "s.h5").ids) == 8


class TestSelection:
    @pytest.fixture
    def few(self, monkeypatch):
        """A function that makes the study's share of a dataset small."""

        def make(id, **changes):
            entry = get_dataset(id)
            small = replace(entry, study=replace(entry.study, **changes))
            monkeypatch.setattr(module, "get_dataset", lambda name: small)

        return make

    def test_first_by_number(self, tmp_path, download, write_tree, few):
        few("ham10000", cases=3)
        store = prepare("ham10000", write_tree(tmp_path / "x", download("ham10000")), tmp_path / "s.h5", select="study")
        assert store.ids == ("ISIC_0024306.jpg", "ISIC_0024307.jpg", "ISIC_0024316.jpg")
        assert store.provenance["notes"][-1].startswith("the study's selection: the first 5,002 images by number")

    def test_training_part(self, tmp_path, download, write_tree):
        store = prepare("retina", write_tree(tmp_path / "x", download("retina")), tmp_path / "s.h5", select="study")
        assert store.ids == ("04_h_HRF.jpg", "11_g_HRF.jpg", "35_DRIVE.jpg")

    def test_draws_depend_on_the_seed_and_nothing_else(self, tmp_path, download, write_tree, few, zipped):
        few("umd", groups=1)
        root, files = tmp_path / "x", download("umd")
        (tmp_path / "x.zip").write_bytes(zipped(files))
        write_tree(root, files)
        drawn = [prepare("umd", root, tmp_path / f"{k}.h5", select="study", seed=k) for k in range(4)]
        assert {len(store.ids) for store in drawn} == {3}
        assert len({store.ids for store in drawn}) > 1
        again = prepare("umd", tmp_path / "x.zip", tmp_path / "again.h5", select="study", seed=2)
        assert same(again, drawn[2])
        assert again.provenance["notes"][-1].endswith("drawn with seed 2")

    def test_what_cannot_be_selected(self, folder, tmp_path, download, write_tree):
        with pytest.raises(UserError, match="the study took nothing of 'folder'; select all"):
            prepare("folder", folder, tmp_path / "s.h5", select="study")
        with pytest.raises(UserError, match="the study took HRF as a part of retina"):
            prepare("hrf", write_tree(tmp_path / "x", download("hrf")), tmp_path / "s.h5", select="study")
        with pytest.raises(UserError, match="select is 'half'; it may be all or study"):
            prepare("folder", folder, tmp_path / "s.h5", select="half")


class TestWrongRoot:
    @pytest.mark.parametrize("id", COUNTS)
    def test_an_empty_folder(self, id, tmp_path):
        (tmp_path / "x").mkdir()
        with pytest.raises(UserError, match=rf"x: no case of {id} among 0 files; expected are .") as error:
            prepare(id, tmp_path / "x", tmp_path / "s.h5")
        assert "\n" not in str(error.value)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["x"]

    def test_a_typo_or_a_file(self, tmp_path, folder):
        with pytest.raises(UserError, match=rf"^no folder or archive .*sett; did you mean '{tmp_path}/set'\?$"):
            prepare("folder", tmp_path / "sett", tmp_path / "s.h5")
        with pytest.raises(
            UserError, match=rf"^no folder or archive .*other; the nearest folder that exists is {tmp_path}$"
        ):
            prepare("folder", tmp_path / "other", tmp_path / "s.h5")
        with pytest.raises(UserError, match=r"0\.png is neither a folder nor a zip or tar archive"):
            prepare("folder", folder / "images" / "0.png", tmp_path / "s.h5")

    @pytest.mark.parametrize(("id", "other"), [
        ("bagls", "umd"), ("umd", "stare"), ("hrf", "umd"), ("drive", "stare"), ("stare", "drive"), ("nnunet", "brain"),
        ("medsegbench", "folder"), ("folder", "stare"), ("ham10000", "umd"), ("brain", "chase_db1"),
    ])  # fmt: skip
    def test_the_folder_of_another_dataset(self, id, other, tmp_path, download, write_tree):
        with pytest.raises(UserError, match=rf"x: no case of {id} among \d+ files.*expected are ") as error:
            prepare(id, write_tree(tmp_path / "x", download(other)), tmp_path / "s.h5")
        assert "\n" not in str(error.value)

    def test_another_dataset_in_common_folders_is_told_by_a_note(self, tmp_path, download, write_tree):
        store = prepare("bagls", write_tree(tmp_path / "x", download("hrf")), tmp_path / "s.h5")
        assert store.provenance["notes"] == [
            "the official layout of bagls was not found; folders of images and masks instead"
        ]

    def test_images_without_masks(self, folder, tmp_path):
        for mask in (folder / "masks").iterdir():
            mask.unlink()
        with pytest.raises(UserError, match=r"set: no case of folder among 8 files, among them images/0\.png without"):
            prepare("folder", folder, tmp_path / "s.h5")

    def test_some_masks_are_missing(self, folder, tmp_path):
        (folder / "masks" / "3.png").unlink()
        store = prepare("folder", folder, tmp_path / "s.h5")
        assert (len(store.ids), store.unpaired) == (7, ("images/3.png",))

    def test_a_place_that_takes_no_file(self, folder, tmp_path):
        with pytest.raises(UserError, match=r"cannot make the folder .*0\.png"):
            prepare("folder", folder, folder / "images" / "0.png" / "s.h5")


def test_only_the_queue_is_held(tmp_path, folder, write_tree, monkeypatch):
    for k in range(8, 60):
        for kind in ("images", "masks"):
            (folder / kind / f"{k}.png").write_bytes((folder / kind / "1.png").read_bytes())
    monkeypatch.setattr(module, "_FILES_PER_SHARD", 60)
    monkeypatch.setattr(read_ahead.os, "cpu_count", lambda: 2)
    numbers, alive, most = itertools.count(), set(), []

    def watch(kind):
        whole = kind.__init__

        def counted(self, *values):
            whole(self, *values)
            number = next(numbers)
            alive.add(number)
            weakref.finalize(self, alive.discard, number)
            most.append(len(alive))

        monkeypatch.setattr(kind, "__init__", counted)

    watch(Case)
    watch(PackedCase)
    store = prepare("folder", folder, tmp_path / "s.h5")
    # Each case is read, goes through a shard packed, and is read from the store by the check of the whole.
    assert (len(store.ids), len(most)) == (60, 60 + 2 * 60 + 60)
    assert max(most) <= 4 + 2 * 2 + 2, "four wait, two are worked on, one is written"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_messages_do_not_depend_on_where_a_damaged_member_lies(tmp_path, download, zipped):
    files = download("hrf")
    files["manual1/01_g.tif"] = files["manual1/01_g.tif"][:50]
    (tmp_path / "HRF.zip").write_bytes(zipped(files))
    with pytest.raises(UserError, match=re.escape("HRF/manual1/01_g.tif is ")):
        prepare("hrf", tmp_path, tmp_path / "s.h5")


def test_a_store_opens_again(folder, tmp_path):
    store = prepare("folder", folder, tmp_path / "deep" / "er" / "s.h5")
    assert Hdf5Store(tmp_path / "deep" / "er" / "s.h5").digest == store.digest
