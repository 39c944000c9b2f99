"""Which dataset of the catalogue a store was prepared as. A name proves nothing: anybody may call a folder ``skin``."""

from __future__ import annotations

from llmseg.data.catalog import dataset_names
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.store import Store
from llmseg.data.subset import Subset


def find_dataset_id(store: Store) -> str | None:
    """Return the id of the dataset that a store was prepared as by ``llmseg data prepare``.

    Args:
        store: The store, or a subset of it.

    Returns:
        The id; ``None`` for folders, phantoms, stores of a general layout, and stores of other classes.

    Example:
        >>> from llmseg import SyntheticStore
        >>> find_dataset_id(SyntheticStore("fundus", count=5)) is None
        True
    """
    if isinstance(store, Subset):
        return find_dataset_id(store.whole)
    if not isinstance(store, Hdf5Store):
        return None
    id = store.provenance.get("dataset")
    return id if id in dataset_names() else None
