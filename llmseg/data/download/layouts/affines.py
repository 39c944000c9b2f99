"""Whether labels lie where their image does, by the affines of both.

An *affine* is the 4 x 4 matrix of a NIfTI file that says where in the body its voxels lie.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_SAME = 0.5
"""Voxels by which labels may lie beside their image: less than what rounding them to the image's grid would move."""


def lay_like(labels: np.ndarray, affine: Any, shape: tuple[int, ...], image_affine: Any) -> np.ndarray | None:
    """Return labels with the axes of their image.

    The same voxels may be stored in another order: with axes reversed or exchanged. An affine that is the identity, or
    no affine at all, says nothing of where voxels lie; then labels are taken as they are stored.

    Args:
        labels: ``[I, J, K]``.
        affine: That of the labels, ``[4, 4]``.
        shape: Shape of the image.
        image_affine: Its affine.

    Returns:
        The labels; ``None`` if the affines say that they lie elsewhere than the image, or on another grid.

    Example:
        >>> straight, reversed_rows = np.diag([2, 2, 2, 1]), np.diag([-2, 2, 2, 1])
        >>> reversed_rows[0, 3] = 2
        >>> lay_like(np.arange(2).reshape(2, 1, 1), reversed_rows, (2, 1, 1), straight).ravel()
        array([1, 0])
    """
    if _says_nothing(affine) or _says_nothing(image_affine):
        return labels
    # From indices of the labels to indices of the image.
    step = np.linalg.solve(image_affine, affine)
    turn = np.rint(step[:3, :3])
    if not (np.abs(turn).sum(0) == 1).all() or not (np.abs(turn).sum(1) == 1).all():
        return None
    axes = [int(np.flatnonzero(row)[0]) for row in turn]
    if tuple(labels.shape[axis] for axis in axes) != shape:
        return None
    signs = [int(row.sum()) for row in turn]
    ends = np.array([0 if sign > 0 else length - 1 for sign, length in zip(signs, shape, strict=True)])
    corners = np.array(np.meshgrid(*([0, length - 1] for length in labels.shape))).reshape(3, -1)
    meant = turn @ corners + ends[:, None]
    if np.abs(step[:3, :3] @ corners + step[:3, 3:] - meant).max() > _SAME:
        return None
    turned: np.ndarray = labels.transpose(axes)[tuple(slice(None, None, sign) for sign in signs)]
    return turned


def _says_nothing(affine: Any) -> bool:
    """Return whether an affine is what tools write that know of no place: the identity, perhaps with other signs."""
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) == 0:
        return True
    return np.array_equal(np.abs(affine), np.eye(4))
