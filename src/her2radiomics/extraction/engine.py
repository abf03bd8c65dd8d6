"""PyRadiomics' features of an image's regions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from her2radiomics.errors import CaseError
from her2radiomics.extraction.parameters import Parameters

if TYPE_CHECKING:
    import SimpleITK as sitk


def extract(
    image: sitk.Image, regions: Mapping[str, sitk.Image], parameters: Parameters
) -> dict[str, dict[str, float]]:
    """Return region → feature name → value, in PyRadiomics' order.

    Parameters
    ----------
    image
        3-D image, checked.
    regions
        Region name → mask of 0 and 1 on the image's grid.
    parameters
        What to compute.

    Raises
    ------
    CaseError
        When PyRadiomics fails, or yields other features than the parameter file promises.
    """
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    extractor = RadiomicsFeatureExtractor(str(parameters.path), additionalInfo=False)
    values: dict[str, dict[str, float]] = {}
    for name, mask in regions.items():
        try:
            found = extractor.execute(image, mask)
        except Exception as error:  # whatever PyRadiomics raises belongs to this region alone
            raise CaseError(
                found=f"PyRadiomics failing with {type(error).__name__}: {error}",
                expected="features",
                remedy="Look at the overlay of this region.",
                region=name,
            ) from error
        values[name] = {feature: float(value) for feature, value in found.items()}
        check_names(values[name], parameters, name)
    return values


def check_names(values: Mapping[str, float], parameters: Parameters, region: str) -> None:
    """Refuse a feature set that is not exactly the one that the parameter file promises."""
    missing = [name for name in parameters.feature_names if name not in values]
    if missing:
        raise CaseError(
            found=f"{len(missing)} of {len(parameters.feature_names)} features missing ({_some(missing)})",
            expected="every feature that the parameter file asks for",
            remedy="The image may be too small for a filter, or the region too thin: look at its overlay.",
            region=region,
        )
    promised = set(parameters.feature_names)
    extra = [name for name in values if name not in promised]
    if extra:
        raise CaseError(
            found=f"{len(extra)} features that the parameter file does not ask for ({_some(extra)})",
            expected=f"its {len(promised)} features",
            remedy="Check the installed PyRadiomics version against the lock file.",
            region=region,
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
