"""Columns measured from one patient's images: the manifest's rows to values, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from her2radiomics.cohort.manifest import TUMOUR, ManifestRow
from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import scipy, sitk
from her2radiomics.core.measures import Measured
from her2radiomics.extraction.outlines import as_case_error
from her2radiomics.imaging import extent, kinetics
from her2radiomics.imaging.checks import check_same_grid
from her2radiomics.imaging.diffusion import adc_map
from her2radiomics.imaging.planes import slices_of, upright
from her2radiomics.imaging.reading import read_image, read_outline

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What a measure yields: a number (the level's place, for a type), or the reason why there is none."""

    value: float | None = None
    reason: str = ""


@dataclass
class Outline:
    """A region with a margin of one voxel: its image as read, the axis of the slices, and spacing and box upright."""

    image: sitk.Image
    axis: int
    spacing: tuple[float, float, float]
    box: tuple[slice, slice, slice]
    region: NDArray[np.bool_]


@dataclass
class Patient:
    """One patient's images and outlines, each read once.

    Attributes
    ----------
    rows
        The patient's rows of the manifest.
    reader
        Whose outlines are taken.
    resampled
        Sequences whose masks may lie on another grid than their image.
    """

    rows: Sequence[ManifestRow]
    reader: str
    resampled: Collection[str] = ()
    _outlines: dict[str, Outline] = field(default_factory=dict)
    _voxels: dict[tuple[str, str], Array] = field(default_factory=dict)

    def outline(self, sequence: str) -> Outline:
        """The reader's whole tumour outline on a sequence."""
        if sequence not in self._outlines:
            row = next((r for r in self.rows if r.sequence == sequence and self._outlined(r)), None)
            if row is None:
                raise CaseError(
                    found=f"no outline of reader {self.reader} on {sequence}",
                    expected="a tumour mask in the manifest",
                    remedy="Outline the tumour there, or name another sequence in the column's settings.",
                )
            image = read_image(row.image)
            axis = slices_of(image).axis
            mask, _ = read_outline(row.mask, image, row.mask_label, resample=sequence in self.resampled)
            mask = upright(mask, axis)
            voxels = sitk.GetArrayViewFromImage(mask) != 0
            inner = scipy.ndimage.find_objects(voxels.astype(np.uint8))[0]
            z, y, x = (slice(max(0, part.start - 1), part.stop + 1) for part in inner)
            self._outlines[sequence] = Outline(image, axis, mask.GetSpacing(), (z, y, x), voxels[z, y, x])
        return self._outlines[sequence]

    def _outlined(self, row: ManifestRow) -> bool:
        return row.reader == self.reader and row.region == TUMOUR and bool(row.mask)

    @cached_property
    def phases(self) -> dict[float, ManifestRow]:
        """Seconds after the injection to the phase's row."""
        return self._by_number("seconds", "phases with their time after the injection")

    @cached_property
    def weightings(self) -> dict[float, ManifestRow]:
        """b-value to the row of its image."""
        return self._by_number("b_value", "diffusion-weighted images with their b-value")

    def _by_number(self, name: str, what: str) -> dict[float, ManifestRow]:
        found: dict[float, ManifestRow] = {}
        for row in self.rows:
            value = getattr(row, name)
            if value != "" and found.setdefault(float(value), row).sequence != row.sequence:
                raise CaseError(
                    found=f"{found[float(value)].sequence} and {row.sequence} with the same '{name}' ({value})",
                    expected=f"{what}, each once",
                    remedy="Correct the manifest, or take one of the images out of it.",
                )
        if not found:
            raise CaseError(
                found=f"no {what}",
                expected=f"images with '{name}' in the manifest",
                remedy=f"Add them, or fill in '{name}'.",
            )
        return dict(sorted(found.items()))

    def voxels(self, row: ManifestRow, on: str) -> Array:
        """An image's voxels about the outline on a sequence; their grid is that of the outline's image."""
        if (row.sequence, on) not in self._voxels:
            outline = self.outline(on)
            image = outline.image if row.sequence == on else self._on_grid(row, outline.image)
            turned = upright(image, outline.axis)
            self._voxels[row.sequence, on] = sitk.GetArrayViewFromImage(turned)[outline.box].astype(np.float64)
        return self._voxels[row.sequence, on]

    def _on_grid(self, row: ManifestRow, outlined: sitk.Image) -> sitk.Image:
        remedy = "Choose the outline of a sequence of the same series, or resample the images."
        try:
            image = read_image(row.image)
            check_same_grid(image, outlined, what="an image", remedy=remedy)
        except CaseError as error:
            raise error.named(sequence=row.sequence) from None
        return image


def measure_patient(
    rows: Sequence[ManifestRow], columns: Mapping[str, Measured], *, reader: str, resampled: Collection[str] = ()
) -> dict[str, Outcome]:
    """Measure a patient's columns; what cannot be measured has the reason in words that name no file.

    Parameters
    ----------
    rows
        The patient's rows of the manifest, paths resolvable from here.
    columns
        Column to what is measured.
    reader
        Reader whose outlines are taken.
    resampled
        Sequences whose masks may lie on another grid than their image.

    Returns
    -------
    dict
        Column to its outcome.
    """
    patient, found = Patient(rows, reader, resampled), {}
    for name, measured in columns.items():
        try:
            value = BY_NEEDS[measured.needs](patient, measured)
            if not np.isfinite(value):
                raise CaseError(
                    found="no number",
                    expected=f"a {measured.about.label}",
                    remedy="Look at the images: the signal may be 0 or unchanged in the region.",
                )
            found[name] = Outcome(float(value))
        except Exception as error:  # a broken file costs the patient's columns, whatever its reader raises
            found[name] = Outcome(reason=failure(error))
    return found


def failure(error: Exception) -> str:
    """Why nothing was measured, in words that name no file."""
    return str(replace(as_case_error(error), file="", quoted="", patient=""))


def _from_phases(patient: Patient, measured: Measured) -> float:
    """Measures of the curve and the maps of enhancement."""
    outline, on = patient.outline(measured.sequence), measured.sequence
    times = [*patient.phases]
    first = kinetics.precontrast_time(times)

    def phase(time: float) -> Array:
        return patient.voxels(patient.phases[time], on)

    region = outline.region
    pair = measured.measure in ("signal_enhancement_ratio", "functional_tumour_volume")
    if pair:
        assert measured.late is not None  # these measures have one by default
        early, late = kinetics.nearest_phases(times, measured.early, measured.late)
    if measured.spot:
        near = early if pair else max(time for time in times if time <= max(measured.early, first))
        region = kinetics.spot(phase(near) - phase(first), region, largest=True)
    if measured.measure == "functional_tumour_volume":
        tumour = kinetics.functional_tumour(
            phase(first),
            phase(early),
            phase(late),
            region,
            enhancing=measured.enhancing,
            ratio_above=measured.ratio_above,
        )
        return extent.volume_cm3(tumour, outline.spacing)
    if pair:
        signals = [phase(time)[region].mean() for time in (first, early, late)]
        return float(kinetics.signal_enhancement_ratio(*signals))
    curve = kinetics.Curve.of({time: float(phase(time)[region].mean()) for time in times})
    return _of_curve(curve, measured)


def _of_curve(curve: kinetics.Curve, measured: Measured) -> float:
    name = measured.measure
    if name in ("initial_enhancement", "wash_in"):
        time, signal = curve.peak(measured.early)
        initial = curve.enhancement(signal)
        return initial if name == "initial_enhancement" else initial / (time / 60.0)
    if name in ("peak_enhancement", "time_to_peak"):
        time, signal = curve.peak()
        return time if name == "time_to_peak" else curve.enhancement(signal)
    change, minutes = curve.late_change(measured.early, measured.late)
    if name == "tic_type":
        return kinetics.curve_type(change, measured.flat_within)
    return change if name == "late_change" else change / minutes


def _from_diffusion(patient: Patient, measured: Measured) -> float:
    """Mean or smallest ADC of the region, in 10⁻³ mm²/s."""
    region = patient.outline(measured.sequence).region
    if measured.adc_map is None:
        images = {b: patient.voxels(row, measured.sequence) for b, row in patient.weightings.items()}
        adc = adc_map(images)
    else:
        row = next((row for row in patient.rows if row.sequence == measured.adc_map), None)
        if row is None:
            raise CaseError(
                found=f"no image of {measured.adc_map}", expected="the map of the ADC", remedy="Add it to the manifest."
            )
        adc = patient.voxels(row, measured.sequence) / 1000.0
    if measured.spot:
        return float(adc[kinetics.spot(adc, region, largest=False)].mean())
    inside = adc[region & np.isfinite(adc)]
    if measured.adc_below is not None:
        inside = inside[inside < measured.adc_below]
    if not len(inside):
        return np.nan
    return float(inside.mean() if measured.measure == "adc_mean" else inside.min())


def _from_outline(patient: Patient, measured: Measured) -> float:
    """Diameter, area or volume of the region."""
    outline = patient.outline(measured.sequence)
    return EXTENTS[measured.measure](outline.region, outline.spacing)


EXTENTS: dict[str, Callable[..., float]] = {
    "maximum_diameter": extent.maximum_diameter_mm,
    "slice_diameter": extent.slice_diameter_mm,
    "cross_section_area": extent.cross_section_cm2,
    "volume": extent.volume_cm3,
}
BY_NEEDS: dict[str, Callable[[Patient, Measured], float]] = {
    "phases": _from_phases,
    "diffusion": _from_diffusion,
    "outline": _from_outline,
}
