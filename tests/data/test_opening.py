"""Which files are opened as images, and how large an image may be."""

from __future__ import annotations

import io
import re
import warnings

import numpy as np
import pytest
from PIL import Image

from llmseg.data import pixels
from llmseg.data.pixels import decode_image, decode_labels, decode_mask
from llmseg.errors import UserError

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n%%EndComments\nshowpage\n%%EOF\n"


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


@pytest.mark.parametrize("format", pixels.FORMATS)
def test_formats_of_the_list_are_opened_whatever_the_name(format):
    assert decode_image(encode(format, mode="RGB"), "x.png").shape[:2] == (4, 6)


@pytest.mark.parametrize("size", [(101, 1), (1, 101), (11, 10)])
def test_a_large_image_is_refused_and_the_advice_helps(size, monkeypatch):
    monkeypatch.setattr(pixels, "MAX_PIXELS", 105)
    monkeypatch.setattr(pixels, "MAX_SIDE", 100)
    content = encode("PNG", size)
    with pytest.raises(UserError, match=r"too large: \d+ x \d+ pixels, allowed are 10") as refused:
        decode_image(content, "a.png")
    name, value = re.search(r"set (\w+)=(\d+)", str(refused.value)).groups()
    monkeypatch.setenv(name, value)
    assert decode_image(content, "a.png").shape == size[::-1]


def test_what_is_allowed_brings_no_warning_and_leaves_pillow_as_it_was(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(decode_image(encode("PNG"), "a.png"), np.zeros((4, 6)))
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
