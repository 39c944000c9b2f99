from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from llmseg.data.download.layouts.volumes import cut_slices
from llmseg.data.download.tree import File
from llmseg.errors import UserError

RIGHT, FRONT, HEAD = 0, 1, 2
BODY = np.arange(4 * 5 * 6).reshape(4, 5, 6)
"""Growing towards right, front and head as the axes of NIfTI do: ``BODY[x, y, z]``."""


@pytest.fixture(scope="module")
def cut(nifti):
    def cut(volume, labels=None, *, affine=None, orientation="study", foreground=3, **kinds):
        labels = np.zeros(volume.shape, np.uint8) if labels is None else labels
        files = [nifti(volume, affine, **kinds), nifti(labels)]
        image, mask = (
            File(name, len(content), lambda content=content: content)
            for name, content in zip(("v/x_t2.nii.gz", "v/x_seg.nii.gz"), files, strict=True)
        )
        return cut_slices(image, mask, stem="x", foreground=foreground, orientation=orientation)

    return cut


def stored(axes, flips):
    """Return the body as a scanner may store it, and the affine that says so.

    ``axes`` tells along which direction of the body each axis of the array runs, ``flips`` which run backwards.
    """
    array = BODY.transpose(axes)
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for place, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
        affine[axis, place] = -2 if flip else 2
        affine[axis, 3] = 2 * (BODY.shape[axis] - 1) if flip else 0
        array = np.flip(array, place) if flip else array
    return array.astype(np.int16), affine


def shown(axis, place):
    """Return what a radiologist sees: head or front up, the patient's front or right to the left."""
    x, y, z = BODY.shape
    if axis == RIGHT:
        return np.array([[BODY[place, y - 1 - column, z - 1 - row] for column in range(y)] for row in range(z)])
    if axis == FRONT:
        return np.array([[BODY[x - 1 - column, place, z - 1 - row] for column in range(x)] for row in range(z)])
    return np.array([[BODY[x - 1 - column, y - 1 - row, place] for column in range(x)] for row in range(y)])


@pytest.mark.parametrize("flips", list(itertools.product((False, True), repeat=3)))
@pytest.mark.parametrize("axes", list(itertools.permutations((RIGHT, FRONT, HEAD))))
def test_display_is_as_radiologists_look(cut, axes, flips):
    array, affine = stored(axes, flips)
    cases = cut(array, (array % 7 == 3) * 3, affine=affine, orientation="display")
    count = BODY.shape[axes[2]]
    assert [case.id for case in cases] == [f"x_slice{place:03d}.png" for place in range(count)]
    for place, case in enumerate(cases):
        expected = shown(axes[2], count - 1 - place if flips[2] else place)
        np.testing.assert_array_equal(case.image, (expected / BODY.max() * 255).astype(np.uint8))
        np.testing.assert_array_equal(case.mask, np.where(expected % 7 == 3, 255, 0))


def test_an_oblique_volume_lies_as_the_nearest_straight_one(cut):
    array, affine = stored((FRONT, HEAD, RIGHT), (True, False, True))
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]]
    straight, oblique = (cut(array, affine=a, orientation="display") for a in (affine, turn @ affine))
    for one, other in zip(straight, oblique, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


@given(arrays(np.int16, (3, 4, 2)))
def test_study_takes_the_array_as_it_lies(cut, volume):
    cases = cut(volume, affine=np.diag([-1, -1, 1, 1]))
    low, high = int(volume.min()), int(volume.max())
    for place, case in enumerate(cases):
        assert case.image.dtype == np.uint8
        for row, column in np.ndindex(3, 4):
            value = int(volume[row, column, place]) - low
            exact = value * 255 / (high - low) if high > low else 0
            assert case.image[row, column] in (int(exact), int(exact - 1e-9)), "cut, not rounded"


def test_intensities_are_scaled_by_the_whole_volume(cut):
    volume = np.array([[[0, 500, 1000]]], np.int16)
    assert [case.image.item() for case in cut(volume)] == [0, 127, 255]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("big_endian", [False, True])
def test_kinds_of_files(cut, dtype, packed, big_endian):
    volume = np.arange(24).reshape(2, 3, 4).astype(dtype)
    cases = cut(volume, volume.astype(np.uint8), packed=packed, big_endian=big_endian)
    for place, case in enumerate(cases):
        np.testing.assert_array_equal(case.image, (np.arange(24).reshape(2, 3, 4)[..., place] / 23 * 255).astype(int))
        np.testing.assert_array_equal(case.mask == 255, np.arange(24).reshape(2, 3, 4)[..., place] == 3)


@pytest.mark.parametrize(
    ("foreground", "expected"), [(3, [0, 0, 0, 255, 255, 0]), (None, [0, 255, 255, 255, 255, 255])]
)
def test_labels_are_rounded(cut, foreground, expected):
    labels = np.array([0.0001, 1, 2, 2.9999, 3.0001, 4], np.float32).reshape(1, 1, 6)
    cases = cut(np.zeros((1, 1, 6), np.int16), labels, foreground=foreground)
    assert [case.mask.item() for case in cases] == expected


def test_slices_without_foreground_are_kept(cut):
    labels = np.zeros((2, 2, 3), np.uint8)
    labels[..., 1] = 3
    assert [case.mask.any() for case in cut(np.zeros((2, 2, 3), np.int16), labels)] == [False, True, False]


def test_a_picture_is_a_volume_of_one_slice(cut):
    (case,) = cut(np.arange(6, dtype=np.int16).reshape(2, 3))
    assert case.image.shape == (2, 3)


def test_the_labels_header_is_not_believed(nifti):
    array, affine = stored((FRONT, HEAD, RIGHT), (False, True, False))
    image, *labels = (
        File("f", 0, lambda content=content: content)
        for content in (
            nifti(array, affine),
            nifti(array, affine),
            nifti(array, np.eye(4)),
            nifti(array, np.zeros((4, 4))),
        )
    )
    right, *wrong = (cut_slices(image, one, stem="x", foreground=3, orientation="display") for one in labels)
    assert any(case.mask.any() for case in right)
    for other in wrong:
        for one, two in zip(right, other, strict=True):
            np.testing.assert_array_equal(one.mask, two.mask)


class TestBadInput:
    @pytest.mark.parametrize("which", [0, 1])
    @pytest.mark.parametrize("damage", ["cut", "cut when unpacked", "empty", "text", "other bytes"])
    def test_damage_names_the_file(self, nifti, which, damage):
        content = {
            "cut": nifti(BODY.astype(np.int16))[:-9],
            "cut when unpacked": nifti(BODY.astype(np.int16), packed=False)[:-9],
            "empty": b"",
            "text": b"<html>not found</html>",
            "other bytes": nifti(BODY.astype(np.int16))[:60] + bytes(40) + nifti(BODY.astype(np.int16))[100:],
        }[damage]
        contents = [nifti(BODY.astype(np.int16))] * 2
        contents[which] = content
        files = [File(f"{k}.nii.gz", 0, lambda k=k: contents[k]) for k in (0, 1)]
        with pytest.raises(UserError, match=rf"^{which}\.nii\.gz .*(download it again|cut off)") as error:
            cut_slices(*files, stem="x", foreground=3, orientation="study")
        assert "\n" not in str(error.value)

    def test_shapes_differ(self, cut):
        with pytest.raises(UserError, match=r"v/x_seg\.nii\.gz has the shape \(2, 3, 5\), v/x_t2\.nii\.gz \(2, 3, 4\)"):
            cut(np.zeros((2, 3, 4), np.int16), np.zeros((2, 3, 5), np.int16))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_values_that_are_not_finite(self, cut, value):
        volume = np.zeros((2, 3, 4), np.float32)
        volume[0, 0, 0] = value
        with pytest.raises(UserError, match=r"v/x_t2\.nii\.gz holds values that are not finite"):
            cut(volume)

    def test_four_axes(self, cut):
        with pytest.raises(UserError, match=r"v/x_t2\.nii\.gz has the shape \(2, 2, 2, 2\)"):
            cut(np.zeros((2, 2, 2, 2), np.int16))

    def test_colours(self, cut):
        with pytest.raises(UserError, match=r"v/x_t2\.nii\.gz holds .*expected are numbers"):
            cut(np.zeros((2, 2, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")]))

    @pytest.mark.parametrize("affine", [np.diag([0, 0, 0, 1]), np.diag([1, 1, 0, 1]), np.diag([np.nan, 1, 1, 1])])
    def test_display_needs_directions(self, cut, affine):
        assert cut(BODY.astype(np.int16), affine=affine)
        with pytest.raises(UserError, match=r"v/x_t2\.nii\.gz does not say how it lies .*--orientation study"):
            cut(BODY.astype(np.int16), affine=affine, orientation="display")
