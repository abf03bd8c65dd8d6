"""The regions of outlines on an image: made, measured, checked and computed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.core.libraries import sitk
from her2radiomics.extraction.engine import Values, covers, extract
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.outlines import LoadedCase, as_case_error
from her2radiomics.extraction.parameters import Parameters
from her2radiomics.extraction.quality import QualityRow
from her2radiomics.imaging import checks, make_region
from her2radiomics.imaging.boxes import bounding_box
from her2radiomics.imaging.checks import MAX_GREY_LEVELS, USUAL_GREY_LEVELS, times
from her2radiomics.imaging.planes import plane_of
from her2radiomics.imaging.preprocessing import resegmented
from her2radiomics.imaging.regions import BREAST

SPIKE_RATIO = 100.0  # the image's largest magnitude over the region's, above which filters lose contrast


class Limits(NamedTuple):
    """Grey levels of a region: the range that passes without a warning, what that says to check, and the most computed."""

    usual: tuple[int, int] = USUAL_GREY_LEVELS
    knob: str = "bin width"
    most: int = MAX_GREY_LEVELS


LIMITS = Limits()


@dataclass
class Extracted:
    """What one outline yields: quality control of each region, and its features unless one of them failed."""

    quality: list[QualityRow]
    values: dict[str, Values] = field(default_factory=dict)
    problem: CaseError | None = None

    def fail(self, error: Exception, region: str = "") -> None:
        """Keep an error, unless there is one: the first reason stays, for all regions."""
        self.problem = self.problem or as_case_error(error).named(region=region)

    def features(self) -> dict[str, Values]:
        """Region to features; the problem is raised."""
        if self.problem is not None:
            raise self.problem
        return self.values


def extract_outlines(
    case: LoadedCase,
    parameters: Parameters,
    regions: Sequence[str] | None = None,
    *,
    log_padding: float = LOG_PADDING,
    limits: Limits = LIMITS,
) -> dict[str, Extracted]:
    """Features and quality control of every outline's regions, from one filtering of the image; what fails is kept.

    Without ``regions`` to make of each outline (:mod:`her2radiomics.imaging.regions`) it is the region itself, called as it
    is. ``log_padding`` is that of
    :func:`~her2radiomics.extraction.case.extract_case`.
    """
    found = {name: Extracted([QualityRow(region=region) for region in regions or [name]]) for name in case.names}
    masks: dict[tuple[str, str], sitk.Image] = {}
    for name, result in found.items():
        if name in case.problems:
            result.fail(case.problems[name])
        else:
            masks |= _prepare(case, name, result, parameters, limits, make=regions is not None)
    if not masks:
        return found
    assert case.image is not None
    if case.resegment is not None and not covers(parameters):
        raise SettingsError(
            f"{parameters.path}: found settings that stock PyRadiomics computes, together with preprocessing.resegment; "
            "expected one of the two. Resegment by the parameter file (resegmentRange)."
        )
    try:
        values = extract(case.image, masks, parameters, log_padding=log_padding, resegment=case.resegment)
    except Exception as error:  # a filter failed: no outline has features
        for name, _ in masks:
            found[name].fail(error)
        return found
    for (name, region), value in values.items():
        if isinstance(value, CaseError):
            found[name].fail(value, region)
        else:
            found[name].values[region] = value
    for result in found.values():
        for row in result.quality:
            row.warnings += _not_numbers(result.values.get(row.region, {}))
    return found


def _prepare(
    case: LoadedCase, name: str, result: Extracted, parameters: Parameters, limits: Limits, *, make: bool
) -> dict[tuple[str, str], sitk.Image]:
    """One outline's regions, made, measured and checked; none where one of them fails."""
    assert case.image is not None
    outline = case.masks[name]
    notes = [f"breast {note}" for note in case.warnings.get(BREAST, [])] + case.warnings[name]
    for row in result.quality:
        row.size, row.spacing_mm = times(case.image.GetSize()), times(case.image.GetSpacing())
        row.plane, measures = plane_of(case.image), case.measures[name]
        row.image_share, row.mask_slices = measures.image_share, measures.mask_slices
        row.components, row.parts_distance_mm = measures.components, measures.parts_distance_mm
    masks = {}
    for row in result.quality:
        try:
            mask = make_region(outline, row.region, case.breast, case.levels.get(name)) if make else outline
            row.warnings = [*notes, *_measure(case, mask, parameters, row, limits)]
        except Exception as error:
            result.fail(error, row.region)
            return {}
        masks[name, row.region] = mask
    return masks


def _measure(case: LoadedCase, mask: sitk.Image, parameters: Parameters, row: QualityRow, limits: Limits) -> list[str]:
    """Fill a quality-control row with a region's measures; what deserves a warning.

    Raises
    ------
    CaseError
        The region has too many grey levels, or resegmentation leaves too little of it.
    """
    image, box = case.image, bounding_box(mask)
    assert image is not None
    inside = sitk.GetArrayViewFromImage(mask)[box.slices] != 0
    kept = inside
    if case.resegment is not None:
        kept = sitk.GetArrayFromImage(resegmented(box.cut(image), box.cut(mask), case.resegment)) != 0
    values = sitk.GetArrayViewFromImage(image)[box.slices][kept]
    areas = np.count_nonzero(inside, axis=(1, 2))
    low, high = row.minimum, row.maximum = float(values.min()), float(values.max())
    row.mean = float(values.mean(dtype=np.float64))
    levels = row.grey_levels = parameters.grey_levels(low, high)
    row.voxels, row.slices = int(areas.sum()), int(np.count_nonzero(areas))
    row.volume_ml = float(areas.sum() * np.prod(image.GetSpacing()) / 1000.0)
    row.slice_index = box.low[2] + int(areas.argmax())
    checks.check_grey_levels(levels, limits.most, low, high)
    warnings = []
    fewest, most = limits.usual
    if not fewest <= levels <= most:
        warnings.append(f"{levels} grey levels, outside {fewest} to {most}: check {limits.knob} against intensities")
    peak = row.image_peak = max(map(abs, case.extremes))
    if peak > SPIKE_RATIO * max(abs(low), abs(high)):
        warnings.append(f"the image reaches {peak:g}, far above the region: a stray voxel scales the filters")
    edges = zip("zyx", box.low[::-1], box.high[::-1], image.GetSize()[::-1], strict=True)
    border = [name for name, first, last, length in edges if first == 0 or last == length]
    if border:
        warnings.append(f"the region touches the image border along {', '.join(border)}")
    return warnings


def _not_numbers(values: Mapping[str, float]) -> list[str]:
    """Say which features are not numbers."""
    empty = [name for name, value in values.items() if not math.isfinite(value)]
    shown = ", ".join(empty[:3]) + (", …" if len(empty) > 3 else "")
    return [f"{len(empty)} features are not numbers ({shown})"] if empty else []
