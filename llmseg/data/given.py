"""What may be given where cases, or held-out test cases, are meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from llmseg.data.folder import FolderStore
from llmseg.data.folds import as_folds, load_folds
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.holdout import Holdout
from llmseg.data.image_files import find_inner_folders
from llmseg.data.store import Store
from llmseg.data.synthetic import MODALITIES
from llmseg.errors import UserError

GivenStore: TypeAlias = Store | str | Path
"""A store, a file that ``llmseg data prepare`` wrote, or a folder with images and masks."""

GivenHoldout: TypeAlias = Holdout | str | Path
"""Held-out test cases, or the manifest that ``llmseg data split`` wrote."""


def find_store(given: GivenStore) -> Store:
    """Return the store that is meant.

    Args:
        given: A store; the path of a file that ``llmseg data prepare`` wrote; or that of a folder. A folder holds
            images and masks together, or two folders such as ``images`` and ``masks``.

    Raises:
        UserError: There is no such file or folder, or it holds no cases.

    Example:
        >>> from llmseg import SyntheticStore
        >>> find_store(SyntheticStore("fundus", count=4)).name
        'synthetic-fundus'
    """
    if not isinstance(given, str | Path):
        if hasattr(given, "ids") and hasattr(given, "read"):
            return given
        raise UserError(f"cases are needed, not {type(given).__name__}; give a store, or the path of a file or folder")
    path = Path(given)
    if path.is_dir():
        return FolderStore(*(find_inner_folders(path) or (path, path)))
    if not path.exists() and str(given) in MODALITIES:
        raise UserError(f"no file or folder {path}; phantoms are given as llmseg.SyntheticStore({str(path)!r})")
    return Hdf5Store(path)


def find_holdout(given: GivenHoldout) -> Holdout:
    """Return the held-out test cases that are meant.

    Raises:
        UserError: There is no such manifest, or it is damaged.

    Example:
        >>> find_holdout("cohort/holdout.json").test_ids  # doctest: +SKIP
    """
    return given if isinstance(given, Holdout) else Holdout.load(given)


def find_folds(given: GivenHoldout | Sequence[GivenHoldout]) -> tuple[Holdout, ...]:
    """Return held-out test cases as a tuple of one, or folds: given themselves, as manifests, or as a folder of these.

    Raises:
        UserError: As :func:`find_holdout`, or the folds do not hold out every case of one dataset exactly once.

    Example:
        >>> from llmseg.data.draw_holdout import hold_out
        >>> from llmseg.data.synthetic import SyntheticStore
        >>> len(find_folds(hold_out(SyntheticStore("fundus", count=12))))
        1
    """
    if isinstance(given, str | Path):
        return load_folds(given)
    return as_folds(given if isinstance(given, Holdout) else [find_holdout(fold) for fold in given])
