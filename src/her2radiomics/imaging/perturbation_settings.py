"""How the outline or the image of a case may be changed on purpose, to see what features make of it. Light.

Outlines (:mod:`her2radiomics.imaging.perturbation`) are changed to measure how reproducible features are; an image's grey
levels are, or the outline is moved to other tissue, as a negative control.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, NonNegativeInt, PositiveFloat, model_validator

from her2radiomics.core.settings import Settings

#: A noise that varies over less than so many of its standard deviations could tear an outline.
SMOOTHEST = 2.0


class _Seeded(Settings):
    """A change that is drawn at random."""

    seed: NonNegativeInt = Field(
        0, description="Seed; in a study that of config.yaml where nothing is said. Patient and sequence enter as well."
    )


class Grow(Settings):
    """An outline grown by `mm` in all directions."""

    kind: Literal["grow"] = "grow"
    mm: PositiveFloat = Field(description="Distance by which the border moves outwards.")


class Shrink(Settings):
    """An outline shrunk by `mm` in all directions."""

    kind: Literal["shrink"] = "shrink"
    mm: PositiveFloat = Field(description="Distance by which the border moves inwards.")


class Shift(_Seeded):
    """Outlines shifted by `mm` in the plane of the slices, those of all readers alike; the direction is drawn."""

    kind: Literal["shift"] = "shift"
    mm: PositiveFloat = Field(description="Length of the shift; its direction is drawn for each patient and sequence.")


class ContourNoise(_Seeded):
    """A border that is off by smooth noise (`sd_mm`, kernel `length_mm`), for each reader another way."""

    kind: Literal["contour_noise"] = "contour_noise"
    sd_mm: PositiveFloat = Field(description="Standard deviation of the border's place.")
    length_mm: PositiveFloat = Field(description="Width of the Gaussian kernel that makes the noise smooth.")

    @model_validator(mode="after")
    def _smooth(self) -> Self:
        if self.length_mm < SMOOTHEST * self.sd_mm:
            raise ValueError(
                f"found sd_mm {self.sd_mm:g} and length_mm {self.length_mm:g}; expected a length of at least "
                f"{SMOOTHEST:g} sd_mm, since a rougher noise tears the outline"
            )
        return self


class ImageNoise(_Seeded):
    """White Gaussian noise added to the image as features see it; `share` of the outline's standard deviation."""

    kind: Literal["image_noise"] = "image_noise"
    share: PositiveFloat = Field(
        description="Standard deviation as a share of that of the grey levels inside the reference reader's outline."
    )


class ShuffledVoxels(_Seeded):
    """Grey levels permuted among the voxels of each region: first-order features stay, texture goes."""

    kind: Literal["shuffled_voxels"] = "shuffled_voxels"


class OtherTissue(_Seeded):
    """Outlines moved to other tissue of the same image: in their slices where there is space, else to other slices.

    At the new place lie no air, no tumour and no ring of the old place. The tissue is the breast mask where the manifest
    has one, else what is no air: above Otsu's threshold of the logarithm of the image as read, smoothed, with gaps closed.
    """

    kind: Literal["other_tissue"] = "other_tissue"


#: Every change by its name.
PERTURBATIONS: dict[str, type[Settings]] = {
    "grow": Grow,
    "shrink": Shrink,
    "shift": Shift,
    "contour_noise": ContourNoise,
    "image_noise": ImageNoise,
    "shuffled_voxels": ShuffledVoxels,
    "other_tissue": OtherTissue,
}
Perturbation: TypeAlias = Annotated[
    Grow | Shrink | Shift | ContourNoise | ImageNoise | ShuffledVoxels | OtherTissue, Field(discriminator="kind")
]
