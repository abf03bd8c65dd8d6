"""Diameters, area and volume of a region (boolean array of shape ``(z, y, x)``, spacing ``(x, y, z)`` in mm)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from her2radiomics.core.libraries import scipy

Mask = NDArray[np.bool_]
Spacing = Sequence[float]


def volume_cm3(region: Mask, spacing: Spacing) -> float:
    """Volume: voxels × volume of a voxel."""
    return float(np.count_nonzero(region) * np.prod(spacing) / 1000.0)


def cross_section_cm2(region: Mask, spacing: Spacing) -> float:
    """Area of the region in the slice that holds most of it."""
    return float(np.count_nonzero(region, axis=(1, 2)).max() * spacing[0] * spacing[1] / 100.0)


def maximum_diameter_mm(region: Mask, spacing: Spacing) -> float:
    """Largest distance between two points of the region's surface.

    The surface lies half way between the centres of voxels inside and outside, as in the mesh of IBSI's maximum 3-D
    diameter; 0 for an empty region.
    """
    return _largest_distance(_surface(region, spacing, axes=(0, 1, 2)))


def slice_diameter_mm(region: Mask, spacing: Spacing) -> float:
    """The largest diameter of the slices, each by itself, with their outlines half way between voxel centres."""
    found = [0.0]
    for section in region:
        if section.any():
            found.append(_largest_distance(_surface(section[None], spacing, axes=(1, 2))[:, 1:]))
    return max(found)


def _surface(region: Mask, spacing: Spacing, axes: Sequence[int]) -> NDArray[np.float64]:
    """Points (z, y, x in mm) half way between each voxel of the region and its neighbours outside along some axes."""
    padded = np.pad(region, 1)
    steps = np.array(spacing[::-1], dtype=np.float64)
    points = []
    for axis in axes:
        for side in (-1, 1):
            # the neighbour on this side of each voxel
            border = padded & ~np.roll(padded, -side, axis=axis)
            index = np.argwhere(border).astype(np.float64)
            index[:, axis] += 0.5 * side
            points.append(index * steps)
    return np.concatenate(points)


def _largest_distance(points: NDArray[np.float64]) -> float:
    """Largest distance between two of the points; none has a distance of 0."""
    if not len(points):
        return 0.0
    corners = points[scipy.spatial.ConvexHull(points).vertices]
    return float(scipy.spatial.distance.pdist(corners).max())
