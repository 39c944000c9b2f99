"""Volumes in NIfTI files as cases: one slice, one case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from llmseg.data.download.layouts.case_files import make_mask
from llmseg.data.download.tree import File
from llmseg.data.store import Case
from llmseg.errors import UserError

Orientation = Literal["study", "display"]
"""How slices lie in their picture: as the study cut them (the arrays' third axis, the other two as they are stored), or
for ``display`` as radiologists look at them (head up, the patient's right and front to the left)."""


def cut_slices(
    image: File, labels: File, *, stem: str, foreground: int | None, orientation: Orientation
) -> tuple[Case, ...]:
    """Cut a volume and its labels along the arrays' third axis.

    Intensities from the smallest to the largest of the whole volume become 0 to 255, fractions are cut off.

    Args:
        image: NIfTI file of the volume, compressed or not, whatever its name says.
        labels: NIfTI file of the labels. Its orientation and voxel size are not read: in some files they are wrong.
        stem: What the ids begin with; ``_slice000.png`` and so on follow.
        foreground: The label that is foreground; ``None`` takes all but 0.
        orientation: How slices lie in their picture.

    Raises:
        UserError: A file is damaged, or the shapes differ.
    """
    volume, affine = _read(image)
    labelled, _ = _read(labels)
    if volume.shape != labelled.shape:
        raise UserError(f"{labels.path} has the shape {labelled.shape}, {image.path} {volume.shape}; replace one")
    numbers = np.rint(labelled)
    mask = numbers != 0 if foreground is None else numbers == foreground
    pair = (volume, mask)
    if orientation == "display":
        _check_affine(affine, image)
        pair = (_turn_for_display(volume, affine), _turn_for_display(mask, affine))
    return tuple(
        Case(f"{stem}_slice{place:03d}.png", pixels, make_mask(inside))
        for place, (pixels, inside) in enumerate(zip(_scale_to_bytes(pair[0]), np.moveaxis(pair[1], 2, 0), strict=True))
    )


def _read(file: File) -> tuple[np.ndarray, np.ndarray]:
    """Return the array ``[I, J, K]`` of a NIfTI file in its own number type, and its affine ``[4, 4]``."""
    import nibabel

    try:
        content = nibabel.Nifti1Image.from_bytes(file.read_unpacked())
        array = np.asanyarray(content.dataobj)
    except UserError:
        raise
    except Exception as error:  # nibabel lets errors of many kinds through, some in several lines
        why = " ".join(str(error).split())
        raise UserError(f"{file.path} is no NIfTI volume or is damaged ({why}); download it again") from error
    array = array[:, :, None] if array.ndim == 2 else array
    if array.ndim != 3 or not array.size:
        raise UserError(f"{file.path} has the shape {array.shape}; a volume has three axes")
    if array.dtype.kind not in "iuf":
        raise UserError(f"{file.path} holds {array.dtype}; expected are numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"{file.path} holds values that are not finite; download it again")
    return array, content.affine


def _check_affine(affine: Any, file: File) -> None:
    if not (np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 0):
        raise UserError(f"{file.path} does not say how it lies in space; choose --orientation study")


def _scale_to_bytes(volume: np.ndarray) -> Iterator[np.ndarray]:
    low, high = float(volume.min()), float(volume.max())
    for pixels in np.moveaxis(volume, 2, 0):
        scaled = (pixels - low) / (high - low) * 255 if high > low else np.zeros(pixels.shape)
        yield scaled.astype(np.uint8)


def _turn_for_display(volume: np.ndarray, affine: Any) -> np.ndarray:
    """Turn the slices of ``[I, J, K]`` so that their rows go from head to foot, or from front to back."""
    from nibabel.orientations import apply_orientation, io_orientation

    axes = io_orientation(affine)  # type: ignore[no-untyped-call]
    in_order = apply_orientation(volume, axes)  # type: ignore[no-untyped-call]
    turned = np.moveaxis(in_order, int(axes[2, 0]), 2)
    # Now both picture axes grow towards right, front or head, in this order; pictures show the opposite.
    if axes[2, 1] < 0:
        turned = turned[:, :, ::-1]  # slices keep their numbers
    shown: np.ndarray = np.swapaxes(turned[::-1, ::-1], 0, 1)
    return shown
