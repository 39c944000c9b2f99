"""From a download to one store: find the cases, read them in parallel, write them so that a rerun continues.

Reading a dataset may take hours, and may end early: the disk is full, a file is damaged. So cases are first written in
*shards*, small stores of 64 files each, in a hidden folder beside the store. A shard that is complete is not read
again. At the end all shards are joined into the store.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from filelock import Timeout
from tqdm import tqdm

from llmseg import __version__
from llmseg.data.catalog import dataset_names, get_dataset
from llmseg.data.download.checks import check_once
from llmseg.data.download.layouts.case_files import CaseFiles, DatasetFiles
from llmseg.data.download.layouts.finders import find_cases, resolve_name
from llmseg.data.download.layouts.volumes import Orientation
from llmseg.data.download.regroup import describe_groups, regroup
from llmseg.data.download.selection import select_study_cases
from llmseg.data.download.tree import open_tree
from llmseg.data.hdf5 import Hdf5Store, write_store
from llmseg.data.image_files import find_inner_folders
from llmseg.data.packed_case import PackedCase, pack_case
from llmseg.data.read_ahead import map_ahead
from llmseg.data.reading import DEFAULT, Reading
from llmseg.data.reading_check import check_reading
from llmseg.errors import UserError
from llmseg.files import clear_leftovers, make_folder
from llmseg.files.locks import hold_lock

_FILES_PER_SHARD = 64
"""Images or volumes of a shard: what an interruption loses at most."""

_SHARD = re.compile(r"\d{7}-[0-9a-f]{16}\.h5")


def prepare_dataset(
    name: str,
    root: str | Path,
    out: str | Path,
    *,
    select: Literal["all", "study"] = "all",
    seed: int = 0,
    orientation: Orientation = "study",
    label: str | None = None,
    channel: int | None = None,
    group: str | None = None,
    group_table: Mapping[str, str] | str | Path | None = None,
    reading: Reading = DEFAULT,
    progress: bool = True,
) -> Hdf5Store:
    """Read a dataset as it is published, and write it as one store.

    If the call is interrupted, the same call continues where it stopped. If the store is there already, it is returned.

    Args:
        name: A dataset of the catalogue, or ``folder``, ``nnunet`` or ``medsegbench`` for data in these layouts.
        root: The folder of the download, or an archive. Archives in the folder need not be unpacked.
        out: The HDF5 file to write.
        select: ``all`` cases, or those of the ``study``.
        seed: Seed of a draw, if the study's own selection is not known.
        orientation: How slices of volumes lie in their picture: as the ``study`` cut them, or as for ``display``.
        label: Name or number of the label that is foreground in a raw dataset of nnU-Net; all are without it.
        channel: Number of the channel that is read of a raw dataset of nnU-Net.
        group: Pattern that finds the group of a case in its id, or in the path of its image if ids alone do not tell.
            Slices of a volume get the group of the volume.
        group_table: Group by case, or a CSV file, see :func:`llmseg.data.groups.look_up_groups`.
        reading: How pixels are read, for the layout ``folder``. Of other pictures, whether several masks of an image
            are joined.
        progress: Whether to show progress bars.

    Returns:
        The store.

    Raises:
        UserError: The name is unknown; nothing of that layout is found; a file or archive is damaged or hostile;
            groups do not fit the cases, or the dataset knows its own; ``out`` exists and holds something else; another
            process is writing it; or the disk is full.

    Example:
        >>> store = prepare_dataset("hrf", "downloads/HRF", "hrf.h5")  # doctest: +SKIP
        >>> len(store.ids)  # doctest: +SKIP
        45
    """
    id, out = resolve_name(name), Path(out)
    if select not in ("all", "study"):
        raise UserError(f"select is '{select}'; it may be all or study")
    with open_tree(Path(root)) as files:
        try:
            dataset_files = find_cases(id, files, orientation, reading, label=label, channel=channel)
        except UserError as error:
            raise UserError(f"{root}: {error}{_propose_root(id, Path(root))}") from error
        dataset_files = regroup(dataset_files, group, group_table)
        case_files, notes = dataset_files.case_files, list(dataset_files.notes)
        if select == "study":
            if id not in dataset_names():
                raise UserError(f"the study took nothing of '{id}'; select all")
            case_files, note = select_study_cases(get_dataset(id), case_files, seed)
            notes.append(note)
        options: dict[str, Any] = {"select": select, "seed": seed, "orientation": orientation}
        options |= describe_groups(group, group_table)
        options |= {} if reading == DEFAULT else {"reading": _describe_reading(reading)}
        provenance = _describe_provenance(id, root, dataset_files, notes, **options)
        provenance["key"] = _digest_plan(case_files, _reading_rules(provenance))
        if out.exists():
            store = _open_earlier(out, provenance["key"])
            _clear_work(_choose_work(out))
            check_reading(store, progress=progress)
            return store
        rules = _reading_rules(provenance)
        passed = _choose_work(out) / f"checked-{_digest_plan(case_files, ['check', *rules])[:16]}.json"
        notes += check_once(id, dataset_files.judge, case_files, reading, passed, progress)
        provenance["notes"] = notes
        title = id if id in dataset_names() else Path(root).resolve().name
        store = _write_dataset(case_files, dataset_files, out, title, provenance, progress)
        check_reading(store, progress=progress)
        return store


def _describe_provenance(
    id: str, root: str | Path, dataset_files: DatasetFiles, notes: Sequence[str], **options: Any
) -> dict[str, Any]:
    entry = get_dataset(id) if id in dataset_names() else None
    return {
        "dataset": id,
        "root": Path(root).name,
        "layout": dataset_files.layout,
        "notes": list(notes),
        "options": options,
        "licence": asdict(entry.licence) if entry else None,
        "citation": entry.citation if entry else "",
        "official_cases": entry.cases if entry else None,
        "llmseg": __version__,
    }


def _describe_reading(reading: Reading) -> dict[str, Any]:
    # Fields that came later are left out if nothing is said, so that a store of an earlier version is known again.
    return {n: v for n, v in asdict(reading).items() if v is not None or n in ("foreground", "alpha")}


def _reading_rules(provenance: Mapping[str, Any]) -> list[str]:
    """Return what decides how files are read: dataset, layout, orientation, and how pixels are read if it was said."""
    options = provenance["options"]
    stated = [json.dumps(options["reading"], sort_keys=True)] if "reading" in options else []
    return [provenance["dataset"], provenance["layout"], options["orientation"], *stated]


def _digest_plan(case_files: Sequence[CaseFiles], rules: Sequence[str]) -> str:
    """Return a digest of what is going to be read, and how: names, sizes, groups, rules. No content is read for it."""
    facts = [[item.key, item.group, item.part, [[file.path, file.size] for file in item.files]] for item in case_files]
    return hashlib.sha256(json.dumps([facts, rules]).encode()).hexdigest()


def _open_earlier(out: Path, key: str) -> Hdf5Store:
    try:
        store = Hdf5Store(out)
    except UserError as error:
        raise UserError(f"{out} exists and is no store; choose another --out") from error
    if store.provenance.get("key") != key:
        raise UserError(f"{out} holds a store of other files or options; remove it or choose another --out")
    return store


def _write_dataset(
    case_files: Sequence[CaseFiles],
    dataset_files: DatasetFiles,
    out: Path,
    title: str,
    provenance: dict[str, Any],
    progress: bool,
) -> Hdf5Store:
    """Write shards, then join them into one file. Shards that an earlier call has finished are kept."""
    make_folder(out.parent)
    work = _choose_work(out)
    make_folder(work)
    try:
        with hold_lock(work / "lock", advice="choose another --out, on another disk"):
            clear_leftovers(work)
            clear_leftovers(out.parent, out.name)
            shards = list(_write_shards(case_files, work, _reading_rules(provenance), progress))
            store = write_store(out, title, _read_shards(shards, progress), provenance, dataset_files.unpaired)
    except Timeout:
        raise UserError(f"another process is writing {out}; wait for it or choose another --out") from None
    _clear_work(work)
    return store


def _choose_work(out: Path) -> Path:
    """Return the hidden folder of the shards of a store."""
    name = f".{out.name}.work"
    # File systems take names of 255 bytes.
    short = hashlib.sha256(name.encode()).hexdigest()[:16]
    return out.with_name(name if len(os.fsencode(name)) <= 255 else f".llmseg-{short}.work")


def _clear_work(work: Path) -> None:
    """Remove shards that nobody needs any more: the store is there. Other files in their folder are kept."""
    if not work.is_dir():
        return
    with suppress(Timeout, OSError, UserError), hold_lock(work / "lock", advice="remove it"):
        shards = [path.name for path in work.iterdir() if _SHARD.search(path.name)]
        clear_leftovers(work, *(name[1:].partition(".h5")[0] + ".h5" for name in shards))
        for name in filter(_SHARD.fullmatch, shards):
            (work / name).unlink()
        for path in work.glob("checked-*.json"):
            path.unlink()
        (work / "lock").unlink(missing_ok=True)
    # Only now, for a lock may have a file beside it. If another process has begun anew, the folder is not empty.
    with suppress(OSError):
        work.rmdir()


def _write_shards(case_files: Sequence[CaseFiles], work: Path, rules: Sequence[str], progress: bool) -> Iterator[Path]:
    with tqdm(total=len(case_files), desc="read", unit="file", disable=not progress) as bar:
        for start in range(0, len(case_files), _FILES_PER_SHARD):
            in_shard = case_files[start : start + _FILES_PER_SHARD]
            # The name says what is in it, so a shard of other files or rules is never taken for this one. A file that
            # exists is complete, for it appears as a whole.
            path = work / f"{start:07d}-{_digest_plan(in_shard, rules)[:16]}.h5"
            if not path.exists():
                write_store(path, path.stem, _read_cases(in_shard), {})
            bar.update(len(in_shard))
            yield path


def _read_cases(case_files: Sequence[CaseFiles]) -> Iterator[PackedCase]:
    def read(item: CaseFiles) -> list[PackedCase]:
        return [pack_case(case, item.group or case.id, item.part) for case in item.read()]

    return itertools.chain.from_iterable(map_ahead(read, case_files))


def _read_shards(shards: Sequence[Path], progress: bool) -> Iterator[PackedCase]:
    # Cases go from shard to store compressed as they are: joining costs as much as copying files.
    for path in tqdm(shards, desc="write", unit="shard", disable=not progress):
        shard = Hdf5Store(path)
        yield from map(shard.read_packed, shard.ids)


def _propose_root(id: str, root: Path) -> str:
    """Propose the folder above, if the folder of its images or masks was named alone."""
    above = root.absolute().parent
    inner = find_inner_folders(above) if id == "folder" and root.is_dir() else None
    if inner is None or root.absolute() not in inner:
        return ""
    return f"; did you mean --root {shlex.quote(str(root.parent if root.name else above))}?"
