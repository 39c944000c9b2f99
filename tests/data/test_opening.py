"""Which files are opened as images, and how large an image may be."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from llmseg.data import opening
from llmseg.data.opening import PIXELS, read_image_file
from llmseg.data.pixels import decode_header, decode_image, decode_labels, decode_mask, read_image
from llmseg.errors import UserError

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n%%EndComments\nshowpage\n%%EOF\n"


def read_header(path):
    return decode_header(read_image_file(path), str(path))


def encode(format: str, size: tuple[int, int] = (6, 4), mode: str = "L") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, format)
    return buffer.getvalue()


@pytest.mark.parametrize("decode", [decode_image, decode_mask, decode_labels])
def test_postscript_called_png_starts_no_program(decode, monkeypatch):
    from PIL import EpsImagePlugin

    started = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: started.append(True))
    with pytest.raises(UserError, match="is not an image that can be read"):
        decode(POSTSCRIPT, "x.png")
    assert not started


@pytest.mark.parametrize("format", ["PCX", "SGI", "TGA", "DDS", "ICO"])
def test_other_formats_stay_closed(format):
    with pytest.raises(UserError, match="is not an image that can be read"):
        decode_image(encode(format, mode="RGB"), "x.png")


@pytest.mark.parametrize("format", opening.FORMATS)
def test_formats_of_the_list_are_opened_whatever_the_name(format):
    assert decode_image(encode(format, mode="RGB"), "x.png").shape[:2] == (4, 6)


@pytest.mark.parametrize("size", [(101, 1), (1, 101), (11, 10), (60, 50)])
@pytest.mark.parametrize("reader", [read_image, lambda path: decode_header(read_image_file(path), str(path))])
@pytest.mark.parametrize("format", ["PNG", "GIF", "WEBP"])
def test_a_large_image_is_refused_and_the_advice_helps(size, reader, format, monkeypatch, tmp_path):
    monkeypatch.setattr(opening, "PIXELS", dataclasses.replace(PIXELS, default=105))
    monkeypatch.setattr(opening, "MAX_SIDE", 100)
    path = tmp_path / "a.png"
    path.write_bytes(encode(format, size))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserError, match=r"too large: .* pixels, allowed are 105 pixels and 100 a side") as refused:
            reader(path)
        name, value = re.search(r"set (\w+)=(\d+)", str(refused.value)).groups()
        monkeypatch.setenv(name, value)
        reader(path)


def test_a_file_that_is_larger_than_any_image_is_not_even_read(monkeypatch, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encode("PNG"))
    os.truncate(path, 10 * 2**40)  # takes no space on the disk
    with pytest.raises(UserError, match=r"a\.png is too large: 10995116277760 bytes") as refused:
        read_image(path)
    monkeypatch.setenv(*re.search(r"set (\w+)=(\d+)", str(refused.value)).groups())
    with pytest.raises(UserError, match=r"set LLMSEG_MAX_FILE="):  # which no advice makes reasonable
        read_image(path)


def test_frames_and_tiles_inside_a_small_image_are_checked_too(monkeypatch):
    monkeypatch.setattr(opening, "PIXELS", dataclasses.replace(PIXELS, default=2000))
    content = bytearray(encode("GIF", (6, 4), "P"))
    place = content.index(b"\x2c") + 5  # width and height of the first frame
    content[place : place + 4] = (60000).to_bytes(2, "little") * 2
    with pytest.raises(UserError, match=r"a\.gif is too large: 3600000000 pixels"):
        decode_image(bytes(content), "a.gif")


def test_what_is_allowed_brings_no_warning_and_leaves_pillow_as_it_was(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings(), ThreadPoolExecutor(4) as threads:
        warnings.simplefilter("error")
        for found in threads.map(lambda _: decode_image(encode("PNG"), "a.png"), range(40)):
            np.testing.assert_array_equal(found, np.zeros((4, 6)))
    assert Image.MAX_IMAGE_PIXELS == 10


def test_a_limit_that_is_no_number_is_refused(monkeypatch):
    monkeypatch.setenv("LLMSEG_MAX_PIXELS", "many")
    with pytest.raises(UserError, match="LLMSEG_MAX_PIXELS=many: give the largest number"):
        decode_image(encode("PNG"), "a.png")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "BMP", "GIF"])
def test_damaged_headers_end_in_one_line(format):
    content, random, messages = encode(format, (32, 32)), np.random.default_rng(0), []
    for _ in range(150):
        damaged = bytearray(content)
        for place in random.integers(0, min(len(damaged), 200), 3):
            damaged[place] = random.integers(256)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                decode_image(bytes(damaged), "a.png")
        except UserError as error:
            messages.append(str(error))
    assert messages
    assert not any("\n" in message for message in messages)
