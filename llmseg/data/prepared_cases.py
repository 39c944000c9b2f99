"""Prepared cases: what a recipe's ``images`` part makes of a store, as bytes and as batches.

To prepare a case is to decode it and to change colour and size as the recipe says. What follows (range, normalisation,
binarisation) takes one byte at a time, so it is a table of 256 numbers. Bytes are kept, and a batch looks its numbers
up: see :class:`llmseg.recipe.images.Images`.
"""

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
"""Cases are held in the free memory of the GPU, or the memory of the machine, if they take at most this share of it.

The rest is for the network, its gradients, and whoever else uses the machine.
"""


@dataclass(frozen=True)
class PreparedCases:
    """The prepared cases of a store.

    Attributes:
        ids: Case ids in the store's order.
        images: uint8 ``[N, C, h, w]``; float32 where the recipe's resize gives values between bytes.
        masks: uint8 ``[N, 1, h, w]``; float32 likewise.
        tables: The numbers that the 256 byte values of images, and of masks, stand for: two float32 ``[256]``.
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
        """Size of all images and masks in bytes."""
        return self.images.nbytes + self.masks.nbytes

    @functools.cached_property
    def _positions(self) -> dict[str, int]:
        return {id: position for position, id in enumerate(self.ids)}

    def batch(self, ids: Sequence[str], device: torch.device) -> tuple[Tensor, Tensor]:
        """Return images ``[B, C, h, w]`` and masks ``[B, 1, h, w]`` of some cases on a device, float32.

        Args:
            ids: The cases, in the order in which they shall lie in the batch.
            device: Where the tensors are wanted.
        """
        chosen = torch.tensor([self._positions[id] for id in ids])
        # Bytes travel to the device, not numbers four times their size. From pinned memory they do so while the host
        # goes on: nothing in an epoch waits for the device.
        if device.type != "cpu" and lies_on(self.images, device):
            chosen = chosen.pin_memory().to(device, non_blocking=True)
        image_table, mask_table = self.tables
        return _numbers(self.images[chosen], image_table, device), _numbers(self.masks[chosen], mask_table, device)


def _numbers(values: Tensor, table: Tensor, device: torch.device) -> Tensor:
    if not lies_on(values, device):
        values = values.pin_memory().to(device, non_blocking=True)
    return look_up(values, table.to(device))


def lies_on(values: Tensor, device: torch.device) -> bool:
    """Return whether a tensor lies on a device. ``cuda`` is the GPU in use, where a tensor says ``cuda:0`` of itself.

    Example:
        >>> lies_on(torch.zeros(1), torch.device("cpu")), lies_on(torch.zeros(1), torch.device("cuda"))
        (True, False)
    """
    return values.device.type == device.type and device.index in (None, values.device.index)


def prepare_cases(store: Store, images: Images, *, progress: bool = False) -> PreparedCases:
    """Decode and prepare every case of a store, and hold them in memory.

    All cases are read before the training begins, so a damaged file is reported at once and not in its middle.

    Args:
        store: The cases.
        images: The recipe's ``images`` part, which says how cases are prepared.
        progress: Whether to show a progress bar.

    Raises:
        UserError: A file cannot be used, or the prepared cases differ in size and could not share a batch.

    Example:
        >>> from llmseg import SyntheticStore, zoo
        >>> prepared = prepare_cases(SyntheticStore("fundus", count=2), zoo.get("gpt-4o").recipe.images)
        >>> prepared.images.shape, prepared.images.dtype, prepared.size
        (torch.Size([2, 1, 256, 256]), torch.uint8, (256, 256))
    """
    pairs = list(prepare_each(store, images, progress=progress))
    image_bytes, mask_bytes = (torch.from_numpy(np.stack(column)) for column in zip(*pairs, strict=True))
    return PreparedCases(store.ids, image_bytes, mask_bytes, images.tables())


def move_to_device(prepared: PreparedCases, device: torch.device) -> PreparedCases:
    """Return the cases with their tables on a GPU, and with their bytes there too if these fit.

    They fit if they take at most :data:`RESIDENT_SHARE` of the GPU's free memory; otherwise bytes stay where they are,
    and each batch brings its own.

    Args:
        prepared: The cases.
        device: Where batches are wanted. A CPU leaves everything as it is.

    Example:
        >>> from llmseg import zoo
        >>> from llmseg.data.synthetic import SyntheticStore
        >>> prepared = prepare_cases(SyntheticStore("fundus", count=2), zoo.get("gpt-4").recipe.images)
        >>> move_to_device(prepared, torch.device("cpu")) is prepared
        True
    """
    if device.type != "cuda":
        return prepared
    image_table, mask_table = prepared.tables
    with_tables = replace(prepared, tables=(image_table.to(device), mask_table.to(device)))
    free, _ = torch.cuda.mem_get_info(device)
    if prepared.nbytes > RESIDENT_SHARE * free:
        return with_tables
    return replace(with_tables, images=prepared.images.to(device), masks=prepared.masks.to(device))


def prepare_each(store: Store, images: Images, *, progress: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the bytes of image ``[C, h, w]`` and mask ``[1, h, w]`` of every case in the store's order.

    Threads prepare some cases ahead.

    Raises:
        UserError: As :func:`prepare_cases`.
    """

    def prepare(id: str) -> tuple[np.ndarray, np.ndarray]:
        case = store.read(id)
        return images.image_bytes(case.image), images.mask_bytes(case.mask)

    ids = tqdm(store.ids, desc="prepare", unit="case", leave=False, disable=not progress)
    first: tuple[str, tuple[int, ...]] | None = None
    for id, pair in zip(store.ids, map_ahead(prepare, ids), strict=True):
        first = first or (id, pair[0].shape[-2:])
        _check_size(first, (id, pair[0].shape[-2:]))
        yield pair


def _check_size(first: tuple[str, tuple[int, ...]], other: tuple[str, tuple[int, ...]]) -> None:
    if first[1] != other[1]:
        raise UserError(
            f"this recipe keeps the native size, but '{first[0]}' is {first[1]} and '{other[0]}' is {other[1]} "
            "(height, width); set images.size, for example images.size=256,256"
        )
