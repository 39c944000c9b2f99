from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from llmseg.data import packed_case
from llmseg.data.hdf5 import Hdf5Store, write_store
from llmseg.data.image_digests import digest_image
from llmseg.data.packed_case import pack_case
from llmseg.data.store import Case
from llmseg.errors import UserError


@dataclass(frozen=True)
class Entry:
    """What a store is to hold of a case."""

    case: Case
    group: str
    part: str = ""


def written(path, entries, provenance=None, unpaired=()):
    cases = (pack_case(entry.case, entry.group, entry.part) for entry in entries)
    return write_store(path, "name", cases, provenance or {}, unpaired)


def stored(id, seed=0, shape=(5, 7, 3), group="g", part=""):
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, shape, dtype=np.uint8)
    return Entry(Case(id, image, random.integers(0, 2, shape[:2], dtype=np.uint8) * 255), group, part)


CASES = [stored("a.png", 1), stored("b.png", 2, (4, 4)), stored("c.png", 3, group="h", part="test")]


@pytest.fixture
def store(tmp_path):
    return written(tmp_path / "s.h5", CASES, {"key": 1, "notes": ["x"]}, ["lost.png", "lost_m.png"])


@st.composite
def some_cases(draw):
    ids = draw(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6),
            unique=True,
            min_size=1,
            max_size=5,
        )
    )
    cases = []
    for id in ids:
        size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
        image = draw(arrays(np.uint8, size + draw(st.sampled_from([(), (3,)]))))
        part = draw(st.sampled_from(["", "training", "test"]))
        cases.append(Entry(Case(id, image, draw(arrays(np.uint8, size))), draw(st.sampled_from("pqr")), part))
    return cases


@settings(max_examples=15, deadline=None)
@given(some_cases(), st.randoms(use_true_random=False))
def test_reads_what_was_written(tmp_path_factory, cases, random):
    folder = tmp_path_factory.mktemp("round")
    store = written(folder / "a.h5", cases)
    by_id = {one.case.id: one for one in cases}
    assert store.ids == tuple(sorted(by_id))
    assert store.groups == {id: one.group for id, one in by_id.items()}
    assert store.parts == {id: one.part for id, one in by_id.items()}
    assert store.contents == {id: digest_image(one.case.image) for id, one in by_id.items()}
    for id in store.ids:
        np.testing.assert_array_equal(store.read(id).image, by_id[id].case.image)
        np.testing.assert_array_equal(store.read(id).mask, by_id[id].case.mask)
    shuffled = random.sample(cases, len(cases))
    assert written(folder / "b.h5", shuffled, {"key": 3}, ["x"]).digest == store.digest


def test_facts(store):
    assert (store.name, store.ids) == ("name", ("a.png", "b.png", "c.png"))
    assert store.provenance == {"key": 1, "notes": ["x"]}
    assert store.unpaired == ("lost.png", "lost_m.png")
    assert len(store.digest) == 64
    assert Hdf5Store(str(store.path)).digest == store.digest


def changed(what):
    """Return the cases with one thing changed."""
    first = CASES[0]
    image, mask = first.case.image.copy(), first.case.mask.copy()
    if what == "image":
        image[4, 6, 2] ^= 1
    elif what == "mask":
        mask[4, 6] ^= 1
    elif what == "id":
        return [replace(first, case=replace(first.case, id="aa.png")), *CASES[1:]]
    elif what == "group":
        return [replace(first, group="other"), *CASES[1:]]
    elif what == "fewer":
        return CASES[1:]
    elif what == "shape":
        image, mask = image.reshape(7, 5, 3), mask.reshape(7, 5)
    elif what == "swapped":
        one, two = (replace(CASES[k], case=replace(CASES[k].case, id=CASES[2 - k].case.id)) for k in (0, 2))
        return [one, CASES[1], two]
    return [replace(first, case=Case("a.png", image, mask)), *CASES[1:]]


@pytest.mark.parametrize("what", ["image", "mask", "id", "group", "fewer", "shape", "swapped"])
def test_digest_changes_with(store, tmp_path, what):
    assert written(tmp_path / "t.h5", changed(what)).digest != store.digest


def test_images_of_several_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(packed_case, "CHUNK", 64)
    cases = [stored(f"{k}", k, (k + 1, 9)) for k in range(9)]
    store = written(tmp_path / "s.h5", iter(cases))
    for one in cases:
        np.testing.assert_array_equal(store.read(one.case.id).image, one.case.image)
        np.testing.assert_array_equal(store.read(one.case.id).mask, one.case.mask)


def test_several_threads_read_at_once(tmp_path):
    cases = {f"{k:03d}": stored(f"{k:03d}", k, (30, 40, 3)) for k in range(60)}
    store = written(tmp_path / "s.h5", cases.values())
    with ThreadPoolExecutor(4) as pool:
        for case in pool.map(store.read, [*cases, *cases]):
            np.testing.assert_array_equal(case.image, cases[case.id].case.image)


def test_cases_go_from_store_to_store_as_they_are(store, tmp_path):
    copy = write_store(tmp_path / "t.h5", "copy", map(store.read_packed, reversed(store.ids)), {})
    assert (copy.digest, copy.groups, copy.parts) == (store.digest, store.groups, store.parts)
    for entry in CASES:
        np.testing.assert_array_equal(copy.read(entry.case.id).image, entry.case.image)
        np.testing.assert_array_equal(copy.read(entry.case.id).mask, entry.case.mask)


class TestBadInput:
    def test_unknown_case(self, store):
        with pytest.raises(UserError, match=r"no case 'd' in .*s\.h5; it has 3, first 'a\.png'"):
            store.read("d")

    def test_no_file(self, tmp_path):
        with pytest.raises(UserError, match=r"the store .*s\.h5 is not there; make it by llmseg data prepare"):
            Hdf5Store(tmp_path / "s.h5")

    @pytest.mark.parametrize("keep", [0, 100, -100])
    def test_cut_off(self, store, tmp_path, keep):
        (tmp_path / "cut.h5").write_bytes(store.path.read_bytes()[:keep])
        with pytest.raises(UserError, match=r"the store .*cut\.h5 is damaged or no HDF5 file"):
            Hdf5Store(tmp_path / "cut.h5")

    @pytest.mark.parametrize("mark", [None, 99, "text"])
    def test_foreign_file(self, tmp_path, mark):
        with h5py.File(tmp_path / "f.h5", "w") as file:
            file["images"] = [1]
            if mark is not None:
                file.attrs["llmseg_store"] = mark
        with pytest.raises(UserError, match=r"f\.h5 is no store of llmseg in format 1"):
            Hdf5Store(tmp_path / "f.h5")

    @pytest.mark.parametrize("column", ["ids", "images", "masks", "shapes", "starts", "groups", "alone"])
    def test_a_column_is_missing(self, store, tmp_path, column):
        shutil.copy(store.path, tmp_path / "f.h5")
        with h5py.File(tmp_path / "f.h5", "r+") as file:
            del file[column]
        with pytest.raises(UserError, match=r"f\.h5 is no store of llmseg"):
            Hdf5Store(tmp_path / "f.h5")

    @pytest.mark.parametrize("name", ["images", "masks"])
    @pytest.mark.parametrize("place", [0.1, 0.3, 0.5])
    def test_damaged_pixels_name_the_case(self, tmp_path, name, place):
        written(tmp_path / "f.h5", [stored(id, 1, (256, 256)) for id in ("a.png", "b.png", "c.png")])
        content = bytearray((tmp_path / "f.h5").read_bytes())
        with h5py.File(tmp_path / "f.h5", locking=False) as file:
            second = file[name].id.get_chunk_info(1)
        content[second.byte_offset + int(place * second.size)] ^= 64
        (tmp_path / "g.h5").write_bytes(content)
        with pytest.raises(UserError, match=r"g\.h5 is damaged at case 'b\.png'; make it again"):
            Hdf5Store(tmp_path / "g.h5").read("b.png")
        assert Hdf5Store(tmp_path / "g.h5").read("c.png").image.shape == (256, 256)

    def test_two_cases_of_one_id(self, tmp_path):
        with pytest.raises(UserError, match=r"there are two cases 'a\.png'; rename one"):
            written(tmp_path / "s.h5", [CASES[0], CASES[0]])
        assert list(tmp_path.iterdir()) == []

    def test_no_cases(self, tmp_path):
        with pytest.raises(UserError, match=r"no cases for .*s\.h5"):
            written(tmp_path / "s.h5", [])
        assert list(tmp_path.iterdir()) == []

    def test_a_failed_write_keeps_what_was_there(self, store):
        def broken():
            yield CASES[0]
            raise UserError("a.png is damaged")

        before = store.path.read_bytes()
        with pytest.raises(UserError, match=r"a\.png is damaged"):
            written(store.path, broken())
        assert (store.path.read_bytes(), len(list(store.path.parent.iterdir()))) == (before, 1)


class TestFullDisk:
    """The system refuses to let files grow, as it does on a full disk; the HDF5 library must live through it."""

    CASES = tuple(stored(f"{k:02d}", k, (60, 60)) for k in range(30))

    @pytest.fixture
    def limited(self):
        """A function that limits the size of files."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    @pytest.mark.parametrize("short", [1, 50, 500, 4000, 40000, 120000, None])
    def test_is_told_and_leaves_nothing(self, tmp_path, limited, monkeypatch, short):
        monkeypatch.setattr(packed_case, "CHUNK", 2**10)
        size = written(tmp_path / "whole.h5", self.CASES).path.stat().st_size
        limited(0 if short is None else size - short)
        with pytest.raises(UserError, match=r"cannot write .*s\.h5: File too large; what was there before is kept"):
            written(tmp_path / "s.h5", self.CASES)
        assert [path.name for path in tmp_path.iterdir()] == ["whole.h5"]

    def test_no_more_cases_are_read(self, tmp_path, limited, monkeypatch):
        taken = []
        limited(20000)
        with pytest.raises(UserError, match="File too large"):
            written(tmp_path / "s.h5", (taken.append(1) or stored(f"{k:03}", k, (60, 60)) for k in range(400)))
        assert len(taken) < 40

    def test_the_process_ends_in_peace(self, tmp_path):
        code = (
            "import resource, sys; from pathlib import Path; import numpy as np\n"
            "from llmseg.data.hdf5 import write_store; from llmseg.data.packed_case import pack_case\n"
            "from llmseg.data.store import Case; from llmseg.errors import UserError\n"
            "image = np.random.default_rng(0).integers(0, 256, (900, 900), dtype=np.uint8)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, -1))\n"
            "try: write_store(Path(sys.argv[1]), 'n', [pack_case(Case('a', image, image), 'g')], {})\n"
            "except UserError as error: print(error)\n"
        )
        ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "s.h5")], capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "cannot write" in ended.stdout
        assert list(tmp_path.iterdir()) == []
