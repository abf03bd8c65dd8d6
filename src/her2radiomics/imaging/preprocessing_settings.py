"""What a protocol may ask for before features are extracted. Light: read while the workflow is planned.

Everything is off by default. The steps and their order are those of
:mod:`her2radiomics.imaging.preprocessing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import Settings, load

Within = Literal["breast", "foreground", "image"]
Interpolator = Literal["linear", "b_spline", "nearest"]
WITHIN = "breast (its mask; an error where there is none), foreground (voxels above Li's threshold), or image."


class BiasField(Settings):
    """N4 bias field correction."""

    within: Literal["auto", "breast", "foreground", "image"] = Field(
        default="auto",
        description=f"Voxels that the field is fitted to: auto (breast where masked, else foreground), {WITHIN}",
    )
    shrink_factor: PositiveInt = Field(
        default=4,
        description="The field is fitted on every so many voxels along each axis (fewer where an axis would "
        "fall below 8 voxels) and applied at full resolution.",
    )
    iterations: list[PositiveInt] = Field(
        default_factory=lambda: [50, 50, 50, 50],
        min_length=1,
        description="Most iterations at each resolution of the B-spline field; as many levels as numbers.",
    )
    convergence: PositiveFloat = Field(
        default=0.001, description="A level ends when the field changes by less (coefficient of variation)."
    )
    control_points: int = Field(
        default=4, ge=4, description="Control points of the cubic B-spline field along each axis at the first level."
    )


class Clip(Settings):
    """Clipping of intensities to percentiles."""

    low: float = Field(ge=0, lt=100, description="Percentile below which intensities are raised to it.")
    high: float = Field(gt=0, le=100, description="Percentile above which intensities are lowered to it.")
    within: Within = Field(default="image", description=f"Voxels whose percentiles count: {WITHIN}")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"found low {self.low:g} and high {self.high:g}; expected low < high")
        return self


class Normalise(Settings):
    """Intensities as z-scores."""

    within: Within = Field(description=f"Voxels whose mean and standard deviation count: {WITHIN}")
    scale: PositiveFloat = Field(
        default=1.0,
        description="Factor on the z-scores, as PyRadiomics' normalizeScale; with a bin width of 25, 100 "
        "gives four bins a standard deviation.",
    )
    shift: float = Field(default=0.0, description="Added after scaling.")


class Resample(Settings):
    """Resampling of image and masks to a stated voxel spacing."""

    spacing_mm: tuple[float | None, float | None, float | None] = Field(
        description="Spacing along the image's axes x, y, z in mm; null or 0 keeps an axis as it is "
        "([1, 1, null] resamples in the plane only)."
    )
    interpolator: Interpolator = Field(
        default="b_spline", description="Interpolation of the image: cubic B-spline, linear or nearest."
    )
    mask: Literal["nearest", "linear"] = Field(
        default="nearest", description="Interpolation of masks: nearest neighbour, or linear and cut at 0.5."
    )

    @field_validator("spacing_mm")
    @classmethod
    def _sensible(cls, value: tuple[float | None, ...]) -> tuple[float | None, ...]:
        kept = tuple(step or None for step in value)
        if any(step is not None and not 0.05 <= step <= 50 for step in kept) or not any(kept):
            raise ValueError(
                f"found {list(value)}; expected three spacings in mm (0.05 to 50), null for an axis to keep, "
                "not all of them null"
            )
        return kept


class Resegment(Settings):
    """Voxels of a region that are left out of intensities and texture, as IBSI-1's re-segmentation; the shape keeps them."""

    low: float | None = Field(default=None, description="Lowest intensity that stays; null: none.")
    high: float | None = Field(default=None, description="Highest intensity that stays; null: none.")
    outliers_sd: PositiveFloat | None = Field(
        default=None,
        description="Standard deviations (population) around the region's mean within which intensities stay; null: all. "
        "With a range both must hold, and the mean is that of the whole region.",
    )
    bins_from_low: bool = Field(
        default=False,
        description="Bins of a fixed width start at low, as IBSI-1 recommends, instead of at the multiple of the width at "
        "or below the region's minimum; of the unfiltered image.",
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.low is None and self.high is None and self.outliers_sd is None:
            raise ValueError("found neither low, high nor outliers_sd; expected at least one of them")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"found low {self.low:g} and high {self.high:g}; expected low < high")
        if self.bins_from_low and self.low is None:
            raise ValueError("found bins_from_low without low; expected the lower bound that bins start at")
        return self


class Preprocessing(Settings):
    """What is done to an image and its masks before features are extracted; nothing unless it is named."""

    resample_mask: bool = Field(
        default=False,
        description="Resample masks whose grid is not their image's onto it (nearest neighbour by physical "
        "coordinates); every such mask is warned of in qc.csv and marked on the overlay.",
    )
    n4: BiasField | None = Field(default=None, description="N4 bias field correction; {} for its defaults.")
    subtract: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        description="Sequence of the manifest (the pre-contrast phase, DCE0) that is subtracted; same grid.",
    )
    subtract_as: Literal["difference", "percent"] = Field(
        default="difference",
        description="difference: image − pre-contrast; percent: 100 × (image − pre-contrast) / pre-contrast, with a "
        "denominator of at least the pre-contrast image's foreground threshold, so that air and noise do not divide "
        "by almost nothing.",
    )
    clip: Clip | None = Field(default=None, description="Clipping to percentiles.")
    normalise: Normalise | None = Field(default=None, description="z-scores, scaled and shifted.")
    resample: Resample | None = Field(default=None, description="Resampling to a voxel spacing.")
    round: bool = Field(
        default=False,
        description="Round intensities to whole units after resampling, as IBSI-1 does with Hounsfield units.",
    )
    resegment: Resegment | None = Field(
        default=None, description="Range and outliers that limit a region's intensities, but not its shape."
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.n4 is not None and self.subtract is not None and self.subtract_as == "percent":
            raise ValueError(
                "found n4 and subtract_as: percent; expected one of them, since the bias field cancels in "
                "a ratio of two phases. Remove n4"
            )
        if self.subtract is None and self.subtract_as == "percent":
            raise ValueError("found subtract_as without subtract; expected the sequence to subtract")
        return self

    @property
    def changes_image(self) -> bool:
        """Whether the image's intensities or grid change (masks aside)."""
        return any((self.n4, self.subtract, self.clip, self.normalise, self.resample, self.round))

    def summary(self) -> str:
        """What is done to the image in a few words of ASCII, for a picture's header.

        >>> Preprocessing(n4=BiasField(), subtract="DCE0").summary()
        'N4, minus DCE0'
        """
        words = ["N4"] if self.n4 else []
        if self.subtract:
            words.append(f"minus {self.subtract}" if self.subtract_as == "difference" else f"% of {self.subtract}")
        if self.clip:
            words.append(f"clipped {self.clip.low:g} to {self.clip.high:g}%")
        words += ["z-score"] if self.normalise else []
        if self.resample:
            steps = zip("xyz", self.resample.spacing_mm, strict=True)
            words.append(f"resampled to {' '.join(f'{axis} {step:g}' for axis, step in steps if step)} mm")
        words += ["rounded"] if self.round else []
        words += ["resegmented"] if self.resegment else []
        return ", ".join(words)

    @property
    def needs_breast(self) -> bool:
        """Whether a step cannot do without a breast mask."""
        return any(step is not None and step.within == "breast" for step in (self.n4, self.clip, self.normalise))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a YAML file of these keys."""
        return load(cls, path)

    def refuse_twice(self, setting: Mapping[str, Any], where: str) -> None:
        """Refuse a parameter file (``where``, its ``setting`` section) that normalises, resamples or resegments as well.

        Raises
        ------
        SettingsError
            Both do.
        """
        spacing = setting.get("resampledPixelSpacing") is not None
        for mine, theirs, twice in (
            ("normalise", "normalize", self.normalise is not None and setting.get("normalize")),
            ("resample", "resampledPixelSpacing", self.resample is not None and spacing),
            ("resegment", "resegmentRange", self.resegment is not None and setting.get("resegmentRange")),
        ):
            if twice:
                raise SettingsError(
                    f"{where}: found {theirs} in the parameter file and {mine} in the protocol's preprocessing; "
                    "expected one of the two. Remove the other."
                )
