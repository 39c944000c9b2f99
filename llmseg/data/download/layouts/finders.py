"""Which module finds the cases of which dataset."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import get_args

from llmseg.data.catalog import dataset_names, get_dataset
from llmseg.data.download.layouts import bagls, brain, medsegbench, nnunet_raw, retina, skin, uterus
from llmseg.data.download.layouts.case_files import Files, Listing, Unit
from llmseg.data.download.layouts.pictures import find_folders
from llmseg.data.download.layouts.volumes import Orientation
from llmseg.errors import UserError, nearest

_OFFICIAL: Mapping[str, Callable[[Files], Listing]] = {
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

_GENERAL: Mapping[str, tuple[Callable[[Files], Listing], str]] = {
    "folder": (find_folders, "images/X.png and masks/X.png, or X.png and X_mask.png in one folder"),
    "nnunet": (nnunet_raw.find, "imagesTr/X_0000.png and labelsTr/X.png"),
    "medsegbench": (medsegbench.find, "one npz file with train_images, train_label, val_images ..."),
}

_FALLBACKS: Mapping[str, Callable[[Files], Listing]] = {
    "brain": functools.partial(find_folders, decode=brain.tumour, fit=True),
    "drive": lambda files: find_folders(retina.without_field_of_view(files)),
    "hrf": lambda files: find_folders(retina.without_field_of_view(files)),
}
"""What is tried where nothing has the official layout, if that is more than looking for folders."""

_VOLUMES = {"umd": uterus.find, "nnunet": nnunet_raw.find}


def source_id(name: str) -> str:
    """Return the id of a dataset of the catalogue, or of a general layout: ``folder``, ``nnunet``, ``medsegbench``.

    Raises:
        UserError: There is none of that name.
    """
    if name.lower() in _GENERAL:
        return name.lower()
    try:
        return get_dataset(name).id
    except UserError:
        known = (*dataset_names(), *_GENERAL)
        message = f"no dataset or layout '{name}'{nearest(name, known)}; known are {', '.join(known)}"
        raise UserError(message) from None


def find_cases(id: str, files: Files, orientation: Orientation = "study") -> Listing:
    """Find the cases of a dataset among its files.

    Where nothing has the official layout, folders called images and masks, or masks with a suffix, are taken instead,
    and a note says so.

    Args:
        id: As :func:`source_id` gives it.
        files: All files.
        orientation: How slices of volumes lie in their picture.

    Raises:
        UserError: Nothing is found, or the orientation is asked of a dataset of pictures.
    """
    if orientation not in get_args(Orientation):
        raise UserError(f"orientation is '{orientation}'; it may be {' or '.join(get_args(Orientation))}")
    finder = _OFFICIAL[id] if id in _OFFICIAL else _GENERAL[id][0]
    if id in _VOLUMES:
        finder = functools.partial(_VOLUMES[id], orientation=orientation)
    elif orientation != "study":
        raise UserError(f"--orientation is for volumes; {id} is a set of pictures")
    listing = finder(files)
    if listing.units or id not in _OFFICIAL:
        return _some(id, files, listing)
    general = _FALLBACKS.get(id, find_folders)(files)
    if not general.units:
        return _some(id, files, listing)
    note = f"the official layout of {id} was not found; {general.layout} instead"
    return _some(id, files, replace(general, notes=(*general.notes, note)))


def _check_keys(listing: Listing) -> None:
    first: dict[str, Unit] = {}
    for unit in listing.units:
        other = first.setdefault(unit.key, unit)
        if other is not unit:
            one, two = other.files[0].path, unit.files[0].path
            raise UserError(f"{one} and {two} are the same case, {unit.key}; move one of them away")


def _some(id: str, files: Files, listing: Listing) -> Listing:
    if listing.units:
        _check_keys(listing)
        return listing
    expected = "; ".join(get_dataset(id).layout) if id in _OFFICIAL else _GENERAL[id][1]
    alone = f", among them {listing.alone[0]} without its partner" if listing.alone else ""
    raise UserError(f"no case of {id} among {len(files)} files{alone}; expected are {expected}")
