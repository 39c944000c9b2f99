"""Locks between processes, on whatever file system a user has."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.errors import UserError
from llmseg.files.interruption import discard_at_end, keep_at_end
from llmseg.files.notes import note, warn

if TYPE_CHECKING:
    from filelock import FileLock, LeaseCompromise

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
_PATIENCE = 1.0
"""Seconds until a process that waits for another one says so."""

LEASE_SECONDS = 120.0
"""A lease that was not touched for so long may be taken over. Clients of NFS see a touch up to 60 s late.

All processes that share a folder must agree on it, so it stays the same from version to version.
"""

HEARTBEAT_SECONDS = 5.0
"""How often a holder touches its lease."""


class Lease:
    """A lock in the form of a file, for file systems without locks and for several machines that share a folder.

    The file tells process and machine of its holder, which touches it every few seconds. When the holder has died, the
    lease is free: at once for processes of the same machine, after :data:`LEASE_SECONDS` for others, and for all on
    NFS.

    A holder that was stopped for that long loses the lease, and learns it only when it goes on. So two processes may
    work at the same time. What a lease protects must bear that: write in a folder of your own, and rename it at the
    end.

    Attributes:
        path: The file; its folder must be there.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "cell.lease"
        >>> mine, theirs = Lease(path), Lease(path)
        >>> mine.take(), theirs.take()
        (True, False)
        >>> mine.release()
        >>> theirs.take()
        True
        >>> theirs.release()
    """

    def __init__(self, path: Path) -> None:
        from filelock import SoftFileLease

        self.path = path
        self._lost = False
        self._seen: tuple[tuple[int, int], float] | None = None
        self._lock = SoftFileLease(
            path,
            lease_duration=LEASE_SECONDS,
            heartbeat_interval=HEARTBEAT_SECONDS,
            on_compromise=self._note_loss,
            # The heartbeat and whoever releases may be other threads than the one that took the lease.
            thread_local=False,
        )

    def take(self) -> bool:
        """Take the lease if it is free, without waiting; return whether this process has it now.

        Ask the same object again later: only an object that has seen the lease untouched for :data:`LEASE_SECONDS`
        takes it over from another machine.

        Raises:
            OSError: The file cannot be written.
        """
        from filelock import Timeout

        if self._lock.is_locked:
            return not self._lost
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._clear_if_dead()
            return False
        self._lost = False
        discard_at_end(self.path)
        return True

    def release(self) -> None:
        """Give the lease back. A lease of another process is left alone."""
        if self._lock.is_locked:
            keep_at_end(self.path)
            self._lock.release()

    @property
    def lost(self) -> bool:
        """Whether another process has taken the lease over since this one took it."""
        return self._lost

    def read_heartbeat(self) -> int | None:
        """Return when the holder last touched the lease, in nanoseconds of its clock; ``None`` if nobody holds it."""
        file = self._look()
        return None if file is None else file.st_mtime_ns

    def _look(self) -> os.stat_result | None:
        try:
            # Opening the file makes a client of NFS ask its server; looking at it may give what it saw a minute ago.
            with self.path.open("rb") as file:
                return os.fstat(file.fileno())
        except OSError:
            return None

    def _clear_if_dead(self) -> None:
        """Remove a lease that nobody touches any more and that filelock leaves alone for ever.

        It does so with an empty file, whose holder was killed before it wrote its name, because its locks of other
        kinds may be empty. It also does so on NFS and other file systems that cannot exchange two names in one step.
        """
        file = self._look()
        if file is None:
            self._seen = None
            return
        seen = file.st_ino, file.st_mtime_ns
        if self._seen is None or self._seen[0] != seen:
            self._seen = seen, time.monotonic()
            return
        # Where filelock can take the lease over, it has done so a heartbeat before.
        patience = LEASE_SECONDS + HEARTBEAT_SECONDS if file.st_size else 2 * HEARTBEAT_SECONDS
        if time.monotonic() - self._seen[1] > patience:
            self._remove(seen)

    def _remove(self, seen: tuple[int, int]) -> None:
        """Remove the file that was seen, and no other that may be there now under its name."""
        aside = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        try:
            self.path.rename(aside)
        except OSError:
            return  # another process has removed it
        with suppress(OSError):
            file = aside.stat()
            if (file.st_ino, file.st_mtime_ns) != seen:
                os.link(aside, self.path)  # it is the lease of a process that took over a moment ago
        aside.unlink(missing_ok=True)

    def _note_loss(self, _: LeaseCompromise) -> None:
        self._lost = True
        keep_at_end(self.path)  # the file is another's now
        warn(f"another process took over {self.path} while this one stood still")


@contextmanager
def hold_lock(path: Path, *, advice: str, wait_for: str = "") -> Iterator[None]:
    """Hold a lock for the block.

    The system frees the lock of a process that dies. On a file system without locks a :class:`Lease` beside the file
    takes its place.

    Args:
        path: The file that is locked; its folder must be there.
        advice: What a user can do if nothing may be written there.
        wait_for: What another process that has the lock is doing: this one then waits for it, and says so after a
            second. Without it, nobody waits for a process that is alive.

    Raises:
        Timeout: Another process has the lock. It is filelock's error; whoever calls knows what to say.
        UserError: Nothing may be written there.
    """
    from filelock import Timeout

    try:
        lock = _take(path, wait_for)
    except Timeout:
        raise
    except OSError as error:
        raise UserError(f"cannot write in {path.parent}: {error.strerror or error}; {advice}") from error
    try:
        yield
    finally:
        lock.release()


def _take(path: Path, wait_for: str) -> FileLock | Lease:
    from filelock import FileLock, Timeout

    lock = FileLock(path, fallback_to_soft=False)
    try:
        lock.acquire(timeout=_PATIENCE if wait_for else 0)
    except Timeout:
        if not wait_for:
            raise
        note(f"waiting for another process that {wait_for} ({path})")
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        if getattr(error, "errno", errno.ENOSYS) not in _NO_LOCKS:
            raise
        return _take_lease(path.with_name(f"{path.name}.lease"), wait_for)
    return lock


def _take_lease(path: Path, wait_for: str) -> Lease:
    """Return a lease as soon as it is free; without ``wait_for``, give up once its holder shows that it is alive."""
    from filelock import Timeout

    lease = Lease(path)
    began, before, told = time.monotonic(), lease.read_heartbeat(), False
    while not lease.take():
        if not wait_for and lease.read_heartbeat() not in (before, None):
            raise Timeout(str(path))
        if not told and time.monotonic() - began > (_PATIENCE if wait_for else 2 * HEARTBEAT_SECONDS):
            who = f"another process that {wait_for}" if wait_for else "a sign of life of the process that holds it"
            note(f"waiting for {who} ({path})")
            told = True
        time.sleep(0.1)
    return lease
