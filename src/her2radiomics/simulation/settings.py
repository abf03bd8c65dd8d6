"""The ``simulation`` section of a study protocol: centres, sequences, readers, columns, outcome."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.settings import Settings
from her2radiomics.simulation.column_settings import ColumnSettings, FollowUp, check_columns
from her2radiomics.simulation.traits import HETEROGENEITY_LOADINGS, TRAITS

Family = Literal["dce", "t2", "dwi"]


def _identifier(name: str) -> str:
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):
        raise ValueError(f"found the name '{name}'; expected letters, digits and _, a letter first")
    return name


Identifier = Annotated[str, AfterValidator(_identifier)]


class FieldOfView(Settings):
    """The simulated field of one size of cohort: one breast with the chest wall behind it."""

    extent_mm: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = Field(
        description="Field of view right-left × anterior-posterior × feet-head, in mm."
    )
    truth_grid_mm: PositiveFloat = Field(
        default=1.0, le=2.0, description="Edge of the cubes on which the anatomy is drawn before it is imaged, in mm."
    )
    voxel_factor: float = Field(
        default=1.0,
        ge=1,
        le=2,
        description="Voxels are this many times as long along each axis as the scanners': a demo's images are smaller.",
    )


class Voxel(Settings):
    """Voxel size of one family of sequences at one centre."""

    in_plane_mm: PositiveFloat = Field(description="Edge of the square pixel, in mm.")
    slice_mm: PositiveFloat = Field(description="Slice thickness; slices touch, in mm.")


class DynamicTiming(Settings):
    """Timing of the dynamic contrast-enhanced series."""

    phases: PositiveInt = Field(description="Number of phases after injection; phase 0 is before it.")
    phase_seconds: PositiveFloat = Field(description="Duration of a phase, in s; phase k is sampled at its middle.")
    delay_seconds: float = Field(default=0.0, ge=0, description="From the injection to the start of phase 1, in s.")


class Counts(Settings):
    """How many patients of each outcome a centre contributes."""

    positive: int = Field(ge=0, description="Patients with the outcome.")
    negative: int = Field(ge=0, description="Patients without the outcome.")


class CentreSettings(Settings):
    """One centre, or one acquisition period of a centre: its scanner and its patients."""

    centre: str | None = Field(
        default=None, description="Name in the participants' column `centre`; the key of this mapping when absent."
    )
    patient_prefix: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]+$",
        description="Start of this centre's patient identifiers, a three-digit number follows; "
        "the key and a hyphen when absent.",
    )
    counts: dict[str, Counts] = Field(description="Patients per outcome, for every size of cohort.")
    mri_dates: tuple[date, date] | None = Field(
        default=None, description="First and last day of examination; fills the column `mri_date`."
    )
    field_strength_t: float = Field(ge=1.5, le=3.0, description="Magnetic field strength, in tesla.")
    dose_mmol_kg: float = Field(ge=0, le=0.3, description="Dose of the gadolinium contrast agent, in mmol/kg.")
    dynamic: DynamicTiming = Field(description="Timing of the dynamic series.")
    voxels: dict[Family, Voxel] = Field(description="Voxel sizes per family of sequences (dce, t2, dwi).")
    snr: dict[Family, PositiveFloat] = Field(
        description="Signal of a typical tumour over the standard deviation of the noise, per family."
    )
    gain: PositiveFloat = Field(default=1.0, description="Receiver gain: the mean of a typical tumour is 1000 × gain.")
    bias_field: float = Field(default=0.15, ge=0, le=1, description="Amplitude of the logarithm of the bias field.")
    background: float = Field(default=0.0, ge=0, description="Constant signal added before the noise, tumour = 1000.")

    @model_validator(mode="after")
    def _families(self) -> Self:
        for name, mapping in (("voxels", self.voxels), ("snr", self.snr)):
            missing = sorted({"dce", "t2", "dwi"} - set(mapping))
            if missing:
                raise ValueError(f"{name}: {', '.join(missing)} missing; expected dce, t2 and dwi")
        if self.mri_dates and self.mri_dates[0] > self.mri_dates[1]:
            raise ValueError("mri_dates: the first day comes after the last one")
        return self


class SequenceSettings(Settings):
    """How one named sequence is made."""

    kind: Literal["dce", "t2fs", "t2", "dwi", "adc"] = Field(
        description="dce: spoiled gradient echo of one phase; t2fs, t2: spin echo with and without fat "
        "suppression; dwi: diffusion-weighted; adc: map in 10⁻⁶ mm²/s."
    )
    phase: int | None = Field(
        default=None, ge=0, description="dce only: 0 before the injection, k the k-th phase after."
    )
    b_value: float = Field(
        default=800.0, ge=0, description="dwi and adc: diffusion weighting, in s/mm²; of a map above 0."
    )
    repetition_time_ms: PositiveFloat | None = Field(
        default=None, description="Repetition time, in ms; 5.0 for dce, 4000 for the others when absent."
    )
    echo_time_ms: PositiveFloat | None = Field(
        default=None, description="Echo time, in ms; 2.3 for dce, 80 for t2fs and t2, 65 for dwi and adc when absent."
    )
    flip_angle_deg: PositiveFloat = Field(default=10.0, le=90, description="dce only: flip angle, in degrees.")
    fat_suppressed: bool = Field(default=True, description="dce only: whether fat is suppressed.")
    measured_on: Family | None = Field(
        default=None, description="Family whose voxel size and noise this sequence has; follows from kind when absent."
    )
    outlined: bool = Field(default=True, description="Whether the readers outline the tumour on it.")

    @model_validator(mode="after")
    def _phase(self) -> Self:
        if (self.kind == "dce") != (self.phase is not None):
            raise ValueError(f"kind {self.kind}, phase {self.phase}: a phase belongs to dce, and dce needs one")
        if self.kind == "adc" and not self.b_value:
            raise ValueError("kind adc: found b_value 0; a map is made of 0 and a larger one")
        return self

    @property
    def family(self) -> Family:
        """Family that gives geometry and noise."""
        own: dict[str, Family] = {"dce": "dce", "t2fs": "t2", "t2": "t2", "dwi": "dwi", "adc": "dwi"}
        return self.measured_on or own[self.kind]

    @property
    def repetition_ms(self) -> float:
        """Repetition time, in ms."""
        return self.repetition_time_ms or (5.0 if self.kind == "dce" else 4000.0)

    @property
    def echo_ms(self) -> float:
        """Echo time, in ms."""
        return self.echo_time_ms or {"dce": 2.3, "t2fs": 80.0, "t2": 80.0, "dwi": 65.0, "adc": 65.0}[self.kind]


CONSENSUS = "consensus"


class ReaderSettings(Settings):
    """How readers' outlines differ from the tumour and from each other."""

    number: int = Field(default=2, ge=1, le=9, description="Number of readers.")
    consensus: bool = Field(
        default=False,
        description="Whether a reader `consensus` outlines every patient and trains, and the numbered readers outline the "
        "patients read twice only. Its errors are those of the readers' mean.",
    )
    read_twice: int | Literal["all"] | dict[str, int | Literal["all"]] = Field(
        default="all",
        description="How many patients, drawn at random, readers other than the reference outline; or all. "
        "A mapping gives each size of cohort its own.",
    )
    read_twice_centres: list[str] = Field(
        default=[], description="Centres from which these patients are drawn; empty: all."
    )
    contour_sd_mm: float = Field(default=0.7, ge=0, description="Local error of an outline: standard deviation, in mm.")
    contour_length_mm: PositiveFloat = Field(default=7.0, description="Smoothness of that error, in mm.")
    offset_sd_mm: float = Field(
        default=0.32, ge=0, description="A reader's overall generosity on an image: standard deviation, in mm."
    )

    @property
    def reference(self) -> str:
        """The reader who outlines every patient."""
        return CONSENSUS if self.consensus else FIRST_READER

    def who(self, twice: bool) -> list[str]:
        """The readers of a patient, the reference first."""
        others = [str(number) for number in range(1, 1 + self.number)] if twice else []
        return list(dict.fromkeys([self.reference, *others]))

    def error_scale(self, reader: str) -> float:
        """A reader's error as a share of a single reader's."""
        return self.number**-0.5 if reader == CONSENSUS else 1.0


class TumourSettings(Settings):
    """Sizes of the tumours: log-normal mean radius, clipped."""

    radius_mm: PositiveFloat = Field(default=13.5, description="Median mean radius, in mm.")
    spread: float = Field(default=0.25, ge=0, description="Standard deviation of the logarithm of the radius.")
    minimum_mm: PositiveFloat = Field(default=10.0, description="Smallest mean radius, in mm.")
    maximum_mm: PositiveFloat = Field(default=18.0, description="Largest mean radius, in mm.")
    non_mass_above: float = Field(
        default=0.8,
        description="Value of the trait clumping above which growth is non-mass: 0.8 in a fifth of the tumours.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.minimum_mm <= self.radius_mm <= self.maximum_mm:
            raise ValueError("expected minimum_mm ≤ radius_mm ≤ maximum_mm")
        return self


class PlantedOutcome(Settings):
    """What the outcome is made of: score = strength × Σ weight × standardised predictor + logistic noise."""

    weights: dict[str, float] = Field(
        default={"heterogeneity": 1.0},
        description="Trait, or continuous or categorical column (coded 0, 1, …, standardised) → weight.",
    )
    heterogeneity_loadings: dict[str, float] = Field(
        default=dict(HETEROGENEITY_LOADINGS),
        description="Correlation of imaging traits with the latent heterogeneity of the tumour.",
    )

    @model_validator(mode="after")
    def _loadings(self) -> Self:
        for trait, loading in self.heterogeneity_loadings.items():
            if trait not in TRAITS or trait == "heterogeneity":
                raise ValueError(f"heterogeneity_loadings: no trait '{trait}'; known: {', '.join(TRAITS[1:])}")
            if not -1 < loading < 1:
                raise ValueError(f"heterogeneity_loadings.{trait}: found {loading}, expected between -1 and 1")
        return self


class ExcludedGroup(Settings):
    """Participants enrolled and then excluded: rows without images, for the recruitment flow."""

    reason: str = Field(min_length=1, description="Text of the column `exclude_reason`.")
    counts: dict[str, dict[str, int]] = Field(description="Size of cohort → centre → number of participants.")
    values: dict[str, str] = Field(default={}, description="Column → value that goes with the reason.")


class SimulationSettings(Settings):
    """A simulated cohort, as data."""

    strength: float = Field(default=4.0, ge=0, description="Strength of the planted signal; 0 plants nothing at all.")
    sizes: dict[str, FieldOfView] = Field(description="Size of cohort (e.g. demo, published) → field of view.")
    centres: dict[Identifier, CentreSettings] = Field(min_length=1, description="Centre → scanner and patients.")
    sequences: dict[Identifier, SequenceSettings] = Field(min_length=1, description="Sequence name → its making.")
    readers: ReaderSettings = Field(default_factory=ReaderSettings, description="The readers.")
    tumour: TumourSettings = Field(default_factory=TumourSettings, description="Sizes of the tumours.")
    outcome: PlantedOutcome = Field(default_factory=PlantedOutcome, description="Planted predictors.")
    columns: dict[Identifier, ColumnSettings] = Field(description="Participants column → how it is drawn.")
    excluded: list[ExcludedGroup] = Field(default=[], description="Participants excluded, with the reason.")
    breast_masks: bool = Field(
        default=False, description="Also write a breast mask (region `breast`) for every sequence."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, centre in self.centres.items():
            if set(centre.counts) != set(self.sizes):
                raise ValueError(
                    f"centres.{name}.counts: found {sorted(centre.counts)}, expected the sizes {sorted(self.sizes)}"
                )
            for sequence, made in self.sequences.items():
                if made.phase is not None and made.phase > centre.dynamic.phases:
                    raise ValueError(
                        f"sequences.{sequence}: phase {made.phase}, but {name} has {centre.dynamic.phases} phases"
                    )
        prefixes = [self.prefix(name) for name in self.centres]
        if len(set(prefixes)) < len(prefixes):
            raise ValueError(f"centres: the patient prefixes {prefixes} are not all different")
        check_columns(self.columns, self.outcome.weights)
        for name, column in self.columns.items():
            named = getattr(column, "by_centre", {})
            if named and set(named) != set(self.centres):
                raise ValueError(
                    f"columns.{name}.by_centre: found {sorted(named)}, expected the centres {sorted(self.centres)}"
                )
            if isinstance(column, FollowUp):
                self._check_dates(name, column.until)
        self._check_readers()
        for group in self.excluded:
            self._check_group(group)
        return self

    def _check_dates(self, name: str, until: date) -> None:
        """A follow-up begins with an examination, and the data are closed after the last one."""
        for centre, made in self.centres.items():
            if made.mri_dates is None or made.mri_dates[1] >= until:
                raise ValueError(
                    f"columns.{name}.until: expected mri_dates in centres.{centre} that end before {until}"
                )

    def _check_readers(self) -> None:
        unknown = sorted(set(self.readers.read_twice_centres) - set(self.centres))
        if unknown:
            raise ValueError(
                f"readers.read_twice_centres: no centre {', '.join(unknown)}; known: {', '.join(self.centres)}"
            )
        if isinstance(self.readers.read_twice, dict) and set(self.readers.read_twice) != set(self.sizes):
            raise ValueError(
                f"readers.read_twice: found {sorted(self.readers.read_twice)}, expected the sizes {sorted(self.sizes)}"
            )

    def _check_group(self, group: ExcludedGroup) -> None:
        known: Mapping[str, object]
        for what, names, known in (
            ("size", group.counts, self.sizes),
            ("centre", {c for counts in group.counts.values() for c in counts}, self.centres),
            ("column", group.values, self.columns),
        ):
            unknown = sorted(set(names) - set(known))
            if unknown:
                raise ValueError(
                    f"excluded '{group.reason}': no {what} {', '.join(unknown)}; known: {', '.join(known)}"
                )

    def prefix(self, centre: str) -> str:
        """Start of the identifiers of a centre's patients."""
        return self.centres[centre].patient_prefix or f"{centre}-"
