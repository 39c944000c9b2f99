"""NIfTI files that claim more than they have."""

from __future__ import annotations

import struct
import tracemalloc

import nibabel
import numpy as np
import pytest

from llmseg.data.nifti import decode_nifti
from llmseg.errors import UserError

VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def encode(shape=None, start=None):
    content = bytearray(nibabel.Nifti1Image(VALUES, np.diag([2.0, 3.0, 4.0, 1.0])).to_bytes())
    if shape is not None:
        content[40:56] = struct.pack("<8h", len(shape), *shape, *[1] * (7 - len(shape)))
    if start is not None:
        content[108:112] = struct.pack("<f", start)
    return bytes(content)


def test_array_and_affine():
    array, affine = decode_nifti(encode(), "a.nii", "")
    np.testing.assert_array_equal(array, VALUES)
    np.testing.assert_array_equal(affine, np.diag([2.0, 3.0, 4.0, 1.0]))


@pytest.mark.parametrize(
    "content",
    [
        encode((32767, 32767, 32767)),
        encode((32767,) * 7),
        encode((-5, 3, 4)),
        encode(start=1e30),
        encode(start=float("nan")),
        encode()[:-5],
        encode()[:100],
        b"",
    ],
)
def test_what_is_claimed_and_not_there_takes_no_memory(content):
    tracemalloc.start()
    try:
        with pytest.raises(
            UserError, match=r"^a\.nii is no NIfTI volume or is damaged \(.*; download it again$"
        ) as told:
            decode_nifti(content, "a.nii", "download it again")
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert str(told.value).isprintable()
