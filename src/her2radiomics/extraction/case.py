"""One case: the features and quality-control rows of one patient's sequence, all readers and regions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.contracts import FIRST_READER, contract
from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.core.libraries import sitk
from her2radiomics.extraction.engine import extract_each
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.loading import LoadedCase, Row, load_case, named, relative_to, shown
from her2radiomics.extraction.parameters import read_parameters
from her2radiomics.imaging import make_region
from her2radiomics.imaging.checks import MAX_GREY_LEVELS, check_grey_levels, extremes, times
from her2radiomics.imaging.regions import Region, parse_region

if TYPE_CHECKING:
    from her2radiomics.extraction.parameters import Parameters
    from her2radiomics.imaging.preprocessing_settings import Preprocessing

SPIKE_RATIO = 100.0  # the image's largest magnitude over the region's, above which filters lose contrast
QC_COLUMNS = contract("qc").names


@dataclass
class CaseResult:
    """What one case yields.

    Attributes
    ----------
    features
        One mapping a reader whose regions all succeeded: ``patient_id``, ``reader``, then
        ``<sequence>__<region>__<feature>`` → value. A value may be NaN: the study drops such features.
    qc
        One mapping a reader and region with exactly :data:`QC_COLUMNS`.
    columns
        The feature table's header, also when no reader succeeded.
    case
        The image and masks, for whoever draws them next.
    """

    features: list[dict[str, Any]]
    qc: list[dict[str, Any]]
    columns: list[str]
    case: LoadedCase


def extract_case(
    rows: Sequence[Row],
    *,
    regions: Sequence[str],
    parameters: Path,
    expected_features: int | None = None,
    warn_grey_levels: tuple[int, int] = (16, 128),
    max_grey_levels: int = MAX_GREY_LEVELS,
    preprocessing: Preprocessing | None = None,
    precontrast: str | Path = "",
    log_padding: float = LOG_PADDING,
    root: str | Path = "",
) -> CaseResult:
    """Extract one patient's sequence: all readers and regions from one reading of the image.

    A failing image fails every reader, a failing mask its own reader; failures are recorded in the
    quality-control rows with patient, sequence, reader and file, and never raised. A reader counts as
    extracted only when all regions are.

    Parameters
    ----------
    rows
        Manifest rows of this patient and sequence, paths resolvable from here. Rows of the region ``breast``
        hold a breast mask that limits rings.
    regions
        Region names, see :mod:`her2radiomics.imaging.regions`.
    parameters
        PyRadiomics parameter file.
    expected_features
        Number of features a region that the protocol states; ``None`` leaves it to the parameter file.
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
    root
        Folder of the data set: quality-control rows name files relative to it, as the manifest does.

    Raises
    ------
    SettingsError
        When the parameter file, a region's name or the expected number is wrong, or parameter file and
        preprocessing both normalise or resample: that is no one case's fault.
    """
    parsed = [parse_region(name) for name in regions]
    settings = read_parameters(parameters)
    if expected_features is not None and len(settings.feature_names) != expected_features:
        raise SettingsError(
            f"{parameters}: found {len(settings.feature_names)} features a region; expected the protocol's "
            f"{expected_features}. Correct the parameter file or the protocol."
        )
    if preprocessing is not None:
        preprocessing.refuse_twice(settings.settings, str(parameters))
    case = load_case(rows, preprocessing, precontrast=precontrast, root=root)
    sequence = rows[0]["sequence"]
    columns = [f"{sequence}__{region.name}__{name}" for region in parsed for name in settings.feature_names]
    result = CaseResult([], [], ["patient_id", "reader", *columns], case)
    limits = (*warn_grey_levels, max_grey_levels)
    knob = "bin width and normalise.scale" if preprocessing and preprocessing.normalise else "bin width"
    masks: dict[tuple[str, str], sitk.Image] = {}
    quality = {reader: [_blank(row, region, root) for region in parsed] for reader, row in case.rows.items()}
    for reader, entries in quality.items():
        try:
            if reader in case.problems:
                raise case.problems[reader]
            masks |= _prepare_reader(case, reader, parsed, settings, entries, limits, knob)
        except Exception as error:
            _fail(entries, error, case.rows[reader], root)
    values = _extract_all(case, masks, settings, quality, log_padding, root)
    for reader, entries in quality.items():
        if all(entry["status"] != "failed" for entry in entries):
            record: dict[str, Any] = {"patient_id": case.rows[reader]["patient_id"], "reader": reader}
            for entry in entries:
                found = values[reader, entry["region"]]
                _warn_empty(entry, found)
                record |= {f"{sequence}__{entry['region']}__{name}": value for name, value in found.items()}
            result.features.append(record)
        result.qc += entries
    return result


def failed_case(
    rows: Sequence[Row],
    error: CaseError,
    *,
    regions: Sequence[str],
    parameters: Path,
    root: str | Path = "",
) -> CaseResult:
    """The result of a case that could not be computed at all, for a reason found outside it.

    Parameters
    ----------
    rows, regions, parameters, root
        As for :func:`extract_case`.
    error
        What was found; patient, sequence, reader and file are filled in.
    """
    parsed = [parse_region(name) for name in regions]
    sequence = rows[0]["sequence"]
    readers = {row["reader"]: row for row in rows if (row.get("region") or "tumour") == "tumour"}
    problems = {
        reader: relative_to(root, named(error, row, rows[0]["image"]))
        for reader, row in sorted(readers.items())
    }
    case = LoadedCase({reader: readers[reader] for reader in problems}, problems=problems)
    qc = [_blank(case.rows[reader], region, root) for reader in problems for region in parsed]
    for entry in qc:
        entry.update(status="failed", reason=str(problems[entry["reader"]]))
    names = read_parameters(parameters).feature_names
    columns = [f"{sequence}__{region.name}__{name}" for region in parsed for name in names]
    return CaseResult([], qc, ["patient_id", "reader", *columns], case)


def _extract_all(
    case: LoadedCase,
    masks: Mapping[tuple[str, str], sitk.Image],
    settings: Parameters,
    quality: Mapping[str, list[dict[str, Any]]],
    log_padding: float,
    root: str | Path,
) -> dict[tuple[str, str], dict[str, float]]:
    """Features of every reader's regions from one filtering of the image; failures go to ``quality``."""
    if not masks:
        return {}
    assert case.image is not None
    values: dict[tuple[str, str], dict[str, float]] = {}
    try:
        found = extract_each(case.image, masks, settings, log_padding=log_padding)
    except Exception as error:  # a filter failed: no reader has features
        for reader in {reader for reader, _ in masks}:
            _fail(quality[reader], error, case.rows[reader], root)
        return values
    for (reader, region), value in found.items():
        if isinstance(value, CaseError):
            _fail(quality[reader], value.named(region=region), case.rows[reader], root)
        else:
            values[reader, region] = value
    return values


def _fail(entries: list[dict[str, Any]], error: Exception, row: Row, root: str | Path) -> None:
    """Mark a reader's quality-control rows as failed; the first reason stays."""
    reason = str(relative_to(root, named(error, row, row.get("mask") or row["image"])))
    for entry in entries:
        if entry["status"] != "failed":
            entry.update(status="failed", reason=reason)


def _warn_empty(entry: dict[str, Any], values: Mapping[str, float]) -> None:
    """Say in a quality-control row which features are not numbers."""
    empty = [name for name, value in values.items() if not math.isfinite(value)]
    if empty:
        shown = ", ".join(empty[:3]) + (", …" if len(empty) > 3 else "")
        reason = f"{len(empty)} features are not numbers ({shown})"
        entry.update(status="warned", reason="; ".join(filter(None, (entry["reason"], reason))))


def _blank(row: Row, region: Region, root: str | Path) -> dict[str, Any]:
    entry: dict[str, Any] = dict.fromkeys(QC_COLUMNS, "")
    entry.update({name: row.get(name, "") for name in ("patient_id", "sequence", "reader")})
    entry.update({name: shown(row.get(name, ""), root) for name in ("image", "mask")})
    entry["region"] = region.name
    return entry


def _prepare_reader(
    case: LoadedCase,
    reader: str,
    regions: Sequence[Region],
    settings: Parameters,
    qc: list[dict[str, Any]],
    limits: tuple[int, int, int],
    knob: str,
) -> dict[tuple[str, str], sitk.Image]:
    """Make, measure and check one reader's regions; fills ``qc`` in place."""
    assert case.image is not None
    masks: dict[tuple[str, str], sitk.Image] = {}
    dice = _dice(case, reader)
    for entry in qc:
        entry.update(size=times(case.image.GetSize()), spacing_mm=times(case.image.GetSpacing()), dice=dice)
    for region, entry in zip(regions, qc, strict=True):
        mask = masks[reader, region.name] = make_region(case.masks[reader], region.name, case.breast)
        warnings = [*case.warnings[reader], *_measure(case.image, mask, settings, entry, limits, knob)]
        entry.update(status="warned" if warnings else "extracted", reason="; ".join(warnings))
    return masks


def _measure(
    image: sitk.Image,
    mask: sitk.Image,
    settings: Parameters,
    entry: dict[str, Any],
    limits: tuple[int, int, int],
    knob: str,
) -> list[str]:
    """Fill a quality-control row with a region's measures; return what deserves a warning."""
    inside = sitk.GetArrayViewFromImage(mask) != 0
    areas = np.count_nonzero(inside, axis=(1, 2))
    voxels = sitk.GetArrayViewFromImage(image)
    values = voxels[inside]
    low, high = float(values.min()), float(values.max())
    levels = settings.grey_levels(low, high)
    entry.update(
        voxels=int(areas.sum()),
        volume_ml=float(areas.sum() * np.prod(image.GetSpacing()) / 1000.0),
        slices=int(np.count_nonzero(areas)),
        slice_index=int(areas.argmax()),
        grey_levels=levels,
        minimum=low,
        maximum=high,
    )
    fewest, most, refuse = limits
    try:
        check_grey_levels(levels, refuse, low, high)
    except CaseError as error:
        raise error.named(region=entry["region"]) from error
    warnings = []
    if not fewest <= levels <= most:
        warnings.append(f"{levels} grey levels, outside {fewest} to {most}: check {knob} against intensities")
    peak = max(map(abs, extremes(image)))
    if peak > SPIKE_RATIO * max(abs(low), abs(high)):
        warnings.append(f"the image reaches {peak:g}, far above the region: a stray voxel scales the filters")
    border = [axis for axis, name in enumerate("zyx") if _touches(inside, axis)]
    if border:
        warnings.append(
            f"the region touches the image border along {', '.join('zyx'[axis] for axis in border)}"
        )
    return warnings


def _touches(inside: np.ndarray, axis: int) -> bool:
    return bool(inside.take(0, axis).any() or inside.take(-1, axis).any())


def _dice(case: LoadedCase, reader: str) -> float | str:
    """Dice overlap of this reader's tumour mask with reader 1's; empty for reader 1 or without reader
    1's."""
    if reader == FIRST_READER or FIRST_READER not in case.masks:
        return ""
    mine = sitk.GetArrayViewFromImage(case.masks[reader])
    first = sitk.GetArrayViewFromImage(case.masks[FIRST_READER])
    both = np.count_nonzero(mine & first)
    return float(2 * both / (np.count_nonzero(mine) + np.count_nonzero(first)))
