"""nnU-Net's summary of its own masks, and whether the same Dice follows from the masks."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llmseg.data.download.tree import File
from llmseg.data.nifti import decode_nifti
from llmseg.data.pixels import decode_labels
from llmseg.data.read_ahead import map_ahead
from llmseg.data.store import FOREGROUND, Store
from llmseg.errors import UserError
from llmseg.evaluation.conventions import NNUNET
from llmseg.evaluation.measures import Counts
from llmseg.files import read_bytes, read_json_if_any

ENDINGS = (".png", ".bmp", ".tif", ".nii.gz")
"""Endings of the mask files of nnU-Net that can be read here: images, and volumes of one slice."""


@dataclass(frozen=True)
class Summary:
    """The ``summary.json`` of a fold.

    Attributes:
        dice: nnU-Net's ``foreground_mean`` of Dice.
        label: The foreground label; there is only one.
        counts: True and false, positive and negative pixels of every case that nnU-Net has scored, by the name of its
            file. The order is nnU-Net's, as the last bit of a mean depends on it.
    """

    dice: float
    label: int
    counts: Mapping[str, Counts]

    @classmethod
    def read(cls, path: Path) -> Summary:
        """Read the file.

        Raises:
            UserError: There is none, or it is damaged, or it has several foreground labels.
        """
        content = read_json_if_any(path)
        try:
            labels = list(content["mean"])
            if len(labels) != 1 or len(re.findall(r"\d+", labels[0])) != 1:
                raise UserError(
                    f"{path} has the foreground labels {', '.join(labels)}; results with a single one can be imported"
                )
            counts = {
                _case_name(case["prediction_file"]): Counts(
                    *(int(case["metrics"][labels[0]][count]) for count in ("TP", "FP", "FN", "TN"))
                )
                for case in content["metric_per_case"]
            }
            dice = content["foreground_mean"]["Dice"]
            return cls(math.nan if dice is None else float(dice), int(re.findall(r"\d+", labels[0])[0]), counts)
        except (KeyError, TypeError, AttributeError) as error:
            what = "is no summary of nnU-Net" if path.is_file() else "is not there"
            raise UserError(f"{path} {what}; give a fold's folder whose validation has ended") from error


def check_version(fold: Path) -> None:
    """Refuse a fold of nnU-Net version 1, which keeps less in its summary than is needed to compute its Dice again.

    Raises:
        UserError: It is of version 1.
    """
    for folder in (fold / "validation", fold / "validation_raw", fold / "validation_raw_postprocessed"):
        if "results" in read_json_if_any(folder / "summary.json"):
            raise UserError(
                f"{folder / 'summary.json'} is of nnU-Net version 1; only summaries of version 2 can be imported. "
                f"Score its masks by: llmseg evaluate {folder} --predicted-foreground 1"
            )


def read_labels(path: Path, label: int) -> np.ndarray:
    """Read a mask of nnU-Net as bool ``[H, W]``.

    Args:
        path: An image, or a NIfTI file of one slice, whose first axis is then the image's width, as nnU-Net writes it.
        label: What means foreground.

    Raises:
        UserError: It cannot be read, or has other values than 0 and the label.
    """
    values = (
        _slice(path)
        if path.name.endswith(".nii.gz")
        else decode_labels(read_bytes(path, hint="it belongs to nnU-Net's results"), str(path))
    )
    others = np.setdiff1d(np.unique(values), [0, label])
    if len(others):
        listed = ", ".join(f"{value:g}" for value in others[:5])
        raise UserError(f"the mask {path} has values {listed}; allowed are 0 and nnU-Net's foreground label {label}")
    return np.asarray(values == label)


def reproduce_dice(summary: Summary, masks: Mapping[str, np.ndarray], store: Store, ids: Mapping[str, str]) -> float:
    """Compute nnU-Net's mean Dice again from its masks and the store, by nnU-Net's own rule.

    Args:
        summary: nnU-Net's summary.
        masks: bool ``[H, W]`` by the name of its file, for every case of the summary.
        store: The cases.
        ids: Id of the case by the name of its file.

    Returns:
        The mean Dice, not-a-number where no case has foreground.

    Raises:
        UserError: It is not exactly that of the summary. The message names the first case that differs.
    """

    def count(name: str) -> Counts:
        reference = store.read(ids[name]).mask > FOREGROUND
        if reference.shape != masks[name].shape:
            raise UserError(
                f"nnU-Net's mask {name} is {_size(masks[name])}, the case '{ids[name]}' {_size(reference)} "
                "(width x height); give the store that was converted"
            )
        return Counts.of(masks[name], reference)

    names = tuple(summary.counts)
    counts = dict(zip(names, map_ahead(count, names), strict=True))
    # nnU-Net takes the mean with numpy.nanmean, which puts zeros in the place of cases that are left out. Without them,
    # the others would be added up in another order, and the last bit could differ. NNUNET.mean does the same.
    dice = NNUNET.mean(tuple(counts.values()))
    if dice == summary.dice or (math.isnan(dice) and math.isnan(summary.dice)):
        return dice
    differing = [name for name in names if counts[name] != summary.counts[name]]
    where = (
        f"{len(differing)} of {len(names)} cases differ, first '{differing[0]}'" if differing else "its cases do not"
    )
    raise UserError(
        f"nnU-Net's mean Dice of {summary.dice!r} is {dice!r} by its masks and this store ({where}); "
        "give the store that was converted, and the masks that were scored"
    )


def _size(mask: np.ndarray) -> str:
    return f"{mask.shape[1]}x{mask.shape[0]}"


def _case_name(file: str) -> str:
    """Return the name of a case from a path, which Windows may have written."""
    return strip_ending(re.split(r"[/\\]", file)[-1])


def strip_ending(file: str) -> str:
    """Return the name of a mask file without its ending.

    Example:
        >>> strip_ending("case_1.nii.gz"), strip_ending("a.b.png")
        ('case_1', 'a.b')
    """
    ending = next((ending for ending in ENDINGS if file.endswith(ending)), "")
    return file[: len(file) - len(ending)]


def _slice(path: Path) -> np.ndarray:
    advice = "it belongs to nnU-Net's results"
    file = File(str(path), 0, lambda: read_bytes(path, hint=advice))
    values = decode_nifti(file.read_unpacked(), str(path), advice)[0].squeeze()
    if values.ndim != 2:
        raise UserError(f"{path} has the shape {values.shape}; only masks of two dimensions can be imported")
    # nnU-Net writes the columns of an image along the first axis.
    turned: np.ndarray = values.T
    return turned
