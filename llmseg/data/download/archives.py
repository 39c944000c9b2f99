"""Reading members of zip and tar archives that come from elsewhere and may be damaged or hostile."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import stat
import struct
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from llmseg.errors import UserError

MAX_RATIO = 200
"""An archive that unpacks to more than this many times its size is refused: it may be a bomb, made to fill the disk.

Images hardly shrink, as PNG and JPEG are compressed already. A raw volume of labels, nearly all zeros, may shrink by
several hundred, but comes together with its image. A bomb reaches 1,000 in a zip, and far more in bz2.
"""

SMALL = 2**30
"""Bytes: an archive that unpacks to less is let through whatever its ratio, for it can do no harm."""

_OPENERS: Mapping[str, Callable[[Path], Any]] = {
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.bz2": bz2.open,
    ".tar.xz": lzma.open,
}
_ZIPS = (".zip", ".npz")  # files of several NumPy arrays are zip archives of them
_SUFFIXES = (*_ZIPS, ".tar", *_OPENERS)
_BLOCK = 2**20  # bytes that are unpacked before the total is checked again
# What the standard library raises on damaged archives. No page lists it; archives damaged at random places told.
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True)
class Archive:
    """An open archive.

    Attributes:
        sizes: Size of each member in bytes, unpacked, by its path.
        read: Returns the content of a member. Several threads may call it at once.
    """

    sizes: Mapping[str, int]
    read: Callable[[str], bytes]


def archive_suffix(name: str) -> str:
    """Return the extension that makes a file an archive, as it is written in its name, or an empty string.

    Example:
        >>> archive_suffix("stare-images.tar"), archive_suffix("UMD.ZIP"), archive_suffix("im0001.ppm.gz")
        ('.tar', '.ZIP', '')
    """
    suffix = next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), "")
    return name[len(name) - len(suffix) :]


@contextmanager
def open_archive(path: Path, scratch: Path, label: str = "") -> Iterator[Archive]:
    """Open an archive and check all of its members' names, kinds and sizes.

    Args:
        path: A file whose name :func:`archive_suffix` knows.
        scratch: Folder in which a compressed tar is unpacked into a plain one. In a compressed tar, reading a member
            means to unpack all before it.
        label: What messages call the archive, instead of its path.

    Raises:
        UserError: It is damaged, has a member that would climb out of the folder or a link, or unpacks to far more than
            it takes.
    """
    label = label or str(path)
    with explain_damage(label):
        opened = _open(path, scratch, label)
    with opened:
        with explain_damage(label):
            archive = _index_zip(opened, label) if isinstance(opened, zipfile.ZipFile) else _index_tar(opened, label)
        _check_total(sum(archive.sizes.values()), path, label)
        yield archive


def _open(path: Path, scratch: Path, label: str) -> zipfile.ZipFile | tarfile.TarFile:
    suffix = archive_suffix(path.name).lower()
    if suffix in _ZIPS:
        return zipfile.ZipFile(path)
    return tarfile.open(_decompress_tar(path, _OPENERS[suffix], scratch, label) if suffix in _OPENERS else path, "r:")


def _index_zip(file: zipfile.ZipFile, label: str) -> Archive:
    members = {}
    for info in file.infolist():
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UserError(f"archive {label} has a link, '{info.filename}'; it is refused")
        name = _check_path(info.filename, label)
        if not info.is_dir():
            members[name] = info

    def read(name: str) -> bytes:
        with explain_damage(f"{label}, member '{name}',"), file.open(members[name]) as member:
            # No more is read than the header says, for the total was checked by what headers say.
            content = member.read(members[name].file_size)
        if len(content) != members[name].file_size:
            raise UserError(f"archive {label} is cut off in '{name}'; download it again")
        return content

    return Archive({name: info.file_size for name, info in members.items()}, read)


def _index_tar(file: tarfile.TarFile, label: str) -> Archive:
    members = {}
    for info in file.getmembers():
        if info.isdir() and info.name in ("", "."):  # the packed folder itself
            continue
        name = _check_path(info.name, label)
        if not (info.isreg() or info.isdir()):
            raise UserError(f"archive {label} has a link or device, '{info.name}'; it is refused")
        if info.isreg():
            members[name] = info
    # A tar ends in a block of zeros; without it, tarfile takes a cut or a damaged header for the end.
    cast(IO[bytes], file.fileobj).seek(file.offset)
    if cast(IO[bytes], file.fileobj).read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise UserError(f"archive {label} is damaged or cut off after {len(members)} files; download it again")
    lock = threading.Lock()  # all members share one position in the file

    def read(name: str) -> bytes:
        with lock, explain_damage(f"{label}, member '{name}',"):
            content = cast(IO[bytes], file.extractfile(members[name])).read()
        if len(content) != members[name].size:
            raise UserError(f"archive {label} is cut off in '{name}'; download it again")
        return content

    return Archive({name: info.size for name, info in members.items()}, read)


def _check_path(name: str, label: str) -> str:
    """Return the path of a member with ``/``, and refuse one that leads out of the folder: ``../a``, ``/a``, ``C:/a``.

    Nothing is unpacked by these paths, but files are known by them, and what is hostile is told at once.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0].startswith("/") or ".." in parts or ":" in parts[0]:
        raise UserError(f"archive {label} has a member that would climb out of its folder, '{name}'; it is refused")
    return "/".join(parts)


def _check_total(total: int, path: Path, label: str) -> None:
    if total > max(SMALL, MAX_RATIO * path.stat().st_size):
        raise UserError(
            f"archive {label} would unpack to {total / 2**30:.1f} GiB, more than {MAX_RATIO} times its size; "
            "it is refused"
        )


def _decompress_tar(path: Path, opener: Callable[[Path], Any], scratch: Path, label: str) -> Path:
    """Decompress a tar into the scratch folder, and stop as soon as it turns out to be a bomb."""
    handle, name = tempfile.mkstemp(dir=scratch, suffix=".tar")
    total = 0
    with os.fdopen(handle, "wb") as plain, opener(path) as packed:
        while piece := packed.read(_BLOCK):
            total += len(piece)
            _check_total(total, path, label)
            plain.write(piece)
    return Path(name)


@contextmanager
def explain_damage(what: str) -> Iterator[None]:
    """Turn what reading or unpacking an archive may raise into a :class:`UserError` that names the archive."""
    try:
        yield
    except UserError:
        raise
    except _DAMAGE as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise UserError(
                f"no space left to unpack archive {what}; set TMPDIR to a folder on a larger disk"
            ) from error
        raise UserError(f"archive {what} is damaged or cut off ({error}); download it again") from error
    except RuntimeError as error:  # so zipfile says that it needs a password, or does not know the compression
        raise UserError(f"archive {what} cannot be read ({error}); unpack it first") from error
