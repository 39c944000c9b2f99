"""Volumes in NIfTI files as cases: each slice is a case.

A NIfTI file holds an array of three axes and an *affine*, a 4 x 4 matrix that says where in the body its voxels lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from llmseg.data.depth import Depth, find_limits, scale_between
from llmseg.data.download.layouts.affines import lay_like
from llmseg.data.download.layouts.case_files import make_mask
from llmseg.data.download.tree import File
from llmseg.data.nifti import decode_nifti
from llmseg.data.store import Case
from llmseg.errors import UserError

Orientation = Literal["study", "display"]
"""How slices lie in their picture.

``study``: as the study cut them, along the array's third axis, the other two as they are stored; on the screen such a
slice lies on its side. ``display``: as radiologists look at them, head (or front) up, the patient's right (or front) to
the left.
"""


def cut_slices(
    image: File,
    labels: File,
    *,
    stem: str,
    foreground: int | Callable[[np.ndarray], np.ndarray] | None,
    orientation: Orientation,
    by_affine: bool = False,
    depth: Depth = None,
) -> tuple[Case, ...]:
    """Cut a volume and its labels along the arrays' third axis.

    Intensities, from the smallest to the largest of the whole volume, become 0 to 255; fractions are cut off. With a
    depth, they are scaled as it says.

    Args:
        image: NIfTI file of the volume, compressed or not, whatever its name says.
        labels: NIfTI file of the labels. Unless ``by_affine``, its affine is not read, for in some files it is wrong:
            the labels lie as the image does.
        stem: What the ids begin with. ``_slice000.png`` and so on follow.
        foreground: The label that is foreground, or a function that tells of an array of labels where it is.
            ``None`` takes all labels but 0.
        orientation: How slices lie in their picture.
        by_affine: Whether the affines of both files are compared, see
            :func:`llmseg.data.download.layouts.affines.lay_like`.
        depth: How intensities are scaled, see :mod:`llmseg.data.depth`; percentiles are those of the whole volume.

    Raises:
        UserError: Intensities are not what the depth says, a file is damaged, the shapes differ, labels lie elsewhere
            than their image, or the affine that ``display`` needs says nothing.
    """
    volume, affine = read_volume(image)
    labelled, label_affine = read_volume(labels)
    if by_affine and sorted(labelled.shape) == sorted(volume.shape):
        laid = lay_like(labelled, label_affine, volume.shape, affine)
        if laid is None:
            raise UserError(
                f"{labels.path} lies elsewhere than {image.path}, as their affines say: resample the labels to the "
                "grid of the image, or copy its affine if theirs is wrong"
            )
        labelled = laid
    if volume.shape != labelled.shape:
        raise UserError(f"{labels.path} has the shape {labelled.shape}, {image.path} {volume.shape}; replace one")
    volume, labelled, affine = _put_single_slice_last(volume, labelled, affine)
    # Labels may be stored as scaled numbers: 2.9999 is 3.
    rounded = np.rint(labelled)
    mask = _find_foreground(rounded, foreground)
    if orientation == "display":
        _check_affine(affine, image)
        volume, mask = _turn_for_display(volume, affine), _turn_for_display(mask, affine)
    slices = _scale_to_bytes(volume, depth, image.path)
    return tuple(
        Case(f"{stem}_slice{index:03d}.png", pixels, make_mask(inside))
        for index, (pixels, inside) in enumerate(zip(slices, np.moveaxis(mask, 2, 0), strict=True))
    )


def read_volume(file: File) -> tuple[np.ndarray, np.ndarray]:
    """Return the array ``[I, J, K]`` of a NIfTI file in its own number type, and its affine ``[4, 4]``.

    Raises:
        UserError: The file is damaged, is no volume, or holds colours or values that are not finite.
    """
    array, affine = decode_nifti(file.read_unpacked(), file.path, "download it again")
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]  # a series of one volume
    array = array[:, :, None] if array.ndim == 2 else array  # a volume of one slice
    if array.ndim != 3 or not array.size:
        raise UserError(f"{file.path} has the shape {array.shape}; a volume has three axes")
    if array.dtype.kind not in "iuf":
        raise UserError(f"{file.path} holds {array.dtype}; expected are numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(
            f"{file.path} holds values that are not finite (NaN or infinite), as some tools "
            "write outside the body; put numbers in their place"
        )
    return array, affine


def _find_foreground(labels: np.ndarray, foreground: int | Callable[[np.ndarray], np.ndarray] | None) -> np.ndarray:
    if callable(foreground):
        return foreground(labels)
    inside: np.ndarray = labels != 0 if foreground is None else labels == foreground
    return inside


def _put_single_slice_last(volume: np.ndarray, labels: np.ndarray, affine: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """Move the axis of a single slice to the end: cut along the third axis, the slice would fall into rows."""
    if volume.shape[:2].count(1) != 1 or volume.shape[2] == 1:
        return volume, labels, affine
    axis = volume.shape.index(1)
    others = [other for other in range(3) if other != axis]
    return np.moveaxis(volume, axis, 2), np.moveaxis(labels, axis, 2), affine[:, [*others, axis, 3]]


def _check_affine(affine: Any, file: File) -> None:
    # A determinant of 0: two axes of the array would run along one direction of the body, or one along none.
    if not (np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 0):
        raise UserError(f"{file.path} does not say how it lies in space; choose --orientation study")


def _scale_to_bytes(volume: np.ndarray, depth: Depth, name: str) -> Iterator[np.ndarray]:
    """Yield the slices of ``[I, J, K]`` as uint8 ``[I, J]``, one by one: a whole volume in float64 would be large."""
    if depth is not None:
        limits = find_limits(volume, depth, name)
        yield from (scale_between(pixels, *limits) for pixels in np.moveaxis(volume, 2, 0))
        return
    low, high = float(volume.min()), float(volume.max())
    for pixels in np.moveaxis(volume, 2, 0):
        scaled = (pixels - low) / (high - low) * 255 if high > low else np.zeros(pixels.shape)
        yield scaled.astype(np.uint8)


def _turn_for_display(volume: np.ndarray, affine: Any) -> np.ndarray:
    """Turn the slices of ``[I, J, K]`` so that their rows go from head to foot, or from front to back.

    The axis along which slices are cut stays the third, and slices keep their numbers.
    """
    from nibabel.orientations import apply_orientation, io_orientation

    # Row k of ``axes`` tells along which axis of the body (0 right, 1 front, 2 head) axis k of the array runs, and
    # whether forwards (1) or backwards (-1). An oblique volume counts as the nearest straight one.
    axes = io_orientation(affine)  # type: ignore[no-untyped-call]
    # The array's axes now run to the right, to the front and to the head, in this order, all forwards.
    in_body_order = apply_orientation(volume, axes)  # type: ignore[no-untyped-call]
    # What was the third axis goes back to its place, and to its direction: slices keep their numbers.
    turned = np.moveaxis(in_body_order, int(axes[2, 0]), 2)
    if axes[2, 1] < 0:
        turned = turned[:, :, ::-1]
    # The other two grow towards right, front or head. A picture begins with the head (or front) at its top and with the
    # patient's right (or front) at its left, so both are reversed. The later of the two becomes the vertical one.
    picture: np.ndarray = np.swapaxes(turned[::-1, ::-1], 0, 1)
    return picture
