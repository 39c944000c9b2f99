"""Writing HDF5 where the disk is full; that a store lives through it is tested in test_hdf5."""

from __future__ import annotations

import errno
import io

import h5py
import numpy as np
import pytest

from llmseg.data.hdf5_writing import GuardedFile, create_hdf5


class SmallDisk(io.FileIO):
    """A file that takes so many bytes and no more."""

    room = 2**40

    def write(self, content) -> int:
        start = self.tell()
        taken = memoryview(content)[: max(0, self.room - start)]
        if not taken and len(content):
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(taken)


@pytest.fixture
def disk(tmp_path):
    with SmallDisk(tmp_path / "s", "w+b") as file:
        yield file


def test_a_file_reads_back_as_written(tmp_path):
    path = tmp_path / "s.h5"
    path.touch()
    values = np.arange(5000).reshape(50, 100)
    with create_hdf5(path) as (file, guarded):
        file["values"] = values
        assert list(guarded.stop_at_error(iter("abc"))) == ["a", "b", "c"]
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["values"][()], values)


@pytest.mark.parametrize("room", [0, 3, 10, 12, 16])
def test_what_the_disk_refused_can_be_read_back(disk, room):
    disk.room = room
    guarded = GuardedFile(disk)
    guarded.write(b"0123456789")
    guarded.write(b"abcdef")
    assert (guarded.error is None) == (room == 16)
    assert guarded.seek(0, io.SEEK_END) == 16
    guarded.seek(8)
    assert guarded.read(8) == b"89abcdef"


def test_a_later_write_lies_over_an_earlier_one(disk):
    disk.room = 4
    guarded = GuardedFile(disk)
    guarded.write(b"0123456789")
    guarded.seek(2)
    guarded.write(b"xy")
    guarded.seek(0)
    assert guarded.read(10) == b"01xy456789"


def test_the_first_error_stays(disk):
    disk.room = 0
    guarded = GuardedFile(disk)
    guarded.write(b"a")
    first = guarded.error
    guarded.write(b"b")
    guarded.truncate(5)
    assert guarded.error is first
    assert first.errno == errno.ENOSPC


def test_no_item_is_taken_after_an_error(disk):
    guarded = GuardedFile(disk)
    items = guarded.stop_at_error(iter("abc"))
    assert next(items) == "a"
    disk.room = 0
    guarded.write(b"1")
    with pytest.raises(OSError, match="No space left"):
        next(items)


def test_the_error_is_raised_at_the_end(tmp_path):
    path = tmp_path / "s.h5"
    path.touch()
    ended = []

    def fill():
        with create_hdf5(path) as (file, guarded):
            guarded.error = OSError("refused")
            file["values"] = np.zeros(10)
            ended.append(True)

    with pytest.raises(OSError, match="refused"):
        fill()
    assert ended, "the block goes on, and only then the error is raised"
