"""Changes of a folder of cases, each of which asks a script a question."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from llmseg.errors import UserError


@dataclass(frozen=True)
class CaseFolder:
    """A folder with ``images/001.png`` and ``masks/001_seg.png`` for the case ``001``.

    Attributes:
        folder: The folder.

    Example:
        >>> import tempfile
        >>> from llmseg.admission import Phantoms, write_phantoms
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_phantoms(Path(folder), Phantoms(12))
        ...     CaseFolder(Path(folder)).mask("007").name
        '007_seg.png'
    """

    folder: Path

    @property
    def ids(self) -> tuple[str, ...]:
        """The cases, by name."""
        return tuple(sorted(path.stem for path in (self.folder / "images").iterdir()))

    def image(self, id: str) -> Path:
        """Return the file of an image."""
        return _find(self.folder / "images", id, id)

    def mask(self, id: str) -> Path:
        """Return the file of the mask of an image."""
        return _find(self.folder / "masks", f"{id}_seg", id)

    def copy_to(self, folder: Path) -> CaseFolder:
        """Copy it into a new folder.

        Raises:
            UserError: The folder is there already.
        """
        if folder.exists():
            raise UserError(f"{folder} is there already; give a new folder")
        shutil.copytree(self.folder, folder)
        return CaseFolder(folder)


def _find(folder: Path, stem: str, id: str) -> Path:
    found = [path for path in folder.iterdir() if path.stem == stem]
    if len(found) != 1:
        raise UserError(f"{folder} has {len(found)} files for the case {id}; give it one, such as {stem}.png")
    return found[0]


Change = Callable[[CaseFolder, tuple[str, ...]], None]
"""Changes the files of some cases in a copy of the folder."""


def replace_images(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Halve the range of images and lift them: every statistic is another one, and one still sees which case it is."""
    for id in ids:
        _rewrite(cases.image(id), lambda pixels: pixels // 2 + 50)


def invert_masks(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Exchange foreground and background of masks: what was a good prediction is a bad one."""
    for id in ids:
        _rewrite(cases.mask(id), lambda pixels: 255 - pixels)


def exchange_masks(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Give each case the mask of the next one, and the last that of the first."""
    files = [cases.mask(id) for id in ids]
    contents = [file.read_bytes() for file in files]
    for file, content in zip(files, [*contents[1:], *contents[:1]], strict=True):
        file.write_bytes(content)


def write_masks_of_ones(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Write masks as 0 and 1 instead of 0 and 255."""
    for id in ids:
        _rewrite(cases.mask(id), lambda pixels: (pixels > 127).astype(np.uint8))


def write_masks_in_colour(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Write masks with three equal channels."""
    for id in ids:
        _rewrite(cases.mask(id), lambda pixels: np.stack([pixels] * 3, axis=-1))


def add_mask_noise(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Move every second pixel of masks by one grey level, as saving as JPEG does: 0 becomes 1, 255 becomes 254."""
    for id in ids:
        _rewrite(cases.mask(id), _add_noise)


def _add_noise(pixels: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(pixels.shape)
    inwards = np.where(pixels > 127, pixels - 1, pixels + 1)
    return np.where((rows + columns) % 2 == 0, inwards, pixels).astype(np.uint8)


def mix_formats(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Give a third of the cases masks with noise, a third masks in colour, and a third masks of ones, in turn."""
    ids = tuple(ids)
    for start, change in enumerate((add_mask_noise, write_masks_in_colour, write_masks_of_ones)):
        change(cases, ids[start::3])


def empty_masks(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Write masks without foreground."""
    for id in ids:
        _rewrite(cases.mask(id), np.zeros_like)


def empty_and_fill(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Empty the mask of every second case, beginning with the first, and fill those between."""
    ids = tuple(ids)
    empty_masks(cases, ids[::2])
    for id in ids[1::2]:
        _rewrite(cases.mask(id), lambda pixels: np.full_like(pixels, 255))


def corrupt_images(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Write something else than an image into the files of images."""
    for id in ids:
        cases.image(id).write_bytes(b"this was an image before the disk failed\n" * 8)


def corrupt_masks(cases: CaseFolder, ids: Iterable[str]) -> None:
    """Write something else than an image into the files of masks."""
    for id in ids:
        cases.mask(id).write_bytes(b"this was a mask before the disk failed\n" * 8)


def _rewrite(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    with Image.open(path) as image:
        pixels = np.asarray(image)
    times = path.stat()
    Image.fromarray(np.asarray(change(pixels), dtype=np.uint8)).save(path)
    # Scripts may sort by time, so a file keeps its own.
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
