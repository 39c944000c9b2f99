"""Where the cases of a store come from, as plain values that a record can hold, and the store made again from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmseg.data.folder import FolderStore
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.store import Store
from llmseg.data.subset import Subset
from llmseg.data.synthetic import SyntheticStore
from llmseg.errors import UserError

_KINDS = {kind.__name__: kind for kind in (FolderStore, Hdf5Store, SyntheticStore)}
_PATHS = ("images", "masks", "path")

Source = Mapping[str, Any]


def describe_source(store: Store) -> Source | None:
    """Return the kind of a store and its fields, with absolute paths; ``None`` for a store from outside the package.

    Some cases of a store come from the whole one.

    Example:
        >>> from llmseg import SyntheticStore
        >>> describe_source(SyntheticStore("fundus", count=5))
        {'kind': 'SyntheticStore', 'modality': 'fundus', 'count': 5, 'seed': 0}
    """
    if isinstance(store, Subset):
        return describe_source(store.whole)
    for name, kind in _KINDS.items():
        if type(store) is kind:
            fields = {field.name: getattr(store, field.name) for field in dataclasses.fields(kind)}
            return {"kind": name, **{k: str(Path(v).absolute()) if k in _PATHS else v for k, v in fields.items()}}
    return None


def open_source(source: Source | None) -> Store | None:
    """Return the store that :func:`describe_source` described, ``None`` if it cannot be opened any more.

    Whether it still holds the same cases, its digest tells.
    """
    if source is None or source.get("kind") not in _KINDS:
        return None
    fields = {name: value for name, value in source.items() if name != "kind"}
    try:
        store: Store = _KINDS[str(source["kind"])](**fields)
    except (UserError, TypeError):
        return None
    return store
