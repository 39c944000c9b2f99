"""Which module finds the cases of which dataset, and what is tried if nothing has the official layout."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import get_args

from llmseg.data.catalog import dataset_names, get_dataset
from llmseg.data.download.layouts import bagls, brain, medsegbench, nnunet_raw, retina, skin, uterus
from llmseg.data.download.layouts.case_files import CaseFiles, DatasetFiles, Files
from llmseg.data.download.layouts.pictures import find_folders
from llmseg.data.download.layouts.volumes import Orientation
from llmseg.data.reading import DEFAULT, Reading
from llmseg.errors import UserError, nearest

_OFFICIAL: Mapping[str, Callable[..., DatasetFiles]] = {
    "bagls": bagls.find,
    "bolus": find_folders,
    "brain": brain.find,
    "ham10000": skin.find,
    "umd": uterus.find,
    "retina": retina.find_combined,
    "drive": retina.find_drive,
    "stare": retina.find_stare,
    "chase_db1": retina.find_chase,
    "hrf": retina.find_hrf,
}

_GENERAL: Mapping[str, tuple[Callable[..., DatasetFiles], str]] = {
    "folder": (
        find_folders,
        "images/X.png and masks/X.png, or X.png and X_mask.png in one folder or in one per case",
    ),
    "nnunet": (nnunet_raw.find, "imagesTr/X_0000.png and labelsTr/X.png"),
    "medsegbench": (medsegbench.find, "one npz file with train_images, train_label, val_images ..."),
}

_FALLBACKS: Mapping[str, Callable[..., DatasetFiles]] = {
    "brain": functools.partial(find_folders, decode=brain.read_tumour_mask, resize_masks=True),
    "drive": retina.find_folders_of_vessels,
    "hrf": retina.find_folders_of_vessels,
}
"""What is tried instead of the official layout, for datasets whose copies need more than :func:`find_folders`."""

_VOLUMES = {"umd": uterus.find, "nnunet": nnunet_raw.find}


def resolve_name(name: str) -> str:
    """Return the id of a dataset of the catalogue, or of a general layout: ``folder``, ``nnunet``, ``medsegbench``.

    Raises:
        UserError: There is none of that name.
    """
    if name.lower() in _GENERAL:
        return name.lower()
    try:
        return get_dataset(name).id
    except UserError:
        names = (*dataset_names(), *_GENERAL)
        message = f"no dataset or layout '{name}'{nearest(name, names)}; known are {', '.join(names)}"
        raise UserError(message) from None


def find_cases(
    id: str,
    files: Files,
    orientation: Orientation = "study",
    reading: Reading = DEFAULT,
    *,
    label: str | None = None,
    channel: int | None = None,
) -> DatasetFiles:
    """Find the cases of a dataset among its files.

    Many download a copy that somebody has put into folders called images and masks. If nothing has the official layout,
    such folders are taken, or one folder whose masks have a suffix, and a note says so.

    Args:
        id: As :func:`resolve_name` gives it.
        files: All files.
        orientation: How slices of volumes lie in their picture.
        reading: How pixels are read, for the layout ``folder``; its depth, for ``nnunet``; whether several masks of an
            image are joined, for all pictures but those of ``nnunet``.
        label: Name or number of the label that is foreground, of ``nnunet``.
        channel: Number of the channel that is read, of ``nnunet``.

    Raises:
        UserError: Nothing is found, two files are the same case, an orientation is asked of a dataset of pictures, or
            a reading of a dataset that is read as it is published.
    """
    if orientation not in get_args(Orientation):
        raise UserError(f"orientation is '{orientation}'; it may be {' or '.join(get_args(Orientation))}")
    finder: Callable[..., DatasetFiles] = _OFFICIAL[id] if id in _OFFICIAL else _GENERAL[id][0]
    _check_reading(id, reading)
    if id == "folder" or (id in _OFFICIAL and id not in _VOLUMES):
        finder = functools.partial(finder, reading=reading)
    if id in _VOLUMES:
        finder = functools.partial(_VOLUMES[id], orientation=orientation)
    elif orientation != "study":
        raise UserError(f"--orientation is for volumes; {id} is a set of pictures")
    if id == "nnunet":
        finder = functools.partial(finder, label=label, channel=channel, reading=reading)
    elif label is not None or channel is not None:
        raise UserError(f"--label and --channel are for the layout nnunet; {id} has neither")
    dataset_files = finder(files)
    if dataset_files.case_files or id not in _OFFICIAL:
        return _check_found(id, files, dataset_files)
    fallback: Callable[..., DatasetFiles] = _FALLBACKS.get(id, find_folders)
    general = fallback(files, reading=reading)
    if not general.case_files:
        return _check_found(id, files, dataset_files)
    note = f"the official layout of {id} was not found; {general.layout} instead"
    return _check_found(id, files, replace(general, notes=(*general.notes, note)))


def _check_reading(id: str, reading: Reading) -> None:
    """Refuse what is said of pixels and masks where a dataset is read as it is published."""
    if id == "folder":
        return
    if reading.several_masks is not None and (id in _VOLUMES or id not in _OFFICIAL):
        raise UserError(f"--several-masks is for pictures; {id} has one file of labels for each image")
    if replace(reading, depth=None, several_masks=None) != DEFAULT or (reading.depth is not None and id != "nnunet"):
        raise UserError(
            f"{id} is read as it is published; --foreground and other options for pixels are for data prepare folder, "
            "--depth for data prepare nnunet, too"
        )


def _check_keys(dataset_files: DatasetFiles) -> None:
    first: dict[str, CaseFiles] = {}
    for case in dataset_files.case_files:
        other = first.setdefault(case.key, case)
        if other is not case:
            paths = f"{other.files[0].path} and {case.files[0].path}"
            raise UserError(f"{paths} are the same case, {case.key}; move one of them away")


def _check_found(id: str, files: Files, dataset_files: DatasetFiles) -> DatasetFiles:
    if dataset_files.case_files:
        _check_keys(dataset_files)
        return dataset_files
    expected = "; ".join(get_dataset(id).layout) if id in _OFFICIAL else _GENERAL[id][1]
    unpaired = f", among them {dataset_files.unpaired[0]} without its partner" if dataset_files.unpaired else ""
    raise UserError(f"no case of {id} among {len(files)} files{unpaired}; expected are {expected}")
