"""What a case and a store are: images and masks with ids, groups and a digest of their content."""

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
        id: Name of the case in its store, usually the image's file name.
        image: uint8 ``[H, W]`` (grey) or ``[H, W, 3]`` (RGB).
        mask: uint8 ``[H, W]``, 0 background to 255 foreground.

    Example:
        >>> case = Case("a.png", np.zeros((4, 6), np.uint8), np.zeros((4, 6), np.uint8))
        >>> case.image.shape == case.mask.shape
        True
    """

    id: str
    image: np.ndarray
    mask: np.ndarray


class Store(Protocol):
    """What every store offers. A class of your own needs these five members and no base class.

    Attributes:
        name: Name that results show.
        ids: Ids of the cases, each once, in the order in which recipes split them.
        groups: For each id, what the case belongs to (a video, a patient). Cases of one group are not independent.
        digest: SHA-256 of the content, 64 hexadecimal digits. Other pixels, ids or groups give another digest.

    Example:
        >>> from llmseg.data.synthetic import SyntheticStore
        >>> store: Store = SyntheticStore("fundus", count=4)
        >>> store.ids[:2], store.read(store.ids[0]).image.shape
        (('001.png', '002.png'), (354, 301, 3))
    """

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
