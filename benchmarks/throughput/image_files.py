"""Image files for the measurement of throughput: a folder of phantoms, and the first cases of a folder as a store."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import llmseg
from llmseg.data import read_image

POOL = 24
"""Phantoms that are drawn; more files than that are copies under other names, which cost as much to decode."""


@dataclass(frozen=True)
class FirstCases:
    """The first cases of a folder as a store of their own.

    Attributes:
        folder: The images and masks.
        count: How many cases.

    Raises:
        UserError: The folder holds fewer.
    """

    folder: llmseg.FolderStore
    count: int

    def __post_init__(self) -> None:
        if len(self.folder.ids) < self.count:
            raise llmseg.UserError(
                f"{self.count} cases are needed (steps x batch size + 1), {self.folder.images} holds "
                f"{len(self.folder.ids)}; lower --steps or --batch-size"
            )

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @functools.cached_property
    def ids(self) -> tuple[str, ...]:
        """Image file names."""
        return self.folder.ids[: self.count]

    @property
    def groups(self) -> Mapping[str, str]:
        """Each case is a group of its own."""
        return {id: id for id in self.ids}

    @property
    def digest(self) -> str:
        """SHA-256 of the folder's digest and the number of cases."""
        return hashlib.sha256(f"{self.folder.digest} {self.count}".encode()).hexdigest()

    def read(self, id: str) -> llmseg.data.Case:
        """Decode one case."""
        return self.folder.read(id)

    def image(self, id: str) -> np.ndarray:
        """Decode an image without its mask, as for a prediction."""
        return read_image(Path(self.folder.images) / id)


def write_phantoms(folder: Path, modality: str, count: int, pixels: int) -> llmseg.FolderStore:
    """Write square phantoms and their masks as PNG.

    Args:
        folder: Gets the folders ``images`` and ``masks``.
        modality: Kind of phantoms.
        count: Number of cases.
        pixels: Width and height of the files.
    """
    drawn = llmseg.SyntheticStore(modality, count=min(count, POOL))
    cases = [drawn.read(id) for id in drawn.ids]
    files = {
        "images": [_png(case.image, pixels, Image.Resampling.BILINEAR) for case in cases],
        "masks": [_png(case.mask, pixels, Image.Resampling.NEAREST) for case in cases],
    }
    for kind, contents in files.items():
        (folder / kind).mkdir()
        for number in range(count):
            (folder / kind / f"{number:05d}.png").write_bytes(contents[number % len(contents)])
    return llmseg.FolderStore(folder / "images", folder / "masks")


def _png(values: np.ndarray, pixels: int, resample: Image.Resampling) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).resize((pixels, pixels), resample).save(buffer, "png")
    return buffer.getvalue()
