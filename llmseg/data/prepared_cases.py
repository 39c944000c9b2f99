"""Prepared cases: what a recipe's ``images`` part makes of a store, as bytes and as batches."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from llmseg.data.read_ahead import map_ahead
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.recipe.images import Images, look_up

RESIDENT_SHARE = 0.25
"""Cases are held in the memory of the device, or of the machine, if they take at most this share of it."""


@dataclass(frozen=True)
class PreparedCases:
    """The prepared cases of a store.

    Attributes:
        ids: Case ids in the store's order.
        images: uint8 ``[N, C, h, w]``, or float32 where the recipe's resize gives values between bytes.
        masks: uint8 ``[N, 1, h, w]``, or float32 likewise.
        tables: The numbers that the byte values of images and of masks stand for, float32 ``[256]`` each.
    """

    ids: tuple[str, ...]
    images: Tensor
    masks: Tensor
    tables: tuple[Tensor, Tensor]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, the same for all cases."""
        height, width = self.images.shape[-2:]
        return height, width

    @property
    def nbytes(self) -> int:
        """Size of all cases in bytes."""
        return self.images.nbytes + self.masks.nbytes

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {id: place for place, id in enumerate(self.ids)}

    def batch(self, ids: Sequence[str], device: torch.device) -> tuple[Tensor, Tensor]:
        """Return images ``[B, C, h, w]`` and masks ``[B, 1, h, w]`` of some cases on a device, float32.

        Only bytes travel to the device, and the caller does not wait for them.
        """
        chosen = torch.tensor([self._places[id] for id in ids])
        if self.images.device == device and device.type != "cpu":
            chosen = chosen.pin_memory().to(device, non_blocking=True)
        image_table, mask_table = self.tables
        return _numbers(self.images[chosen], image_table, device), _numbers(self.masks[chosen], mask_table, device)


def _numbers(values: Tensor, table: Tensor, device: torch.device) -> Tensor:
    if values.device != device:
        values = values.pin_memory().to(device, non_blocking=True)
    return look_up(values, table.to(device))


def prepare_cases(store: Store, images: Images, *, progress: bool = False) -> PreparedCases:
    """Decode and prepare every case of a store once, in memory.

    Reading all of it first means that a damaged file is reported before any training, not in its middle.

    Args:
        store: The cases.
        images: The preparation.
        progress: Whether to show a progress bar.

    Raises:
        UserError: A file cannot be used, or the prepared cases differ in size and could not share a batch.
    """
    pairs = list(prepare_each(store, images, progress=progress))
    image_bytes, mask_bytes = (torch.from_numpy(np.stack(column)) for column in zip(*pairs, strict=True))
    return PreparedCases(store.ids, image_bytes, mask_bytes, images.tables())


def move_to_device(prepared: PreparedCases, device: torch.device) -> PreparedCases:
    """Return the cases with their tables on the device, and their bytes where a share of its free memory holds them.

    Args:
        prepared: The cases.
        device: Where batches are wanted; a CPU leaves everything as it is.
    """
    if device.type != "cuda":
        return prepared
    image_table, mask_table = prepared.tables
    here = replace(prepared, tables=(image_table.to(device), mask_table.to(device)))
    if prepared.nbytes > RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]:
        return here
    return replace(here, images=prepared.images.to(device), masks=prepared.masks.to(device))


def prepare_each(store: Store, images: Images, *, progress: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the bytes of image ``[C, h, w]`` and mask ``[1, h, w]`` of every case in order, prepared in parallel.

    Raises:
        UserError: As :func:`prepare_cases`.
    """

    def one(id: str) -> tuple[np.ndarray, np.ndarray]:
        case = store.read(id)
        return images.image_bytes(case.image), images.mask_bytes(case.mask)

    ids = tqdm(store.ids, desc="prepare", unit="case", leave=False, disable=not progress)
    first: tuple[str, tuple[int, ...]] | None = None
    for id, pair in zip(store.ids, map_ahead(one, ids), strict=True):
        first = first or (id, pair[0].shape[-2:])
        _check_size(first, (id, pair[0].shape[-2:]))
        yield pair


def _check_size(first: tuple[str, tuple[int, ...]], other: tuple[str, tuple[int, ...]]) -> None:
    if first[1] != other[1]:
        raise UserError(
            f"this recipe keeps the native size, but '{first[0]}' is {first[1]} and '{other[0]}' is {other[1]} "
            "(height, width); set images.size, for example images.size=256,256"
        )
