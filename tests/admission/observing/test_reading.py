"""Which files of a record are masks."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from llmseg.admission.observing.reading import _is_mask


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/masks/001.png", True),
        ("data/images/001.png", False),
        ("data/images/001_seg.png", True),
        ("data/masks/image_001.png", True),
        ("set/combined_masks/converted/008.jpg", True),
        ("set/combined_images/converted/008.jpg", False),
        ("masks/old/images/001.png", False),
        ("LLM segmentation/data/001.png", False),
        ("001.png", False),
    ],
)
def test_a_mask_is_told_by_its_name_or_the_nearest_folder(path, expected):
    assert _is_mask(PurePosixPath(path)) == expected
