"""Prepared cases: what a recipe's ``images`` part makes of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.recipe import Images


def prepare(store: Store, images: Images, *, progress: bool = False) -> dict[str, tuple[Tensor, Tensor]]:
    """Decode and prepare every case of a store once, in memory.

    Reading all of it first means that a damaged file is reported before any training, not in its middle.

    Args:
        store: The cases.
        images: The preparation.
        progress: Whether to show a progress bar.

    Returns:
        Image ``[C, h, w]`` and mask ``[1, h, w]`` by case id, float32.

    Raises:
        UserError: A file cannot be used, or the prepared cases differ in size and could not share a batch.
    """
    prepared = {}
    for id in tqdm(store.ids, desc="prepare", unit="case", leave=False, disable=not progress):
        case = store.read(id)
        prepared[id] = images(case.image, case.mask)
    _check_sizes(prepared)
    return prepared


def working_size(prepared: Mapping[str, tuple[Tensor, Tensor]]) -> tuple[int, int]:
    """Return height and width of the prepared images, which all have the same."""
    height, width = next(iter(prepared.values()))[0].shape[-2:]
    return height, width


def _check_sizes(prepared: Mapping[str, tuple[Tensor, Tensor]]) -> None:
    sizes = {id: tuple(image.shape[-2:]) for id, (image, _) in prepared.items()}
    first = next(iter(sizes.items()))
    other = next((item for item in sizes.items() if item[1] != first[1]), None)
    if other:
        raise UserError(
            f"this recipe keeps the native size, but '{first[0]}' is {first[1]} and '{other[0]}' is {other[1]} "
            "(height, width); set images.size, for example images.size=256,256"
        )


@dataclass(frozen=True)
class PreparedCases(Dataset[tuple[Tensor, Tensor, str]]):
    """Some of the prepared cases in a given order, as a data set that yields image, mask and id."""

    prepared: Mapping[str, tuple[Tensor, Tensor]]
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, str]:
        return (*self.prepared[self.ids[index]], self.ids[index])
