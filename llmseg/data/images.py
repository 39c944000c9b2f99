"""Preparation of an image and its mask: colour, size, range, binarisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from llmseg.errors import UserError
from llmseg.recipe import Images

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Prepare(Images):
    """Preparation without augmentation, carried out by MONAI transforms.

    Attributes:
        colour: ``grey`` (Pillow's ITU-R 601 weights) or ``rgb`` (grey images get three equal channels).
        size: Height and width of the tensors; ``None`` keeps the native size.
        image_resize: Pillow's bilinear, which widens its kernel when it reduces, or OpenCV's, which does not.
        mask_resize: Pillow's bilinear or nearest (samples at pixel centres), or OpenCV's nearest (samples at the
            pixel's corner).
        mean: Mean of the normalisation, on the 0..1 scale; 0 for none.
        std: Standard deviation of the normalisation, on the 0..1 scale; 1 for none.
        arithmetic: ``unit-first`` divides by 255, then normalises, as torchvision does; ``bytes`` takes
            ``(value - 255 mean) * (1 / (255 std))``, as albumentations does. They differ in the last bit.
        mask_threshold: Mask values above it, on the 0..1 scale, become 1 and others 0; ``None`` leaves grey values.
        threshold_when: Whether that happens before or after the resize.

    Example:
        >>> import numpy as np
        >>> from llmseg import zoo
        >>> prepare = zoo.get("gpt-4o").recipe.images
        >>> image, mask = prepare(np.zeros((300, 200, 3), np.uint8), np.zeros((300, 200), np.uint8))
        >>> image.shape, mask.shape, image.dtype
        (torch.Size([1, 256, 256]), torch.Size([1, 256, 256]), torch.float32)
    """

    colour: Literal["grey", "rgb"]
    size: tuple[int, int] | None
    image_resize: Literal["pillow-bilinear", "opencv-bilinear"]
    mask_resize: Literal["pillow-bilinear", "pillow-nearest", "opencv-nearest"]
    mean: float
    std: float
    arithmetic: Literal["unit-first", "bytes"]
    mask_threshold: float | None
    threshold_when: Literal["before-resize", "after-resize"]

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

    def __call__(self, image: np.ndarray, mask: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Prepare one case.

        Args:
            image: uint8 ``[H, W]`` or ``[H, W, 3]``.
            mask: uint8 ``[H, W]``, 0 background to 255 foreground.

        Returns:
            Image ``[channels, h, w]`` and mask ``[1, h, w]``, float32; the mask in 0..1.
        """
        return self.image(image), self.mask(mask)

    def image(self, image: np.ndarray) -> torch.Tensor:
        """Prepare an image alone, ``[channels, h, w]`` float32."""
        return _chains(self)[0](image)

    def mask(self, mask: np.ndarray) -> torch.Tensor:
        """Prepare a mask alone, ``[1, h, w]`` float32 in 0..1."""
        return _chains(self)[1](mask)


_Chain = Callable[[np.ndarray], "torch.Tensor"]
_built: dict[Prepare, tuple[_Chain, _Chain]] = {}


def _chains(record: Prepare) -> tuple[_Chain, _Chain]:
    # Kept per record: composing the transforms takes longer than running them.
    if record not in _built:
        from llmseg.data import transforms

        _built[record] = (transforms.image_chain(record), transforms.mask_chain(record))
    return _built[record]
