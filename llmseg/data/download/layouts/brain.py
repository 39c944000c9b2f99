"""Brain meningioma: class 2 of the four classes in ``image`` and ``mask``, masks as JPEG with the suffix ``_m``."""

from __future__ import annotations

import numpy as np

from llmseg.data.download.layouts.case_files import (
    Files,
    Listing,
    by_key,
    in_folder,
    matched,
    picture_units,
    pictures,
    white,
)
from llmseg.data.download.tree import File
from llmseg.data.pixels import decode_image, decode_mask

_MENINGIOMA = "2"
_SUFFIX = "_m"
_COLOURED = 64
"""Difference between channels, of 255, from which a mask counts as coloured; JPEG makes grey ones differ a little."""


def find(files: Files) -> Listing:
    """Pair ``image/2/X.jpg`` with ``mask/2/X_m.jpg``; a mask of another size is brought to that of its image."""
    of_class = [file for file in pictures(files) if file.folders[-1:] == (_MENINGIOMA,)]
    images = by_key(of_class, lambda file: file.stem if in_folder(file, ("image", "images")) else None)
    masks = by_key(
        of_class, lambda file: file.stem.removesuffix(_SUFFIX) if in_folder(file, ("mask", "masks")) else None
    )
    pairs, alone = matched(images, masks)
    return Listing("image/2 and mask/2", picture_units(pairs, decode=tumour, fit=True), alone)


def tumour(file: File) -> np.ndarray:
    """Read a mask of tumours, uint8 ``[H, W]``; in copies that colour them by type, every colour is foreground."""
    content = file.unpacked()
    pixels = decode_image(content, file.path)
    if pixels.ndim == 2 or np.ptp(pixels.astype(np.int16), axis=2).max() < _COLOURED:
        return decode_mask(content, file.path)
    strongest: np.ndarray = pixels.max(axis=2)
    return strongest if file.extension in (".jpg", ".jpeg") else white(strongest > 0)
