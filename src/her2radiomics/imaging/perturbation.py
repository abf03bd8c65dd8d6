"""Outlines and images changed on purpose: how reproducible are features, and what is left of a model on other voxels.

Outlines are changed by the signed distance to their border in mm, so that a millimetre is one along every axis, whatever
the spacing. Zwanenburg A et al. (Sci Rep 2019;9:614)
change the volume of outlines, redraw and shift them, and add noise to images to find features that are robust.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import scipy, sitk
from her2radiomics.imaging.fields import smooth_field
from her2radiomics.imaging.regions import DISTANCE_TOLERANCE
from her2radiomics.imaging.threads import one_thread

Mask = NDArray[np.bool_]
Spacing: TypeAlias = "tuple[float, float, float]"

NOISE_MM = 1.5  # standard deviation of the Gaussian that evens out noise, to tell air from tissue
DARK = 100.0  # share of the mean image, inverted, below which the logarithm is flat
OTSU_BINS = 256
EDGE_MM = 2.0  # at the border to air
GAPS_MM = 5.0  # radius of gaps that are closed in what lies above the threshold: cysts, vessels without signal
SMOOTH_VOXELS = 0.7  # standard deviation of the Gaussian that finds the border among a mask's steps
KERNEL_VOXELS = 4  # reach of that Gaussian
BEYOND_VOXELS = KERNEL_VOXELS + 2  # of the image that an outline's distance looks at
SMALLEST_SHARE = 1e-6  # of a smoothed mask: beyond it the distance is not read from the share
REACH_SD = 4.0  # standard deviations of a border's noise that a crop has space for


def border_distance(mask: Mask, spacing: Spacing) -> NDArray[np.float64]:
    """Signed distance in mm of every voxel's centre to the border of a mask, positive inside.

    A Gaussian of :data:`SMOOTH_VOXELS` smooths the steps of the mask. At a plane border the smoothed mask is the normal
    distribution function of the distance, from which the distance of voxels at the border follows; at a flat face it is half
    a voxel. Of others the distance is that to the point of the border next to the nearest of those voxels (as Gustavson S,
    Strand R. Pattern Recognit Lett 2011;32:252, of anti-aliased pictures). The radius of a ball of 14 mm changes as asked
    to a quarter of the largest voxel edge.

    Parameters
    ----------
    mask
        Shape (z, y, x); some voxels are inside and some are not.
    spacing
        Spacing (x, y, z) in mm.
    """
    steps = np.array(spacing[::-1])
    reach = np.arange(-KERNEL_VOXELS, KERNEL_VOXELS + 1)
    limits = scipy.special.ndtr((np.append(reach, reach[-1] + 1) - 0.5) / SMOOTH_VOXELS)
    kernel = np.diff(limits)
    share = mask.astype(np.float64)
    for axis in range(3):
        share = scipy.ndimage.correlate1d(share, kernel / kernel.sum(), axis=axis, mode="nearest")
    # voxels that share a face with one of the other side
    edge = scipy.ndimage.binary_dilation(mask) & ~scipy.ndimage.binary_erosion(mask, border_value=1)
    slopes = np.asarray(np.gradient(share, *steps))[:, edge]
    normal = slopes / np.maximum(np.sqrt((slopes**2).sum(axis=0)), np.finfo(float).tiny)
    width = SMOOTH_VOXELS * np.sqrt(((normal * steps[:, None]) ** 2).sum(axis=0))
    near = width * scipy.special.ndtri(np.clip(share[edge], SMALLEST_SHARE, 1 - SMALLEST_SHARE))
    # smoothing does not take a thin part from the mask, nor fill a notch
    near = np.where(mask[edge], np.maximum(near, 0.0), np.minimum(near, -2 * DISTANCE_TOLERANCE))
    feet = np.argwhere(edge) * steps - (near * normal).T
    place = np.zeros(mask.shape, dtype=np.intp)
    place[edge] = np.arange(len(feet))
    nearest = scipy.ndimage.distance_transform_edt(~edge, sampling=steps, return_distances=False, return_indices=True)
    ways = np.moveaxis(np.indices(mask.shape), 0, -1) * steps - feet[place[tuple(nearest)]]
    signed = np.sqrt((ways**2).sum(axis=-1)) * np.where(mask, 1.0, -1.0)
    signed[edge] = near
    return signed


def grown(mask: Mask, spacing: Spacing, mm: float) -> Mask:
    """A mask (z, y, x) whose border has moved outwards by ``mm``, inwards where it is negative; ``spacing`` is (x, y, z)."""
    return _redrawn(mask, spacing, max(mm, 0.0), lambda crop: border_distance(crop, spacing) + mm)


def shifted(mask: Mask, spacing: Spacing, shift_mm: Sequence[float]) -> Mask:
    """A mask (z, y, x) moved by (x, y, z) in mm, of which any part of a voxel counts; what leaves the image is cut."""
    steps = [mm / step for mm, step in zip(shift_mm, spacing, strict=True)][::-1]

    def moved(crop: Mask) -> NDArray[np.float64]:
        return scipy.ndimage.shift(border_distance(crop, spacing), steps, order=1, mode="nearest")

    return _redrawn(mask, spacing, max(map(abs, shift_mm)), moved)


def with_contour_noise(
    mask: Mask, spacing: Spacing, sd_mm: float, length_mm: float, random: np.random.Generator
) -> Mask:
    """A mask (z, y, x) whose border is off by smooth noise of a standard deviation; ``spacing`` is (x, y, z)."""

    def wandering(crop: Mask) -> NDArray[np.float64]:
        noise = smooth_field(random, crop.shape, spacing[::-1], length_mm)
        return border_distance(crop, spacing) + sd_mm * noise.astype(np.float64)

    return _redrawn(mask, spacing, REACH_SD * sd_mm, wandering)


def _redrawn(mask: Mask, spacing: Spacing, reach_mm: float, signed: Callable[[Mask], NDArray[np.float64]]) -> Mask:
    """The voxels where a signed distance, made on the mask's box with space for ``reach_mm`` about it, is not negative."""
    box, margin = [], [math.ceil(reach_mm / step) + 2 for step in reversed(spacing)]
    for axis, more in enumerate(margin):
        hits = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append((int(hits[0]) - more, int(hits[-1]) + more + 1))
    inner = tuple(slice(max(0, low), min(high, size)) for (low, high), size in zip(box, mask.shape, strict=True))
    # beyond the image lies no tumour: one that reaches its edge has its border there
    beyond = [(max(0, -low), max(0, high - size)) for (low, high), size in zip(box, mask.shape, strict=True)]
    outer = [(min(low, BEYOND_VOXELS), min(high, BEYOND_VOXELS)) for low, high in beyond]
    inside = signed(np.pad(mask[inner], outer)) >= -DISTANCE_TOLERANCE
    drawn = np.zeros_like(mask)
    drawn[inner] = inside[tuple(slice(low, size - high) for (low, high), size in zip(outer, inside.shape, strict=True))]
    return drawn


def shuffled(voxels: NDArray[np.generic], regions: Sequence[Mask], random: np.random.Generator) -> NDArray[np.generic]:
    """An image (z, y, x) with grey levels permuted among the voxels that lie in the same of the ``regions``.

    So every region keeps its grey levels where regions overlap, too.
    """
    belongs = np.zeros(voxels.shape, dtype=np.int64)
    for place, region in enumerate(regions):
        belongs |= region.astype(np.int64) << place
    changed = voxels.copy()
    for which in np.unique(belongs[belongs > 0]):
        inside = belongs == which
        changed[inside] = random.permutation(voxels[inside])
    return changed


def with_noise(
    voxels: NDArray[np.generic], inside: Mask, share: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """An image (z, y, x) with white noise whose standard deviation is a share of that (population) of the voxels inside."""
    values = voxels.astype(np.float64)
    return values + share * float(values[inside].std()) * random.standard_normal(voxels.shape)


def tissue_of(image: sitk.Image, breast: sitk.Image | None) -> Callable[[int], Mask]:
    """Tissue of an image's slices, shape (y, x), by their number: the breast mask, or what is no air.

    Air lies below Otsu's threshold of the logarithm of the smoothed image: noise and tissue differ by a factor, whatever is
    bright. (Li's threshold, which preprocessing takes, leaves suppressed fat with the air.) In each slice gaps of up to
    :data:`GAPS_MM` are closed, what is enclosed is filled, and the outermost :data:`EDGE_MM`, added by smoothing, left out.
    """
    if breast is not None:
        inside = sitk.GetArrayFromImage(breast) != 0
        return lambda index: inside[index]
    steps = image.GetSpacing()[1::-1]
    values = sitk.GetArrayFromImage(image).astype(np.float64)
    values = scipy.ndimage.gaussian_filter(values, [0.0, *(NOISE_MM / step for step in steps)])
    values -= values.min()
    logarithm = sitk.GetImageFromArray(np.log1p(values * (DARK / values.mean())))
    with one_thread():
        above = sitk.GetArrayFromImage(sitk.OtsuThreshold(logarithm, 0, 1, OTSU_BINS)) != 0
    wide = [(math.ceil(GAPS_MM / step) + 1,) * 2 for step in steps]

    @cache
    def closed(index: int) -> Mask:
        padded = np.pad(above[index], wide)
        if padded.any():
            near = scipy.ndimage.distance_transform_edt(~padded, sampling=steps) <= GAPS_MM
            padded |= scipy.ndimage.distance_transform_edt(near, sampling=steps) > GAPS_MM
        inner = tuple(slice(before, -after) for before, after in wide)
        tissue = scipy.ndimage.binary_fill_holes(padded[inner])
        if tissue.all():
            return tissue
        return scipy.ndimage.distance_transform_edt(tissue, sampling=steps) > EDGE_MM

    return closed


def other_place(
    needed: Mask, whole: Mask, free: Callable[[int], Mask], random: np.random.Generator
) -> tuple[int, int, int]:
    """Voxels (z, y, x) by which an outline is moved to other tissue.

    Of the places that are free, one is drawn: in the same slices if one is there, else in the nearest slices where there is.

    Parameters
    ----------
    needed
        Voxels (z, y, x) of all regions that are to be free at the new place.
    whole
        Voxels of the whole outline, which is to stay within the image.
    free
        Slice to the free voxels (y, x) there: tissue, but for the tumour and its rings.

    Raises
    ------
    CaseError
        There is no such place.
    """
    low, high = _ends(needed)
    all_low, all_high = _ends(whole | needed)
    size = needed.shape[1:]
    region = needed[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    # the overlap at every place by the convolution theorem; a count is a whole number, so that rounding does not matter
    mine = np.conj(np.fft.rfft2(region, s=size))

    @cache
    def blocked(index: int) -> NDArray[np.complex128]:
        return np.fft.rfft2(~free(index))

    span = range(-all_low[0], needed.shape[0] - all_high[0] + 1)
    for step in sorted(span, key=lambda z: (abs(z), z)):
        slices = range(low[0] + step, high[0] + step)
        if any(np.count_nonzero(free(index)) < part.sum() for index, part in zip(slices, region, strict=True)):
            continue
        both = sum(part * blocked(index) for index, part in zip(slices, mine, strict=True))
        places = np.fft.irfft2(both, s=size) < 0.5
        # the corner of the regions' box goes from `low` to a place where the whole outline stays inside
        places[: low[1] - all_low[1]] = places[:, : low[2] - all_low[2]] = False
        places[size[0] - (all_high[1] - low[1]) + 1 :] = False
        places[:, size[1] - (all_high[2] - low[2]) + 1 :] = False
        rows, columns = np.nonzero(places)
        if rows.size:
            chosen = int(random.integers(rows.size))
            return step, int(rows[chosen]) - low[1], int(columns[chosen]) - low[2]
    raise CaseError(
        found="no place in other tissue of the image that holds the region",
        expected="a place that overlaps neither the tumour, nor its ring, nor air",
        remedy="Take an image of more tissue, or leave this control out for the patient.",
    )


def _ends(mask: Mask) -> tuple[list[int], list[int]]:
    """First and last voxel (exclusive) along each axis."""
    found = [np.flatnonzero(mask.any(axis=tuple(o for o in range(3) if o != axis))) for axis in range(3)]
    return [int(hits[0]) for hits in found], [int(hits[-1]) + 1 for hits in found]
