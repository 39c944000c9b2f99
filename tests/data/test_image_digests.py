from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from llmseg.data.image_digests import digest_image, digest_mask

SMALL = arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 4)))


@given(SMALL, st.integers(0, 15), st.integers(1, 255))
def test_another_pixel_gives_another_digest(image, index, step):
    changed = image.copy()
    changed.flat[index % image.size] ^= np.uint8(step)
    assert digest_image(changed) != digest_image(image)
    assert digest_mask(changed) != digest_mask(image)


@given(SMALL)
def test_a_grey_image_equals_its_copy_in_three_channels(image):
    assert digest_image(np.repeat(image[..., None], 3, 2)) == digest_image(image)


def test_channels_that_differ_make_another_image():
    colour = np.repeat(np.arange(12, dtype=np.uint8).reshape(3, 4, 1), 3, 2)
    grey = digest_image(colour)
    colour[2, 3, 1] += 1
    assert digest_image(colour) != grey


def test_the_shape_counts():
    image = np.zeros((3, 4), np.uint8)
    assert len({digest_image(image), digest_image(image.T), digest_image(image.reshape(2, 6))}) == 3


def test_the_order_in_memory_does_not_count():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert digest_image(np.asfortranarray(image)) == digest_image(image)
    assert digest_mask(np.asfortranarray(image)) == digest_mask(image)


def test_digests_of_today_are_those_of_tomorrow():
    """They are written into manifests and stores."""
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert digest_image(image) == hashlib.sha256(b"(2, 3)" + bytes(range(6))).hexdigest()
    assert digest_mask(image) == hashlib.sha256(bytes(range(6))).hexdigest()
