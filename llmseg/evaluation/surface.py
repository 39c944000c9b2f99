"""Distances between the boundaries of two masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_CROSS = ndimage.generate_binary_structure(2, 1)


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances in pixels from each boundary pixel of one mask to the nearest of the other.

    Boundary pixels are those of a mask with a neighbour above, below, left or right that is not of it; what lies
    outside the image is not of it.

    Attributes:
        there: From the prediction to the reference, float64 ``[P]``.
        back: From the reference to the prediction, float64 ``[R]``.
    """

    there: np.ndarray
    back: np.ndarray

    @classmethod
    def of(cls, prediction: np.ndarray, reference: np.ndarray) -> SurfaceDistances:
        """Measure two masks, bool ``[H, W]``, neither of them empty.

        Example:
            >>> one, other = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
            >>> one[2, 2] = other[2, 6] = True
            >>> SurfaceDistances.of(one, other).hd95
            4.0
        """
        # Nothing outside the box that holds both masks is nearer than what is inside.
        box = ndimage.find_objects((prediction | reference).astype(np.uint8))[0]
        edges = [_boundary(mask[box]) for mask in (prediction, reference)]
        to_prediction, to_reference = (ndimage.distance_transform_edt(~edge) for edge in edges)
        return cls(to_reference[edges[0]], to_prediction[edges[1]])

    @property
    def hd95(self) -> float:
        """The larger of the two directions' 95th percentiles, linearly interpolated."""
        return float(max(np.percentile(self.there, 95), np.percentile(self.back, 95)))

    @property
    def assd(self) -> float:
        """The mean over the boundary pixels of both masks (average symmetric surface distance)."""
        return float(np.concatenate([self.there, self.back]).mean())

    def nsd(self, tolerance: float) -> float:
        """Return the share of boundary pixels of both masks within a tolerance (normalised surface distance).

        Source: S. Nikolov et al., J Med Internet Res 23 (2021) e26151; here every boundary pixel counts as one.

        Args:
            tolerance: In pixels.
        """
        return float((np.concatenate([self.there, self.back]) <= tolerance).mean())


def _boundary(mask: np.ndarray) -> np.ndarray:
    inner: np.ndarray = ndimage.binary_erosion(mask, _CROSS)
    edge: np.ndarray = mask & ~inner
    return edge
