"""Boxes of voxels, and the cutting of images to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk


@dataclass(frozen=True)
class Box:
    """Voxels ``low`` to ``high`` (exclusive) along x, y, z."""

    low: tuple[int, int, int]
    high: tuple[int, int, int]

    def padded(self, margin: tuple[int, ...], size: tuple[int, ...]) -> Box:
        """Widen by ``margin`` voxels along each axis, within an image of ``size``."""
        low = tuple(max(0, a - m) for a, m in zip(self.low, margin, strict=True))
        high = tuple(min(s, b + m) for b, m, s in zip(self.high, margin, size, strict=True))
        return Box(low, high)  # type: ignore[arg-type]

    def within(self, outer: Box) -> Box:
        """The same voxels counted from the corner of ``outer``."""
        low = tuple(a - o for a, o in zip(self.low, outer.low, strict=True))
        high = tuple(b - o for b, o in zip(self.high, outer.low, strict=True))
        return Box(low, high)  # type: ignore[arg-type]

    @property
    def slices(self) -> tuple[slice, ...]:
        """The same voxels of an array (z, y, x)."""
        return tuple(slice(a, b) for a, b in zip(self.low[::-1], self.high[::-1], strict=True))

    def cut(self, image: sitk.Image) -> sitk.Image:
        """The image's voxels in the box, with the geometry that goes with them."""
        size = [b - a for a, b in zip(self.low, self.high, strict=True)]
        return sitk.RegionOfInterest(image, size, list(self.low))


def bounding_box(mask: sitk.Image) -> Box:
    """The smallest box that holds every non-zero voxel; a mask without one is a :class:`CaseError`."""
    voxels = sitk.GetArrayViewFromImage(mask)
    planes = np.flatnonzero(voxels.any(axis=(1, 2)))
    if not planes.size:
        raise CaseError(
            found="an empty region", expected="a region with voxels", remedy="Look at the overlay of this region."
        )
    low, high = [int(planes[0])], [int(planes[-1]) + 1]
    within = voxels[low[0] : high[0]]
    for axis in (1, 2):
        hits = np.flatnonzero(within.any(axis=(0, 3 - axis)))
        low.append(int(hits[0]))
        high.append(int(hits[-1]) + 1)
    return Box(tuple(reversed(low)), tuple(reversed(high)))  # type: ignore[arg-type]
