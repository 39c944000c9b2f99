"""Locks, leases where a file system has none, and waiting for another process."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import subprocess
import sys
import threading
import time

import pytest
from filelock import FileLock, Timeout

from llmseg import SyntheticStore, UserError, zoo
from llmseg.data import prepare_dataset
from llmseg.data.cache import clear_cache, prepare_cached
from llmseg.files import check_kind, locks
from llmseg.files.locks import Lease, hold_lock
from llmseg.training.resume import lock_folder

IMAGES = zoo.get("gpt-4").recipe.images.change("size", (16, 16))


@pytest.fixture
def no_locks(request, monkeypatch):
    number = getattr(request, "param", errno.ENOLCK)

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.fixture
def hasty(monkeypatch):
    """Leases that run out after half a second."""
    monkeypatch.setattr(locks, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(locks, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(locks, "_PATIENCE", 0.1)


@pytest.fixture
def no_exchange(monkeypatch):
    """A file system, such as NFS, that cannot exchange two names in one step: filelock takes no lease over there."""
    modules = [module for name, module in sys.modules.items() if name.startswith("filelock")]
    for module in modules:
        if hasattr(module, "exchange_names"):
            monkeypatch.setattr(module, "exchange_names", lambda *_: False)


def hold_elsewhere(path, *, machine="", dies=False):
    """Start a process that takes a lease, as if on another machine; return it once it has the lease."""
    code = f"""
import os, socket, sys, time
if {machine!r}: socket.gethostname = lambda: {machine!r}
from pathlib import Path
from llmseg.files import locks
locks.LEASE_SECONDS, locks.HEARTBEAT_SECONDS = {locks.LEASE_SECONDS}, {locks.HEARTBEAT_SECONDS}
assert locks.Lease(Path({str(path)!r})).take()
print("taken", flush=True)
if {dies}: os._exit(0)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "taken\n"
    if dies:
        process.wait()
    return process


@pytest.fixture
def other(tmp_path):
    """A process of this machine that holds a lease on ``x.lease`` until the test ends."""
    process = hold_elsewhere(tmp_path / "x.lease")
    yield process
    process.kill()
    process.wait()


class TestLease:
    def test_of_a_killed_process_is_free_at_once(self, other, tmp_path):
        lease = Lease(tmp_path / "x.lease")
        assert not lease.take()
        other.kill()
        other.wait()
        assert lease.take()
        lease.release()
        assert not list(tmp_path.iterdir())

    def test_of_another_machine_is_free_when_it_was_not_touched_for_long(self, hasty, tmp_path):
        hold_elsewhere(tmp_path / "x.lease", machine="elsewhere", dies=True)
        lease, began = Lease(tmp_path / "x.lease"), time.monotonic()
        while not lease.take():
            assert time.monotonic() - began < 5
            time.sleep(0.05)
        assert time.monotonic() - began > 0.5
        lease.release()

    @pytest.mark.parametrize("machine", ["", "elsewhere"])
    def test_is_free_after_a_while_where_names_cannot_be_exchanged(self, hasty, no_exchange, tmp_path, machine):
        hold_elsewhere(tmp_path / "x.lease", machine=machine, dies=True)
        leases, began = [Lease(tmp_path / "x.lease") for _ in range(3)], time.monotonic()
        while not (taken := [lease for lease in leases if lease.take()]):
            assert time.monotonic() - began < 5
            time.sleep(0.02)
        assert time.monotonic() - began > locks.LEASE_SECONDS
        (mine,) = taken
        began = time.monotonic()
        while time.monotonic() - began < 2 * locks.LEASE_SECONDS:
            assert [lease.take() for lease in leases] == [lease is mine for lease in leases]
            time.sleep(0.02)
        mine.release()
        assert not list(tmp_path.iterdir())

    def test_of_who_took_over_meanwhile_stays(self, hasty, no_exchange, tmp_path, monkeypatch):
        """Between the last look at a dead lease and its removal, another process may take it over."""
        hold_elsewhere(tmp_path / "x.lease", machine="elsewhere", dies=True)
        late, fast, began = Lease(tmp_path / "x.lease"), Lease(tmp_path / "x.lease"), time.monotonic()
        remove = late._remove

        def take_over_before(seen):
            (tmp_path / "x.lease").unlink()
            assert fast.take()
            remove(seen)

        monkeypatch.setattr(late, "_remove", take_over_before)
        while not fast.read_heartbeat() or not fast._lock.is_locked:
            assert not late.take()
            assert time.monotonic() - began < 5
            time.sleep(0.02)
        time.sleep(3 * locks.HEARTBEAT_SECONDS)
        assert not fast.lost
        assert [path.name for path in tmp_path.iterdir()] == ["x.lease"]
        fast.release()

    def test_of_a_living_process_on_another_machine_stays(self, hasty, tmp_path):
        process = hold_elsewhere(tmp_path / "x.lease", machine="elsewhere")
        try:
            lease, began = Lease(tmp_path / "x.lease"), time.monotonic()
            while time.monotonic() - began < 1.0:
                assert not lease.take()
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()

    def test_is_kept_by_who_has_it_and_free_after_release(self, tmp_path):
        mine, theirs = Lease(tmp_path / "x"), Lease(tmp_path / "x")
        assert mine.take()
        assert mine.take()
        assert not theirs.take()
        theirs.release()
        assert not theirs.take(), "who does not have it cannot give it back"
        mine.release()
        assert theirs.take()
        theirs.release()

    @pytest.mark.usefixtures("notes_printed")
    def test_that_was_taken_over_is_told(self, hasty, tmp_path, capsys):
        lease = Lease(tmp_path / "x")
        assert lease.take()
        (tmp_path / "x").unlink()
        (tmp_path / "x").write_text("of another process")
        began = time.monotonic()
        while not lease.lost:
            assert time.monotonic() - began < 5
            time.sleep(0.05)
        assert not lease.take()
        lease.release()
        assert (tmp_path / "x").read_text() == "of another process"
        assert re.fullmatch(r"llmseg: warning: another process took over .*x while .*\n", capsys.readouterr().err)

    def test_that_stays_empty_is_of_a_process_killed_while_it_made_it(self, hasty, tmp_path):
        path = tmp_path / "cell.lease"
        path.touch()
        lease, began = Lease(path), time.monotonic()
        while not lease.take():
            assert time.monotonic() - began < 5
            time.sleep(0.02)
        assert time.monotonic() - began > 2 * locks.HEARTBEAT_SECONDS
        assert path.stat().st_size
        lease.release()

    @pytest.mark.parametrize("content", ["", "a newer version's words\n"])
    def test_that_is_not_known_to_be_left_is_not_removed(self, hasty, tmp_path, content):
        """One that somebody touches, though it is empty, and one that has an unknown content."""
        path = tmp_path / "cell.lease"
        lease, ends = Lease(path), time.monotonic() + 4 * locks.HEARTBEAT_SECONDS
        path.write_text(content, encoding="utf-8")
        inode = path.stat().st_ino
        while time.monotonic() < ends:
            path.touch()
            assert not lease.take()
            time.sleep(0.02)
        assert (path.stat().st_ino, path.read_text(encoding="utf-8")) == (inode, content)

    def test_without_locks_of_the_system_an_empty_one_is_waited_out(self, no_locks, hasty, tmp_path):
        (tmp_path / ".lock.lease").touch()
        with lock_folder(tmp_path):
            assert (tmp_path / ".lock.lease").stat().st_size


class TestWithoutLocksOfTheFileSystem:
    @pytest.mark.parametrize("no_locks", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS], indirect=True)
    def test_a_folder_is_locked_by_a_lease_and_nothing_is_left(self, no_locks, tmp_path):
        with lock_folder(tmp_path / "run"):
            assert (tmp_path / "run" / ".lock.lease").exists()
            check_kind(tmp_path / "run", "run", holds=False)
        assert not list((tmp_path / "run").iterdir())

    def test_a_second_process_is_kept_out(self, no_locks, hasty, tmp_path):
        process = hold_elsewhere(tmp_path / ".lock.lease")
        try:
            with pytest.raises(UserError, match="another process is working on"), lock_folder(tmp_path):
                pass
        finally:
            process.kill()
            process.wait()
        with lock_folder(tmp_path):
            pass

    def test_cases_are_prepared_and_the_cache_is_cleared(self, no_locks, tmp_path, monkeypatch):
        monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))
        assert len(prepare_cached(SyntheticStore("fundus", count=2), IMAGES).ids) == 2
        assert clear_cache() > 0
        assert not list((tmp_path / "cache").glob("*lock*"))

    @pytest.mark.usefixtures("notes_printed")
    def test_who_waits_says_so_and_goes_on_when_the_other_is_killed(self, no_locks, hasty, tmp_path, capsys):
        process = hold_elsewhere(tmp_path / "lock.lease")
        threading.Timer(0.4, process.kill).start()
        threading.Timer(0.5, process.wait).start()
        with hold_lock(tmp_path / "lock", advice="", wait_for="prepares the same cases"):
            pass
        line = r"llmseg: waiting for another process that prepares the same cases \(.*lock.lease\)\n"
        assert re.fullmatch(line, capsys.readouterr().err)

    @pytest.mark.usefixtures("notes_printed")
    def test_a_silent_holder_on_another_machine_is_waited_for_with_a_line(self, no_locks, hasty, tmp_path, capsys):
        hold_elsewhere(tmp_path / ".lock.lease", machine="elsewhere", dies=True)
        with lock_folder(tmp_path):
            pass
        line = r"llmseg: waiting for a sign of life of the process that holds it \(.*lock.lease\)\n"
        assert re.fullmatch(line, capsys.readouterr().err)

    def test_preparing_a_store(self, no_locks, tmp_path, write_cases):
        write_cases(SyntheticStore("fundus", count=2), tmp_path / "d")
        prepare_dataset("folder", tmp_path / "d", tmp_path / "x.h5", progress=False)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "x.h5"]


@pytest.mark.usefixtures("notes_printed")
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
