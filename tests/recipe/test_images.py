from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import default_collate
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.zoo.common import BILINEAR_MASKS, GREY_MASKS, NEAREST_MASKS

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (90, 70), dtype=np.uint8)
RGB = RANDOM.integers(0, 256, (90, 70, 3), dtype=np.uint8)
MASK = np.where(cv2.GaussianBlur(RANDOM.random((90, 70)), (0, 0), 6) > 0.5, 255, 0).astype(np.uint8)
SIZES = [(32, 48), (128, 128), (90, 70)]
# Every preparation that a recipe of the zoo has, with a pipeline that has it.
OF_THE_ZOO = {zoo.get(id).recipe.images: id for id in zoo.all_names(reference=False)}


def with_fields(**fields):
    return dataclasses.replace(NEAREST_MASKS, **fields)


class TestAgainstTorchvision:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("colour", ["grey", "rgb"])
    @pytest.mark.parametrize("image", [GREY, RGB], ids=["from grey", "from rgb"])
    def test_resize_and_to_tensor(self, size, colour, image):
        opened = Image.fromarray(image).convert("L" if colour == "grey" else "RGB")
        expected = transforms.Compose([transforms.Resize(size), transforms.ToTensor()])(opened)
        tensor = with_fields(size=size, colour=colour).image(image)
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, expected)

    @pytest.mark.parametrize(("mean", "std"), [(0.5, 0.5), (0.485, 0.229), (0.1, 3.0)])
    def test_normalize(self, mean, std):
        steps = [transforms.Resize((64, 64)), transforms.ToTensor(), transforms.Normalize([mean], [std])]
        expected = transforms.Compose(steps)(Image.fromarray(GREY))
        assert torch.equal(with_fields(size=(64, 64), mean=mean, std=std).image(GREY), expected)

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize(
        ("resize", "mode"),
        [("pillow-bilinear", InterpolationMode.BILINEAR), ("pillow-nearest", InterpolationMode.NEAREST)],
    )
    def test_mask_left_grey(self, size, resize, mode):
        steps = [transforms.Resize(size, interpolation=mode), transforms.ToTensor()]
        expected = transforms.Compose(steps)(Image.fromarray(MASK))
        assert torch.equal(with_fields(size=size, mask_resize=resize, mask_threshold=None).mask(MASK), expected)

    @pytest.mark.parametrize("threshold", [0.0, 0.5, 0.9])
    def test_mask_binarised_after_the_resize(self, threshold):
        resized = transforms.Compose([transforms.Resize((32, 48)), transforms.ToTensor()])(Image.fromarray(MASK))
        record = with_fields(size=(32, 48), mask_resize="pillow-bilinear", mask_threshold=threshold)
        assert torch.equal(record.mask(MASK), (resized > threshold).float())

    @pytest.mark.parametrize("threshold", [0.0, 0.5])
    def test_mask_binarised_before_the_resize(self, threshold):
        binary = Image.fromarray((np.greater(GREY, threshold * 255) * 255).astype(np.uint8))
        expected = transforms.Compose([transforms.Resize((32, 48)), transforms.ToTensor()])(binary)
        record = with_fields(
            size=(32, 48), mask_resize="pillow-bilinear", mask_threshold=threshold, threshold_when="before-resize"
        )
        mask = record.mask(GREY)
        assert torch.equal(mask, expected)
        assert mask.unique().numel() > 2


class TestAgainstOpenCV:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("image", [GREY, RGB], ids=["grey", "rgb"])
    def test_bilinear(self, size, image):
        resized = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
        channels_first = resized[None] if resized.ndim == 2 else resized.transpose(2, 0, 1)
        expected = torch.from_numpy(channels_first.astype(np.float32)) / 255
        colour = "grey" if image.ndim == 2 else "rgb"
        tensor = with_fields(size=size, image_resize="opencv-bilinear", colour=colour).image(image)
        assert torch.equal(tensor, expected)

    @pytest.mark.parametrize("size", SIZES)
    def test_nearest(self, size):
        resized = cv2.resize(MASK, size[::-1], interpolation=cv2.INTER_NEAREST)
        mask = with_fields(size=size, mask_resize="opencv-nearest").mask(MASK)
        assert torch.equal(mask[0], torch.from_numpy((resized > 127).astype(np.float32)))

    def test_nearest_of_opencv_is_not_that_of_pillow(self):
        """Corner and centre of a pixel: the choice matters, so the two must stay two."""
        masks = {
            how: with_fields(size=(32, 48), mask_resize=how).mask(MASK) for how in ("opencv-nearest", "pillow-nearest")
        }
        assert not torch.equal(masks["opencv-nearest"], masks["pillow-nearest"])

    @pytest.mark.parametrize(("mean", "std"), [(0.5, 0.5), (0.485, 0.229), (0.0, 1.0)])
    def test_albumentations_arithmetic(self, mean, std):
        """``img = img.astype(float32); img -= mean * 255; img *= 1 / (std * 255)``, all in float32."""
        values = GREY.astype(np.float32)
        values -= np.float32(mean * 255)
        values *= np.reciprocal(np.float32(std * 255))
        tensor = with_fields(size=None, mean=mean, std=std, arithmetic="bytes").image(GREY)
        np.testing.assert_array_equal(tensor[0].numpy(), values)

    def test_the_two_arithmetics_differ_in_the_last_bits_only(self):
        unit_first, of_bytes = (
            with_fields(size=None, mean=0.485, std=0.229, arithmetic=how).image(GREY) for how in ("unit-first", "bytes")
        )
        assert not torch.equal(unit_first, of_bytes)
        torch.testing.assert_close(unit_first, of_bytes, rtol=0, atol=1e-6)


sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(
    st.sampled_from([BILINEAR_MASKS, NEAREST_MASKS, GREY_MASKS]),
    sizes,
    sizes,
    st.booleans(),
    st.sampled_from(["grey", "rgb"]),
    st.sampled_from(["opencv-nearest", "pillow-nearest", "pillow-bilinear"]),
)
@settings(max_examples=40, deadline=None)
def test_shapes_types_and_ranges(record, native, size, coloured, colour, mask_resize):
    record = dataclasses.replace(record, size=size, colour=colour, mask_resize=mask_resize)
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (*native, 3) if coloured else native, dtype=np.uint8)
    mask = random.choice(np.array([0, 255], np.uint8), native)
    tensor, binary = record(image, mask)
    assert tensor.shape == (record.channels, *size)
    assert binary.shape == (1, *size)
    assert tensor.dtype == binary.dtype == torch.float32
    assert type(tensor) is type(binary) is torch.Tensor
    assert 0 <= tensor.min() <= tensor.max() <= 1
    assert 0 <= binary.min() <= binary.max() <= 1
    if record.mask_threshold is not None:
        assert set(binary.unique().tolist()) <= {0.0, 1.0}


@given(st.integers(0, 255))
@settings(max_examples=20, deadline=None)
def test_a_uniform_image_stays_uniform(value):
    tensor = with_fields(size=(11, 13)).image(np.full((20, 30), value, np.uint8))
    assert torch.equal(tensor, torch.full((1, 11, 13), value).div(255))


def test_the_input_is_left_alone():
    image, mask = GREY.copy(), MASK.copy()
    with_fields(size=None, mean=0.5, std=0.5)(image, mask)[0].add_(1)
    with_fields(size=None, mask_threshold=None).mask(mask).add_(1)
    np.testing.assert_array_equal(image, GREY)
    np.testing.assert_array_equal(mask, MASK)


def test_native_size():
    image, mask = with_fields(size=None)(GREY, MASK)
    assert image.shape == mask.shape == (1, *GREY.shape)


def test_channels():
    assert (with_fields(colour="grey").channels, with_fields(colour="rgb").channels) == (1, 3)


@pytest.mark.parametrize("record", OF_THE_ZOO, ids=OF_THE_ZOO.values())
def test_every_preparation_of_the_zoo_takes_grey_and_colour(record):
    for image in (GREY, RGB):
        tensor, mask = record(image, MASK)
        assert tensor.shape[0] == record.channels
        assert tensor.shape[1:] == mask.shape[1:]


@pytest.mark.parametrize("colour", ["grey", "rgb"])
def test_batches_lie_in_memory_as_those_of_the_scripts(colour):
    """Convolutions round differently in another memory layout."""
    image = with_fields(colour=colour).image(RGB)
    assert default_collate([image, image]).is_contiguous()


@pytest.mark.parametrize(
    ("fields", "word"), [({"size": (0, 4)}, "images.size"), ({"std": 0.0}, "images.std"), ({"std": -1.0}, "above 0")]
)
def test_senseless_fields(fields, word):
    with pytest.raises(UserError, match=word):
        with_fields(**fields)


class TestAgainstTensorFlow:
    # Places up to 90 in float32, as TensorFlow computes them, are off by a unit in the last place, 2^-17; neighbours
    # differ by up to 1.
    CLOSE = 2 * 2**-17

    @staticmethod
    def by_hand(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Bilinear at half-pixel centres in double precision, one axis after the other."""
        values = image.astype(np.float64)
        for axis, target in enumerate(size):
            length = values.shape[axis]
            positions = np.clip((np.arange(target) + 0.5) * length / target - 0.5, 0, length - 1)
            low = np.floor(positions).astype(int)
            share = (positions - low).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
            high = np.minimum(low + 1, length - 1)
            values = values.take(low, axis) * (1 - share) + values.take(high, axis) * share
        return values

    @pytest.mark.parametrize("size", [*SIZES, (200, 31)])
    @pytest.mark.parametrize("image", [GREY, RGB], ids=["grey", "rgb"])
    def test_bilinear_does_not_round(self, size, image):
        record = with_fields(size=size, image_resize="tensorflow-bilinear", colour="grey" if image.ndim == 2 else "rgb")
        expected = np.atleast_3d(self.by_hand(image, size)).transpose(2, 0, 1) / 255
        tensor = record.image(image)
        assert tensor.dtype == torch.float32
        np.testing.assert_allclose(tensor.numpy(), expected, rtol=0, atol=self.CLOSE)
        assert record.image_bytes(image).dtype == np.float32
        assert size == (90, 70) or (tensor * 255 % 1).unique().numel() > 255

    def test_masks(self):
        grey = with_fields(size=(32, 48), mask_resize="tensorflow-bilinear", mask_threshold=None)
        expected = self.by_hand(MASK, (32, 48))
        np.testing.assert_allclose(grey.mask(MASK)[0].numpy() * 255, expected, rtol=0, atol=255 * self.CLOSE)
        binary = dataclasses.replace(grey, mask_threshold=127 / 255)
        assert torch.equal(binary.mask(MASK)[0], torch.from_numpy(expected > 127).float())
        early = dataclasses.replace(grey, mask_threshold=0.3, threshold_when="before-resize")
        expected = self.by_hand(np.where(GREY > 0.3 * 255, 255, 0).astype(np.uint8), (32, 48))
        np.testing.assert_allclose(early.mask(GREY)[0].numpy() * 255, expected, rtol=0, atol=255 * self.CLOSE)

    def test_thresholds_of_the_variants(self):
        """``> 127`` and rounding of value/255, for every byte value."""
        values = np.arange(256, dtype=np.uint8).reshape(16, 16)
        for id, expected in (("gpt-4", values > 127), ("gpt-4o", np.round(values / 255) == 1)):
            images = dataclasses.replace(zoo.get(f"{id}@tensorflow").recipe.images, size=(16, 16))
            assert torch.equal(images.mask(values)[0], torch.from_numpy(expected).float())

    def test_load_img_is_pillows_nearest(self):
        resized = np.asarray(Image.fromarray(GREY).resize((48, 32), Image.Resampling.NEAREST))
        tensor = with_fields(size=(32, 48), image_resize="pillow-nearest").image(GREY)
        assert torch.equal(tensor[0], torch.from_numpy(resized.astype(np.float32)) / 255)


def test_masks_in_whole_numbers():
    """The values are those of the float32 mask."""
    images = zoo.get("gpt-o4-mini-high@run-05").recipe.images
    mask = np.random.default_rng(0).integers(0, 256, (300, 280), dtype=np.uint8)
    whole = images.mask(mask)
    assert whole.dtype == torch.int64
    plain = dataclasses.replace(images, mask_type="float32").mask(mask)
    assert plain.dtype == torch.float32
    assert torch.equal(whole.float(), plain)
    assert set(whole.unique().tolist()) == {0, 1}


@pytest.mark.parametrize(("value", "expected"), [(128, 0), (129, 1)])
def test_above_128_is_above_128(value, expected):
    images = zoo.get("gpt-o4-mini-high@run-05").recipe.images
    assert images.mask(np.full((8, 8), value, np.uint8)).unique().tolist() == [expected]
