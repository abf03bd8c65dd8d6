"""PyRadiomics' features of an image's regions, at a fraction of its cost.

The image is filtered once, on a padded crop around all regions (see
:mod:`~her2radiomics.extraction.filters`), and each region's features come from PyRadiomics' own feature
classes. With resampling, PyRadiomics' crop of each region (``padDistance``) is part of the values: regions
are then resampled one by one, and only the whole-volume work around them is spared (see
:mod:`~her2radiomics.extraction.regridding`).

Parameter files with ``normalize``, ``preCrop``, resegmentation, ``minimumROISize``,
``minimumROIDimensions`` other than 2, voxel settings, LBP in 3-D, or interpolators other than B-spline,
linear and nearest neighbour run stock PyRadiomics instead.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, TypeVar

from her2radiomics.core.errors import CaseError, quote
from her2radiomics.core.libraries import radiomics, sitk
from her2radiomics.core.memory import raise_if_out
from her2radiomics.extraction.classes import BINS_FROM, Region, shape_features
from her2radiomics.extraction.filters import LOG_PADDING, POINTWISE, SUPPORTED, filtered
from her2radiomics.extraction.parameters import Parameters
from her2radiomics.extraction.regridding import INTERPOLATORS, resample_region
from her2radiomics.imaging.boxes import Box, bounding_box
from her2radiomics.imaging.checks import extremes
from her2radiomics.imaging.preprocessing import resegmented
from her2radiomics.imaging.threads import one_thread

if TYPE_CHECKING:
    from her2radiomics.imaging.preprocessing_settings import Resegment

Key = TypeVar("Key", bound=Hashable)
Values = dict[str, float]

# settings that change nothing but the feature classes and the filters above, or that our own checks replace
_COVERED = frozenset(
    (
        "additionalInfo binCount binWidth correctMask distances force2D force2Ddimension geometryTolerance gldm_a "
        "gradientUseSpacing interpolator label label_channel lbp2DMethod lbp2DRadius lbp2DSamples level "
        "minimumROIDimensions padDistance resampledPixelSpacing sigma start_level symmetricalGLCM voxelArrayShift "
        "wavelet weightingNorm"
    ).split()
)
# settings that are covered only at the value that switches them off
_OFF = {
    "minimumROISize": None,
    "normalize": False,
    "normalizeScale": 1,
    "preCrop": False,
    "removeOutliers": None,
    "resegmentMode": "absolute",
    "resegmentRange": None,
    "resegmentShape": False,
}


def covers(parameters: Parameters) -> bool:
    """Whether a parameter file runs on crops; if not, stock PyRadiomics computes it."""
    settings = parameters.settings
    known = all(_OFF[name] == value if name in _OFF else name in _COVERED for name, value in settings.items())
    resampled = settings.get("resampledPixelSpacing") is not None
    if not known or (resampled and settings.get("interpolator") not in INTERPOLATORS):
        return False
    return settings.get("minimumROIDimensions", 2) == 2 and set(parameters.image_types) <= SUPPORTED


def extract(
    image: sitk.Image,
    regions: Mapping[Key, sitk.Image],
    parameters: Parameters,
    *,
    log_padding: float = LOG_PADDING,
    resegment: Resegment | None = None,
) -> dict[Key, Values | CaseError]:
    """Return region → feature name → value, in PyRadiomics' order; a failing region's value is its error.

    A region fails when PyRadiomics fails on it, or yields other features than the parameter file promises. ``regions`` are
    masks of 0 and 1 on the grid of ``image``; ``log_padding`` is the padding of the Laplacian of Gaussian in multiples of σ:
    20 makes its values those of the whole image to the last bit, at more cost. ``resegment`` limits the voxels of
    intensities and texture; stock PyRadiomics does it by the parameter file alone.
    """
    with _quiet_and_single_threaded():
        if not covers(parameters):
            found = _stock(image, regions, parameters)
        elif parameters.settings.get("resampledPixelSpacing") is not None:
            found = _resampled(image, regions, parameters, log_padding, resegment)
        else:
            found = _cropped(image, regions, parameters, log_padding, resegment)
    for key, value in found.items():
        if not isinstance(value, CaseError):
            with _recorded(found, key):
                check_names(value, parameters)
    return found


def _cropped(
    image: sitk.Image,
    regions: Mapping[Key, sitk.Image],
    parameters: Parameters,
    log_padding: float,
    resegment: Resegment | None,
) -> dict[Key, Values | CaseError]:
    """Filter one padded crop for all regions."""
    boxes = {key: bounding_box(mask) for key, mask in regions.items()}
    union = Box(
        tuple(min(box.low[axis] for box in boxes.values()) for axis in range(3)),  # type: ignore[arg-type]
        tuple(max(box.high[axis] for box in boxes.values()) for axis in range(3)),  # type: ignore[arg-type]
    )
    found: dict[Key, Values | CaseError] = {}
    cut: dict[Key, Region] = {}
    for key, whole in regions.items():
        with _recorded(found, key):
            crop, mask = boxes[key].cut(image), boxes[key].cut(whole)
            found[key] = shape_features(crop, mask, parameters)
            if resegment is not None:
                mask = resegmented(crop, mask, resegment)
            cut[key] = Region(mask, parameters)
    bins = resegment.low if resegment is not None and resegment.bins_from_low else None
    peak = 0.0
    if POINTWISE & {*parameters.image_types}:
        low, high = extremes(image)
        peak = low if -low > high else high
    images = filtered(image, union, parameters.image_types, parameters.settings, peak, log_padding)
    for voxels, name, settings in images:
        if name == "original":
            settings = settings | {BINS_FROM: bins}
        for key, region in cut.items():
            values = found[key]
            if not isinstance(values, CaseError):
                with _recorded(found, key):
                    values.update(region.features(voxels[boxes[key].within(union).slices], name, settings))
    return found


def _resampled(
    image: sitk.Image,
    regions: Mapping[Key, sitk.Image],
    parameters: Parameters,
    log_padding: float,
    resegment: Resegment | None,
) -> dict[Key, Values | CaseError]:
    """Resample each region with its padding, and go on from there as if that were the image."""
    found: dict[Key, Values | CaseError] = {}
    for key, mask in regions.items():
        with _recorded(found, key):
            resampled, region = resample_region(image, mask, bounding_box(mask), parameters.settings)
            found.update(_cropped(resampled, {key: region}, parameters, log_padding, resegment))
    return found


def _stock(
    image: sitk.Image, regions: Mapping[Key, sitk.Image], parameters: Parameters
) -> dict[Key, Values | CaseError]:
    """Stock PyRadiomics, for what the crops do not cover."""
    content = deepcopy(dict(parameters.content))
    extractor = radiomics.featureextractor.RadiomicsFeatureExtractor(content, additionalInfo=False)
    found: dict[Key, Values | CaseError] = {}
    for key, mask in regions.items():
        with _recorded(found, key):
            found[key] = {name: float(value.real) for name, value in extractor.execute(image, mask).items()}
    return found


@contextmanager
def _recorded(found: dict[Key, Values | CaseError], key: Key) -> Iterator[None]:
    """Turn whatever PyRadiomics raises into that region's error."""
    try:
        yield
    except CaseError as error:
        found[key] = error
    except Exception as error:
        raise_if_out(error)
        found[key] = CaseError(
            found=f"PyRadiomics failing with {type(error).__name__}",
            quoted=quote(error),
            expected="features",
            remedy="Look at the overlay of this region.",
        )


@contextmanager
def _quiet_and_single_threaded() -> Iterator[None]:
    """One ITK thread, since jobs run side by side, and no warnings of PyRadiomics: what they say is checked here."""
    logger = logging.getLogger("radiomics")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with one_thread():
            yield
    finally:
        logger.setLevel(level)


def check_names(values: Mapping[str, float], parameters: Parameters) -> None:
    """Refuse a feature set that is not exactly the one that the parameter file promises."""
    missing = [name for name in parameters.feature_names if name not in values]
    if missing:
        raise CaseError(
            found=f"{len(missing)} of {len(parameters.feature_names)} features missing ({_some(missing)})",
            expected="every feature that the parameter file asks for",
            remedy="The image may be too small for a filter, or the region too thin: look at its overlay.",
        )
    promised = set(parameters.feature_names)
    extra = [name for name in values if name not in promised]
    if extra:
        raise CaseError(
            found=f"{len(extra)} features that the parameter file does not ask for ({_some(extra)})",
            expected=f"its {len(promised)} features",
            remedy="Check the installed PyRadiomics version against the lock file.",
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
