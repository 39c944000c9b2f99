"""Distances between the boundaries of two masks, from which HD95, ASSD and NSD follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_CROSS = ndimage.generate_binary_structure(2, 1)
"""A pixel and its four neighbours."""


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances in pixels from each boundary pixel of one mask to the nearest of the other.

    A boundary pixel is a pixel of the mask with a neighbour above, below, left or right that is not in the mask. What
    lies outside the image is not in the mask.

    Attributes:
        to_reference: From each boundary pixel of the prediction, float64 ``[P]``.
        to_prediction: From each boundary pixel of the reference, float64 ``[R]``.
    """

    to_reference: np.ndarray
    to_prediction: np.ndarray

    @classmethod
    def of(cls, prediction: np.ndarray, reference: np.ndarray) -> SurfaceDistances:
        """Measure two masks, bool ``[H, W]``, neither of them empty.

        Example:
            >>> prediction, reference = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
            >>> prediction[2, 2] = reference[2, 6] = True
            >>> SurfaceDistances.of(prediction, reference).hd95
            4.0
        """
        # For speed, only the box around both masks is looked at. It has all boundary pixels, so no distance changes.
        box = ndimage.find_objects((prediction | reference).astype(np.uint8))[0]
        edges = [_find_boundary(mask[box]) for mask in (prediction, reference)]
        to_prediction, to_reference = (ndimage.distance_transform_edt(~edge) for edge in edges)  # maps [H, W]
        return cls(to_reference[edges[0]], to_prediction[edges[1]])

    @property
    def hd95(self) -> float:
        """The 95th percentile of the distances (linearly interpolated), in the direction in which it is larger."""
        return float(max(np.percentile(self.to_reference, 95), np.percentile(self.to_prediction, 95)))

    @property
    def assd(self) -> float:
        """The mean over the boundary pixels of both masks (average symmetric surface distance)."""
        return float(np.concatenate([self.to_reference, self.to_prediction]).mean())

    def nsd(self, tolerance: float) -> float:
        """Return the share of boundary pixels of both masks within a tolerance (normalised surface distance).

        Source: S. Nikolov et al., J Med Internet Res 23 (2021) e26151; here every boundary pixel has the weight 1.

        Args:
            tolerance: In pixels.
        """
        return float((np.concatenate([self.to_reference, self.to_prediction]) <= tolerance).mean())


def _find_boundary(mask: np.ndarray) -> np.ndarray:
    inner: np.ndarray = ndimage.binary_erosion(mask, _CROSS)
    edge: np.ndarray = mask & ~inner
    return edge
