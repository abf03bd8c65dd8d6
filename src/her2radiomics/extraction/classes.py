"""PyRadiomics' feature classes on one cropped region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from her2radiomics.extraction.parameters import Parameters

if TYPE_CHECKING:
    import SimpleITK as sitk


def shape_features(image: sitk.Image, mask: sitk.Image, parameters: Parameters) -> dict[str, float]:
    """Shape features of a region cut to its bounding box (``original_shape_…``, ``original_shape2D_…``).

    ``shape2D`` needs a region of one slice across ``force2Ddimension``; PyRadiomics raises otherwise.
    """
    from radiomics import getFeatureClasses

    values: dict[str, float] = {}
    for kind in ("shape", "shape2D"):
        if kind in parameters.feature_classes:
            calculator = getFeatureClasses()[kind](image, mask, **parameters.settings)
            values.update(_run(calculator, parameters.feature_classes[kind], f"original_{kind}"))
    return values


def image_features(
    image: sitk.Image, mask: sitk.Image, name: str, settings: Mapping[str, Any], parameters: Parameters
) -> dict[str, float]:
    """Every other class's features of one filtered image, cut to the region's bounding box."""
    from radiomics import getFeatureClasses

    values: dict[str, float] = {}
    for kind, wanted in parameters.feature_classes.items():
        if not kind.startswith("shape"):
            calculator = getFeatureClasses()[kind](image, mask, **settings)
            values.update(_run(calculator, wanted, f"{name}_{kind}"))
    return values


def _run(calculator: Any, wanted: list[str] | None, prefix: str) -> dict[str, float]:
    for feature in wanted or []:
        calculator.enableFeatureByName(feature)
    return {f"{prefix}_{feature}": float(value) for feature, value in calculator.execute().items()}
