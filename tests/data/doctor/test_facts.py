from __future__ import annotations

import numpy as np
import pytest

from llmseg.data.doctor.facts import NEAR_ENDS, UnreadableCase, measure_case, measure_cases
from llmseg.data.image_digests import digest_image
from llmseg.data.mask_values import LabelValues
from llmseg.data.store import Case, SizesDiffer
from llmseg.errors import UserError

GREY = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)


def measure(mask, image=GREY):
    return measure_case(Case("a", image, np.asarray(mask, np.uint8)))


def test_values_and_counts():
    mask = np.zeros((20, 30))
    mask[5, :4] = [1, NEAR_ENDS, NEAR_ENDS + 1, 127]
    mask[6, :5] = [128, 254 - NEAR_ENDS, 255 - NEAR_ENDS, 254, 255]
    facts = measure(mask)
    assert list(facts.values) == [0, 1, 32, 33, 127, 128, 222, 223, 254, 255]
    assert (facts.above_0, facts.above_127, facts.between, facts.near_ends) == (9, 5, 8, 4)
    assert facts.share == 5 / 600


def test_foreground_is_above_0_where_nothing_is_above_127():
    mask = np.zeros((20, 30))
    mask[:10] = 1
    assert measure(mask).share == 0.5


@pytest.mark.parametrize(
    ("rows", "columns", "border"), [(slice(0, 1), slice(None), 30 / 96), (slice(1, 19), slice(1, 29), 0)]
)
def test_border_counts_the_outermost_pixels_once(rows, columns, border):
    mask = np.zeros((20, 30))
    mask[rows, columns] = 255
    assert measure(mask).border == border
    assert measure(255 - mask).border == 1 - border


def test_channels_and_digests():
    mask = np.zeros((20, 30))
    colour = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    equal = np.stack([GREY] * 3, axis=-1)
    assert [measure(mask, image).channels for image in (GREY, colour, equal)] == ["grey", "colour", "equal"]
    assert measure(mask, equal).image == measure(mask).image == digest_image(GREY)
    assert measure(mask).mask != measure(mask + 255).mask


def test_sizes_of_image_and_mask_are_kept_apart():
    facts = measure(np.zeros((5, 6)))
    assert (facts.size, facts.mask_size) == ((20, 30), (5, 6))


def test_what_cannot_be_read_keeps_its_place_and_its_reason():
    errors = {
        "b": SizesDiffer("b differs"),
        "c": LabelValues("c has labels"),
        "d": UserError("d is damaged"),
        "e": OSError("e is gone"),
    }

    class Failing:
        ids = tuple("abcde")

        def read(self, id):
            if id in errors:
                raise errors[id]
            return Case(id, GREY, np.zeros((20, 30), np.uint8))

    first, *others = measure_cases(Failing())
    assert first.id == "a"
    assert others == [
        UnreadableCase("b", "sizes", "b differs"),
        UnreadableCase("c", "labels", "c has labels"),
        UnreadableCase("d", "unreadable", "d is damaged"),
        UnreadableCase("e", "unreadable", "e is gone"),
    ]
