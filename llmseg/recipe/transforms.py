"""The transforms of a preparation: what the scripts do with Pillow, OpenCV and TensorFlow, as MONAI transforms.

:mod:`llmseg.recipe.images` has the record and imports this module only when an image is prepared, as it loads torch,
MONAI and OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from llmseg.recipe.images import Prepare


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
    """The transforms of a :class:`llmseg.recipe.images.Prepare`.

    Attributes:
        image: From the pixels of a file to the image's bytes, or to its numbers if the resize does not round to bytes.
        mask: The same for the mask.
        tables: The numbers that the remaining transforms give to the 256 byte values of image and mask.
    """

    image: Compose
    mask: Compose
    tables: tuple[torch.Tensor, torch.Tensor]


def build_chains(record: Prepare) -> Chains:
    """Compose the transforms of a record."""
    early: list[Transform] = []
    late: list[Transform] = []
    if record.mask_threshold is not None:
        if record.threshold_when == "before-resize":
            # 255, so that a smoothing resize gives the grey values that the script gets.
            early = [Above(record.mask_threshold * 255, largest=255)]
        else:
            late = [Above(record.mask_threshold, largest=1)]
    # A grey image has no axis of channels, a colour image has it at the end.
    channel = EnsureChannelFirst(channel_dim="no_channel" if record.colour == "grey" else -1)
    colour = Colour(record.colour)
    normalise, finish_mask = _normalise(record), [_UNIT, *late]
    if record.colour_when == "before-resize":
        image = [colour, *_resize_and_finish(record, record.image_resize, channel, normalise)]
    else:
        image = _resize_and_finish(record, record.image_resize, Compose([colour, channel]), normalise)
    return Chains(
        image=Compose(image),
        mask=Compose([*early, *_resize_and_finish(record, record.mask_resize, _CHANNEL, finish_mask)]),
        tables=(_tabulate(normalise), _tabulate(finish_mask)),
    )


def _resize_and_finish(record: Prepare, how: str, channel: Transform, finish: list[Transform]) -> list[Transform]:
    """Return the transforms from the resize on.

    They end in bytes, whose numbers a table gives later. TensorFlow's resize does not round to bytes, so after it no
    table can stand for the remaining transforms; they are carried out here.
    """
    if how == "tensorflow-bilinear" and record.size is not None:
        return [TensorFlowResize(record.size), *finish, _NUMBERS]
    return [*_resize(record.size, how), channel, _BYTES]


def _tabulate(steps: list[Transform]) -> torch.Tensor:
    """Return what transforms that take one value at a time make of each of the 256 byte values."""
    table: torch.Tensor = Compose([*steps, _TO_TENSOR])(np.arange(256, dtype=np.uint8))
    return table


def _resize(size: tuple[int, int] | None, how: str) -> list[Transform]:
    if size is None:
        return []
    return [PillowResize(size, _PILLOW[how]) if how in _PILLOW else OpenCVResize(size, _OPENCV[how])]


def _normalise(record: Prepare) -> list[Transform]:
    """Return the transforms from bytes to numbers.

    Both ways compute ``(value / 255 - mean) / std``. They round at other places, so some results differ in the last bit
    of float32, and a replay has to take the way of its script.
    """
    if record.arithmetic == "bytes":
        return [NormalizeBytes(record.mean, record.std)]
    if (record.mean, record.std) == (0.0, 1.0):
        return [_UNIT]
    return [_UNIT, NormalizeIntensity(subtrahend=np.float32(record.mean), divisor=np.float32(record.std))]
