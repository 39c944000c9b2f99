"""Locks between processes, on whatever file system a user has."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmseg.errors import UserError

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
_PATIENCE = 1.0
"""Seconds until a process that waits for another one says so."""


@contextmanager
def hold_lock(path: Path, *, advice: str, wait_for: str = "") -> Iterator[None]:
    """Hold a lock for the block. The system frees the lock of a process that dies.

    Args:
        path: The file that is locked; its folder must be there.
        advice: What a user can do if the folder takes no lock.
        wait_for: What another process that has the lock is doing: this one then waits for it, and says so after a
            second. Without it, nobody waits.

    Raises:
        Timeout: Another process has the lock. It is filelock's error; whoever calls knows what to say.
        UserError: The folder takes no lock: its file system has none, or nothing may be written there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=_PATIENCE if wait_for else 0)
        except Timeout:
            if not wait_for:
                raise
            print(f"llmseg: waiting for another process that {wait_for} ({path})", file=sys.stderr)
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        if isinstance(error, Timeout):
            raise
        number, reason = getattr(error, "errno", errno.ENOSYS), getattr(error, "strerror", None) or str(error)
        if number in _NO_LOCKS:
            where = (
                f"{path.parent} lies on a file system without locks ({_describe_file_system(path.parent)}: {reason})"
            )
            raise UserError(f"{where}; {advice}") from error
        raise UserError(f"cannot write in {path.parent}: {reason}; {advice}") from error
    try:
        yield
    finally:
        lock.release()


def _describe_file_system(folder: Path) -> str:
    """Return kind and place of the file system that a folder lies on."""
    import psutil

    real = folder.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if real.is_relative_to(part.mountpoint)]
    if not mounts:
        return "of an unknown kind"
    nearest = max(mounts, key=lambda part: len(part.mountpoint))
    return f"{nearest.fstype or 'of an unknown kind'} at {nearest.mountpoint}"
