"""How a picture was rotated, scaled, sheared and moved, as augmentation does it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Warp = tuple[float, ...]
"""Two rows of an affine map: which place of the case, x and y from 0 to 1, each place of the picture shows."""

Array = NDArray[np.float64]

ANGLES = tuple(range(-40, 46, 5))
"""Degrees. Together with the eight ways up, every rotation lies next to one of these."""

_BORDER = 2
"""Pixels at the border of a case that do not count: there, a picture is mixed with what fills it up."""

_ROUNDS = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-5
_LEAST_SCALE, _LARGEST_SCALE, _LEAST_COVER = 0.6, 1.6, 0.5
_SLIGHT = 0.05


def rotate(degrees: float) -> Warp:
    """Return the warp of a square picture that shows a case rotated about its middle, counterclockwise."""
    return invert(tuple(cv2.getRotationMatrix2D((0.5, 0.5), degrees, 1.0).ravel()))


def invert(warp: Warp) -> Warp:
    """Return the warp that undoes another one."""
    return tuple(float(number) for number in cv2.invertAffineTransform(np.reshape(warp, (2, 3))).ravel())


def apply_warp(warp: Warp, case: Array) -> Array:
    """Return the square picture ``[S, S]`` that shows a case ``[S, S]`` warped; 0 where it shows nothing of it."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(case, _to_pixels(warp, len(case)), case.shape, flags=flags))


def fit_warp(picture: Array, case: Array, guess: Warp) -> tuple[float, Warp]:
    """Return how alike a picture and a warped case are at best, from -1 to 1, and the warp; -1 if none is found.

    The picture may have any brightness and contrast. The warp is found by enhanced correlation (Evangelidis and
    Psarakis, 2008, doi:10.1109/TPAMI.2008.113), as OpenCV computes it.

    Args:
        picture: ``[S, S]``.
        case: ``[S, S]``.
        guess: Where the search begins.
    """
    start = _to_pixels(guess, len(case)).astype(np.float32)
    inner = np.zeros(case.shape, np.uint8)
    inner[_BORDER:-_BORDER, _BORDER:-_BORDER] = 1
    pictures = picture.astype(np.float32), case.astype(np.float32)
    try:
        likeness, found = cv2.findTransformECC(*pictures, start, cv2.MOTION_AFFINE, _ROUNDS, inner, 3)
    except cv2.error:  # it does not converge
        return -1.0, guess
    warp = _to_places(np.asarray(found, np.float64), len(case))
    scales = np.linalg.svd(found[:, :2], compute_uv=False)
    covered = float((apply_warp(warp, np.ones(case.shape)) > 0.5).mean())
    is_usual = scales.min() > _LEAST_SCALE and scales.max() < _LARGEST_SCALE and covered > _LEAST_COVER
    return (float(likeness), warp) if is_usual else (-1.0, guess)


def is_slight(warp: Warp) -> bool:
    """Return whether no corner of a picture is moved by more than a twentieth of its side."""
    corners = np.array([(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)], float)
    return bool(np.abs(corners @ np.reshape(warp, (2, 3)).T - corners[:, :2]).max() < _SLIGHT)


def tell_degrees(warp: Warp | None) -> float:
    """Return by how many degrees a case was rotated, counterclockwise."""
    return 0.0 if warp is None else float(np.degrees(np.arctan2(warp[3], warp[0])))


def _to_pixels(warp: Warp, side: int) -> Array:
    """Return the matrix that maps numbers of pixels, whose middles lie half a pixel further on."""
    matrix = np.reshape(warp, (2, 3)).astype(np.float64)
    matrix[:, 2] = matrix[:, 2] * side + 0.5 * matrix[:, :2].sum(axis=1) - 0.5
    return matrix


def _to_places(matrix: Array, side: int) -> Warp:
    """Return the warp of a matrix that maps numbers of pixels."""
    moved = (matrix[:, 2] - 0.5 * matrix[:, :2].sum(axis=1) + 0.5) / side
    return tuple(float(number) for number in np.column_stack([matrix[:, :2], moved]).ravel())
