"""The cache: prepared cases on disk, made once per store and ``images`` part of a recipe, shared by all runs."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

import h5py
import numpy as np
import platformdirs
import psutil
import torch
from filelock import Timeout

from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.hdf5_writing import create_hdf5
from llmseg.data.prepared_cases import RESIDENT_SHARE, PreparedCases, prepare_each
from llmseg.data.store import Store
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.files import clean_name, clear_leftovers, replace_file
from llmseg.files.locks import hold_lock
from llmseg.recipe.images import Images
from llmseg.recipe.part import to_plain

FORMAT = 2
"""Part of every file's name. Raise it whenever the same store and ``images`` part would give other bytes."""

_ADVICE = "set LLMSEG_CACHE to another folder or use --no-cache"

_PACKAGES_IN_KEY = ("Pillow", "opencv-python-headless")
"""Packages that decode and resize: another version may give other bytes, so it gets a file of its own."""

_ImageAndMask: TypeAlias = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class CacheEntry:
    """A file of the cache.

    Attributes:
        path: The HDF5 file.
        store: Name of the store.
        cases: Number of cases.
        shape: Channels, height and width of the images.
        nbytes: Size on disk in bytes.

    Example:
        >>> for entry in cache_entries():  # doctest: +SKIP
        ...     print(entry.store, entry.cases, entry.nbytes)
    """

    path: Path
    store: str
    cases: int
    shape: tuple[int, int, int]
    nbytes: int


def cache_folder() -> Path:
    """Return the folder of the cache: ``$LLMSEG_CACHE`` if that is set, else the user's cache folder.

    Example:
        >>> import os
        >>> os.environ["LLMSEG_CACHE"] = "/scratch/llmseg"  # doctest: +SKIP
        >>> cache_folder()  # doctest: +SKIP
        PosixPath('/scratch/llmseg')
    """
    chosen = os.environ.get("LLMSEG_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("llmseg")


def prepare_cached(store: Store, images: Images, *, progress: bool = False) -> PreparedCases:
    """Return the prepared cases of a store from the cache. Cases that are not there are prepared and kept.

    Of several processes that need the same cases, one prepares them and the others wait. A damaged file is made anew.

    Args:
        store: The cases.
        images: The recipe's ``images`` part, which says how cases are prepared.
        progress: Whether to show a progress bar while cases are prepared.

    Raises:
        UserError: A case cannot be used, or the cache cannot be written.

    Example:
        >>> from llmseg import SyntheticStore, zoo
        >>> prepared = prepare_cached(SyntheticStore("fundus"), zoo.get("gpt-4o").recipe.images)  # doctest: +SKIP
        >>> prepared.images.shape  # doctest: +SKIP
        torch.Size([24, 1, 256, 256])
    """
    folder = cache_folder()
    path = folder / f"{clean_name(store.name, also='-_')}-{_key(store, images)}.h5"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {folder}: {error.strerror}; {_ADVICE}") from error
    with hold_lock(path.with_suffix(".lock"), advice=_ADVICE, wait_for="prepares the same cases"):
        prepared = _read_file(path, store, images)
        if prepared is None:
            clear_leftovers(folder, path.name)
            _write_file(path, store, images, progress)
            # What was written is used only if it reads back, so that a failing disk is noticed before the training.
            prepared = _read_file(path, store, images)
    if prepared is None:
        raise UserError(f"{path} does not read back; set LLMSEG_CACHE to a folder on another disk or use --no-cache")
    return prepared


def cache_entries() -> tuple[CacheEntry, ...]:
    """Return what the cache holds, sorted by file name. A file that cannot be read shows as ``damaged``, of 0 cases.

    Example:
        >>> sum(entry.nbytes for entry in cache_entries())  # doctest: +SKIP
        183500800
    """
    return tuple(_describe(path) for path in sorted(cache_folder().glob("*.h5")))


def clear_cache() -> int:
    """Remove all that the cache holds, except prepared cases that are being written.

    Runs under way keep the cases that they have opened.

    Returns:
        Number of bytes that are freed.

    Raises:
        UserError: The disk only reads, or has no locks.

    Example:
        >>> clear_cache()  # doctest: +SKIP
        20971520
    """
    freed = 0
    for check in cache_folder().glob("check-*.json"):
        freed += check.stat().st_size
        check.unlink(missing_ok=True)
    for lock in cache_folder().glob("*.lock"):
        try:
            with hold_lock(lock, advice="name another folder by LLMSEG_CACHE, or remove it yourself"):
                path = lock.with_suffix(".h5")
                freed += path.stat().st_size if path.exists() else 0
                path.unlink(missing_ok=True)
                clear_leftovers(path.parent, path.name)
                lock.unlink(missing_ok=True)
        except Timeout:  # another process writes this file
            continue
        except OSError as error:
            raise UserError(f"cannot remove files in {lock.parent}: {error.strerror}; make it writable") from error
    # Digests of images, see ``store_images.py``; what networks need, see ``training/counts.py``, and which kernels are
    # fast, see ``training/kernel_choice.py``.
    for path in itertools.chain(*map(cache_folder().glob, ("*.images.json", "*.counts.json", "*.kernels.json"))):
        try:
            freed += path.stat().st_size
            path.unlink()
        except OSError as error:
            raise UserError(f"cannot remove files in {path.parent}: {error.strerror}; make it writable") from error
    return freed


def _key(store: Store, images: Images) -> str:
    versions = {name: metadata.version(name) for name in _PACKAGES_IN_KEY}
    digests = [store.digest]
    # What such a file says of shapes is only known to be right when the pixels are read, so nothing that was prepared
    # from a file with the same digest and other shapes may stand for it.
    whole = store
    while isinstance(whole, Subset):
        whole = whole.whole
    if isinstance(whole, Hdf5Store) and not whole.has_file_digest:
        digests.append(whole.file_digest)
    content = json.dumps([FORMAT, *digests, to_plain(images), versions], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _write_file(path: Path, store: Store, images: Images, progress: bool) -> None:
    content = hashlib.sha256()
    with replace_file(path) as temporary, create_hdf5(temporary) as (file, guarded):
        prepared = guarded.stop_at_error(prepare_each(store, images, progress=progress))
        for index, pair in enumerate(_hash_passing(content, prepared)):
            for name, values in zip(("images", "masks"), pair, strict=True):
                # The first case tells the shape and the type. Contiguous, not compressed: so the file can be mapped.
                if index == 0:
                    file.create_dataset(name, shape=(len(store.ids), *values.shape), dtype=values.dtype)
                file[name][index] = values
        file.attrs.update({"store": store.name, "content": content.hexdigest()})


def _hash_passing(content: hashlib._Hash, pairs: Iterable[_ImageAndMask]) -> Iterator[_ImageAndMask]:
    """Yield pairs of image and mask as they come, and hash their bytes on the way."""
    for pair in pairs:
        for values in pair:
            content.update(values.tobytes())
        yield pair


def _read_file(path: Path, store: Store, images: Images) -> PreparedCases | None:
    """Return what a file holds; ``None`` if there is none, or its bytes are not those that were written."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            stacks = [_read_or_map(path, file[name]) for name in ("images", "masks")]
            digest = file.attrs["content"]
    except (OSError, KeyError):
        return None
    content = hashlib.sha256()
    for _ in _hash_passing(content, zip(*stacks, strict=True)):
        pass
    if content.hexdigest() != digest:
        return None
    image_bytes, mask_bytes = (torch.from_numpy(stack) for stack in stacks)
    return PreparedCases(store.ids, image_bytes, mask_bytes, images.tables())


def _read_or_map(path: Path, dataset: h5py.Dataset) -> np.ndarray:
    if dataset.nbytes <= RESIDENT_SHARE * psutil.virtual_memory().total:
        stack: np.ndarray = dataset[()]
        return stack
    # Larger stacks stay on disk and are mapped. Mode "c" is copy on write: torch wants memory that it could write to,
    # and the file must stay as it is.
    return np.memmap(path, dataset.dtype, "c", dataset.id.get_offset(), dataset.shape)


def _describe(path: Path) -> CacheEntry:
    try:
        with h5py.File(path, "r", locking=False) as file:
            cases, *shape = file["images"].shape
            return CacheEntry(path, str(file.attrs["store"]), cases, tuple(shape), path.stat().st_size)
    except (OSError, KeyError):
        return CacheEntry(path, "damaged", 0, (0, 0, 0), path.stat().st_size)
