"""MONAI transforms for what the scripts do with Pillow and OpenCV."""

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
_TO_TENSOR = EnsureType(data_type="tensor", dtype=torch.float32, track_meta=False)
_BYTES = EnsureType(data_type="numpy", dtype=np.uint8)
_NUMBERS = EnsureType(data_type="numpy", dtype=np.float32)
_CHANNEL = EnsureChannelFirst(channel_dim="no_channel")
_UNIT = ScaleIntensityRange(a_min=0, a_max=255, b_min=0, b_max=1)
_OPENCV = {"opencv-bilinear": cv2.INTER_LINEAR, "opencv-nearest": cv2.INTER_NEAREST}


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
        return np.array(Image.fromarray(data).resize(self.size[::-1], self.resample))


class OpenCVResize(Transform):
    """Resize a uint8 array with OpenCV, without anti-aliasing, as in albumentations' ``Resize``."""

    def __init__(self, size: tuple[int, int], interpolation: int) -> None:
        self.size, self.interpolation = size, interpolation

    def __call__(self, data: np.ndarray) -> np.ndarray:
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
        self.mean, self.factor = np.float32(mean * 255), np.reciprocal(np.float32(std * 255))

    def __call__(self, data: np.ndarray | torch.Tensor) -> torch.Tensor:
        values = torch.as_tensor(data, dtype=torch.float32)
        return (values - float(self.mean)) * float(self.factor)


class Above(Transform):
    """Values above the threshold become the largest value, others 0. MONAI's ``AsDiscrete`` keeps equal values."""

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
        image: Up to the image's bytes, or to its numbers where bytes would round.
        mask: Up to the mask's bytes, or numbers.
        tables: What the transforms after that make of the 256 byte values of image and mask.
    """

    image: Compose
    mask: Compose
    tables: tuple[torch.Tensor, torch.Tensor]


def chains(record: Prepare) -> Chains:
    """Compose the transforms."""
    first: list[Transform] = []
    late: list[Transform] = []
    if record.mask_threshold is not None:
        if record.threshold_when == "before-resize":
            first = [Above(record.mask_threshold * 255, largest=255)]
        else:
            late = [Above(record.mask_threshold, largest=1)]
    channel = EnsureChannelFirst(channel_dim="no_channel" if record.colour == "grey" else -1)
    colour: list[Transform] = [Colour(record.colour)]
    early, last = (colour, []) if record.colour_when == "before-resize" else ([], colour)
    return Chains(
        image=Compose([*early, *_sized(record, record.image_resize, Compose([*last, channel]), _normalised(record))]),
        mask=Compose([*first, *_sized(record, record.mask_resize, _CHANNEL, [_UNIT, *late])]),
        tables=(_table(_normalised(record)), _table([_UNIT, *late])),
    )


def _sized(record: Prepare, how: str, channel: Transform, after: list[Transform]) -> list[Transform]:
    """Return what follows colour and early binarisation: up to bytes, or up to the numbers if the resize has none."""
    if how == "tensorflow-bilinear" and record.size is not None:
        return [TensorFlowResize(record.size), *after, _NUMBERS]
    return [*_resize(record.size, how), channel, _BYTES]


def _table(steps: list[Transform]) -> torch.Tensor:
    table: torch.Tensor = Compose([*steps, _TO_TENSOR])(np.arange(256, dtype=np.uint8))
    return table


def _resize(size: tuple[int, int] | None, how: str) -> list[Transform]:
    if size is None:
        return []
    return [PillowResize(size, _PILLOW[how]) if how in _PILLOW else OpenCVResize(size, _OPENCV[how])]


def _normalised(record: Prepare) -> list[Transform]:
    if record.arithmetic == "bytes":
        return [NormalizeBytes(record.mean, record.std)]
    if (record.mean, record.std) == (0.0, 1.0):
        return [_UNIT]
    return [_UNIT, NormalizeIntensity(subtrahend=np.float32(record.mean), divisor=np.float32(record.std))]
