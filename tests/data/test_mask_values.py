"""What the values of mask files mean. A mask is an ellipse that never touches the border."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from llmseg import UserError
from llmseg.data.mask_values import LabelValues
from llmseg.data.pixels import decode_mask
from llmseg.data.reading import DEFAULT, Reading

Y, X = np.mgrid[:40, :50]
INSIDE = ((Y - 15) / 8) ** 2 + ((X - 20) / 11) ** 2 <= 1
RING = (((Y - 15) / 11) ** 2 + ((X - 20) / 14) ** 2 <= 1) & ~INSIDE
WHITE = INSIDE.astype(np.uint8) * 255


def encode(image, extension="png", **options):
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, {"tif": "TIFF", "png": "PNG", "jpg": "JPEG"}[extension], **options)
    return buffer.getvalue()


def decode(image, reading=DEFAULT, extension="png", **options):
    return decode_mask(encode(image, extension, **options), "a", reading) > 127


def palette(numbers, colours):
    image = Image.fromarray(numbers.astype(np.uint8)).convert("P")
    image.putpalette([*np.ravel(colours), *[0] * (768 - 3 * len(colours))])
    return image


SEEN = {
    "one bit": (Image.fromarray(WHITE).convert("1"), "png"),
    "grey": (WHITE, "png"),
    "grey that is no white": (WHITE // 255 * 200, "png"),
    "colours": (np.dstack([WHITE] * 3), "png"),
    "yellow": (np.dstack([WHITE, WHITE, 0 * WHITE]), "png"),
    "opaque": (np.dstack([WHITE] * 3 + [0 * WHITE + 255]), "png"),
    "alpha, black": (np.dstack([0 * WHITE] * 3 + [WHITE]), "png"),
    "alpha, white": (np.dstack([0 * WHITE + 255, WHITE]), "png"),
    "alpha, dark red on nothing": (np.dstack([WHITE // 2, 0 * WHITE, 0 * WHITE, WHITE]), "png"),
    "alpha and colours": (np.dstack([WHITE] * 4), "png"),
    "palette": (palette(INSIDE, [[0, 0, 0], [255, 255, 255]]), "png"),
    "reversed palette": (palette(~INSIDE, [[255, 255, 255], [0, 0, 0]]), "png"),
    "sixteen bit": (WHITE.astype(np.uint16) * 257, "png"),
    "255 in sixteen bit": (WHITE.astype(np.uint16), "png"),
    "float 255": (WHITE.astype(np.float32), "tif"),
    "float 1": (INSIDE.astype(np.float32), "tif"),
    "probabilities": ((INSIDE * 0.6 + 0.2 + X / 1000).astype(np.float32), "tif"),
    "jpeg": (WHITE, "jpg"),
}


@pytest.mark.parametrize("kind", SEEN)
def test_what_one_sees_is_the_mask(kind):
    image, extension = SEEN[kind]
    np.testing.assert_array_equal(decode(image, extension=extension), INSIDE)


@pytest.mark.parametrize("quality", [30, 50, 75, 95])
def test_what_jpeg_leaves_is_no_label(quality):
    with Image.open(io.BytesIO(encode(WHITE, "jpg", quality=quality))) as image:
        assert (decode(image.copy()) != INSIDE).mean() < 0.01


@pytest.mark.parametrize("white", [254, 240])
def test_a_white_that_is_not_quite_white_is_foreground(white):
    np.testing.assert_array_equal(decode(INSIDE.astype(np.uint8) * np.uint8(white)), INSIDE)


def test_soft_edges_are_no_labels():
    soft = Image.fromarray(WHITE).resize((100, 80), Image.Resampling.BICUBIC)
    assert abs(decode(soft).mean() - INSIDE.mean()) < 0.01


LABELS = {
    "0 and 1": INSIDE.astype(np.uint8),
    "void border": INSIDE.astype(np.uint8) + RING * np.uint8(255),
    "thin void border": INSIDE.astype(np.uint8) + (RING & (X % 3 == 0)) * np.uint8(255),
    "nearly white border": INSIDE.astype(np.uint8) * 2 + RING * np.uint8(254),
    "unsure": RING * np.uint8(128) + WHITE,
    "two classes": INSIDE * np.uint8(100) + RING * np.uint8(200),
    "sixteen bit": INSIDE.astype(np.uint16) * 3,
    "sixteen bit, many": INSIDE.astype(np.uint16) * 300 + RING * np.uint16(7),
    "12 bit white": INSIDE.astype(np.uint16) * 4095,
    "colours of classes": np.dstack([WHITE, RING * np.uint8(255), 0 * WHITE]),
    "palette": palette(INSIDE, [[0, 0, 0], [128, 0, 0]]),
    "palette with border": palette(INSIDE + 2 * RING, [[0, 0, 0], [128, 0, 0], [224, 224, 192]]),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_refused_with_advice_that_can_be_followed(kind):
    with pytest.raises(LabelValues) as error:
        decode(LABELS[kind])
    advised = re.findall(r"--foreground ([\w:,-]*\w)", str(error.value))
    assert advised
    for rule in advised:
        assert 0 < decode(LABELS[kind], Reading(rule)).mean() < 1


def test_every_label():
    np.testing.assert_array_equal(decode(LABELS["sixteen bit, many"], Reading("all-but-0")), INSIDE | RING)
    np.testing.assert_array_equal(decode(LABELS["void border"], Reading(1)), INSIDE)
    np.testing.assert_array_equal(decode(LABELS["unsure"], Reading("above-127")), INSIDE | RING)


def test_a_transparency_that_contradicts_colours_is_refused():
    image = np.dstack([255 - WHITE] * 3 + [WHITE])
    with pytest.raises(UserError, match="--alpha mask, or --alpha drop"):
        decode(image)
    np.testing.assert_array_equal(decode(image, Reading(alpha="mask")), INSIDE)
    np.testing.assert_array_equal(decode(image, Reading(alpha="drop")), ~INSIDE)


def test_a_mask_without_alpha_is_refused_where_alpha_is_meant():
    with pytest.raises(UserError, match="no alpha channel"):
        decode(WHITE, Reading(alpha="mask"))


def test_negative_numbers_are_labels():
    with pytest.raises(LabelValues, match="-1"):
        decode(np.where(INSIDE, -1, 0).astype(np.int32), extension="tif")
