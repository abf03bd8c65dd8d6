"""What can be measured from a patient's images as a column: each measure's definition, unit and source, and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from her2radiomics.core.settings import Settings

Needs = Literal["phases", "diffusion", "outline"]
CurveMeasure = Literal[
    "initial_enhancement",
    "peak_enhancement",
    "time_to_peak",
    "wash_in",
    "wash_out",
    "late_change",
    "tic_type",
    "signal_enhancement_ratio",
    "functional_tumour_volume",
]
DiffusionMeasure = Literal["adc_mean", "adc_minimum"]
OutlineMeasure = Literal["maximum_diameter", "slice_diameter", "cross_section_area", "volume"]
MeasureName = Literal[CurveMeasure, DiffusionMeasure, OutlineMeasure]


@dataclass(frozen=True)
class Measure:
    """A measure as documentation and methods section say it.

    Attributes
    ----------
    label
        In a sentence: "initial enhancement".
    unit
        Its unit as printed; empty for a ratio or levels.
    definition
        How it is computed.
    source
        Where the definition is from.
    early_seconds, late_seconds
        Times of the early and the late phase by default; ``None``: the last phase.
    """

    label: str
    unit: str
    definition: str
    source: str
    early_seconds: float = 120.0
    late_seconds: float | None = None


KUHL = "Kuhl et al., Radiology 1999;211:101–110"
BI_RADS = "ACR BI-RADS Atlas 2013, MRI, kinetic curve assessment"
HYLTON = "Hylton et al., Radiology 2012;263:663–672"
NEWITT = "Newitt et al., Transl Oncol 2014;7:94–100"
STEJSKAL = "Stejskal and Tanner, J Chem Phys 1965;42:288–292"
IBSI = "Zwanenburg et al., Radiology 2020;295:328–338 (IBSI)"

#: S(t) is the mean signal in the region at t seconds after the injection, S₀ before it; S_e the largest one up to the early
#: time, S_l that of the late phase.
MEASURES: dict[MeasureName, Measure] = {
    "initial_enhancement": Measure(
        "initial enhancement", "%", "100 · (S_e − S₀) / S₀, with S_e the largest mean signal up to the early time", KUHL
    ),
    "peak_enhancement": Measure(
        "peak enhancement", "%", "100 · (S_p − S₀) / S₀, with S_p the largest mean signal of all phases", KUHL
    ),
    "time_to_peak": Measure(
        "time to peak", "s", "time from the injection to the phase of the largest mean signal", KUHL
    ),
    "wash_in": Measure(
        "wash-in rate", "%/min", "initial enhancement / t_e, with t_e the time of S_e after the injection", KUHL
    ),
    "wash_out": Measure(
        "wash-out rate", "%/min", "100 · (S_l − S_e) / S_e / (t_l − t_e), negative where the signal falls", BI_RADS
    ),
    "late_change": Measure("late change", "%", "100 · (S_l − S_e) / S_e", BI_RADS),
    "tic_type": Measure(
        "type of the time-intensity curve",
        "",
        "persistent where the late change exceeds 10%, wash-out where it is below −10%, else plateau; the column's three "
        "levels in this order",
        BI_RADS,
    ),
    "signal_enhancement_ratio": Measure(
        "signal enhancement ratio",
        "",
        "(S₁ − S₀) / (S₂ − S₀) of the mean signals of the phases nearest to the early and the late time",
        HYLTON,
        150.0,
        450.0,
    ),
    "functional_tumour_volume": Measure(
        "functional tumour volume",
        "cm³",
        "volume of the region's voxels with 100 · (S₁ − S₀) / S₀ ≥ 70%, S₀ ≥ 60% of its 95th percentile in the region, "
        "(S₁ − S₀) / (S₂ − S₀) > 0, and at least 4 of 26 neighbours that enhance likewise; ratios above `ratio_above` count",
        f"{HYLTON}; {NEWITT}",
        150.0,
        450.0,
    ),
    "adc_mean": Measure(
        "mean apparent diffusion coefficient (ADC)",
        "10⁻³ mm²/s",
        "mean over the region of each voxel's ADC, minus the least-squares slope of ln S on b (two b-values: "
        "ln(S_low / S_high) / (b_high − b_low))",
        STEJSKAL,
    ),
    "adc_minimum": Measure(
        "minimum apparent diffusion coefficient (ADC)",
        "10⁻³ mm²/s",
        "smallest ADC of the region's voxels; with `spot` the smallest mean of 3 × 3 voxels of a slice",
        STEJSKAL,
    ),
    "maximum_diameter": Measure(
        "maximum diameter",
        "mm",
        "largest distance between two points of the region's surface, which lies half way between voxel centres inside and "
        "outside",
        IBSI,
    ),
    "slice_diameter": Measure(
        "maximum diameter in a slice", "mm", "the largest diameter of the region's slices, each by itself", IBSI
    ),
    "cross_section_area": Measure(
        "largest cross-section area", "cm²", "voxels of the slice that holds most of the region × area of a pixel", IBSI
    ),
    "volume": Measure("volume", "cm³", "voxels of the region × volume of a voxel", IBSI),
}


def needs_of(measure: MeasureName) -> Needs:
    """What a measure is made from, beside the outline."""
    if measure in get_args(CurveMeasure):
        return "phases"
    return "diffusion" if measure in get_args(DiffusionMeasure) else "outline"


class Measured(Settings):
    """A column measured from images in an outline; where a patient's images do not allow it, the table's own value stays."""

    measure: MeasureName = Field(description="What is measured: see [measures.md](measures.md).")
    sequence: str = Field(
        description="Sequence on which the region was outlined: the whole tumour mask of the reference reader. Phases and "
        "diffusion-weighted images lie on the same grid."
    )
    spot: bool = Field(
        False,
        description="Of the 3 × 3 voxels of a slice that enhance most at the early time (least ADC: adc_minimum), instead "
        "of the whole region.",
    )
    early_seconds: PositiveFloat | None = Field(
        None, description="Early time after the injection; 120 s, or 150 s for the ratio and functional tumour volume."
    )
    late_seconds: PositiveFloat | None = Field(
        None,
        description="Late time: the last phase up to it, the last of all without it. For the ratio and functional tumour "
        "volume the phase nearest to it, 450 s by default.",
    )
    flat_within: PositiveFloat = Field(10.0, description="tic_type: a late change up to this (%) is a plateau.")
    enhancing: PositiveFloat = Field(70.0, description="functional_tumour_volume: least enhancement (%).")
    ratio_above: NonNegativeFloat = Field(
        0.0, description="functional_tumour_volume: signal enhancement ratios above this count."
    )
    adc_map: str | None = Field(
        None,
        description="adc_mean, adc_minimum: sequence that is a map in 10⁻⁶ mm²/s, instead of images with b-values.",
    )

    adc_below: PositiveFloat | None = Field(
        None, description="adc_mean: voxels of a larger ADC (10⁻³ mm²/s), such as necrosis and cysts, are left out."
    )

    @model_validator(mode="after")
    def _belongs_to_the_measure(self) -> Measured:
        """Refuse keys that the measure does not read."""
        curve = self.needs == "phases"
        volume, name = self.measure == "functional_tumour_volume", self.measure
        readers = {
            "spot": (curve and not volume) or name == "adc_minimum",
            "early_seconds": curve,
            "late_seconds": curve,
            "flat_within": name == "tic_type",
            "enhancing": volume,
            "ratio_above": volume,
            "adc_map": self.needs == "diffusion",
            "adc_below": name == "adc_mean",
        }
        own = {key: getattr(self, key) for key in readers}
        unread = [
            key for key, read in readers.items() if not read and own[key] != self.__class__.model_fields[key].default
        ]
        if unread:
            raise ValueError(f"{unread[0]}: the measure '{name}' does not read it; leave it out")
        if self.late is not None and self.late <= self.early:
            raise ValueError(f"late_seconds: found {self.late:g}, not after the early time of {self.early:g} s")
        return self

    @property
    def about(self) -> Measure:
        """Definition, unit and source."""
        return MEASURES[self.measure]

    @property
    def needs(self) -> Needs:
        """What it is measured from, beside the outline."""
        return needs_of(self.measure)

    @property
    def early(self) -> float:
        """Early time, in s after the injection."""
        return self.about.early_seconds if self.early_seconds is None else self.early_seconds

    @property
    def late(self) -> float | None:
        """Late time, in s after the injection; ``None``: the last phase."""
        return self.about.late_seconds if self.late_seconds is None else self.late_seconds
