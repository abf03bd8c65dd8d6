"""PyRadiomics' feature classes on one cropped region, without the work that they repeat.

Every class finds its feature names by introspection and discretises the region's intensities by itself, with
Python's ``min`` and ``max`` over numpy scalars. Here both are done once: the names for a class, the grey
levels for a region of a filtered image, by PyRadiomics' own bin edges. All matrices and features are
PyRadiomics', but for a few sums of :mod:`~her2radiomics.extraction.cooccurrence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import radiomics, sitk
from her2radiomics.extraction.cooccurrence import FasterCooccurrence
from her2radiomics.extraction.parameters import Parameters

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
            calculator = radiomics.getFeatureClasses()[kind](image, mask, **parameters.settings)
            values.update(_run(calculator, parameters.feature_classes[kind], f"original_{kind}"))
    return values


def image_features(
    image: sitk.Image, mask: sitk.Image, name: str, settings: Mapping[str, Any], parameters: Parameters
) -> dict[str, float]:
    """Every other class's features of one filtered image, cut to the region's bounding box."""
    levels = _GreyLevels()
    values: dict[str, float] = {}
    for kind, wanted in parameters.feature_classes.items():
        if not kind.startswith("shape"):
            calculator = _sharing(kind)(levels, image, mask, **settings)
            values.update(_run(calculator, wanted, f"{name}_{kind}"))
    return values


def _run(calculator: Any, wanted: list[str] | None, prefix: str) -> dict[str, float]:
    for feature in wanted or []:
        calculator.enableFeatureByName(feature)
    # MCC is the root of an eigenvalue, which newer SciPy returns as a complex number without imaginary part
    return {f"{prefix}_{feature}": float(value.real) for feature, value in calculator.execute().items()}


class _GreyLevels:
    """The discretised intensities of one region, computed when the first class asks."""

    def __init__(self) -> None:
        self._found: tuple[np.ndarray, np.ndarray] | None = None

    def of(self, voxels: np.ndarray, mask: np.ndarray, settings: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Grey level of each voxel in the mask (0 outside), and the levels present, as ``imageoperations.binImage``."""
        if self._found is None:
            values = voxels[mask]
            _check_levels(float(values.min()), float(values.max()), settings)
            # the edges depend on the two extremes alone; their numpy type decides about rounding
            extremes = np.array([values.min(), values.max()], dtype=values.dtype)
            start, width = settings.get(BINS_FROM), settings.get("binWidth", 25)
            if start is not None and settings.get("binCount") is None:
                levels = np.floor((values - start) / width).astype(int) + 1
            else:
                levels = np.digitize(values, radiomics.imageoperations.getBinEdges(extremes, **settings))
            matrix = np.zeros(voxels.shape, dtype="int")
            matrix[mask] = levels
            self._found = matrix, np.unique(levels)
        return self._found


def _check_levels(low: float, high: float, settings: Mapping[str, Any]) -> None:
    """Refuse a filtered image whose texture matrices would take gigabytes: a spike close to the region."""
    if settings.get("binCount") is None and (high - low) / settings["binWidth"] > MOST_LEVELS:
        raise CaseError(
            found=f"values from {low:g} to {high:g} in a filtered image of the region",
            expected=f"at most {MOST_LEVELS} grey levels with this bin width",
            remedy="Look for a stray voxel in or near the region, or choose a bin width that fits.",
        )


@cache
def _sharing(kind: str) -> Any:
    """A PyRadiomics feature class that takes its grey levels from :class:`_GreyLevels`."""
    base: Any = radiomics.getFeatureClasses()[kind]
    names = base.getFeatureNames()
    bases = (FasterCooccurrence, base) if kind == "glcm" else (base,)

    class Sharing(*bases):  # type: ignore[misc]
        def __init__(self, levels: _GreyLevels, image: sitk.Image, mask: sitk.Image, **settings: Any) -> None:
            self._levels = levels
            super().__init__(image, mask, **settings)

        def _applyBinning(self, matrix: np.ndarray) -> np.ndarray:
            binned, present = self._levels.of(matrix, self.maskArray, self.settings)
            self.coefficients["grayLevels"] = present
            self.coefficients["Ng"] = int(present.max())
            return binned

        @classmethod
        def getFeatureNames(cls) -> dict[str, bool]:
            return names

    # PyRadiomics names its loggers after a class's module
    Sharing.__module__ = base.__module__
    return Sharing
