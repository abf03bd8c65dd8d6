"""Readers' outlines: the tumour's border with a local error and an overall generosity of each reader."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from her2radiomics.imaging.fields import apply_axes, smooth_field
from her2radiomics.simulation.acquisition import Sampling
from her2radiomics.simulation.lesion import Lesion, solid
from her2radiomics.simulation.settings import ReaderSettings


def outline(
    lesion: Lesion, sampling: Sampling, settings: ReaderSettings, random: np.random.Generator, scale: float = 1.0
) -> NDArray[np.uint8]:
    """Return one reader's mask (z, y, x; 1 inside) on an image's grid.

    The signed distance to the border, averaged over the voxels, plus ``contour_sd_mm`` × smooth noise plus a
    normal offset, both times ``scale``; where it is positive lies the mask. Largest connected piece, holes filled.
    """
    rows, weights = [], []
    for matrix, cut in zip(sampling.weights, lesion.box, strict=True):
        inside = matrix[:, cut]
        share = inside.sum(axis=1)
        first, *_, last = np.flatnonzero(share > 0.999)
        rows.append(slice(int(first), int(last) + 1))
        weights.append(inside[first : last + 1])
    distance = apply_axes(lesion.distance, weights)
    error = smooth_field(random, distance.shape, sampling.array_spacing, settings.contour_length_mm)
    wrong = settings.contour_sd_mm * error + settings.offset_sd_mm * random.standard_normal()
    seen = distance + scale * wrong
    mask = np.zeros(sampling.size[::-1], dtype=np.uint8)
    mask[tuple(rows)] = solid(seen > 0)
    return mask
