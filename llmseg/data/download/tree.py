"""The files of a downloaded dataset by path, whether they lie in folders or still in archives."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llmseg.data.download.archives import Archive, archive_suffix, explain_damage, open_archive
from llmseg.data.download.unpacking import DEPTH, Download, Unpacked
from llmseg.errors import UserError
from llmseg.files import check_name, clear_leftovers, nearest_path, read_bytes, temporary_path, walk_folders
from llmseg.files.interruption import discard_at_end, keep_at_end
from llmseg.files.limits import FILE_BYTES

_LEFTOVERS = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r")
_GZIP = b"\x1f\x8b"
_BLOCK = 2**20  # bytes that are unpacked before limits are checked again


@dataclass(frozen=True, slots=True)
class File:
    """A file of a download, in a folder or in an archive.

    Attributes:
        path: Its path below the root, with ``/``. An archive counts as a folder of its name without the extension.
        size: Size in bytes, as the folder or the archive says.
        read: Returns the content, and raises :class:`UserError` if it is damaged.

    Example:
        >>> file = File("labels/im0001.ah.ppm.gz", 5, lambda: b"bytes")
        >>> file.name, file.stem, file.extension, file.folders
        ('im0001.ah.ppm.gz', 'im0001.ah', '.ppm', ('labels',))
    """

    path: str
    size: int
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """The last part of the path, such as ``0_seg.png``."""
        return PurePosixPath(self.path).name

    @property
    def stem(self) -> str:
        """The name without extension: ``im0001.ah`` for ``im0001.ah.ppm.gz``."""
        return PurePosixPath(_strip_gz(self.name)).stem

    @property
    def extension(self) -> str:
        """The extension in lower case, without that of compression: ``.ppm`` for ``im0001.ah.ppm.gz``."""
        return PurePosixPath(_strip_gz(self.name)).suffix.lower()

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders above it in lower case, from the root (left out) inwards."""
        return tuple(part.lower() for part in PurePosixPath(self.path).parts[:-1])

    @property
    def folder(self) -> str:
        """The path of the folder it lies in."""
        return str(PurePosixPath(self.path).parent)

    def read_unpacked(self) -> bytes:
        """Return the content, decompressed if it is compressed by gzip.

        The content decides, not the name: some datasets have files called ``.gz`` that are not compressed.

        Raises:
            UserError: The file is damaged, or unpacks to more than a limit allows.
        """
        content = self.read()
        if not content.startswith(_GZIP):
            return content
        pieces, unpacked = [], Unpacked(self.path, len(content))
        while content.startswith(_GZIP):  # a gzip file may be several, one after another
            decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            while not decompressor.eof:
                try:
                    piece = decompressor.decompress(content, _BLOCK)
                except zlib.error as error:
                    raise UserError(f"{self.path} is damaged ({error}); download it again") from error
                unpacked.add_bytes(len(piece))
                FILE_BYTES.check(unpacked.nbytes, f"{self.path} has at least")
                if not piece and not decompressor.eof and not decompressor.unconsumed_tail:
                    raise UserError(f"{self.path} is cut off; download it again")
                pieces.append(piece)
                content = decompressor.unconsumed_tail
            content = decompressor.unused_data
        return b"".join(pieces)


@contextmanager
def open_tree(root: Path) -> Iterator[Mapping[str, File]]:
    """Give all files below a folder, or in an archive, by path. Archives are opened, and archives in them.

    Nothing is extracted into the folder, which may be read-only. An archive beside a folder of the same name counts as
    extracted, and is passed over. So is what systems leave behind (``__MACOSX``, ``.DS_Store``, hidden files).

    Args:
        root: A folder, or one archive (zip, tar, tar.gz, tar.bz2, tar.xz).

    Yields:
        Files by path, sorted. They can be read until the block ends.

    Raises:
        UserError: There is no such folder or archive; or an archive is damaged, has a link or a member that would
            climb out of the folder, or unpacks to far more than it takes; or two archives have the same file.

    Example:
        >>> import zipfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with zipfile.ZipFile(Path(folder) / "part.zip", "w") as archive:
        ...         archive.writestr("images/a.txt", "content")
        ...     with open_tree(Path(folder)) as files:
        ...         {path: file.read() for path, file in files.items()}
        {'part/images/a.txt': b'content'}
    """
    if not root.exists():
        near = next((folder for folder in root.absolute().parents if folder.is_dir()), Path("/"))
        raise UserError(
            f"no folder or archive {root}{nearest_path(root) or f'; the nearest folder that exists is {near}'}"
        )
    if root.is_file() and not archive_suffix(root.name):
        raise UserError(f"{root} is neither a folder nor a zip or tar archive; give the folder of the download")
    with ExitStack() as stack:
        scratch = stack.enter_context(_make_scratch())
        on_disk = [_describe_file(root, root.name)] if root.is_file() else list(_walk(root))
        files: dict[str, File] = {}
        download = Download()
        for path, size, location in on_disk:
            suffix = archive_suffix(path)
            if not suffix:
                _add_files(files, [(path, File(path, size, functools.partial(read_bytes, str(location))))])
            elif not (root.is_dir() and (root / path.removesuffix(suffix)).is_dir()):
                unpacked = Unpacked(str(location), size, download)
                archive = stack.enter_context(open_archive(location, scratch, unpacked))
                inside = _open_nested(archive, path.removesuffix(suffix), scratch, stack, unpacked, DEPTH.value)
                _add_files(files, inside)
        yield dict(sorted(files.items()))


@contextmanager
def _make_scratch() -> Iterator[Path]:
    """Give a folder for unpacked archives. What a killed process left in its own is removed first: it may be large."""
    place = Path(tempfile.gettempdir())
    clear_leftovers(place)
    scratch = discard_at_end(temporary_path(place))
    scratch.mkdir(mode=0o700)  # nobody else may look into it
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        keep_at_end(scratch)


def _describe_file(location: Path, path: str) -> tuple[str, int, Path]:
    return path, location.stat().st_size, location


def _walk(root: Path) -> Iterator[tuple[str, int, Path]]:
    """Yield path, size and location of every file."""
    for folder, name in walk_folders(root, lambda name: not _is_leftover(name)):
        location = Path(folder, name)
        if not _is_leftover(name) and location.is_file():
            check_name(location)
            yield _describe_file(location, location.relative_to(root).as_posix())


def _add_files(files: dict[str, File], found: Iterable[tuple[str, File]]) -> None:
    for path, file in found:
        if path in files:
            raise UserError(f"{path} is there twice, in two archives or in a folder beside one; move one of them away")
        files[path] = file


def _open_nested(
    archive: Archive, prefix: str, scratch: Path, stack: ExitStack, unpacked: Unpacked, depth: int
) -> Iterator[tuple[str, File]]:
    """Yield the files of an archive, and those of archives in it."""
    for name, size in archive.sizes.items():
        if any(map(_is_leftover, PurePosixPath(name).parts)):
            continue
        path = f"{prefix}/{name}"
        suffix = archive_suffix(name)
        if not suffix:
            yield path, File(path, size, functools.partial(archive.read, name))
            continue
        if depth == 1:
            raise UserError(
                f"{path} is an archive within {DEPTH.value} others; unpack the outer ones, or set "
                f"{DEPTH.variable}={DEPTH.value + 1}"
            )
        # An inner archive must be moved about in, so it needs a file of its own.
        with explain_damage(path):
            handle, location = tempfile.mkstemp(dir=scratch, suffix=suffix)
            with os.fdopen(handle, "wb") as file:
                archive.copy(name, file)
        within = unpacked.open_inner(path, size)
        inner = stack.enter_context(open_archive(Path(location), scratch, within))
        yield from _open_nested(inner, path.removesuffix(suffix), scratch, stack, within, depth - 1)


def _strip_gz(name: str) -> str:
    return name[: -len(".gz")] if name.lower().endswith(".gz") else name


def _is_leftover(name: str) -> bool:
    return name in _LEFTOVERS or name.startswith(".")
