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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar, cast

from llmseg.data.download.archive_headers import HeaderReader, count_members
from llmseg.data.download.unpacking import Unpacked
from llmseg.errors import UserError, escape_controls
from llmseg.files.limits import FILE_BYTES

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
    OverflowError,
)


@dataclass(frozen=True)
class Archive:
    """An open archive.

    Attributes:
        sizes: Size of each member in bytes, unpacked, by its path.
        read: Returns the content of a member. Several threads may call it at once.
        copy: Writes the content of a member into a file.
    """

    sizes: Mapping[str, int]
    read: Callable[[str], bytes]
    copy: Callable[[str, IO[bytes]], None]


def archive_suffix(name: str) -> str:
    """Return the extension that makes a file an archive, as it is written in its name, or an empty string.

    Example:
        >>> archive_suffix("stare-images.tar"), archive_suffix("UMD.ZIP"), archive_suffix("im0001.ppm.gz")
        ('.tar', '.ZIP', '')
    """
    suffix = next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), "")
    return name[len(name) - len(suffix) :]


@contextmanager
def open_archive(path: Path, scratch: Path, unpacked: Unpacked | None = None) -> Iterator[Archive]:
    """Open an archive and check all of its members' names, kinds and sizes.

    Args:
        path: A file whose name :func:`archive_suffix` knows.
        scratch: Folder in which a compressed tar is unpacked into a plain one. In a compressed tar, reading a member
            means to unpack all before it.
        unpacked: The count of what it unpacks to, with what messages call it.

    Raises:
        UserError: It is damaged; has a link, a member that would climb out of the folder, or one that is there twice;
            or is above a limit of :mod:`llmseg.data.download.unpacking`.
    """
    unpacked = unpacked or Unpacked(str(path), path.stat().st_size)
    suffix = archive_suffix(path.name).lower()
    with ExitStack() as stack:
        with explain_damage(unpacked.label):
            if suffix in _ZIPS:
                unpacked.add_members(count_members(path))
                archive = _index_zip(stack.enter_context(zipfile.ZipFile(path)), unpacked)
            else:
                plain = _decompress_tar(path, _OPENERS[suffix], scratch, unpacked) if suffix in _OPENERS else path
                source = stack.enter_context(HeaderReader(plain))
                file = stack.enter_context(tarfile.open(fileobj=source, mode="r:"))
                archive = _index_tar(file, source, unpacked)
        yield archive


def _index_zip(file: zipfile.ZipFile, unpacked: Unpacked) -> Archive:
    label = unpacked.label
    members: dict[str, zipfile.ZipInfo] = {}
    for info in file.infolist():
        if stat.S_ISLNK(info.external_attr >> 16):
            raise UserError(f"archive {label} has a link, '{info.filename}'; it is refused")
        name = _check_path(info.filename, label)
        if not info.is_dir():
            _add_member(members, name, info, label)
    unpacked.add_bytes(sum(info.file_size for info in members.values()))

    def read(name: str) -> bytes:
        size = members[name].file_size
        FILE_BYTES.check(size, f"archive {label}, member '{name}', has")
        with explain_damage(f"{label}, member '{name}',"), file.open(members[name]) as member:
            # No more is read than the header says, for the total was checked by what headers say.
            content = member.read(size)
        _check_length(len(content), size, name, label)
        return content

    def copy(name: str, target: IO[bytes]) -> None:
        with file.open(members[name]) as member:
            _check_length(_copy(member, target, members[name].file_size), members[name].file_size, name, label)

    return Archive({name: info.file_size for name, info in members.items()}, read, copy)


def _index_tar(file: tarfile.TarFile, source: HeaderReader, unpacked: Unpacked) -> Archive:
    label, total = unpacked.label, 0
    members: dict[str, tarfile.TarInfo] = {}
    while info := source.read_header(file):
        unpacked.add_members(1)
        if info.isdir() and info.name in ("", "."):  # the packed folder itself
            continue
        name = _check_path(info.name, label)
        if not (info.isreg() or info.isdir()):
            raise UserError(f"archive {label} has a link or device, '{info.name}'; it is refused")
        if info.isreg():
            _add_member(members, name, info, label)
            total += info.size
            # What was decompressed is counted already; a sparse member may claim more.
            unpacked.add_bytes(max(total - unpacked.nbytes, 0))
    # A tar ends in a block of zeros; without it, tarfile takes a cut or a damaged header for the end.
    source.seek(file.offset)
    if source.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise UserError(f"archive {label} is damaged or cut off after {len(members)} files; download it again")
    lock = threading.Lock()  # all members share one position in the file

    def read(name: str) -> bytes:
        size = members[name].size
        FILE_BYTES.check(size, f"archive {label}, member '{name}', has")
        with lock, explain_damage(f"{label}, member '{name}',"):
            content = cast(IO[bytes], file.extractfile(members[name])).read()
        _check_length(len(content), size, name, label)
        return content

    def copy(name: str, target: IO[bytes]) -> None:
        with lock:
            member = cast(IO[bytes], file.extractfile(members[name]))
            _check_length(_copy(member, target, members[name].size), members[name].size, name, label)

    return Archive({name: info.size for name, info in members.items()}, read, copy)


_Member = TypeVar("_Member")


def _add_member(members: dict[str, _Member], name: str, member: _Member, label: str) -> None:
    if name in members:
        raise UserError(
            f"archive {label} has the member '{name}' twice, which may differ; unpack it first, and keep the right one"
        )
    members[name] = member


def _check_length(found: int, size: int, name: str, label: str) -> None:
    if found != size:
        raise UserError(f"archive {label} is cut off in '{name}'; download it again")


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> int:
    """Copy at most so many bytes, block by block, and return how many they were."""
    left = size
    while left and (piece := source.read(min(left, _BLOCK))):
        target.write(piece)
        left -= len(piece)
    return size - left


def _check_path(name: str, label: str) -> str:
    """Return the path of a member with ``/``, and refuse one that leads out of the folder: ``../a``, ``/a``, ``C:/a``.

    Nothing is unpacked by these paths, but files are known by them, and what is hostile is told at once.
    """
    if escape_controls(name) != name:
        raise UserError(f"archive {label} has a member with control characters in its name, '{name}'; it is refused")
    if not _is_utf8(name):
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise UserError(
            f"archive {label} has a name that is not UTF-8, '{shown}'; unpack it first, and rename the file"
        )
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0].startswith("/") or ".." in parts or ":" in parts[0]:
        raise UserError(f"archive {label} has a member that would climb out of its folder, '{name}'; it is refused")
    return "/".join(parts)


def _decompress_tar(path: Path, opener: Callable[[Path], Any], scratch: Path, unpacked: Unpacked) -> Path:
    """Decompress a tar into the scratch folder, and stop as soon as it turns out to be a bomb."""
    handle, name = tempfile.mkstemp(dir=scratch, suffix=".tar")
    with os.fdopen(handle, "wb") as plain, opener(path) as packed:
        while piece := packed.read(_BLOCK):
            unpacked.add_bytes(len(piece))
            plain.write(piece)
    return Path(name)


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


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
        detail = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"archive {what} is damaged or cut off ({detail}); download it again") from error
    except MemoryError as error:
        raise UserError(f"archive {what} needs more memory than there is; unpack it first") from error
    except RuntimeError as error:  # so zipfile says that it needs a password, or does not know the compression
        raise UserError(f"archive {what} cannot be read ({error}); unpack it first") from error
