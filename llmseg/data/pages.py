"""Files of several pages, of which each is a case: a TIFF of slices, an animation of frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from llmseg.data.image_mask_pairs import ImageMaskPair
from llmseg.data.opening import read_image_file
from llmseg.data.pixels import decode_header
from llmseg.data.reading import Reading
from llmseg.errors import UserError


def name_pages(name: str, count: int, reading: Reading) -> dict[str, int | None]:
    """Return the number of each page by the id of its case; a file that is one case keeps its name, without a number.

    Args:
        name: Name of the file.
        count: How many pages it has.
        reading: Which pages are read.

    Example:
        >>> name_pages("a.tif", 2, Reading(pages="each")), name_pages("a.tif", 2, Reading(pages="first"))
        ({'a_page001.tif': 1, 'a_page002.tif': 2}, {'a.tif': None})
    """
    if reading.pages != "each" or count == 1:
        return {name: None}
    path = PurePosixPath(name)
    return {str(path.with_name(f"{path.stem}_page{page:03d}{path.suffix}")): page for page in range(1, count + 1)}


def split_pages(pair: ImageMaskPair, reading: Reading) -> tuple[ImageMaskPair, ...]:
    """Return the files of a case as cases of a page each, if the reading makes them so.

    Raises:
        UserError: A file is no image, or image and mask have not as many pages.
    """
    if reading.pages != "each":
        return (pair,)
    counts = {path: _count_pages(path) for path in (pair.image, *pair.masks)}
    for mask in pair.masks:
        check_counts((pair.id, counts[pair.image]), (mask.name, counts[mask]))
    pages = name_pages(pair.id, counts[pair.image], reading)
    return tuple(replace(pair, id=id, page=page) for id, page in pages.items())


def list_pages(path: Path, reading: Reading) -> dict[str, int | None]:
    """Return the number of each page of an image file by the name that its prediction gets, see :func:`name_pages`.

    Raises:
        UserError: It is no image.
    """
    return name_pages(path.name, _count_pages(path) if reading.pages == "each" else 1, reading)


def check_counts(image: tuple[str, int], mask: tuple[str, int]) -> None:
    """Refuse a mask that has not as many pages as its image.

    Args:
        image: Name and number of pages of the image.
        mask: Those of the mask.

    Raises:
        UserError: It has more or fewer.
    """
    if image[1] != mask[1]:
        raise UserError(
            f"image {image[0]} has {image[1]} pages, its mask {mask[0]} {mask[1]}; --pages each needs as many in both, "
            "--pages first or --pages 2 reads one of several"
        )


def _count_pages(path: Path) -> int:
    return len(decode_header(read_image_file(path), str(path)).pages)
