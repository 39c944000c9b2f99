"""The transforms of a preparation: what the scripts do with Pillow, OpenCV and TensorFlow, as MONAI transforms.

:mod:`llmseg.recipe.images` chooses among them. It imports this module only when an image is prepared, as it loads
torch, MONAI and OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from monai.transforms import (
    Compose,
    EnsureChannelFirst,
    EnsureType,
    NormalizeIntensity,
    ScaleIntensityRange,
    Transform,
)
from PIL import Image
from torch.nn import functional

_PILLOW = {
    "pillow-bilinear": Image.Resampling.BILINEAR,
    "pillow-bicubic": Image.Resampling.BICUBIC,
    "pillow-nearest": Image.Resampling.NEAREST,
}
_OPENCV = {"opencv-bilinear": cv2.INTER_LINEAR, "opencv-nearest": cv2.INTER_NEAREST}
_TO_TENSOR = EnsureType(data_type="tensor", dtype=torch.float32, track_meta=False)
_BYTES = EnsureType(data_type="numpy", dtype=np.uint8)
_NUMBERS = EnsureType(data_type="numpy", dtype=np.float32)
_CHANNEL = EnsureChannelFirst(channel_dim="no_channel")
_UNIT = ScaleIntensityRange(a_min=0, a_max=255, b_min=0, b_max=1)


class Colour(Transform):
    """Convert uint8 ``[H, W]`` or ``[H, W, 3]`` to ``grey`` or ``rgb`` as Pillow does."""

    def __init__(self, colour: str) -> None:
        self.mode = "L" if colour == "grey" else "RGB"

    def __call__(self, data: np.ndarray) -> np.ndarray:
        return np.array(Image.fromarray(data).convert(self.mode))


class PillowResize(Transform):
    """Resize a uint8 array with Pillow; bilinear widens its kernel when it reduces, as in torchvision's ``Resize``."""

    def __init__(self, size: tuple[int, int], resample: Image.Resampling) -> None:
        self.size, self.resample = size, resample

    def __call__(self, data: np.ndarray) -> np.ndarray:
        # Pillow takes width and height, a recipe says height and width.
        return np.array(Image.fromarray(data).resize(self.size[::-1], self.resample))


class OpenCVResize(Transform):
    """Resize a uint8 array with OpenCV, without anti-aliasing, as in albumentations' ``Resize``."""

    def __init__(self, size: tuple[int, int], interpolation: int) -> None:
        self.size, self.interpolation = size, interpolation

    def __call__(self, data: np.ndarray) -> np.ndarray:
        # OpenCV takes width and height, a recipe says height and width.
        return cv2.resize(data, self.size[::-1], interpolation=self.interpolation)


class TensorFlowResize(Transform):
    """Resize as ``tf.image.resize`` does: bilinear, half-pixel centres, no anti-aliasing, float32 ``[C, h, w]``."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    def __call__(self, data: np.ndarray) -> np.ndarray:
        values = torch.from_numpy(np.atleast_3d(data)).permute(2, 0, 1)[None].float()
        resized = functional.interpolate(values, size=self.size, mode="bilinear", align_corners=False)
        return resized[0].numpy()


class NormalizeBytes(Transform):
    """``(value - 255 mean) * (1 / (255 std))`` in float32, as albumentations' ``Normalize``."""

    def __init__(self, mean: float, std: float) -> None:
        # albumentations rounds mean and reciprocal to float32 once and multiplies, so this does, too.
        self.mean, self.factor = np.float32(mean * 255), np.reciprocal(np.float32(std * 255))

    def __call__(self, data: np.ndarray | torch.Tensor) -> torch.Tensor:
        values = torch.as_tensor(data, dtype=torch.float32)
        return (values - float(self.mean)) * float(self.factor)


class Above(Transform):
    """Turn values above the threshold into the largest value and all others into 0.

    MONAI's ``AsDiscrete`` would not do: it also takes values equal to the threshold for foreground.
    """

    def __init__(self, threshold: float, largest: float) -> None:
        self.threshold, self.largest = threshold, largest

    def __call__(self, data: Any) -> Any:
        # Multiplication keeps the type of the data: a uint8 array before the resize, a float32 tensor after it.
        above = data > self.threshold
        if isinstance(data, torch.Tensor):
            return above.to(data.dtype) * self.largest
        return above * data.dtype.type(self.largest)


@dataclass(frozen=True)
class Chains:
    """The transforms of a preparation.

    Attributes:
        image: From the pixels of a file to the image's bytes, or to its numbers if the resize does not round to bytes.
        mask: The same for the mask.
        tables: The numbers that the remaining transforms give to the 256 byte values of image and mask.
    """

    image: Compose
    mask: Compose
    tables: tuple[torch.Tensor, torch.Tensor]


def image_chain(
    colour: str, colour_when: str, size: tuple[int, int] | None, resize: str, normalise: list[Transform]
) -> Compose:
    """Compose the transforms of an image, up to its bytes or, if the resize does not round to bytes, to its numbers.

    Args:
        colour: ``grey`` or ``rgb``.
        colour_when: ``before-resize`` or ``after-resize``.
        size: Height and width to resize to; ``None`` for no resize.
        resize: The filter.
        normalise: The transforms from bytes to numbers.
    """
    # A grey image has no axis of channels, a colour image has it at the end.
    channel = EnsureChannelFirst(channel_dim="no_channel" if colour == "grey" else -1)
    if colour_when == "before-resize":
        return Compose([Colour(colour), *_resize_and_finish(size, resize, channel, normalise)])
    return Compose(_resize_and_finish(size, resize, Compose([Colour(colour), channel]), normalise))


def mask_chain(size: tuple[int, int] | None, resize: str, early: list[Transform], finish: list[Transform]) -> Compose:
    """Compose the transforms of a mask as :func:`image_chain` does; those of ``early`` come before the resize."""
    return Compose([*early, *_resize_and_finish(size, resize, _CHANNEL, finish)])


def _resize_and_finish(
    size: tuple[int, int] | None, resize: str, channel: Transform, finish: list[Transform]
) -> list[Transform]:
    """Return the transforms from the resize on.

    They end in bytes, whose numbers a table gives later. TensorFlow's resize does not round to bytes, so after it no
    table can stand for the remaining transforms; they are carried out here.
    """
    if resize == "tensorflow-bilinear" and size is not None:
        return [TensorFlowResize(size), *finish, _NUMBERS]
    return [*_resize(size, resize), channel, _BYTES]


def _resize(size: tuple[int, int] | None, resize: str) -> list[Transform]:
    if size is None:
        return []
    return [PillowResize(size, _PILLOW[resize]) if resize in _PILLOW else OpenCVResize(size, _OPENCV[resize])]


def normalise_image(mean: float, std: float, arithmetic: str) -> list[Transform]:
    """Return the transforms from an image's bytes to its numbers.

    Both kinds of ``arithmetic`` compute ``(value / 255 - mean) / std``. They round at other places, so some results
    differ in the last bit of float32, and a replay has to take the way of its script.
    """
    if arithmetic == "bytes":
        return [NormalizeBytes(mean, std)]
    if (mean, std) == (0.0, 1.0):
        return [_UNIT]
    return [_UNIT, NormalizeIntensity(subtrahend=np.float32(mean), divisor=np.float32(std))]


def binarise_mask(threshold: float | None, when: str) -> tuple[list[Transform], list[Transform]]:
    """Return the transforms of a mask before its resize, and those from its bytes to its numbers in 0..1."""
    if threshold is None:
        return [], [_UNIT]
    if when == "before-resize":
        # 255, so that a smoothing resize gives the grey values that the script gets.
        return [Above(threshold * 255, largest=255)], [_UNIT]
    return [], [_UNIT, Above(threshold, largest=1)]


def tabulate(steps: list[Transform]) -> torch.Tensor:
    """Return what transforms that take one value at a time make of the 256 byte values, float32 ``[256]``."""
    table: torch.Tensor = Compose([*steps, _TO_TENSOR])(np.arange(256, dtype=np.uint8))
    return table
