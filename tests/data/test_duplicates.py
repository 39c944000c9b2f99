from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from llmseg.data import duplicates as module
from llmseg.data.duplicates import (
    BITS,
    MAX_DIFFERING_BITS,
    NearDuplicates,
    compute_fingerprint,
    find_near_duplicates,
    group_equal,
)
from llmseg.data.pixels import read_image
from llmseg.data.synthetic import MODALITIES, SyntheticStore

REAL = Path(__file__).parents[3] / "shared" / "realdata"
COUNT = 8


def bits(image: np.ndarray) -> np.ndarray:
    found = compute_fingerprint(image)
    assert found is not None
    return np.unpackbits(np.frombuffer(found, np.uint8))


def apart(first: np.ndarray, second: np.ndarray) -> int:
    return int((bits(first) != bits(second)).sum())


def one_class(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.zeros(len(first), int)


def brighter(image: np.ndarray, factor: float, offset: float) -> np.ndarray:
    return np.clip(image * float(factor) + offset, 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


COPIES = {
    "brighter": lambda image: brighter(image, 1, 20),
    "more contrast": lambda image: brighter(image, 1.2, 0),
    "less contrast": lambda image: brighter(image, 0.8, 0),
    "jpeg": lambda image: jpeg(image, 40),
    "shifted by one": lambda image: np.roll(image, 1, axis=1),
    "half": lambda image: resized(image, image.shape[1] // 2, image.shape[0] // 2),
    "square": lambda image: resized(image, 256, 256),
    "grey": lambda image: np.array(Image.fromarray(image).convert("L")),
    "all": lambda image: jpeg(
        brighter(resized(image, image.shape[1] // 2, image.shape[0] // 2), 1.1, 5),
        50,
    ),
}


@pytest.fixture(scope="module", params=MODALITIES)
def pictures(request) -> tuple[list[np.ndarray], list[str]]:
    """Phantoms of a modality, and their groups."""
    store = SyntheticStore(request.param, count=COUNT)
    return [store.read(id).image for id in store.ids], list(store.groups.values())


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_every_planted_copy_is_near(pictures, copy):
    assert max(apart(image, copy(image)) for image in pictures[0]) <= MAX_DIFFERING_BITS


def test_most_copies_shifted_by_two_are_near(pictures):
    found = [apart(image, np.roll(image, (2, 2), axis=(0, 1))) <= MAX_DIFFERING_BITS for image in pictures[0]]
    assert np.mean(found) >= 0.5


def test_no_two_pictures_of_different_groups_are_near(pictures):
    pairs = itertools.combinations(zip(*pictures, strict=True), 2)
    assert all(apart(one[0], other[0]) > MAX_DIFFERING_BITS for one, other in pairs if one[1] != other[1])


@pytest.mark.parametrize("name", ["brain_brisc", "nuclei_dsb2018", "retina_chase", "retina_hrf"])
def test_of_real_images_only_the_known_neighbours_are_near(name):
    if not REAL.is_dir():
        pytest.skip(f"no real images in {REAL}")
    files = sorted((REAL / name / "images").iterdir())
    prints = [compute_fingerprint(read_image(file)) for file in files]
    near = find_near_duplicates(prints, one_class, 1)[0]
    expected = ["10855.png", "10857.png"] if name == "brain_brisc" else []
    assert [files[place].name for place in near.places] == expected


@pytest.mark.parametrize("name", ["brain_brisc", "nuclei_dsb2018", "retina_chase"])
def test_copies_of_real_images_are_near(name):
    if not REAL.is_dir():
        pytest.skip(f"no real images in {REAL}")
    images = [read_image(file) for file in sorted((REAL / name / "images").iterdir())[:6]]
    assert max(apart(image, copy(image)) for image in images for copy in COPIES.values()) <= MAX_DIFFERING_BITS


class TestBlank:
    @pytest.mark.parametrize("value", [0, 7, 255])
    @pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)])
    def test_one_value(self, value, shape):
        assert compute_fingerprint(np.full(shape, value, np.uint8)) is None

    def test_faint_noise_on_black(self):
        noise = np.random.default_rng(0).integers(0, 3, (200, 200), dtype=np.uint8)
        assert compute_fingerprint(noise) is None
        assert compute_fingerprint(jpeg(noise, 50)) is None

    def test_a_faint_picture_is_not_blank(self):
        image = np.zeros((100, 100), np.uint8)
        image[40:60, 40:60] = 10
        assert compute_fingerprint(image) is not None


@given(st.lists(st.sampled_from("abcdef")))
def test_same_finds_all_and_only_repetitions(values):
    found = group_equal(values)
    assert [sorted(places) for places in found] == found
    assert all(len(places) > 1 and len({values[place] for place in places}) == 1 for places in found)
    repeated = [place for place, value in enumerate(values) if values.count(value) > 1]
    assert sorted(place for places in found for place in places) == repeated


@pytest.fixture
def _small_blocks(monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 3)
    monkeypatch.setattr(module, "_COLUMNS", 4)


@pytest.mark.usefixtures("_small_blocks")
@given(st.integers(0, 14), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_all_pairs_are_compared_once(count, seed):
    """Blocks give what a loop over all pairs gives, class by class."""
    random = np.random.default_rng(seed)
    kinds = random.integers(-1, 2, (count, count))
    # Few bits are set, so that distances lie on both sides of the limit.
    rows = random.random((count, BITS)) < 0.085
    distances = {
        (one, other): int((rows[one] != rows[other]).sum()) for one, other in itertools.combinations(range(count), 2)
    }
    found = find_near_duplicates([np.packbits(row).tobytes() for row in rows], lambda i, j: kinds[i, j], 2)
    for kind, near in enumerate(found):
        close = {pair: d for pair, d in distances.items() if d <= MAX_DIFFERING_BITS and kinds[pair] == kind}
        assert near.pairs == len(close)
        assert near.places == tuple(sorted({place for pair in close for place in pair}))
        if close:
            first, second, distance = near.closest
            assert close[first, second] == distance == min(close.values())
        else:
            assert near.closest is None


def test_the_limit_itself_is_near():
    for differing, pairs in ((MAX_DIFFERING_BITS, 1), (MAX_DIFFERING_BITS + 1, 0)):
        row = np.zeros(BITS, np.uint8)
        row[:differing] = 1
        assert find_near_duplicates([bytes(BITS // 8), np.packbits(row).tobytes()], one_class, 1)[0].pairs == pairs


def test_nothing_to_compare():
    assert find_near_duplicates([], one_class, 2) == [NearDuplicates(), NearDuplicates()]
