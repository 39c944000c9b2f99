"""Reading image files as 8-bit arrays, whatever kind of pixels they hold.

Pillow calls the kinds *modes*: ``1`` is black and white, ``L`` grey, ``P`` a palette (each pixel is the index of a
colour), ``A`` an alpha channel, ``I`` and ``F`` numbers of more than 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from llmseg.data.depth import scale_to_bytes
from llmseg.data.image_header import (
    ImageHeader,
    check_kind,
    is_deep_colour,
    read_file_header,
    read_flag,
    seek_page,
    turn_pixels,
)
from llmseg.data.mask_values import MaskValues, find_values, make_mask
from llmseg.data.opening import check_size, open_image, read_image_file
from llmseg.data.reading import DEFAULT, Reading
from llmseg.errors import UserError

# A palette file is not among them, not even one of greys, as most GIF files of grey images are. Read as RGB it has
# three equal channels: digests take it for the grey image, the doctor notes it, and as grey it has the same values.
_GREY_MODES = ("1", "L", "LA", "La")


def read_image(path: Path, reading: Reading = DEFAULT, page: int | None = None) -> np.ndarray:
    """Read an image file as uint8 grey ``[H, W]`` or RGB ``[H, W, 3]``, see :func:`decode_image`.

    Example:
        >>> read_image(Path("images/0001.png")).shape  # doctest: +SKIP
        (576, 720, 3)
    """
    return decode_image(read_image_file(path), str(path), reading, page)


def read_mask(
    path: Path, reading: Reading = DEFAULT, option: str = "--foreground", page: int | None = None
) -> np.ndarray:
    """Read a mask file as uint8 ``[H, W]``, see :func:`decode_mask`."""
    return decode_mask(read_image_file(path), str(path), reading, option, page)


def read_mask_values(path: Path, reading: Reading = DEFAULT, page: int | None = None) -> MaskValues:
    """Read a mask file as the numbers that it stores, before it is decided which are foreground."""
    return decode_mask_values(read_image_file(path), str(path), reading, page)


def decode_image(content: bytes, name: str, reading: Reading = DEFAULT, page: int | None = None) -> np.ndarray:
    """Decode the content of an image file as uint8 grey ``[H, W]`` or RGB ``[H, W, 3]``.

    1-bit, grey and 16-bit files give grey. RGB, RGBA, palette and other colour files give RGB; an alpha channel is
    dropped. Numbers of more than 8 bits are scaled as the reading says; without a word they are divided by 257, so
    that 65535 becomes 255. Of a file of several pages or frames, the first is read unless another is said. The
    camera's orientation flag is ignored, as the study's scripts ignore it, unless the reading says ``exif="turn"``.

    Args:
        content: The file's bytes.
        name: What messages call the file.
        reading: How numbers of more than 8 bits are scaled, and whether the image is turned as its flag says.
        page: Number of the page, from 1; ``None`` for what the reading says.

    Raises:
        UserError: The file is no image or is damaged, or its numbers are not what the reading says.

    Example:
        >>> import io
        >>> buffer = io.BytesIO()
        >>> Image.new("RGBA", (3, 2), "white").save(buffer, "PNG")
        >>> decode_image(buffer.getvalue(), "a.png").shape
        (2, 3, 3)
        >>> buffer = io.BytesIO()
        >>> Image.fromarray(np.array([[0, 4095]], np.uint16)).save(buffer, "PNG")
        >>> decode_image(buffer.getvalue(), "a.png", Reading(depth=12))
        array([[  0, 255]], dtype=uint8)
    """
    opened = _open(content, name, reading, page)
    image = opened.image
    if _is_grey_of_many_bits(image):
        pixels = scale_to_bytes(np.asarray(image), reading.depth, name)
    elif opened.deep_colour and reading.depth is not None:
        pixels = scale_to_bytes(_read_deep_colours(content, image, name), reading.depth, name)
    else:
        pixels = np.array(image.convert("L" if image.mode in _GREY_MODES else "RGB"))
    return _turn(pixels, opened, reading)


def decode_numbers(content: bytes, name: str, reading: Reading = DEFAULT, page: int | None = None) -> np.ndarray:
    """Decode the content of an image file of more than 8 bits as the numbers that it stores, ``[H, W]`` or RGB.

    Raises:
        UserError: The file is no image or is damaged.
    """
    opened = _open(content, name, reading, page)
    if _is_grey_of_many_bits(opened.image):
        return np.asarray(opened.image)
    return _read_deep_colours(content, opened.image, name)


def decode_mask(
    content: bytes, name: str, reading: Reading = DEFAULT, option: str = "--foreground", page: int | None = None
) -> np.ndarray:
    """Decode the content of a mask file as uint8 ``[H, W]``.

    Without a rule for foreground, black is background and white foreground, and soft edges keep their greys. Colours
    become grey as Pillow converts them, and a palette stands for its colours: one whose index 0 is white gives the
    mask that one sees. Numbers of more than 8 bits are taken as 0 to 255, as 0 to 65535, or, if they are floats, as
    0 to 1. With a rule, foreground is 255 and the rest 0. The numbers of a rule are those that the file stores; of a
    palette file, the indices.

    Args:
        content: The file's bytes.
        name: What messages call the file.
        reading: The rule for foreground, and what an alpha channel means.
        option: The option, or the argument, that messages name for the rule.
        page: As for :func:`decode_image`.

    Raises:
        UserError: The file is no image or is damaged; or colours and alpha channel show different things.
        LabelValues: Without a rule: the mask has no white, or other areas beside white. A threshold would take some of
            its labels for foreground, and others, or all, for background.

    Example:
        >>> import io
        >>> buffer = io.BytesIO()
        >>> Image.fromarray(np.array([[0, 1, 2]], np.uint8)).save(buffer, "PNG")
        >>> decode_mask(buffer.getvalue(), "a.png", Reading(foreground=2))
        array([[  0,   0, 255]], dtype=uint8)
        >>> decode_mask(buffer.getvalue(), "a.png", Reading("all-but-0"))
        array([[  0, 255, 255]], dtype=uint8)
    """
    return make_mask(decode_mask_values(content, name, reading, page), name, reading, option)


def decode_mask_values(content: bytes, name: str, reading: Reading = DEFAULT, page: int | None = None) -> MaskValues:
    """Decode the content of a mask file as the numbers that it stores, before it is decided which are foreground.

    Raises:
        UserError: As :func:`decode_mask`.
    """
    opened = _open(content, name, reading, page)
    values = find_values(_find_labels_of_16_bits(content, opened, name), name, reading.alpha)
    if values.seen is not None:
        values = replace(values, seen=_turn(values.seen, opened, reading))
    return replace(values, numbers=_turn(values.numbers, opened, reading))


def decode_labels(content: bytes, name: str) -> np.ndarray:
    """Decode the content of a file of labels ``[H, W]`` as the numbers that are stored.

    Of a palette file, these are the indices, not the colours.

    Args:
        content: The file's bytes.
        name: What messages call the file.

    Raises:
        UserError: The file is no image, is damaged, or has several channels.

    Example:
        >>> import io
        >>> buffer = io.BytesIO()
        >>> Image.fromarray(np.array([[0, 1, 2]], np.uint8)).save(buffer, "PNG")
        >>> decode_labels(buffer.getvalue(), "a.png")
        array([[0, 1, 2]], dtype=uint8)
    """
    values = np.asarray(_open(content, name, DEFAULT, None).image)
    if values.ndim != 2:
        raise UserError(f"{name} has {values.shape[2]} channels; labels have one")
    return values


@dataclass(frozen=True)
class _Opened:
    """A decoded file, with what is no longer known of it once it is decoded."""

    image: Image.Image
    flag: int
    deep_colour: bool


def decode_header(content: bytes, name: str) -> ImageHeader:
    """Return what the content of an image file says of itself; its pixels are not decoded.

    Raises:
        UserError: The file is no image.
    """
    with open_image(content, name) as file:
        check_kind(file, name)
        return read_file_header(file)


def explain_sizes(image: tuple[bytes, str], mask: tuple[bytes, str], exif: str | None) -> str:
    """Return what to do about an image and a mask of different sizes, as the end of a message.

    Args:
        image: Content and name of the image file.
        mask: Content and name of the mask file.
        exif: As in :class:`llmseg.data.reading.Reading`.
    """
    headers = [(name, decode_header(content, name)) for content, name in (image, mask)]
    flagged = " and ".join(
        f"{name} has EXIF orientation flag {header.flag}" for name, header in headers if header.turned
    )
    if flagged and exif == "turn" and headers[0][1].size == headers[1][1].size:
        return f"{flagged}, and both are of one size as they are stored: give --exif ignore"
    if flagged and exif != "turn" and headers[0][1].shown_size == headers[1][1].shown_size:
        return f"{flagged}, and viewers show both in one size: give --exif turn"
    return "make them equal"


def _open(content: bytes, name: str, reading: Reading, page: int | None) -> _Opened:
    chosen = page or (reading.pages if isinstance(reading.pages, int) else 1)
    with open_image(content, name) as file:
        if chosen > 1:
            seek_page(file, name, chosen)
            check_size(*file.size, name)
        check_kind(file, name)
        # Opening reads the header only. The copy decodes the pixels, so damage shows here and nowhere else.
        deep_colour = is_deep_colour(file)
        image: Image.Image = file.copy()
        return _Opened(image, read_flag(file), deep_colour)


def _turn(pixels: np.ndarray, opened: _Opened, reading: Reading) -> np.ndarray:
    return turn_pixels(pixels, opened.flag) if reading.exif == "turn" and opened.flag != 1 else pixels


def _is_grey_of_many_bits(image: Image.Image) -> bool:
    return image.mode.startswith(("I", "F"))


def _read_deep_colours(content: bytes, image: Image.Image, name: str) -> np.ndarray:
    """Return the colours of a file of 16 bits per channel, uint16 ``[H, W, 3]``. Pillow has 8 of their bits only."""
    try:
        colours = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        colours = None
    seen = np.asarray(image.convert("RGB"))
    if colours is not None and colours.dtype == np.uint16 and colours.ndim == 3:
        numbers = np.ascontiguousarray(colours[..., 2::-1])
        # Whether both libraries have read the same picture: they may differ in what alpha, or a rare layout, means.
        if numbers.shape == seen.shape and np.abs(numbers / 257 - seen).max() <= 1:
            return numbers
    raise UserError(f"{name} has colours of 16 bits in a layout that is not read; write it as 8 bits, or as PNG")


def _find_labels_of_16_bits(content: bytes, opened: _Opened, name: str) -> Image.Image:
    """Return a mask as it is decoded, unless its grey colours of 16 bits are too small for 8: then these numbers."""
    image = opened.image
    if not opened.deep_colour or np.asarray(image.convert("RGB")).max() > 0:
        return image
    numbers = _read_deep_colours(content, image, name)
    return Image.fromarray(numbers[..., 0]) if (numbers == numbers[..., :1]).all() and numbers.any() else image
