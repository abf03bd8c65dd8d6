"""Whether a mask may be an outline of a lesion: its share of the image, its parts, its gaps, what lies under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import sitk, skimage_ccomp
from her2radiomics.imaging.boxes import bounding_box
from her2radiomics.imaging.checks import extremes, volume_ml

MOST_OF_IMAGE = 0.25  # share of the image's voxels
MOST_ML = 300.0  # a sphere of 8.3 cm: above it, breasts and their tissue
MOST_PARTS = 10
FAR_MM = 20.0  # between the largest part and another one
MOST_BACKGROUND = 0.10  # share of the mask's voxels that have the image's lowest value
FEW_SHARED = 0.3  # Dice coefficient of two readings of one lesion


@dataclass(frozen=True)
class MaskMeasures:
    """What is measured of a mask; quality control has a column for each.

    Attributes
    ----------
    image_share
        Share of the image's voxels.
    mask_slices
        Slices that it lies in.
    components
        Connected parts, by faces, edges or corners of voxels.
    parts_distance_mm
        Distance from the largest part to the one that is furthest from it, between the nearest voxel centres.
    warnings
        What deserves a look.
    """

    image_share: float
    mask_slices: int
    components: int
    parts_distance_mm: float
    warnings: tuple[str, ...]


def measure_mask(mask: sitk.Image, image: sitk.Image) -> MaskMeasures:
    """Measure a mask (0 and 1, on the image's grid, slices along z); its bounding box alone is looked at."""
    box = bounding_box(mask)
    crop = box.cut(mask)
    inside = sitk.GetArrayViewFromImage(crop) != 0
    share = float(np.count_nonzero(inside) / np.prod(mask.GetSize()))
    drawn = int(np.count_nonzero(inside.any(axis=(1, 2))))
    components, smallest, distance = _parts(crop)
    volume, gaps = volume_ml(crop), inside.shape[0] - drawn
    values = sitk.GetArrayViewFromImage(image)[box.slices][inside]
    background = float(np.mean(values == values.min()))
    warnings = []
    if share > MOST_OF_IMAGE:
        warnings.append(f"the mask covers {share:.0%} of the image: a box, an organ or an inverted outline?")
    if volume > MOST_ML:
        warnings.append(f"the mask holds {volume:.0f} ml: a breast or its tissue, not a lesion?")
    if components > MOST_PARTS or distance > FAR_MM:
        warnings.append(
            f"the mask has {components} parts, up to {distance:.1f} mm from the largest one, the smallest of {smallest} "
            "voxels: stray voxels, or more than the lesion?"
        )
    if gaps:
        warnings.append(f"{gaps} slices without an outline between the mask's first and last: drawn on some only?")
    if background > MOST_BACKGROUND and values.min() == extremes(image)[0]:
        warnings.append(
            f"{background:.0%} of the mask's voxels have the image's lowest value ({values.min():g}): background?"
        )
    return MaskMeasures(share, drawn, components, distance, tuple(warnings))


def _parts(crop: sitk.Image) -> tuple[int, int, float]:
    """Number of connected parts, voxels of the smallest, and mm from the largest to the furthest other one."""
    parts = skimage_ccomp.label_cython(sitk.GetArrayViewFromImage(crop), 0, False, 3)
    sizes = np.bincount(parts.ravel())[1:]
    if len(sizes) == 1:
        return 1, int(sizes[0]), 0.0
    largest = int(sizes.argmax()) + 1
    most = sitk.GetImageFromArray((parts == largest).astype(np.uint8))
    most.CopyInformation(crop)
    distances = sitk.SignedMaurerDistanceMap(most, False, False, True)
    nearest = np.full(len(sizes) + 1, np.inf)
    np.minimum.at(nearest, parts.ravel(), sitk.GetArrayViewFromImage(distances).ravel())
    others = np.delete(nearest, [0, largest])
    return len(sizes), int(sizes.min()), float(others.max())


def compare_readings(masks: Mapping[str, sitk.Image], reference: str) -> dict[str, tuple[float | None, list[str]]]:
    """Reader to the Dice coefficient with the reference's mask, and what deserves a look: a copy, or hardly an overlap.

    Masks are 0 and 1 on one grid. The reference has no coefficient, and nobody has one where its mask is missing.
    """
    voxels = {name: sitk.GetArrayViewFromImage(mask) for name, mask in masks.items()}
    found: dict[str, tuple[float | None, list[str]]] = {}
    for place, (name, mine) in enumerate(voxels.items()):
        dice, warnings = None, []
        if name != reference and reference in voxels:
            both = np.count_nonzero(mine & voxels[reference])
            dice = float(2 * both / (np.count_nonzero(mine) + np.count_nonzero(voxels[reference])))
        copied = next((other for other in [*voxels][:place] if np.array_equal(mine, voxels[other])), None)
        if copied is not None:
            warnings.append(
                f"the mask is an exact copy of that of reader {copied}: agreement would be that of one reading"
            )
        elif dice is not None and dice < FEW_SHARED:
            warnings.append(
                f"the mask overlaps that of reader {reference} by a Dice coefficient of {dice:.2f}: another lesion, or one "
                "of them flipped?"
            )
        found[name] = dice, warnings
    return found
