"""Reading image files as 8-bit arrays, whatever kind of pixels they hold.

Pillow calls the kinds *modes*: ``1`` is black and white, ``L`` grey, ``P`` a palette (each pixel is the index of a
colour), ``A`` an alpha channel, ``I`` and ``F`` numbers of more than 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from llmseg.data.mask_values import MaskValues, find_values, make_mask
from llmseg.data.opening import open_image, read_image_file
from llmseg.data.reading import DEFAULT, Reading
from llmseg.errors import UserError

_ORIENTATION = 0x0112  # number of the EXIF field

# A palette file is not among them, not even one of greys, as most GIF files of grey images are. Read as RGB it has
# three equal channels: digests take it for the grey image, the doctor notes it, and as grey it has the same values.
_GREY_MODES = ("1", "L", "LA", "La")


def read_image(path: Path) -> np.ndarray:
    """Read an image file as uint8 grey ``[H, W]`` or RGB ``[H, W, 3]``, see :func:`decode_image`."""
    return decode_image(read_image_file(path), str(path))


def read_mask(path: Path, reading: Reading = DEFAULT, option: str = "--foreground") -> np.ndarray:
    """Read a mask file as uint8 ``[H, W]``, see :func:`decode_mask`."""
    return decode_mask(read_image_file(path), str(path), reading, option)


def read_mask_values(path: Path, reading: Reading = DEFAULT) -> MaskValues:
    """Read a mask file as the numbers that it stores, before it is decided which are foreground."""
    return decode_mask_values(read_image_file(path), str(path), reading)


def decode_image(content: bytes, name: str) -> np.ndarray:
    """Decode the content of an image file as uint8 grey ``[H, W]`` or RGB ``[H, W, 3]``.

    1-bit, grey and 16-bit files give grey. RGB, RGBA, palette and other colour files give RGB; an alpha channel is
    dropped. 16-bit values are divided by 257, so that 65535 becomes 255. Of an animated file, the first frame is
    read. The camera's rotation flag is ignored, as the study's scripts ignore it.

    Args:
        content: The file's bytes.
        name: What messages call the file.

    Raises:
        UserError: The file is no image or is damaged.

    Example:
        >>> import io
        >>> buffer = io.BytesIO()
        >>> Image.new("RGBA", (3, 2), "white").save(buffer, "PNG")
        >>> decode_image(buffer.getvalue(), "a.png").shape
        (2, 3, 3)
    """
    image = _open(content, name)
    if _is_deep(image):
        return _reduce_to_8_bit(np.asarray(image), name)
    return np.array(image.convert("L" if image.mode in _GREY_MODES else "RGB"))


def decode_mask(content: bytes, name: str, reading: Reading = DEFAULT, option: str = "--foreground") -> np.ndarray:
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
    return make_mask(decode_mask_values(content, name, reading), name, reading, option)


def decode_mask_values(content: bytes, name: str, reading: Reading = DEFAULT) -> MaskValues:
    """Decode the content of a mask file as the numbers that it stores, before it is decided which are foreground.

    Raises:
        UserError: As :func:`decode_mask`.
    """
    return find_values(_open(content, name), name, reading.alpha)


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
    values = np.asarray(_open(content, name))
    if values.ndim != 2:
        raise UserError(f"{name} has {values.shape[2]} channels; labels have one")
    return values


@dataclass(frozen=True)
class ImageHeader:
    """What an image file says of itself.

    Attributes:
        turned: Whether a viewer shows it turned or mirrored, because of the camera's orientation flag.
        pages: Number of pages or frames.
        deep: Whether a pixel has more than 8 bits.
    """

    turned: bool
    pages: int
    deep: bool


def read_header(path: Path) -> ImageHeader:
    """Return what an image file says of itself; its pixels are not decoded.

    Raises:
        UserError: The file is no image.
    """
    with open_image(read_image_file(path), str(path)) as file:
        # Pillow turns TIFF files itself. A JPEG of several pictures holds a preview of the first.
        flag = 1 if file.format == "TIFF" else file.getexif().get(_ORIENTATION, 1)
        pages = getattr(file, "n_frames", 1) if file.format in ("TIFF", "GIF") else 1
        return ImageHeader(flag in range(2, 9), pages, _is_deep(file))


def _open(content: bytes, name: str) -> Image.Image:
    with open_image(content, name) as file:
        # Opening reads the header only. The copy decodes the pixels, so damage shows here and nowhere else.
        image: Image.Image = file.copy()
        return image


def _is_deep(image: Image.Image) -> bool:
    """Whether a pixel has more than 8 bits. Grey files only: Pillow itself reduces 16-bit RGB when it decodes."""
    return image.mode.startswith(("I", "F"))


def _reduce_to_8_bit(values: np.ndarray, name: str) -> np.ndarray:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise UserError(f"{name} holds values that are not finite; replace it or move it away")
    if values.min() < 0:
        raise UserError(
            f"{name} has negative values ({values.min()} to {values.max()}); choose a range of values and write it "
            "as 8 bits"
        )
    if values.max() > 65535:
        raise UserError(f"{name} has values {values.min()} to {values.max()}; allowed are 8-bit and 16-bit files")
    return np.round(values / 257).astype(np.uint8)
