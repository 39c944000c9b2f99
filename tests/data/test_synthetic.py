"""Phantoms: the same bytes every time, of the promised form, and neither trivial nor impossible."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from skimage.color import rgb2gray
from skimage.filters import threshold_otsu
from skimage.morphology import skeletonize

from llmseg.data import synthetic
from llmseg.data.store import Case
from llmseg.data.synthetic import MODALITIES, SyntheticStore
from llmseg.errors import UserError

every_modality = pytest.mark.parametrize("modality", MODALITIES)
RGB = {"dermoscopy", "fundus"}


@functools.cache
def cases(modality: str) -> tuple[Case, ...]:
    """Fourteen cases: two whole volumes, three and a half videos."""
    store = SyntheticStore(modality, count=14)
    return tuple(store.read(id) for id in store.ids)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


def best_threshold_dice(case: Case) -> float:
    """Dice of Otsu's threshold, on whichever side of it does better."""
    grey = case.image if case.image.ndim == 2 else rgb2gray(case.image)
    above, mask = grey > threshold_otsu(grey), case.mask > 0
    return max(overlap(above, mask), overlap(~above, mask))


@every_modality
def test_same_parameters_give_same_bytes(modality: str) -> None:
    case = cases(modality)[7]
    for count in (8, 20):  # a store with as many cases would hand out the same arrays; see ``drawn_once``
        again = SyntheticStore(modality, count).read(case.id)
        assert again.image.tobytes() == case.image.tobytes()
        assert again.mask.tobytes() == case.mask.tobytes()


@every_modality
def test_reading_leaves_global_random_state_alone(modality: str) -> None:
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    SyntheticStore(modality).read("001.png")
    assert np.random.random() == expected


@every_modality
def test_other_seeds_and_other_cases_differ(modality: str) -> None:
    images = [case.image.tobytes() for case in cases(modality)]
    images += [SyntheticStore(modality, seed=seed).read("001.png").image.tobytes() for seed in (1, 2)]
    assert len(set(images)) == len(images)


@every_modality
def test_form(modality: str) -> None:
    for case in cases(modality):
        height, width = case.mask.shape
        assert case.image.shape == ((height, width, 3) if modality in RGB else (height, width))
        assert case.image.dtype == case.mask.dtype == np.uint8
        assert set(np.unique(case.mask)) <= {0, 255}
        assert case.image.std() > 10


@every_modality
def test_sizes_vary_between_groups_and_agree_within(modality: str) -> None:
    store, sizes = SyntheticStore(modality, count=14), {}
    for case in cases(modality):
        sizes.setdefault(store.groups[case.id], set()).add(case.mask.shape)
    assert all(len(size) == 1 for size in sizes.values())
    distinct = set.union(*sizes.values())
    assert len(distinct) == len(sizes)
    assert all(180 <= side <= 420 for size in distinct for side in size)
    assert all(height != width for height, width in distinct)


@every_modality
def test_masks_are_empty_only_where_they_should_be(modality: str) -> None:
    shares = [(case.mask > 0).mean() for case in cases(modality)]
    empty = float(np.mean([share == 0 for share in shares]))
    assert 0.4 <= empty <= 0.5 if modality == "mri-myoma" else empty == 0
    assert all(0.005 < share < 0.5 for share in shares if share > 0)


@every_modality
@pytest.mark.parametrize("count", [1, 5, 24, 1001])
def test_ids_and_groups(modality: str, count: int) -> None:
    store = SyntheticStore(modality, count=count)
    assert store.name == f"synthetic-{modality}"
    assert len(store.ids) == len(set(store.ids)) == count
    assert list(store.ids) == sorted(store.ids)
    assert tuple(store.groups) == store.ids
    largest = max(list(store.groups.values()).count(group) for group in set(list(store.groups.values())[:10]))
    assert largest == min(count, {"endoscopy": 4, "fluoroscopy": 4, "mri-myoma": 7}.get(modality, 1))
    assert store.ids[0] == ("0001.png" if count == 1001 else "001.png")


@pytest.mark.parametrize("modality", ["endoscopy", "fluoroscopy", "mri-myoma"])
def test_cases_of_a_group_look_alike(modality: str) -> None:
    first, second = (case.image.astype(float).ravel() for case in cases(modality)[:2])
    assert np.corrcoef(first, second)[0, 1] > 0.7


def test_digest_changes_with_every_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    store = SyntheticStore("fundus", count=4, seed=0)
    digests = [
        store.digest,
        SyntheticStore("endoscopy", count=4, seed=0).digest,
        SyntheticStore("fundus", count=5, seed=0).digest,
        SyntheticStore("fundus", count=4, seed=1).digest,
    ]
    assert SyntheticStore("fundus", count=4).digest == store.digest
    monkeypatch.setattr(synthetic, "PHANTOM_VERSION", synthetic.PHANTOM_VERSION + 1)
    digests.append(store.digest)
    assert len(set(digests)) == len(digests)
    assert all(len(digest) == 64 and int(digest, 16) >= 0 for digest in digests)


def test_vessels_are_thin() -> None:
    for case in cases("fundus")[:5]:
        mask = case.mask > 0
        assert 1.5 < mask.sum() / skeletonize(mask).sum() < 6
    compact = cases("mri-tumour")[0].mask > 0
    assert compact.sum() / skeletonize(compact).sum() > 10


@every_modality
def test_threshold_does_not_solve_it(modality: str) -> None:
    dice = [best_threshold_dice(case) for case in cases(modality) if case.mask.any()]
    assert np.mean(dice) < 0.5
    assert max(dice) < 0.6


@every_modality
def test_foreground_differs_from_its_surroundings(modality: str) -> None:
    from scipy.ndimage import binary_dilation

    signs = []
    for case in cases(modality):
        if case.mask.any():
            grey = case.image if case.image.ndim == 2 else case.image[..., 1]
            mask = case.mask > 0
            ring = binary_dilation(mask, iterations=8) & ~binary_dilation(mask, iterations=2)
            signs.append(np.sign(float(np.median(grey[mask])) - float(np.median(grey[ring]))))
    assert abs(np.mean(signs)) > 0.8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"modality": "fundas"}, ["'fundas'", "endoscopy", "did you mean 'fundus'"]),
        ({"modality": ""}, ["modality ''", "dermoscopy"]),
        ({"modality": "fundus", "count": 0}, ["count 0", "at least 1"]),
        ({"modality": "fundus", "count": -3}, ["count -3", "at least 1"]),
        ({"modality": "fundus", "seed": -1}, ["seed -1", "at least 0"]),
    ],
)
def test_bad_parameters_are_named(arguments: dict, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        SyntheticStore(**arguments)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("id", ["025.png", "1.png", "001", "../001.png", ""])
def test_unknown_id_is_named(id: str) -> None:
    with pytest.raises(UserError) as caught:
        SyntheticStore("fundus").read(id)
    assert str(caught.value).startswith(f"no case '{id}' in synthetic-fundus: it has 001.png to 024.png")
