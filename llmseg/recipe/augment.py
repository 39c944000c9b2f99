"""Augmentation: random changes of the images of a training step."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from llmseg.errors import UserError
from llmseg.recipe.part import Part

if TYPE_CHECKING:
    from monai.transforms import Compose
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Augment(Part):
    """Changes to image and mask, carried out by MONAI transforms on each case of a training step.

    Image and mask are mirrored, turned and scaled together. Pixels that come in from outside are a reflection of those
    inside. The mask is sampled at the nearest pixel, so it gets no new values. After that the intensities of the image
    change: brightness, contrast, gamma and noise, each by a random draw of its own.

    The usual values are those of the references that experts wrote.

    Attributes:
        flip: Probability of mirroring along each of the two axes.
        moved: Probability of turning and scaling.
        turn: Largest angle in degrees.
        scale: Largest relative change of height and of width.
        toned: Probability of each change of intensity.
        brightness: Largest relative change of all values.
        contrast: Largest relative change of the values' distances from their mean.
        gamma: Largest exponent of the values; the smallest is its reciprocal. 1 for no change.
        noise: Largest standard deviation of Gaussian noise, in the units of the prepared image.

    Raises:
        UserError: A probability is not in 0..1, or a range is not allowed.

    Example:
        >>> import torch
        >>> from llmseg import zoo
        >>> augment = zoo.get("monai-basic-unet").recipe.fit.augment
        >>> image, mask = augment(torch.rand(2, 1, 32, 32), torch.ones(2, 1, 32, 32), 0)
        >>> image.shape, mask.unique()
        (torch.Size([2, 1, 32, 32]), tensor([1.]))
    """

    flip: float
    moved: float
    turn: float
    scale: float
    toned: float
    brightness: float
    contrast: float
    gamma: float
    noise: float

    USUAL: ClassVar[Mapping[str, Any]] = {
        "flip": 0.5,
        "moved": 0.5,
        "turn": 30.0,
        "scale": 0.2,
        "toned": 0.2,
        "brightness": 0.25,
        "contrast": 0.25,
        "gamma": 1.5,
        "noise": 0.05,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("flip", "moved", "toned"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"augment.{name} is {getattr(self, name)}; a probability lies between 0 and 1")
        for name in ("scale", "brightness", "contrast"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"augment.{name} is {getattr(self, name)}; it must be at least 0 and below 1")
        for name, least in (("turn", 0), ("gamma", 1), ("noise", 0)):
            if not getattr(self, name) >= least:
                raise UserError(f"augment.{name} is {getattr(self, name)}; it must be at least {least}")

    def __call__(self, image: Tensor, mask: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Change the cases of a batch.

        Args:
            image: ``[B, C, H, W]``, float32.
            mask: ``[B, 1, H, W]``, float32 in 0..1.
            seed: Not negative. It decides all changes; torch's random generator is not used.

        Returns:
            New tensors of the same shapes, on the same device.
        """
        import numpy as np
        import torch

        change = _transforms(self)
        # MONAI takes 32 bits, a seed here may have more; SeedSequence mixes them all into one number.
        change.set_random_state(seed=int(np.random.SeedSequence(seed).generate_state(1)[0]))
        with _without_tracking():
            cases = [change({"image": i, "mask": m}) for i, m in zip(image, mask, strict=True)]
        return torch.stack([case["image"] for case in cases]), torch.stack([case["mask"] for case in cases])


def augment_batch(augment: Augment | None, image: Tensor, mask: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return a batch as the recipe changes it; without augmentation, the same tensors that were given."""
    return (image, mask) if augment is None else augment(image, mask, seed)


@contextmanager
def _without_tracking() -> Iterator[None]:
    """Turn off MONAI's record of what it does to a tensor, as keeping it takes longer than doing it."""
    from monai.data import get_track_meta, set_track_meta

    before = get_track_meta()
    set_track_meta(False)
    try:
        yield
    finally:
        set_track_meta(before)


@functools.cache  # one object serves all calls, as each of them sets its random state anew
def _transforms(augment: Augment) -> Compose:
    from monai import transforms as t

    both, turn, scale = ("image", "mask"), math.radians(augment.turn), augment.scale
    return t.Compose(
        [
            *(t.RandFlipd(both, prob=augment.flip, spatial_axis=axis) for axis in (0, 1)),
            t.RandAffined(
                both,
                prob=augment.moved,
                rotate_range=turn,
                scale_range=(scale, scale),
                mode=("bilinear", "nearest"),
                padding_mode="reflection",
            ),
            t.RandScaleIntensityd("image", factors=augment.brightness, prob=augment.toned),
            t.RandScaleIntensityFixedMeand("image", factors=augment.contrast, prob=augment.toned),
            t.RandAdjustContrastd("image", gamma=(1 / augment.gamma, augment.gamma), prob=augment.toned),
            t.RandGaussianNoised("image", std=augment.noise, prob=augment.toned),
        ]
    )
