"""The check of a whole store when it is opened for work: whether all its files can only be read in one way.

A rule for foreground, an alpha channel, or labels can only be judged over all masks. The result is kept on disk by the
store's digest, so the second time costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from llmseg.data.folder import FolderStore
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.image_check import (
    ImageFacts,
    judge_images,
    judge_pages,
    measure_file,
    measure_image,
    warn_of_images,
    warn_of_left_out,
)
from llmseg.data.mask_check import MaskFacts, judge_masks, measure_mask, warn_of_masks
from llmseg.data.opening import read_image_file
from llmseg.data.read_ahead import map_ahead
from llmseg.data.reading import ReadingWarning
from llmseg.data.store import Store
from llmseg.data.store_check import judge_store, measure_store, warn_of_store
from llmseg.data.subset import Subset
from llmseg.errors import UserError, name_first
from llmseg.files import make_folder, read_json_if_any, write_bytes

FORMAT = 4
"""Part of the key of a kept check. Raise it whenever the same files would be judged otherwise."""


@dataclass(frozen=True)
class ReadingCheck:
    """What the check of a store found.

    Attributes:
        refusal: Why it cannot be used, or empty.
        warnings: What should be known, a sentence each.
    """

    refusal: str
    warnings: tuple[str, ...]


_told: set[str] = set()


def check_reading(store: Store, *, progress: bool = False) -> None:
    """Check how the files of a store are read, or what a prepared store holds, and refuse or warn.

    Phantoms and stores of other classes pass.

    Args:
        store: The cases. Of a subset, the whole store is checked.
        progress: Whether to show a progress bar.

    Raises:
        UserError: A file can be read in two ways, or cannot be read; or no mask has foreground, or none background.

    Warns:
        ReadingWarning: Once for each store in a process.

    Example:
        >>> from llmseg.data.synthetic import SyntheticStore
        >>> check_reading(SyntheticStore("fundus", count=4))
    """
    while isinstance(store, Subset):
        store = store.whole
    if not isinstance(store, (FolderStore, Hdf5Store)):
        return
    key = hashlib.sha256(json.dumps([FORMAT, store.digest]).encode()).hexdigest()[:32]
    if key in _told:
        return
    check = _read_kept(key) or _keep(key, examine_reading(store, progress=progress))
    if check.refusal:
        raise UserError(check.refusal)
    _told.add(key)
    for sentence in (*check.warnings, *warn_of_files(store), *_warn_of_unpaired(store)):
        warnings.warn(sentence, ReadingWarning, stacklevel=3)


def warn_of_files(store: Store) -> list[str]:
    """Return a sentence for each folder of a store with files that are neither images nor in the folder itself."""
    if not isinstance(store, FolderStore):
        return []
    return warn_of_left_out(dict.fromkeys((Path(store.images), Path(store.masks))), {*store.list_files()})


def _warn_of_unpaired(store: Store) -> list[str]:
    names = store.unpaired if isinstance(store, FolderStore) else ()
    return [f"{len(names)} files have no partner and are left out: {name_first(names)}"] if names else []


def examine_reading(store: FolderStore | Hdf5Store, *, skip: bool = False, progress: bool = False) -> ReadingCheck:
    """Read masks and deep images of a folder, or all cases of a prepared store, and return what is found.

    Args:
        store: The cases.
        skip: Pass over files that cannot be read.
        progress: Whether to show a progress bar.

    Raises:
        UserError: A file cannot be read, or can be read in two ways.
    """
    if isinstance(store, Hdf5Store):
        cases = measure_store(store, skip=skip, progress=progress)
        return ReadingCheck(judge_store(cases), tuple(warn_of_store(cases)))

    def measure(id: str) -> tuple[MaskFacts, list[ImageFacts], ImageFacts] | None:
        pair = store.find_pair(id)
        try:
            first, *further = store.read_mask_values(id)
            return (
                measure_mask(first, id, store.reading, further=further),
                [measure_file(read_image_file(mask), store.name_mask(mask)) for mask in pair.masks],
                measure_image(read_image_file(pair.image), id, store.reading, pair.page),
            )
        except UserError:
            if not skip:
                raise
            return None

    ids = tqdm(store.ids, desc="check", unit="case", leave=False, disable=not progress)
    measured = [facts for facts in map_ahead(measure, ids) if facts is not None]
    if not measured:
        return ReadingCheck("", ())
    masks, files, images = zip(*measured, strict=True)
    mask_files = [file for of_case in files for file in of_case]
    refusal = (
        judge_pages([*images, *mask_files], store.reading)
        or judge_masks(masks, store.reading)
        or judge_images(images, store.reading)
    )
    return ReadingCheck(refusal or "", (*warn_of_masks(masks), *warn_of_images(images, mask_files, store.reading)))


def _kept_path(key: str) -> Path:
    from llmseg.data.cache import cache_folder  # it loads torch, which most commands about data do without

    return cache_folder() / f"check-{key}.json"


def _read_kept(key: str) -> ReadingCheck | None:
    try:
        kept = read_json_if_any(_kept_path(key))
        return ReadingCheck(str(kept["refusal"]), tuple(map(str, kept["warnings"]))) if kept else None
    except (UserError, KeyError, TypeError):
        return None


def _keep(key: str, check: ReadingCheck) -> ReadingCheck:
    try:
        make_folder(_kept_path(key).parent)
        write_bytes(_kept_path(key), json.dumps(asdict(check)).encode())
    except UserError:  # a home that cannot be written costs time, nothing else
        pass
    return check
