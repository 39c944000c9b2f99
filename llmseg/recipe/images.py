"""Preparation of an image and its mask: colour, size, range, binarisation.

torch and MONAI are imported inside the methods that need them, here and in the other records of a recipe. A recipe can
so be read, changed and compared without them, and ``import llmseg`` takes less than a second.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from llmseg.errors import UserError
from llmseg.recipe.part import Part

if TYPE_CHECKING:
    import torch

    from llmseg.recipe.transforms import Chains


class Images(Part, ABC):
    """Base of every preparation of images and masks.

    A preparation has two halves. The first (decoding, colour, size) mixes neighbouring pixels and ends in bytes. The
    second (range, normalisation, late binarisation) takes one byte at a time, so a table of 256 numbers stands for it.
    Prepared cases can therefore be cached as bytes, and the tensors made of them are the same to the last bit wherever
    that happens.

    A resize that does not round to bytes is the exception. It ends in float32 numbers, for which no table is needed;
    :func:`look_up` takes care of both.

    Example:
        >>> from llmseg import zoo
        >>> isinstance(zoo.get("gpt-4").recipe.images, Images)
        True
    """

    @property
    @abstractmethod
    def channels(self) -> int:
        """Channels of the image tensor."""

    @abstractmethod
    def image_bytes(self, image: np.ndarray) -> np.ndarray:
        """Prepare an image up to its bytes: uint8 ``[H, W]`` or ``[H, W, 3]`` to ``[channels, h, w]``.

        The result is uint8, or float32 if the resize does not round to bytes.
        """

    @abstractmethod
    def mask_bytes(self, mask: np.ndarray) -> np.ndarray:
        """Prepare a mask up to its bytes: uint8 ``[H, W]`` to ``[1, h, w]``, uint8 or float32 as an image."""

    @abstractmethod
    def tables(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return two tables, float32 ``[256]``: the number of each byte value of an image, and of a mask (in 0..1)."""

    def image(self, image: np.ndarray) -> torch.Tensor:
        """Prepare an image alone: uint8 ``[H, W]`` or ``[H, W, 3]`` to float32 ``[channels, h, w]``."""
        return _to_tensor(self.image_bytes(image), self.tables()[0])

    def mask(self, mask: np.ndarray) -> torch.Tensor:
        """Prepare a mask alone: uint8 ``[H, W]`` to float32 ``[1, h, w]`` in 0..1."""
        return _to_tensor(self.mask_bytes(mask), self.tables()[1])

    def __call__(self, image: np.ndarray, mask: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Prepare one case.

        Args:
            image: uint8 ``[H, W]`` or ``[H, W, 3]``.
            mask: uint8 ``[H, W]``, 0 background to 255 foreground.

        Returns:
            Image ``[channels, h, w]`` and mask ``[1, h, w]``, float32; the mask in 0..1.
        """
        return self.image(image), self.mask(mask)


def look_up(values: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Return the numbers of prepared values: bytes are looked up in the table, float32 values are numbers already.

    Example:
        >>> import torch
        >>> look_up(torch.tensor([2, 0], dtype=torch.uint8), torch.arange(256) / 255)
        tensor([0.0078, 0.0000])
    """
    return values if values.is_floating_point() else table.take(values.long())


def _to_tensor(values: np.ndarray, table: torch.Tensor) -> torch.Tensor:
    import torch

    return look_up(torch.from_numpy(values), table)


@dataclass(frozen=True, kw_only=True)
class Prepare(Images):
    """The preparation that the scripts carry out, in MONAI transforms. It does not augment.

    Attributes:
        colour: ``grey`` (Pillow's ITU-R 601 weights) or ``rgb`` (grey images get three equal channels).
        colour_when: Whether colours are converted before or after the resize. It matters for colour images only.
        size: Height and width of the tensors; ``None`` keeps the native size.
        image_resize: Filter of the resize. Pillow's bilinear and bicubic widen their kernels when they reduce an image,
            which smooths it; Pillow's nearest samples at pixel centres. OpenCV's bilinear does not widen its kernel.
            Neither does the bilinear of ``tf.image``, whose results are not rounded to bytes.
        mask_resize: Pillow's bilinear, bicubic or nearest, OpenCV's nearest (samples at the pixel's corner), or the
            bilinear of ``tf.image``.
        mean: Mean of the normalisation, on the 0..1 scale; 0 for none.
        std: Standard deviation of the normalisation, on the 0..1 scale; 1 for none.
        arithmetic: ``unit-first`` divides by 255, then normalises, as torchvision does; ``bytes`` takes
            ``(value - 255 mean) * (1 / (255 std))``, as albumentations does. The results differ in the last bit.
        mask_threshold: Mask values above it, on the 0..1 scale, become 1 and others 0; ``None`` leaves grey values.
        threshold_when: Whether that happens before or after the resize.
        mask_type: Type of the mask that the script's dataset returns. ``int64`` can hold binary masks only. A training
            always takes float32, so this field decides no result; a replay compares it with the script.

    Example:
        >>> import numpy as np
        >>> from llmseg import zoo
        >>> prepare = zoo.get("gpt-4o").recipe.images
        >>> image, mask = prepare(np.zeros((300, 200, 3), np.uint8), np.zeros((300, 200), np.uint8))
        >>> image.shape, mask.shape, image.dtype
        (torch.Size([1, 256, 256]), torch.Size([1, 256, 256]), torch.float32)
    """

    colour: Literal["grey", "rgb"]
    colour_when: Literal["before-resize", "after-resize"]
    size: tuple[int, int] | None
    image_resize: Literal[
        "pillow-bilinear", "pillow-bicubic", "pillow-nearest", "opencv-bilinear", "tensorflow-bilinear"
    ]
    mask_resize: Literal["pillow-bilinear", "pillow-bicubic", "pillow-nearest", "opencv-nearest", "tensorflow-bilinear"]
    mean: float
    std: float
    arithmetic: Literal["unit-first", "bytes"]
    mask_threshold: float | None
    threshold_when: Literal["before-resize", "after-resize"]
    mask_type: Literal["float32", "int64"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size is not None and min(self.size) < 1:
            raise UserError(f"images.size is {self.size}; both sides must be at least 1")
        if not self.std > 0:
            raise UserError(f"images.std is {self.std}; it must be above 0")

    @property
    def channels(self) -> int:
        """Channels of the image tensor: 1 or 3."""
        return 3 if self.colour == "rgb" else 1

    def image_bytes(self, image: np.ndarray) -> np.ndarray:
        """Convert the colour and resize: uint8 ``[H, W]`` or ``[H, W, 3]`` to ``[channels, h, w]``."""
        prepared: np.ndarray = _chains(self).image(image)
        return prepared

    def mask_bytes(self, mask: np.ndarray) -> np.ndarray:
        """Binarise, if that comes first, and resize: uint8 ``[H, W]`` to ``[1, h, w]``."""
        prepared: np.ndarray = _chains(self).mask(mask)
        return prepared

    def mask(self, mask: np.ndarray) -> torch.Tensor:
        """Prepare a mask alone: uint8 ``[H, W]`` to ``[1, h, w]`` in 0..1, of the type that the script gives it."""
        prepared = super().mask(mask)
        return prepared.long() if self.mask_type == "int64" else prepared

    def tables(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what range, normalisation and late binarisation make of the 256 byte values, float32 ``[256]``."""
        return _chains(self).tables


@functools.cache  # composing the transforms takes longer than running them
def _chains(record: Prepare) -> Chains:
    from llmseg.recipe import transforms

    normalise = transforms.normalise_image(record.mean, record.std, record.arithmetic)
    binarise_early, finish_mask = transforms.binarise_mask(record.mask_threshold, record.threshold_when)
    return transforms.Chains(
        image=transforms.image_chain(record.colour, record.colour_when, record.size, record.image_resize, normalise),
        mask=transforms.mask_chain(record.size, record.mask_resize, binarise_early, finish_mask),
        tables=(transforms.tabulate(normalise), transforms.tabulate(finish_mask)),
    )
