"""A prepared store is checked as a whole, whatever it was made of, and the second time costs nothing."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from llmseg.data import reading_check
from llmseg.data.doctor import examine
from llmseg.data.hdf5 import Hdf5Store, write_store
from llmseg.data.packed_case import pack_case
from llmseg.data.reading_check import ReadingWarning, check_reading
from llmseg.data.store import Case
from llmseg.errors import UserError

IMAGE = np.arange(256, dtype=np.uint8).reshape(16, 16)
MASK = np.zeros((16, 16), np.uint8)
MASK[4:12, 4:12] = 255
HALVES = np.where(np.arange(16) < 8, np.uint8(90), np.uint8(255))[None].repeat(16, axis=0)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(reading_check, "_told", set())
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))

    def write(masks, images=None, group=str):
        images = images or [IMAGE + np.uint8(k) for k in range(len(masks))]
        cases = [Case(f"c{k}", *pair) for k, pair in enumerate(zip(images, masks, strict=True))]
        return write_store(tmp_path / "s.h5", "set", (pack_case(case, group(case.id)) for case in cases), {})

    return write


def told(work):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
    return [str(warning.message) for warning in caught if warning.category is ReadingWarning]


@pytest.mark.parametrize(
    ("mask", "word", "values"),
    [(0 * MASK, "empty", "0 (2)"), (0 * MASK + 255, "full", "255 (2)"), (MASK // 255, "empty", "0 (2), 1 (2)")],
)
def test_nothing_to_learn_is_refused_by_training_and_doctor(store, mask, word, values):
    made = store([mask, mask])
    with pytest.raises(UserError, match=f"all 2 masks of the store are {word}") as error:
        check_reading(made)
    assert values in str(error.value)
    assert any(str(error.value) == finding.sentence for finding in examine(made).of("error"))


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (0 * MASK + 255, "1 of 3 masks are foreground everywhere: c2"),
        (MASK // 255, "1 of 3 masks have values, but no foreground: c2"),
        (HALVES, "1 of 3 masks have areas of several values, of which those above 127 count: c2"),
    ],
)
def test_what_is_odd_is_told_with_names(store, mask, sentence):
    made = store([MASK, MASK, mask])
    assert told(lambda: check_reading(made)) == [sentence]
    assert sentence in [finding.sentence for finding in examine(made).of("warning")]


def test_few_grey_levels_are_counted_by_volume(store):
    poor = [(IMAGE > 254) * np.uint8(255) + np.uint8(k) for k in range(2)]
    made = store([MASK] * 4, [*poor, 0 * IMAGE, IMAGE], group=lambda id: "v" if id in ("c0", "c1", "c2") else id)
    (sentence,) = told(lambda: check_reading(made))
    assert sentence.startswith("1 of 2 images, or volumes, have 3 grey levels or fewer")
    assert sentence.endswith(": v")


def test_sound_cases_are_no_reason_for_a_word_and_are_read_once(store, monkeypatch):
    made = store([MASK, 0 * MASK, MASK])
    assert told(lambda: check_reading(made)) == []
    reading_check._told.clear()
    monkeypatch.setattr(Hdf5Store, "read", None)
    check_reading(made)
