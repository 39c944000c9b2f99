"""Where a store comes from, as plain values.

A run writes them into the file that is not published, and a report opens the store again from them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmseg.data.folder import FolderStore
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.reading import DEFAULT, Reading, read_reading
from llmseg.data.store import Store
from llmseg.data.subset import Subset
from llmseg.data.synthetic import SyntheticStore
from llmseg.errors import UserError
from llmseg.files.places import is_place, name_only

_STORE_CLASSES = {store_class.__name__: store_class for store_class in (FolderStore, Hdf5Store, SyntheticStore)}
_PATH_FIELDS = ("images", "masks", "path", "group_table")
_GROUP_FIELDS = ("group", "group_table")

Source = Mapping[str, Any]


def describe_source(store: Store) -> Source | None:
    """Return the class of a store and its fields, with absolute paths.

    A subset is described by the store it is taken from: the ids are written down elsewhere.

    Returns:
        Values that :mod:`json` writes; ``None`` for a store whose class is not of this package.

    Example:
        >>> from llmseg import SyntheticStore
        >>> describe_source(SyntheticStore("fundus", count=5))
        {'kind': 'SyntheticStore', 'modality': 'fundus', 'count': 5, 'seed': 0}
    """
    if isinstance(store, Subset):
        return describe_source(store.whole)
    # A class that derives from one of these may read other cases, so the class itself is asked for.
    store_class = _STORE_CLASSES.get(type(store).__name__)
    if store_class is None or type(store) is not store_class:
        return None
    fields = {field.name: getattr(store, field.name) for field in dataclasses.fields(store_class)}
    # Without groups, and read by default, a run writes down what runs wrote before these could be given.
    fields = {name: value for name, value in fields.items() if name not in _GROUP_FIELDS or value is not None}
    paths = {
        name: dict(value) if isinstance(value, Mapping) else str(Path(value).absolute())
        for name, value in fields.items()
        if name in _PATH_FIELDS
    }
    if isinstance(store, FolderStore):
        fields.pop("reading")
        fields |= {} if store.reading == DEFAULT else {"reading": dataclasses.asdict(store.reading)}
    return {"kind": store_class.__name__, **fields, **paths}


def find_reading(store: Store) -> Reading:
    """Return how the files of a store are read, or were read when it was prepared; the default of phantoms.

    Raises:
        UserError: A prepared store says what is no reading.
    """
    while isinstance(store, Subset):
        store = store.whole
    if isinstance(store, FolderStore):
        return store.reading
    options = store.provenance.get("options") if isinstance(store, Hdf5Store) else None
    return read_reading(options.get("reading")) if isinstance(options, dict) else DEFAULT


def without_places(source: Source | None) -> Source | None:
    """Return a source with the names of files and folders in the place of their paths, for records that are published.

    Example:
        >>> without_places({"kind": "Hdf5Store", "path": "/home/ada/skin.h5"})
        {'kind': 'Hdf5Store', 'path': 'skin.h5'}
    """
    if source is None:
        return None
    return {name: name_only(value) if _is_path(name, value) else value for name, value in source.items()}


def has_places(source: Source | None) -> bool:
    """Return whether a source can be opened: its paths, if it has any, are not mere names."""
    return source is not None and all(is_place(value) for name, value in source.items() if _is_path(name, value))


def _is_path(name: str, value: object) -> bool:
    return name in _PATH_FIELDS and isinstance(value, str)


def open_source(source: Source | None) -> Store | None:
    """Return the store that :func:`describe_source` described.

    The files may have changed since: compare digests.

    Returns:
        The store; ``None`` without a source, or if the store cannot be opened any more.
    """
    if source is None or source.get("kind") not in _STORE_CLASSES:
        return None
    fields = {name: value for name, value in source.items() if name != "kind"}
    try:
        store: Store = _STORE_CLASSES[str(source["kind"])](**fields)
    except (UserError, TypeError):
        return None
    return store
