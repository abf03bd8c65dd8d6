"""Regions of interest made from the tumour mask, in millimetres.

``tumour_volume``
    the whole mask, all its components.
``tumour_slice``
    the slice (across the acquisition's through-plane axis, index 2 of the image: the axial slice of an axial
    acquisition) that holds the most tumour voxels; of equal slices the lowest index. Where another sequence decides
    (:func:`level_of`), the outlined slice nearest to the level of its largest slice.
``ring_<r>mm_volume``
    the voxels whose centre lies within r mm of a tumour voxel's centre, outside the tumour, inside the image
    and, where a breast mask is given, inside the breast.
``ring_<r>mm_slice``
    the same within the slice of ``tumour_slice``, measured in its plane.

Distances are physical: a 3 mm ring is as wide across slices as in them, whatever the voxel spacing. A mask
with several components gives one ring around all of them; a ring that the image border cuts stays cut.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.boxes import bounding_box

#: What a mask of the manifest outlines.
TUMOUR, BREAST = "tumour", "breast"
PARALLEL = math.cos(math.radians(15))
DISTANCE_TOLERANCE = 1e-4  # mm: five voxels of a float32 header's 0.6 mm are 3.0000001 mm
_NAME = re.compile(r"(?:(?P<tumour>tumour)|ring_(?P<radius>\d+(?:\.\d+)?)mm)_(?P<extent>volume|slice)")


@dataclass(frozen=True)
class Region:
    """A region of interest: what it is made from and whether it is a volume or one slice."""

    name: str
    kind: Literal["tumour", "ring"]
    extent: Literal["volume", "slice"]
    radius_mm: float | None = None


def parse_region(name: str) -> Region:
    """Read a region's name.

    Parameters
    ----------
    name
        ``tumour_volume``, ``tumour_slice``, ``ring_<r>mm_volume`` or ``ring_<r>mm_slice``.

    Raises
    ------
    SettingsError
        For any other name, and for a ring of 0 mm.
    """
    match = _NAME.fullmatch(name)
    radius = float(match["radius"]) if match and match["radius"] else None
    if match is None or radius == 0:
        raise SettingsError(
            f"found the region '{name}'; expected tumour_volume, tumour_slice, ring_<r>mm_volume or "
            "ring_<r>mm_slice with r > 0 (as in ring_3mm_volume). Correct the region's name in the protocol."
        )
    kind: Literal["tumour", "ring"] = "tumour" if match["tumour"] else "ring"
    extent: Literal["volume", "slice"] = "volume" if match["extent"] == "volume" else "slice"
    return Region(name, kind, extent, radius)


def level_of(mask: sitk.Image, other: sitk.Image) -> tuple[int, str]:
    """The outlined slice of a mask at the level of another sequence's largest slice, by physical position.

    The level is the middle of the other mask's largest slice.

    Parameters
    ----------
    mask, other
        Tumour masks of two sequences of one patient, each on its own grid; neither is empty.

    Returns
    -------
    index
        Of the outlined slice of ``mask`` nearest to that level.
    note
        What the mask's reader is to be told where ``mask`` has no outline at that level; else empty.

    Raises
    ------
    CaseError
        The slices of the two sequences are not parallel (more than 15° apart).
    """
    across = [np.reshape(image.GetDirection(), (3, 3))[:, 2] for image in (mask, other)]
    if abs(float(across[0] @ across[1])) < PARALLEL:
        raise CaseError(
            found="slices that are not parallel to those of the sequence whose level they should have",
            expected="slices at most 15° apart",
            remedy="Choose another sequence in slice_of, or leave it out.",
        )
    drawn = sitk.GetArrayViewFromImage(other) != 0
    largest = int(np.count_nonzero(drawn, axis=(1, 2)).argmax())
    rows, columns = np.nonzero(drawn[largest])
    middle = (float(columns.mean()), float(rows.mean()), float(largest))
    point = other.TransformContinuousIndexToPhysicalPoint(middle)
    level = mask.TransformPhysicalPointToContinuousIndex(point)[2]
    outlined = np.flatnonzero((sitk.GetArrayViewFromImage(mask) != 0).any(axis=(1, 2)))
    index = int(outlined[np.abs(outlined - level).argmin()])
    gap = abs(index - level) * mask.GetSpacing()[2]
    far = gap > mask.GetSpacing()[2] / 2 + DISTANCE_TOLERANCE
    return index, f"the nearest outlined slice lies {gap:.1f} mm from the level asked for" if far else ""


def make_region(mask: sitk.Image, name: str, breast: sitk.Image | None = None, level: int | None = None) -> sitk.Image:
    """Make a region of interest from a tumour mask.

    Parameters
    ----------
    mask
        Tumour mask; every non-zero voxel is tumour. Shape ``(x, y, z)``, z across the slices.
    name
        The region's name, see :func:`parse_region`.
    breast
        Breast mask on the same grid; limits a ring, never the tumour.
    level
        Index of the slice of the ``_slice`` regions; without it the largest.

    Returns
    -------
    SimpleITK.Image
        The region as 0 and 1 (8 bit) on the mask's grid.

    Raises
    ------
    CaseError
        When the mask is empty, has one slice where a volume is asked for, or leaves no voxel for the ring.
    """
    region = parse_region(name)
    drawn = sitk.GetArrayViewFromImage(mask)
    try:
        box = bounding_box(mask)
    except CaseError:
        raise CaseError(
            found="an empty mask", expected="a tumour outline", remedy="Outline the tumour.", region=region.name
        ) from None
    reach = [math.ceil((region.radius_mm or 0) / step) for step in mask.GetSpacing()]
    around = box.padded(tuple(reach), mask.GetSize())
    inside = None if breast is None else sitk.GetArrayViewFromImage(breast)[around.slices] != 0
    voxels = np.zeros(drawn.shape, np.uint8)
    voxels[around.slices] = _region_voxels(
        drawn[around.slices] != 0, mask.GetSpacing(), region, inside, level, first=around.low[2]
    )
    image = sitk.GetImageFromArray(voxels)
    image.CopyInformation(mask)
    return image


def _region_voxels(
    tumour: np.ndarray,
    spacing: tuple[float, float, float],
    region: Region,
    breast: np.ndarray | None,
    level: int | None,
    first: int,
) -> np.ndarray:
    """The boolean region, ``(z, y, x)`` as ``tumour`` from slice ``first`` on; ``spacing`` is ``(x, y, z)`` in mm."""
    areas = np.count_nonzero(tumour, axis=(1, 2))
    if region.extent == "volume" and np.count_nonzero(areas) == 1:
        raise CaseError(
            found=f"a mask of one slice (index {first + int(areas.argmax())})",
            expected="a mask of several slices, since the protocol's region is a volume",
            remedy="Outline the tumour on every slice, or choose the region's _slice form in the protocol.",
            region=region.name,
        )
    core = tumour
    if region.extent == "slice":
        core = np.zeros_like(tumour)
        index = areas.argmax() if level is None else level - first
        core[index] = tumour[index]
    if region.radius_mm is None:
        return core
    ring = _within(core, spacing, region.radius_mm, flat=region.extent == "slice")
    ring &= ~tumour
    if breast is not None:
        ring &= breast
    if not ring.any():
        raise CaseError(
            found=f"no voxel of image and breast within {region.radius_mm:g} mm outside the tumour",
            expected="at least one",
            remedy="Check the breast mask and that the tumour does not fill the image, or widen the ring.",
            region=region.name,
        )
    return ring


def _within(core: np.ndarray, spacing: tuple[float, float, float], radius: float, flat: bool) -> np.ndarray:
    """Voxels within ``radius`` mm of ``core``, found on its bounding box widened by the radius.

    Distances by Maurer's exact Euclidean transform, as ITK has it: SimpleITK is loaded already, SciPy is
    not.
    """
    box = []
    for axis, step in enumerate(reversed(spacing)):
        others = tuple(other for other in range(3) if other != axis)
        hits = np.flatnonzero(core.any(axis=others))
        margin = 0 if flat and axis == 0 else math.ceil(radius / step)
        box.append(slice(max(0, int(hits[0]) - margin), int(hits[-1]) + margin + 1))
    crop = tuple(box)
    binary = sitk.GetImageFromArray(core[crop].astype(np.uint8))
    binary.SetSpacing(spacing)
    distance = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(binary, False, False, True))
    near = np.zeros_like(core)
    near[crop] = distance <= radius + DISTANCE_TOLERANCE
    return near
