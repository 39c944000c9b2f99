"""Locks on file systems without them, and waiting for another process."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import threading
import time

import pytest
from filelock import FileLock, Timeout
from PIL import Image

from llmseg import SyntheticStore, UserError, zoo
from llmseg.data import prepare_dataset
from llmseg.data.cache import clear_cache, prepare_cached
from llmseg.files.locks import hold_lock
from llmseg.training.resume import lock_folder

IMAGES = zoo.get("gpt-4").recipe.images.change("size", (16, 16))


@pytest.fixture(params=[errno.ENOLCK, errno.EOPNOTSUPP], ids=["ENOLCK", "EOPNOTSUPP"])
def no_locks(request, monkeypatch):
    def refuse(*_):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_the_file_system_is_named_and_what_to_do(no_locks, tmp_path, monkeypatch):
    with (
        pytest.raises(UserError, match=r"without locks \(.+ at /.*: .+\); choose another --out"),
        lock_folder(tmp_path),
    ):
        pass
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UserError, match=r"without locks .*; set LLMSEG_CACHE to another folder or use --no-cache"):
        prepare_cached(SyntheticStore("fundus", count=2), IMAGES)
    (tmp_path / "cache" / "a.lock").touch()
    with pytest.raises(UserError, match=r"without locks .*; name another folder by LLMSEG_CACHE"):
        clear_cache()


def test_preparing_a_store_without_locks(no_locks, tmp_path):
    store = SyntheticStore("fundus", count=2)
    for kind in ("images", "masks"):
        (tmp_path / "d" / kind).mkdir(parents=True)
    for id in store.ids:
        case = store.read(id)
        Image.fromarray(case.image).save(tmp_path / "d" / "images" / id)
        Image.fromarray(case.mask).save(tmp_path / "d" / "masks" / id)
    with pytest.raises(UserError, match=r"without locks"):
        prepare_dataset("folder", tmp_path / "d", tmp_path / "x.h5", progress=False)


def test_who_waits_says_so_after_a_second(tmp_path, capsys):
    other = (tmp_path / "lock").open("w")
    fcntl.flock(other, fcntl.LOCK_EX)
    threading.Timer(1.5, other.close).start()
    began = time.monotonic()
    with hold_lock(tmp_path / "lock", advice="", wait_for="prepares the same cases"):
        assert time.monotonic() - began > 1.4
    line = r"llmseg: waiting for another process that prepares the same cases \(.*lock\)\n"
    assert re.fullmatch(line, capsys.readouterr().err)


def test_nobody_waits_without_being_asked_to(tmp_path):
    with FileLock(tmp_path / "lock"), pytest.raises(Timeout), hold_lock(tmp_path / "lock", advice=""):
        pass


def test_a_cache_that_cannot_be_made_names_the_way_out(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UserError, match="set LLMSEG_CACHE to another folder or use --no-cache"):
        prepare_cached(SyntheticStore("fundus", count=2), IMAGES)
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "other"))
    assert len(prepare_cached(SyntheticStore("fundus", count=2), IMAGES).ids) == 2
