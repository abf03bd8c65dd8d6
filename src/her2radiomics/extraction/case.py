"""One image with the outlines on it: regions made, measured, checked and computed; and the case of a patient's sequence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from her2radiomics.cohort.manifest import BREAST, ManifestRow
from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.core.libraries import sitk
from her2radiomics.extraction.engine import Values, bounding_box, covers, extract
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.loading import LoadedCase, Row, as_case_error, load_case, name_case, readers_of
from her2radiomics.extraction.options import Alteration
from her2radiomics.extraction.parameters import Parameters, read_parameters
from her2radiomics.extraction.perturbing import perturb_case
from her2radiomics.extraction.plausibility import compare_readings
from her2radiomics.extraction.quality import QualityRow, relative_to
from her2radiomics.imaging import checks, make_region, parse_region
from her2radiomics.imaging.checks import MAX_GREY_LEVELS, USUAL_GREY_LEVELS, times
from her2radiomics.imaging.planes import plane_of
from her2radiomics.imaging.preprocessing import resegmented

if TYPE_CHECKING:
    from her2radiomics.imaging.preprocessing_settings import Preprocessing

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
    is. ``log_padding`` is that of :func:`extract_case`.
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
    peak = row.image_peak = max(map(abs, checks.extremes(image)))
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


@dataclass
class CaseResult:
    """What one case yields.

    Attributes
    ----------
    features
        One mapping a reader whose regions all succeeded: ``patient_id``, ``reader``, then
        ``<sequence>__<region>__<feature>`` → value. A value may be NaN: the study drops such features.
    qc
        One row per reader and region.
    columns
        The feature table's header, also when no reader succeeded.
    case
        The image and masks, for whoever draws them next.
    """

    features: list[dict[str, Any]]
    qc: list[QualityRow]
    columns: list[str]
    case: LoadedCase


def extract_case(
    rows: Sequence[Row],
    *,
    regions: Sequence[str],
    parameters: Path,
    expected_features: int | None = None,
    warn_grey_levels: tuple[int, int] = USUAL_GREY_LEVELS,
    max_grey_levels: int = MAX_GREY_LEVELS,
    preprocessing: Preprocessing | None = None,
    precontrast: str | Path = "",
    log_padding: float = LOG_PADDING,
    level_rows: Sequence[Row] = (),
    altered: Alteration | None = None,
    root: str | Path = "",
) -> CaseResult:
    """Extract one patient's sequence: all readers and regions from one reading of the image.

    A failing image fails every reader, a failing mask its own reader; failures are recorded in the
    quality-control rows with patient, sequence, reader and file, and never raised. A reader counts as
    extracted only when all regions are.

    Parameters
    ----------
    rows
        Manifest rows of this patient and sequence, paths resolvable from here; the first reader's outline is the one
        that others are compared with. Rows of the region ``breast`` hold a breast mask that limits rings.
    regions
        Region names, see :mod:`her2radiomics.imaging.regions`.
    parameters
        PyRadiomics parameter file.
    expected_features
        Number of features per region that the protocol states; ``None`` leaves it to the parameter file.
    warn_grey_levels
        Fewest and most grey levels of a region that pass without a warning.
    max_grey_levels
        Most grey levels of a region that are computed at all.
    preprocessing
        What to do to image and masks first, see :mod:`her2radiomics.imaging.preprocessing`; nothing without it.
        Sizes, spacings and intensities in the quality-control rows are those after it.
    precontrast
        The patient's image to subtract, where ``preprocessing`` subtracts one.
    log_padding
        Padding of the Laplacian of Gaussian's crop in σ, 20 for exact values.
    level_rows
        Manifest rows of the patient's other sequence at whose level slices are taken; without them a mask's largest.
    altered
        What is other than a study's own, to see what comes of it: outlines or image, settings of the parameter file.
    root
        Folder of the data set: quality-control rows name files relative to it, as the manifest does.

    Raises
    ------
    SettingsError
        When the parameter file, a region's name or the expected number is wrong, or parameter file and
        preprocessing both normalise or resample: that is no one case's fault.
    """
    altered = altered or Alteration()
    settings = read_parameters(parameters, altered.setting)
    for region in regions:
        parse_region(region)
    if expected_features is not None and len(settings.feature_names) != expected_features:
        raise SettingsError(
            f"{parameters}: found {len(settings.feature_names)} features per region; expected the protocol's "
            f"{expected_features}. Correct the parameter file or the protocol."
        )
    if preprocessing is not None:
        preprocessing.refuse_twice(settings.settings, str(parameters))
    case = load_case(rows, preprocessing, precontrast=precontrast, level_rows=level_rows)
    if altered.perturb is not None:
        row = ManifestRow.of(rows[0])
        perturb_case(
            case,
            altered.perturb,
            regions,
            patient=row.patient_id,
            sequence=row.sequence,
            image_file=row.image,
            changed=preprocessing is not None and preprocessing.changes_image,
        )
    knob = "bin width and normalise.scale" if preprocessing and preprocessing.normalise else "bin width"
    limits = Limits(warn_grey_levels, knob, max_grey_levels)
    result = _result(rows, case, regions, settings, log_padding, limits)
    name = relative_to(root)
    result.qc = [row.calling_files(name) for row in result.qc]
    for reader, problem in case.problems.items():
        case.problems[reader] = replace(problem, file=name(str(problem.file)))
    return result


def failed_case(
    rows: Sequence[Row],
    error: CaseError,
    *,
    regions: Sequence[str],
    parameters: Path,
    altered: Alteration | None = None,
) -> CaseResult:
    """The result of a case that could not be computed at all, for a reason found outside it; as :func:`extract_case`."""
    readers = readers_of([ManifestRow.of(row) for row in rows])
    problem = error.named(file=ManifestRow.of(rows[0]).image)
    case = LoadedCase([*readers], problems=dict.fromkeys(readers, problem))
    settings = read_parameters(parameters, altered.setting if altered else {})
    return _result(rows, case, regions, settings, LOG_PADDING, Limits())


def _result(
    rows: Sequence[Row],
    case: LoadedCase,
    regions: Sequence[str],
    parameters: Parameters,
    log_padding: float,
    limits: Limits,
) -> CaseResult:
    """Extract a case that was read, and call everything by patient, sequence and reader."""
    readers = readers_of([ManifestRow.of(row) for row in rows])
    sequence = ManifestRow.of(rows[0]).sequence
    columns = [f"{sequence}__{region}__{name}" for region in regions for name in parameters.feature_names]
    result = CaseResult([], [], ["patient_id", "reader", *columns], case)
    found = extract_outlines(case, parameters, regions, log_padding=log_padding, limits=limits)
    readings = compare_readings(case.masks, case.names[0])
    for reader, extracted in found.items():
        source = readers[reader]
        if extracted.problem is not None:
            extracted.problem = name_case(extracted.problem, source)
        else:
            record: dict[str, Any] = {"patient_id": source.patient_id, "reader": reader}
            for region, values in extracted.values.items():
                record |= {f"{sequence}__{region}__{name}": value for name, value in values.items()}
            result.features.append(record)
        for row in extracted.quality:
            row.patient_id, row.sequence, row.reader = source.patient_id, source.sequence, reader
            row.image, row.mask, row.problem = source.image, source.mask, extracted.problem
            row.image_hash = case.image_hash
            row.dice, notes = readings.get(reader, (None, []))
            row.warnings += notes
        result.qc += extracted.quality
    return result
