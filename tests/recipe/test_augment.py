"""Augmentation: image and mask stay together, masks stay masks, and nothing but the seed decides."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from llmseg.errors import UserError
from llmseg.recipe.augment import augment_batch
from llmseg.recipe.recipe import Recipe
from llmseg.zoo.common import TEXTBOOK
from llmseg.zoo.references import AUGMENT

MOVED = dataclasses.replace(AUGMENT, toned=0.0, moved=1.0)
TONED = dataclasses.replace(AUGMENT, flip=0.0, moved=0.0, toned=1.0)
STILL = dataclasses.replace(AUGMENT, flip=0.0, moved=0.0, toned=0.0)


def blobs(count: int = 4, size: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth images and the masks of what is brighter than their median, none of them symmetric."""
    random = torch.Generator().manual_seed(count)
    coarse = torch.rand(count, 1, 6, 6, generator=random)
    image = functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
    return image, (image > image.median()).float()


def disagreement(image: torch.Tensor, mask: torch.Tensor, threshold: torch.Tensor) -> float:
    return float(((image > threshold) != (mask > 0)).float().mean())


@given(seed=st.integers(0, 2**64), flip=st.floats(0, 1), turn=st.floats(0, 180), scale=st.floats(0, 0.5))
@settings(max_examples=25, deadline=None)
def test_image_and_mask_move_together_and_masks_stay_binary(seed, flip, turn, scale):
    """A mask that is a threshold of its image still is after any movement, but for pixels at the edge."""
    image, mask = blobs()
    moved = dataclasses.replace(MOVED, flip=flip, turn=turn, scale=scale)(image, mask, seed)
    assert set(moved[1].unique().tolist()) <= {0.0, 1.0}
    assert [t.shape for t in moved] == [image.shape, mask.shape]
    # Bilinear and nearest sampling differ by half a pixel at most.
    assert disagreement(*moved, image.median()) < 0.05


def test_the_band_of_the_property_means_something():
    """An image that moves without its mask is far outside it."""
    image, mask = blobs()
    for seed in range(5):
        assert disagreement(MOVED(image, mask, seed)[0], mask, image.median()) > 0.15


@given(seed=st.integers(0, 2**64))
@settings(max_examples=10, deadline=None)
def test_intensities_leave_the_mask_and_every_place_alone(seed):
    image, mask = blobs()
    toned = dataclasses.replace(TONED, noise=0.0)(image, mask, seed)
    assert torch.equal(toned[1], mask)
    assert not torch.equal(toned[0], image)
    for before, after in zip(image, toned[0], strict=True):
        # Brightness, contrast and gamma keep the order of values.
        assert (after.flatten()[before.flatten().argsort()].diff() >= -1e-6).all()


def test_a_flip_is_a_flip():
    image, mask = blobs()
    both = dataclasses.replace(STILL, flip=1.0)(image, mask, 0)
    assert torch.equal(both[0], image.flip(2, 3))
    assert torch.equal(both[1], mask.flip(2, 3))


def test_nothing_to_change_changes_nothing():
    image, mask = blobs()
    assert all(torch.equal(*pair) for pair in zip(STILL(image, mask, 3), (image, mask), strict=True))
    assert augment_batch(None, image, mask, 0) == (image, mask)


def test_the_seed_decides_and_torch_is_left_alone():
    image, mask = blobs()
    before = torch.get_rng_state()
    first, second, other = (AUGMENT(image, mask, seed) for seed in (7, 7, 8))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])
    assert torch.equal(torch.get_rng_state(), before)
    assert type(first[0]) is torch.Tensor


def test_cases_of_a_batch_differ():
    image, mask = (t[:1].expand(4, -1, -1, -1) for t in blobs())
    changed = dataclasses.replace(AUGMENT, moved=1.0)(image, mask, 0)[0]
    assert all(not torch.equal(changed[0], other) for other in changed[1:])


def test_colours_change_alike():
    image, mask = blobs()
    changed = dataclasses.replace(AUGMENT, moved=1.0, toned=1.0, noise=0.0)(image.expand(-1, 3, -1, -1), mask, 0)[0]
    assert torch.allclose(changed[:, 0], changed[:, 2])


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("flip", 1.5, "a probability lies between 0 and 1"),
        ("toned", -0.1, "a probability"),
        ("scale", 1, "at least 0 and below 1"),
        ("gamma", 0.5, "at least 1"),
        ("turn", -1, "at least 0"),
    ],
)
def test_ranges(field, value, words):
    with pytest.raises(UserError, match=rf"augment\.{field} is {value}.*{words}"):
        dataclasses.replace(AUGMENT, **{field: value})


def test_it_is_a_part_of_a_recipe_in_json():
    recipe = TEXTBOOK.change("fit.augment", MOVED)
    assert json.loads(recipe.to_json())["fit"]["augment"] == {"kind": "Augment", **dataclasses.asdict(MOVED)}
    assert Recipe.from_json(recipe.to_json()).fit.augment == MOVED
