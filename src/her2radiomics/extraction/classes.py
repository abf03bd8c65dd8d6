"""The feature classes of one region, without the work that PyRadiomics' repeat.

The shape is that of the unfiltered region (:mod:`~her2radiomics.extraction.shape`). Of every filtered image the
intensities are discretised once, by PyRadiomics' bin edges; first-order and texture features are those of
:mod:`~her2radiomics.extraction.firstorder` and
:mod:`~her2radiomics.extraction.texture`. A class of which a file asks for a feature that these lack (one that PyRadiomics
calls deprecated) is computed by PyRadiomics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import radiomics, sitk
from her2radiomics.extraction import texture
from her2radiomics.extraction.firstorder import first_order
from her2radiomics.extraction.neighbours import Neighbours
from her2radiomics.extraction.parameters import Parameters
from her2radiomics.extraction.shape import shape
from her2radiomics.extraction.texture import Levels

# of a filtered image: a wavelet's approximation in 3-D spreads the 500 levels allowed to an image to 1,415
MOST_LEVELS = 2000
# setting of ours beside PyRadiomics' own: intensity at which bins of a fixed width start
BINS_FROM = "binsFrom"


def shape_features(image: sitk.Image, mask: sitk.Image, parameters: Parameters) -> dict[str, float]:
    """Shape features of a region cut to its bounding box (``original_shape_…``, ``original_shape2D_…``).

    ``shape2D`` needs a region of one slice across ``force2Ddimension``; PyRadiomics raises otherwise.
    """
    values: dict[str, float] = {}
    for kind in ("shape", "shape2D"):
        if kind in parameters.feature_classes:
            if kind == "shape":
                inside = sitk.GetArrayViewFromImage(mask) != 0
                found = shape(inside, mask.GetSpacing()[::-1], parameters.features_of(kind))
            else:
                found = _by_pyradiomics(kind, parameters.feature_classes[kind], image, mask, parameters.settings)
            values |= {f"original_{kind}_{name}": value for name, value in found.items()}
    return values


class Region:
    """A region cut to its bounding box (``mask``, 0 and 1), and what the features of all filtered images share."""

    def __init__(self, mask: sitk.Image, parameters: Parameters) -> None:
        """Keep the mask; neighbours are found when the first texture asks."""
        self.mask, self._parameters = mask, parameters
        self._inside, self._spacing = sitk.GetArrayFromImage(mask) != 0, mask.GetSpacing()[::-1]
        self._names = {kind: parameters.features_of(kind) for kind in parameters.feature_classes}
        self._near: dict[str, Neighbours] = {}

    def features(self, voxels: np.ndarray, name: str, settings: Mapping[str, Any]) -> dict[str, float]:
        """Every class's features but the shape's, of a filtered image's voxels (z, y, x) in the same box."""
        intensities = voxels[self._inside]
        levels = grey_levels(intensities, settings)
        values: dict[str, float] = {}
        for kind, wanted in self._parameters.feature_classes.items():
            if kind.startswith("shape"):
                continue
            found = self._class(kind, intensities, levels, settings)
            names = self._names[kind]
            if not found.keys() >= {*names}:
                image = sitk.GetImageFromArray(voxels)
                image.CopyInformation(self.mask)
                found = _by_pyradiomics(kind, wanted, image, self.mask, settings)
                names = [*found]
            values |= {f"{name}_{kind}_{feature}": found[feature] for feature in names}
        return values

    def _class(self, kind: str, values: np.ndarray, levels: Levels, settings: Mapping[str, Any]) -> dict[str, float]:
        near, spacing = self._neighbours(settings), self._spacing
        match kind:
            case "firstorder":
                counts = np.bincount(levels.place)
                return first_order(values, counts, math.prod(spacing), settings.get("voxelArrayShift", 0))
            case "glcm":
                return texture.cooccurrence(levels, near, spacing, settings, with_mcc="MCC" in self._names[kind])
            case "glrlm":
                return texture.runs(levels, near, spacing, settings)
            case "glszm":
                return texture.zones(levels, self._inside, settings)
            case "gldm":
                return texture.dependences(levels, near, settings)
            case "ngtdm":
                return texture.differences(levels, near)
        return {}

    def _neighbours(self, settings: Mapping[str, Any]) -> Neighbours:
        """Those of the settings, which an image type may have of its own."""
        key = repr([settings.get(name) for name in ("distances", "force2D", "force2Ddimension")])
        if key not in self._near:
            self._near[key] = Neighbours(self._inside, settings)
        return self._near[key]


def _by_pyradiomics(
    kind: str, wanted: list[str] | None, image: sitk.Image, mask: sitk.Image, settings: Mapping[str, Any]
) -> dict[str, float]:
    calculator = radiomics.getFeatureClasses()[kind](image, mask, **settings)
    for feature in wanted or []:
        calculator.enableFeatureByName(feature)
    # a root of an eigenvalue is a complex number without imaginary part in newer SciPy
    return {feature: float(value.real) for feature, value in calculator.execute().items()}


def grey_levels(values: np.ndarray, settings: Mapping[str, Any]) -> Levels:
    """Grey level of each intensity, as PyRadiomics' ``imageoperations.binImage``.

    Raises
    ------
    CaseError
        There are too many for a texture matrix.
    """
    low, high = values.min(), values.max()
    _check_levels(float(low), float(high), settings)
    start, width = settings.get(BINS_FROM), settings.get("binWidth", 25)
    if start is not None and settings.get("binCount") is None:
        found = np.floor((values - start) / width).astype(int) + 1
    else:
        # the edges depend on the two extremes alone; their numpy type decides about rounding
        extremes = np.array([low, high], dtype=values.dtype)
        found = np.digitize(values, radiomics.imageoperations.getBinEdges(extremes, **settings))
    counts = np.bincount(found)
    present = np.flatnonzero(counts)
    return Levels(found, (np.cumsum(counts > 0) - 1)[found], present)


def _check_levels(low: float, high: float, settings: Mapping[str, Any]) -> None:
    """Refuse a filtered image whose texture matrices would take gigabytes: a spike close to the region."""
    if settings.get("binCount") is None and (high - low) / settings["binWidth"] > MOST_LEVELS:
        raise CaseError(
            found=f"values from {low:g} to {high:g} in a filtered image of the region",
            expected=f"at most {MOST_LEVELS} grey levels with this bin width",
            remedy="Look for a stray voxel in or near the region, or choose a bin width that fits.",
        )
