"""What an image file says of itself: the camera's orientation flag, its pages, how many bits a pixel has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from llmseg.errors import UserError

_ORIENTATION = 0x0112  # number of the EXIF field
_KIND_OF_PAGE = (
    254  # number of the TIFF field: 1 is a smaller copy of another page, 4 says which pixels are transparent
)
_DEEPEST_PPM = 65535
_WHITE_IS_ZERO, _SIGN = 262, 339  # numbers of TIFF fields


@dataclass(frozen=True)
class ImageHeader:
    """What an image file says of itself.

    Attributes:
        size: Height and width as stored.
        flag: The EXIF orientation flag, 1 to 8; 1 is what is stored. A TIFF file, which Pillow itself turns, has 1.
        pages: Where its pages or frames lie; smaller copies of a page are left out.
        deep: Whether a pixel has more than 8 bits per channel.
    """

    size: tuple[int, int]
    flag: int
    pages: tuple[int, ...]
    deep: bool

    @property
    def turned(self) -> bool:
        """Whether a viewer shows it turned or mirrored, because of its flag."""
        return self.flag != 1

    @property
    def shown_size(self) -> tuple[int, int]:
        """Height and width as a viewer shows it."""
        height, width = self.size
        return (width, height) if self.flag >= 5 else (height, width)


def read_file_header(file: Image.Image) -> ImageHeader:
    """Return what an opened file says of itself. Its first page is the current one afterwards."""
    deep = is_deep(file)  # first, for a PNG file is decoded to find its flag, and no longer knows it then
    return ImageHeader(file.size[::-1], read_flag(file), find_pages(file), deep)


def check_kind(file: Image.Image, name: str) -> None:
    """Refuse an opened TIFF file whose numbers Pillow takes for others than a viewer shows.

    Raises:
        UserError: White is stored as 0 in more than 8 bits, or 8 bits have a sign.
    """
    if file.format != "TIFF":
        return
    fields = file.tag_v2  # type: ignore[attr-defined]
    if is_deep(file) and fields.get(_WHITE_IS_ZERO) == 0:
        raise UserError(f"{name} stores white as 0 in more than 8 bits (WhiteIsZero); write it with black as 0")
    if file.mode == "L" and 2 in fields.get(_SIGN, ()):
        raise UserError(f"{name} has signed values of 8 bits (-128 to 127); write them as 16 bits, or without a sign")


def read_flag(file: Image.Image) -> int:
    """Return the EXIF orientation flag of an opened file, 1 to 8."""
    flag = 1 if file.format == "TIFF" else file.getexif().get(_ORIENTATION, 1)
    return int(flag) if flag in range(2, 9) else 1


def find_pages(file: Image.Image) -> tuple[int, ...]:
    """Return the numbers by which an opened file finds its pages, the first is 0.

    Of a JPEG of several pictures, the others are previews of the first.
    """
    count = 1 if file.format in ("JPEG", "MPO") else getattr(file, "n_frames", 1)
    if file.format != "TIFF":
        return tuple(range(count))
    found = [0]
    for number in range(1, count):
        file.seek(number)
        if not file.tag_v2.get(_KIND_OF_PAGE, 0) & 5:  # type: ignore[attr-defined]
            found.append(number)
    file.seek(0)
    return tuple(found)


def seek_page(file: Image.Image, name: str, page: int) -> None:
    """Make a page of an opened file the current one; a file of one page stays as it is.

    Raises:
        UserError: The file has several pages, but not so many.
    """
    pages = find_pages(file)
    if len(pages) == 1:
        return
    if page > len(pages):
        raise UserError(f"{name} has {len(pages)} pages, and no page {page}")
    file.seek(pages[page - 1])


def is_deep(file: Image.Image) -> bool:
    """Return whether a pixel of an opened file has more than 8 bits per channel."""
    return file.mode.startswith(("I", "F")) or is_deep_colour(file)


def is_deep_colour(file: Image.Image) -> bool:
    """Return whether an opened file has colours of 16 bits, which Pillow reduces to 8 when it decodes them."""
    tiles = getattr(file, "tile", [])
    if file.mode.startswith(("I", "F")) or not tiles:
        return False
    decoder, *_, how = tiles[0]
    return ";16" in str(how) or (decoder in ("ppm", "ppm_plain") and str(_DEEPEST_PPM) in str(how))


def turn_pixels(pixels: np.ndarray, flag: int) -> np.ndarray:
    """Return an array ``[H, W, ...]`` as a viewer shows it.

    Args:
        pixels: The array as it is stored.
        flag: The orientation flag, 1 to 8.

    Example:
        >>> stored = np.array([[1, 2, 3]])
        >>> turn_pixels(stored, 6).tolist(), turn_pixels(stored, 3).tolist()
        ([[1], [2], [3]], [[3, 2, 1]])
    """
    if flag >= 5:
        pixels = np.swapaxes(pixels, 0, 1)
    # What is mirrored after rows and columns were exchanged, or without that.
    if flag in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if flag in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
