"""PyRadiomics' resampling of one region, without its work on the whole volume.

The output grid is that of ``radiomics.imageoperations.resampleImage`` (PyRadiomics 3.1): aligned with the
mask's grid, covering the region's bounding box and ``padDistance`` voxels more. B-spline coefficients are
computed on a crop of the input that is 20 voxels wider: their memory fades by 0.27 a voxel, so that 20
leave less than 1e-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.boxes import Box

INTERPOLATORS = frozenset({"sitkBSpline", "sitkLinear", "sitkNearestNeighbor"})
SPLINE_PADDING = 20


def resample_region(
    image: sitk.Image, mask: sitk.Image, box: Box, settings: Mapping[str, Any]
) -> tuple[sitk.Image, sitk.Image]:
    """Return image and mask (0 and 1) around a region at ``resampledPixelSpacing``.

    ``settings`` are PyRadiomics' ``resampledPixelSpacing`` (0 keeps an axis), ``interpolator`` and ``padDistance``; ``box``
    is the region's bounding box.

    Raises
    ------
    CaseError
        When no voxel of the region is left on the new grid.
    """
    spacing, size = np.array(mask.GetSpacing()), np.array(mask.GetSize())
    low, high = np.array(box.low), np.array(box.high)
    pad = settings.get("padDistance", 5)
    wanted = np.array(settings["resampledPixelSpacing"], dtype=float)
    # an axis along which the region has one voxel is not resampled either
    wanted = np.where((wanted == 0) | (high - low == 1), spacing, wanted)
    if np.allclose(image.GetSpacing(), wanted):
        outer = box.padded((pad,) * 3, image.GetSize())
        return outer.cut(image), outer.cut(mask)
    ratio = spacing / wanted
    first = np.maximum(np.floor((low - 0.5) * ratio - pad), 0)
    last = np.minimum(np.ceil((high - 0.5) * ratio + pad), np.ceil(size * ratio) - 1)
    corner = 0.5 * (wanted - spacing) / spacing + first / ratio  # in voxels of the mask
    resampler = sitk.ResampleImageFilter()
    resampler.SetOutputSpacing(wanted.tolist())
    resampler.SetOutputDirection(mask.GetDirection())
    resampler.SetSize((last - first + 1).astype(int).tolist())
    resampler.SetOutputOrigin(mask.TransformContinuousIndexToPhysicalPoint(corner.tolist()))
    # the mask stays whole: nearest neighbours at half voxels are ties that another origin would break otherwise
    resampler.SetInterpolator(sitk.sitkNearestNeighbor)
    resampler.SetOutputPixelType(mask.GetPixelID())
    region = resampler.Execute(mask)
    if not sitk.GetArrayViewFromImage(region).any():
        raise CaseError(
            found="no voxel of the region left after resampling",
            expected="a region that the new grid resolves",
            remedy="Choose a finer resampled spacing, or look at the region's overlay.",
        )
    resampler.SetInterpolator(getattr(sitk, settings["interpolator"]))
    resampler.SetOutputPixelType(image.GetPixelID())
    source = image
    if settings["interpolator"] == "sitkBSpline":
        # voxels of the input that the output covers, and the reach of the spline's coefficients
        start = np.floor(corner).astype(int) - SPLINE_PADDING
        stop = np.ceil(corner + (last - first) / ratio).astype(int) + SPLINE_PADDING + 1
        source = Box(
            tuple(max(0, int(a)) for a in start),  # type: ignore[arg-type]
            tuple(min(int(s), int(b)) for b, s in zip(stop, size, strict=True)),  # type: ignore[arg-type]
        ).cut(image)
    return resampler.Execute(source), region
