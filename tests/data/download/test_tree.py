from __future__ import annotations

import errno
import gzip
import os
import re
import tempfile
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmseg.data.download import unpacking
from llmseg.data.download.tree import File, open_tree
from llmseg.errors import UserError

FILES = {"training/0.png": b"one", "training/0_seg.png": b"two", "x/y/z": b""}


def contents(root):
    with open_tree(root) as files:
        assert all(path == file.path for path, file in files.items())
        assert list(files) == sorted(files)
        return {path: file.read() for path, file in files.items()}


def file(path, content=b""):
    return File(path, len(content), lambda: content)


class TestFile:
    @pytest.mark.parametrize(
        ("path", "stem", "extension", "folders"),
        [
            ("A/b/0_seg.PNG", "0_seg", ".png", ("a", "b")),
            ("im0001.ah.ppm.gz", "im0001.ah", ".ppm", ()),
            ("x/v_t2.nii.GZ", "v_t2", ".nii", ("x",)),
            ("HAM10000_metadata", "HAM10000_metadata", "", ()),
        ],
    )
    def test_names(self, path, stem, extension, folders):
        found = file(path)
        assert (found.stem, found.extension, found.folders) == (stem, extension, folders)
        assert f"{found.folder}/{found.name}".removeprefix("./") == path

    @given(st.binary(), st.integers(0, 3))
    def test_unpacked_whatever_the_name_says(self, content, pieces):
        part = len(content) // max(pieces, 1) + 1
        packed = b"".join(gzip.compress(content[k : k + part]) for k in range(0, max(pieces, 0) * part, part))
        assert file("a", packed if pieces else b"-" + content).read_unpacked() == (
            content if pieces else b"-" + content
        )

    def test_padding_after_the_end_is_passed_over(self):
        assert file("a", gzip.compress(b"content") + bytes(20)).read_unpacked() == b"content"

    @pytest.mark.parametrize("damage", [slice(0, -5), slice(0, 15)])
    def test_cut_off(self, damage):
        with pytest.raises(UserError, match=r"^a/b\.gz is cut off; download it again"):
            file("a/b.gz", gzip.compress(b"content" * 9)[damage]).read_unpacked()

    def test_wrong_checksum(self):
        content = bytearray(gzip.compress(b"content"))
        content[-6] ^= 1
        with pytest.raises(UserError, match=r"^a/b\.gz is damaged"):
            file("a/b.gz", bytes(content)).read_unpacked()

    @pytest.mark.parametrize("pieces", [1, 2])
    def test_a_bomb(self, monkeypatch, pieces):
        monkeypatch.setenv("LLMSEG_MAX_FILE", "1000")
        assert len(file("a", gzip.compress(bytes(500)) * 2).read_unpacked()) == 1000
        packed = file("a/b.gz", gzip.compress(bytes(1001 // pieces + 1)) * pieces)
        with pytest.raises(UserError, match=r"^a/b\.gz has at least \d+ bytes of a file, allowed are 1000") as told:
            packed.read_unpacked()
        monkeypatch.setenv(*re.search(r"set (\w+)=(\d+)", str(told.value)).groups())
        assert len(packed.read_unpacked()) > 1000

    def test_a_bomb_is_noticed_long_before_its_end(self, monkeypatch):
        monkeypatch.setattr(unpacking, "ALLOWANCE", 2**20)
        content = gzip.compress(bytes(2**25))
        tracemalloc.start()
        try:
            with pytest.raises(UserError, match=r"^archive a/b\.gz unpacks to .* over 200 times its size"):
                file("a/b.gz", content).read_unpacked()
            assert tracemalloc.get_traced_memory()[1] < 2**24
        finally:
            tracemalloc.stop()


class TestTree:
    def test_a_folder(self, tmp_path, write_tree):
        assert contents(write_tree(tmp_path, FILES)) == FILES

    @pytest.mark.parametrize("compression", ["zip", "", "gz", "bz2", "xz"])
    @pytest.mark.parametrize("inside", [False, True])
    def test_an_archive_counts_as_a_folder(self, tmp_path, zipped, tarred, compression, inside):
        name = "Set.zip" if compression == "zip" else f"Set.tar.{compression}".rstrip(".")
        packed = zipped(FILES) if compression == "zip" else tarred(FILES, compression)
        (tmp_path / name).write_bytes(packed)
        assert contents(tmp_path if inside else tmp_path / name) == {f"Set/{p}": c for p, c in FILES.items()}

    def test_archives_within_archives(self, tmp_path, zipped, tarred):
        inner = tarred({"0.png": b"one"}, "gz")
        (tmp_path / "a.zip").write_bytes(zipped({"b/c.zip": zipped({"d.tar.gz": inner}), "e": b"two"}))
        assert contents(tmp_path) == {"a/b/c/d/0.png": b"one", "a/e": b"two"}
        (tmp_path / "a.zip").write_bytes(zipped({"b.zip": zipped({"c.zip": zipped({"d.tar.gz": inner})})}))
        with pytest.raises(UserError, match=r"^a/b/c/d\.tar\.gz is an archive within 3 others; unpack the outer ones"):
            contents(tmp_path)

    def test_deeper_archives_on_request(self, tmp_path, zipped, monkeypatch):
        content = b"one"
        for _ in range(5):
            content = zipped({"in.zip" if content != b"one" else "0.png": content})
        (tmp_path / "a.zip").write_bytes(content)
        for _ in range(2):
            with pytest.raises(UserError, match="unpack the outer ones, or set") as told:
                contents(tmp_path)
            monkeypatch.setenv(*re.search(r"set (\w+)=(\d+)", str(told.value)).groups())
        assert contents(tmp_path) == {"a/in/in/in/in/0.png": b"one"}

    def test_padding_makes_no_inner_archive_less_of_a_bomb(self, tmp_path, zipped, monkeypatch):
        monkeypatch.setattr(unpacking, "ALLOWANCE", 2**20)
        inner = bytes(2**19) + zipped({"0.png": bytes(2**22)})  # a zip may begin with anything; zeros take no space
        (tmp_path / "a.zip").write_bytes(zipped({"in.zip": inner}))
        with pytest.raises(UserError, match=r"archive a/in\.zip unpacks to .* over 200 times its size"):
            contents(tmp_path)

    def test_many_archives_share_what_is_allowed(self, tmp_path, zipped, tarred, monkeypatch):
        monkeypatch.setattr(unpacking, "ALLOWANCE", 2**20)
        part = tarred({"x.bin": bytes(700_000)}, "gz")
        (tmp_path / "a.zip").write_bytes(zipped({"1.tar.gz": part}))
        assert len(contents(tmp_path)) == 1
        (tmp_path / "a.zip").write_bytes(zipped({f"{k}.tar.gz": part for k in range(3)}))
        with pytest.raises(UserError, match=r"archive a/\d\.tar\.gz unpacks to .* over 200 times its size"):
            contents(tmp_path)

    @pytest.mark.parametrize("other", ["in.tar", "in.tgz", "in/0.png"])
    def test_two_files_of_one_path(self, tmp_path, zipped, tarred, other):
        second = b"two" if other.endswith("png") else tarred({"0.png": b"two"}, "gz" if other.endswith("gz") else "")
        (tmp_path / "a.zip").write_bytes(zipped({"in.zip": zipped({"0.png": b"one"}), other: second}))
        with pytest.raises(UserError, match=r"^a/in/0\.png is there twice, .*; move one of them away"):
            contents(tmp_path)

    def test_an_archive_beside_its_folder_is_passed_over(self, tmp_path, write_tree, zipped):
        write_tree(
            tmp_path, {"part/a.png": b"extracted", "part.zip": b"not even opened", "other.zip": zipped({"b": b"2"})}
        )
        assert contents(tmp_path) == {"part/a.png": b"extracted", "other/b": b"2"}

    @pytest.mark.parametrize("name", ["__MACOSX/a.png", "._a.png", ".DS_Store", "Thumbs.db", ".hidden/a.png", "x/._b"])
    @pytest.mark.parametrize("archive", [False, True])
    def test_leftovers_are_passed_over(self, tmp_path, write_tree, zipped, name, archive):
        files = {"a.png": b"one", name: b"left"}
        write_tree(tmp_path, {"s.zip": zipped(files)} if archive else files)
        assert contents(tmp_path) == {"s/a.png" if archive else "a.png": b"one"}

    def test_links_to_folders_are_entered_once(self, tmp_path, write_tree):
        root = write_tree(tmp_path / "root", {"a/0.png": b"one"})
        write_tree(tmp_path / "far", {"1.png": b"two"})
        (root / "far").symlink_to(tmp_path / "far")
        (root / "a" / "loop").symlink_to(root)
        (root / "broken").symlink_to(tmp_path / "nowhere")
        assert contents(root) == {"a/0.png": b"one", "far/1.png": b"two"}

    @pytest.mark.parametrize("within", [False, True])
    def test_a_damaged_archive_is_named(self, tmp_path, zipped, within):
        damaged = zipped({"a": b"content"})[:-9]
        (tmp_path / "s.zip").write_bytes(zipped({"in.zip": damaged}) if within else damaged)
        with pytest.raises(
            UserError, match=r"archive s/in\.zip is damaged" if within else r"archive .*s\.zip is damaged"
        ):
            contents(tmp_path)

    def test_a_file_that_vanished(self, tmp_path, write_tree):
        with open_tree(write_tree(tmp_path, {"a.png": b"one"})) as files:
            (tmp_path / "a.png").unlink()
            with pytest.raises(UserError, match=r"a\.png cannot be read \(No such file"):
                files["a.png"].read()

    def test_nothing_is_left(self, tmp_path, zipped, tarred, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
        (tmp_path / "temporary").mkdir()
        (tmp_path / "s.zip").write_bytes(zipped({"t.tar.gz": tarred({"a": b"1"}, "gz")}))
        before = sorted(tmp_path.rglob("*"))
        assert contents(tmp_path / "s.zip") == {"s/t/a": b"1"}
        assert sorted(tmp_path.rglob("*")) == before

    def test_what_a_killed_process_unpacked_goes(self, tmp_path, zipped, tarred, monkeypatch, kill_at_every_change):
        archive = tmp_path / "s.zip"
        archive.write_bytes(zipped({"t.tar.gz": tarred({"a": b"1"}, "gz")}))

        def read(folder):
            monkeypatch.setattr(tempfile, "tempdir", str(folder))
            with open_tree(archive) as files:
                return {path: file.read() for path, file in files.items()}

        for folder in kill_at_every_change(read):
            (folder / "mine").touch()
            assert list(read(folder).values()) == [b"1"]
            assert [path.name for path in folder.iterdir()] == ["mine"]

    def test_a_full_disk(self, tmp_path, zipped, monkeypatch):
        (tmp_path / "s.zip").write_bytes(zipped({"in.zip": zipped({"a": b"1"})}))

        def full(handle, mode):
            os.close(handle)
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fdopen", full)
        with pytest.raises(UserError, match=r"no space left to unpack archive s/in\.zip; set TMPDIR"):
            contents(tmp_path)

    def test_wrong_roots(self, tmp_path):
        with pytest.raises(
            UserError, match=rf"no folder or archive .*typo/x; the nearest folder that exists is {tmp_path}$"
        ):
            contents(tmp_path / "typo" / "x")
        (tmp_path / "a.txt").write_bytes(b"")
        with pytest.raises(UserError, match=r"a\.txt is neither a folder nor a zip or tar archive"):
            contents(tmp_path / "a.txt")
