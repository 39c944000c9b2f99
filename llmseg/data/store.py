"""Stores: images and masks with ids, groups and a content digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from llmseg.errors import UserError

FOREGROUND = 127
"""Mask value above which a pixel counts as foreground, where nothing else is said."""


@dataclass(frozen=True)
class Case:
    """One image and its mask in native size.

    Attributes:
        id: The image's file name.
        image: uint8 ``[H, W]`` (grey) or ``[H, W, 3]`` (RGB).
        mask: uint8 ``[H, W]``, 0 background to 255 foreground.
    """

    id: str
    image: np.ndarray
    mask: np.ndarray


class Store(Protocol):
    """Cases by id. ``groups`` names what belongs together (a video, a patient); ``digest`` is of the content."""

    @property
    def name(self) -> str: ...
    @property
    def ids(self) -> tuple[str, ...]: ...
    @property
    def groups(self) -> Mapping[str, str]: ...
    @property
    def digest(self) -> str: ...
    def read(self, id: str) -> Case: ...


class SizesDiffer(UserError):
    """A mask has another size than its image."""
