"""The case of a patient's sequence: its outlines' features and quality control, called by patient, sequence and reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.loading import Row, load_case, name_case, readers_of
from her2radiomics.extraction.options import Alteration
from her2radiomics.extraction.outlines import LoadedCase
from her2radiomics.extraction.parameters import Parameters, read_parameters
from her2radiomics.extraction.perturbing import perturb_case
from her2radiomics.extraction.plausibility import compare_readings
from her2radiomics.extraction.quality import QualityRow, relative_to
from her2radiomics.extraction.regions import Limits, extract_outlines
from her2radiomics.imaging import parse_region
from her2radiomics.imaging.checks import MAX_GREY_LEVELS, USUAL_GREY_LEVELS

if TYPE_CHECKING:
    from her2radiomics.imaging.preprocessing_settings import Preprocessing


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
