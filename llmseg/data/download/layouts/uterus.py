"""UMD: sagittal MRI volumes of the uterus with labels, of which 3 is myoma, one folder per patient."""

from __future__ import annotations

import functools
import re
from collections import defaultdict

from llmseg.data.download.layouts.case_files import CaseFiles, DatasetFiles, Files
from llmseg.data.download.layouts.volumes import Orientation, cut_slices
from llmseg.data.download.tree import File
from llmseg.errors import UserError

MYOMA = 3
"""The label of myoma; 1 is the uterine wall, 2 the cavity, 4 a nabothian cyst."""

_IMAGE = re.compile(r".*_t2")
_LABELS = re.compile(r".*_se[gq]")  # some thirty label files are called _seq
_CONVERTED = re.compile(r"(.*)_t2_0000")


def find(files: Files, orientation: Orientation = "study") -> DatasetFiles:
    """Pair the volume and the labels of each patient's folder, or of the study's nnU-Net folder; patients are groups.

    Some names are wrong: label files called ``_seq``, a misspelt patient, ``.gz`` files that are not compressed. So the
    folder tells the patient, and the content whether a file is compressed.

    Args:
        files: All files.
        orientation: How slices lie in their picture.

    Raises:
        UserError: A folder has more than one volume or label file.
    """
    volumes = [file for file in files.values() if file.extension == ".nii"]
    converted = any("imagestr" in file.folders for file in volumes)
    pairs, unpaired = _pair_converted(volumes) if converted else _pair_by_patient(volumes)
    case_files = [
        CaseFiles(
            stem,
            (image, labels),
            functools.partial(cut_slices, image, labels, stem=stem, foreground=MYOMA, orientation=orientation),
            group=re.sub(r"^case_\d+_", "", stem),
        )
        for stem, (image, labels) in sorted(pairs.items())
    ]
    return DatasetFiles("UMD as nnU-Net folder" if converted else "UMD", tuple(case_files), tuple(unpaired))


def _pair_by_patient(volumes: list[File]) -> tuple[dict[str, tuple[File, File]], list[str]]:
    folders: dict[str, list[File]] = defaultdict(list)
    for file in volumes:
        folders[file.folder].append(file)
    pairs: dict[str, tuple[File, File]] = {}
    unpaired: list[str] = []
    for folder, members in folders.items():
        images = [file for file in members if _IMAGE.fullmatch(file.stem)]
        labels = [file for file in members if _LABELS.fullmatch(file.stem)]
        if len(images) > 1 or len(labels) > 1:
            many = images if len(images) > 1 else labels
            raise UserError(f"{many[0].path} and {many[1].path} are of one patient; move one of them away")
        if images and labels:
            patient = folder.rpartition("/")[2] if folder != "." else images[0].stem.removesuffix("_t2")
            other = pairs.setdefault(patient, (images[0], labels[0]))
            if other[0] is not images[0]:
                raise UserError(f"{other[0].path} and {images[0].path} are of one patient; move one of them away")
        else:
            unpaired += [file.path for file in members]
    return pairs, unpaired


def _pair_converted(volumes: list[File]) -> tuple[dict[str, tuple[File, File]], list[str]]:
    images = {
        match[1]: file for file in volumes if "imagestr" in file.folders and (match := _CONVERTED.fullmatch(file.stem))
    }
    labels = {file.stem.removesuffix("_t2"): file for file in volumes if "labelstr" in file.folders}
    pairs = {stem: (image, labels[stem]) for stem, image in images.items() if stem in labels}
    unpaired = [file.path for files in (images, labels) for stem, file in files.items() if stem not in pairs]
    return pairs, unpaired
