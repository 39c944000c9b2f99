"""Brain meningioma: class 2 of the four classes in ``image`` and ``mask``, masks as JPEG with the suffix ``_m``."""

from __future__ import annotations

import numpy as np

from llmseg.data.download.layouts.case_files import (
    DatasetFiles,
    Files,
    add_numbered_masks,
    in_folder,
    index_files,
    make_mask,
    make_picture_cases,
    match_keys,
    select_pictures,
)
from llmseg.data.download.tree import File
from llmseg.data.pixels import decode_image, decode_mask
from llmseg.data.reading import DEFAULT, Reading

_MENINGIOMA = "2"
_SUFFIX = "_m"
_COLOURED = 64
"""A mask counts as coloured if its channels differ by this much, of 255. JPEG makes those of grey differ a little."""


def find(files: Files, reading: Reading = DEFAULT) -> DatasetFiles:
    """Pair ``image/2/X.jpg`` with ``mask/2/X_m.jpg``. A mask of another size is brought to that of its image."""
    of_class = [file for file in select_pictures(files) if file.folders[-1:] == (_MENINGIOMA,)]
    images = index_files(of_class, lambda file: file.stem if in_folder(file, ("image", "images")) else None)
    masks = index_files(
        of_class, lambda file: file.stem.removesuffix(_SUFFIX) if in_folder(file, ("mask", "masks")) else None
    )
    pairs, unpaired = match_keys(images, masks)
    cases = make_picture_cases(add_numbered_masks(pairs, of_class, reading), decode=read_tumour_mask, resize_masks=True)
    return DatasetFiles("image/2 and mask/2", cases, unpaired)


def read_tumour_mask(file: File) -> np.ndarray:
    """Read a mask of tumours, uint8 ``[H, W]``. Some copies colour tumours by type; every colour is foreground.

    Read as grey, a blue tumour would be 29 of 255 and count as background.
    """
    content = file.read_unpacked()
    pixels = decode_image(content, file.path)
    if pixels.ndim == 2 or np.ptp(pixels.astype(np.int16), axis=2).max() < _COLOURED:
        return decode_mask(content, file.path)
    # In JPEG, a colour fades at its edge like a grey mask does, so the threshold is left to the recipe.
    strongest: np.ndarray = pixels.max(axis=2)
    return strongest if file.extension in (".jpg", ".jpeg") else make_mask(strongest > 0)
