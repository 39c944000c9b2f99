"""Phantoms are the same everywhere, differ from one another, and are recognised after what scripts do to images."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from PIL import Image

from llmseg.admission.observing import Phantoms, write_phantoms
from llmseg.admission.observing.matching import Dye, Match
from llmseg.admission.observing.observation import Item
from llmseg.admission.observing.phantoms import TURNS, overlap, turn
from llmseg.admission.observing.warping import apply_warp, fit_warp, invert, is_slight, rotate, tell_degrees
from llmseg.errors import UserError


@pytest.fixture(scope="module", params=[1, 3])
def dye(request):
    return Dye(Phantoms(channels=request.param))


def tensor(image, size=(64, 64), *, method=cv2.INTER_LINEAR):
    """Return an image as scripts make a tensor of it, from 0 to 1."""
    small = cv2.resize(image, size, interpolation=method).astype(np.float32) / 255
    return small[None] if small.ndim == 2 else small.transpose(2, 0, 1)


def test_they_are_the_same_again():
    one, again = Phantoms(12), Phantoms(12)
    assert all((one.image(id) == again.image(id)).all() for id in one.ids)
    assert (one.image("001") != Phantoms(12, seed=1).image("001")).any()


def test_no_two_masks_are_alike():
    phantoms = Phantoms()
    for one, other in itertools.combinations(phantoms.ids, 2):
        assert overlap(phantoms.mask(one) > 0, phantoms.mask(other) > 0) < 0.7
    assert all(0.01 < (phantoms.mask(id) > 0).mean() < 0.3 for id in phantoms.ids)


@pytest.mark.parametrize("wrong", [{"count": 11}, {"count": 61}, {"channels": 2}, {"height": 31}])
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(UserError, match="give"):
        Phantoms(**wrong)


def test_files_have_the_names_that_were_asked_for(tmp_path):
    phantoms = Phantoms(12, noisy=True)
    write_phantoms(tmp_path, phantoms, images="all", masks="all", image_name="{id}.jpg", mask_name="{id}_mask.png")
    assert len(list((tmp_path / "all").iterdir())) == 24
    with Image.open(tmp_path / "all" / "003_mask.png") as mask:
        values = np.unique(np.asarray(mask))
    assert set(values) == {0, 1, 2, 253, 254, 255}
    assert set(np.unique(phantoms.noisy_mask("001"))) == {0, 255}


@pytest.mark.parametrize("size", [(64, 64), (128, 96), (33, 47)])
def test_every_image_is_recognised(dye, size):
    for id in dye.phantoms.ids:
        match = dye.match_image(tensor(dye.phantoms.image(id), size))
        assert (match.id, match.turn, match.window) == (id, "", None)
        assert np.allclose(match.slopes, 1, atol=0.03)
        assert np.allclose(match.offsets, 0, atol=0.01)


@pytest.mark.parametrize("way", TURNS)
def test_the_way_up_is_seen(dye, way):
    for id in dye.phantoms.ids[::4]:
        image = tensor(dye.phantoms.image(id))
        turned = np.stack([turn(channel)[TURNS.index(way)] for channel in image])
        assert dye.match_image(np.ascontiguousarray(turned)).turn == way
        mask = turn(tensor(dye.phantoms.mask(id), method=cv2.INTER_NEAREST)[0])[TURNS.index(way)]
        assert dye.match_mask(np.ascontiguousarray(mask)) == (id, way)


def test_scaling_is_seen(dye):
    image = tensor(dye.phantoms.image("007"))
    match = dye.match_image((image - 0.45) / 0.225)
    assert np.allclose(match.slopes, 1 / 0.225, rtol=0.02)
    assert np.allclose(match.offsets, -2, atol=0.03)


def test_swapped_channels_are_seen():
    dye = Dye(Phantoms(channels=3))
    assert dye.match_image(tensor(dye.phantoms.image("007"))[::-1].copy()).sources == (2, 1, 0)


def test_a_padded_image_is_recognised(dye):
    image = tensor(dye.phantoms.image("005"), (54, 64))
    padded = np.pad(image, ((0, 0), (0, 0), (5, 5)))
    assert dye.match_image(padded).id == "005"


@pytest.mark.slow
def test_parts_of_images_are_recognised(dye):
    for id in dye.phantoms.ids[:6]:
        image = dye.phantoms.image(id)
        part = image[: image.shape[0] // 2, image.shape[1] // 2 :]
        match = dye.match_image(tensor(np.ascontiguousarray(part)))
        assert match.id in (id, "")
        if match.id:
            assert np.allclose(match.window, (0, 0.5, 0.5, 0.5), atol=0.05)
    assert (
        sum(bool(dye.match_image(tensor(dye.phantoms.image(id)[:50, :42].copy())).id) for id in dye.phantoms.ids) > 15
    )


def move(picture, degrees, scale, shift):
    """Return a picture ``[64, 64]`` that is rotated, scaled and moved by numbers of pixels."""
    matrix = cv2.getRotationMatrix2D((31.5, 31.5), degrees, scale)
    matrix[:, 2] += shift
    return cv2.warpAffine(np.ascontiguousarray(picture), matrix, (64, 64))


@pytest.mark.slow
def test_images_that_are_rotated_scaled_and_moved_are_recognised(dye):
    rng = np.random.default_rng(0)
    found, apart = [], []
    for id in dye.phantoms.ids:
        way, degrees = int(rng.integers(4)), float(rng.uniform(-40, 40))
        how = degrees, float(rng.uniform(0.9, 1.1)), rng.uniform(-4, 4, 2)
        image = np.stack([move(turn(channel)[way], *how) for channel in tensor(dye.phantoms.image(id))])
        match = dye.match_image(image)
        if match.id and match.window is None:
            assert match.id == id
            mask = move(turn(tensor(dye.phantoms.mask(id), method=cv2.INTER_NEAREST)[0])[way], *how)
            if (mask > 0.5).mean() > 0.05:
                assert dye.match_mask_of(match, mask) == (id, match.turn, match.warp)
            if match.warp is not None:
                # A round shape in the middle looks the same again.
                apart.append(dye.match_mask_of(match, move(mask, 50, 1, 0))[2] != match.warp)
                found += [abs(tell_degrees(match.warp) - degrees)] if match.turn == TURNS[way] else []
    assert len(found) > 15
    assert max(found) < 4
    assert np.mean(apart) > 0.8


def test_a_case_is_plain_only_with_a_mask_that_lies_as_it_is(dye):
    image, mask = (tensor(draw("004"), method=cv2.INTER_NEAREST) for draw in (dye.phantoms.image, dye.phantoms.mask))
    match = dye.match_image(image)
    for degrees, is_plain in ((0, True), (30, False)):
        id, way, warp = dye.match_mask_of(match, move(mask[0], degrees, 1, 0))
        assert id == "004"
        assert Item(match, mask_id=id, mask_turn=way, mask_warp=warp).is_plain == is_plain


def test_the_mask_of_a_part_lies_as_the_part(dye):
    match = Match("003", window=(0.25, 0.25, 0.5, 0.5))
    masks = {id: tensor(dye.phantoms.mask(id), method=cv2.INTER_NEAREST)[0][16:48, 16:48] for id in dye.phantoms.ids}
    found = {id: dye.match_mask_of(match, np.ascontiguousarray(mask))[0] for id, mask in masks.items()}
    assert all(found[id] in (id, "") for id in found)
    assert sum(found[id] == id for id in found) > 10


@pytest.mark.parametrize("degrees", [-40, 0, 30])
def test_a_warp_is_undone_by_its_inverse(degrees):
    case = tensor(Phantoms().image("001"))[0].astype(np.float64)
    there = apply_warp(rotate(degrees), case)
    back = apply_warp(invert(rotate(degrees)), there)
    assert np.abs(back - case)[20:44, 20:44].mean() < 0.02
    assert tell_degrees(rotate(degrees)) == pytest.approx(degrees)
    likeness, found = fit_warp(3 * there + 1, case, rotate(degrees + 6))
    assert likeness > 0.97
    assert np.allclose(found, rotate(degrees), atol=0.02)
    assert is_slight(found) == (degrees == 0)


def test_what_is_no_phantom_is_not_recognised(dye):
    channels = dye.phantoms.channels
    noise = np.random.default_rng(0).random((channels, 64, 64)).astype(np.float32)
    assert dye.match_image(noise).id == ""
    assert dye.match_image(np.zeros((channels, 64, 64), np.float32)).id == ""
    assert dye.match_mask(np.zeros((64, 64), np.float32)) == ("", "")
