"""Opening image files that come from elsewhere: which formats are opened, and how large an image may be."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from llmseg.errors import UserError
from llmseg.files import read_bytes
from llmseg.files.limits import Limit

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PPM")
"""The formats that are opened, by Pillow's names, whatever a file is called.

Others that Pillow knows stay closed. For PostScript, say, it would start a program that runs what is in the file.
"""

PIXELS = Limit("LLMSEG_MAX_PIXELS", 100_000_000, "pixels of an image")
MAX_SIDE = 65_535
"""The largest image that is read. Who sets another number of pixels may have any side."""

_BYTES_PER_PIXEL = 8
_BYTES_BESIDE = 2**26  # metadata, or the other pages of a small stack

_LOCK = threading.Lock()
_open_images = 0
_limit_of_pillow: int | None = None


class _Strict(int):
    """A limit that Pillow takes as it is: it refuses above *twice* its limit, and warns users of an attack before."""

    def __rmul__(self, other: int) -> int:
        return int(self)


@contextmanager
def open_image(content: bytes, name: str) -> Iterator[Image.Image]:
    """Open an image, whose pixels are decoded when they are first used within the block.

    Args:
        content: The file's bytes.
        name: What messages call the file.

    Raises:
        UserError: The file is no image of a format that is opened, is too large, or is damaged, which may show only
            while its pixels are decoded.
    """
    try:
        with _our_limit(), Image.open(io.BytesIO(content), formats=FORMATS) as file:
            width, height = file.size
            check_size(width, height, name)
            yield file
    except UserError:
        raise
    except Image.DecompressionBombError as error:
        pixels = re.search(r"\d+", str(error))
        raise _refuse(name, f"{pixels[0] if pixels else 'too many'} pixels", int(pixels[0]) if pixels else 0) from error
    except MemoryError as error:
        raise UserError(f"{name} needs more memory than there is; cut it into parts") from error
    except Exception as error:  # decoders raise whatever their reading of a damaged file runs into
        raise _explain(error, name) from error


def read_image_file(path: Path) -> bytes:
    """Return the bytes of an image file, unless it is far larger than the largest image that is read.

    Raises:
        UserError: It is, or it cannot be read.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size > PIXELS.value * _BYTES_PER_PIXEL + _BYTES_BESIDE:
        pixels = (size - _BYTES_BESIDE) // _BYTES_PER_PIXEL + 1
        raise _refuse(str(path), f"{size} bytes, as many as {pixels} pixels", pixels)
    return read_bytes(path)


def check_size(width: int, height: int, name: str) -> None:
    """Refuse an image that is larger than allowed, see :data:`PIXELS`.

    Raises:
        UserError: It is; the message says how to allow it.
    """
    if width * height > PIXELS.value or (max(width, height) > MAX_SIDE and not PIXELS.is_chosen):
        raise _refuse(name, f"{width} x {height} pixels", width * height)


def _refuse(name: str, size: str, pixels: int) -> UserError:
    allowed = f"{PIXELS.value} pixels" + ("" if PIXELS.is_chosen else f" and {MAX_SIDE} a side")
    return UserError(
        f"{name} is too large: {size}, allowed are {allowed}; cut it into parts, or set "
        f"{PIXELS.variable}={max(pixels, PIXELS.value)} if the memory is enough"
    )


@contextmanager
def _our_limit() -> Iterator[None]:
    """Put our limit in the place of Pillow's, which holds for all threads, while any image is open."""
    global _open_images, _limit_of_pillow
    limit = _Strict(PIXELS.value)
    with _LOCK:
        if not _open_images:
            _limit_of_pillow, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, limit
        _open_images += 1
    try:
        yield
    finally:
        with _LOCK:
            _open_images -= 1
            if not _open_images:
                Image.MAX_IMAGE_PIXELS = _limit_of_pillow


def _explain(error: Exception, name: str) -> UserError:
    if isinstance(error, UnidentifiedImageError):
        return UserError(f"{name} is not an image that can be read; replace it or move it away")
    detail = " ".join(str(error).split()) or type(error).__name__
    return UserError(f"{name} is damaged or cannot be read ({detail}); replace it or move it away")
