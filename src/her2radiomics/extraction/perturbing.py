"""A case that was read, with its outlines or its image changed on purpose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk
from her2radiomics.core.seeds import stream
from her2radiomics.extraction.outlines import LoadedCase, as_case_error
from her2radiomics.extraction.plausibility import measure_mask
from her2radiomics.imaging import perturbation
from her2radiomics.imaging.checks import check_mask, extremes
from her2radiomics.imaging.perturbation_settings import (
    ContourNoise,
    Grow,
    ImageNoise,
    OtherTissue,
    Perturbation,
    Shift,
    Shrink,
    ShuffledVoxels,
)
from her2radiomics.imaging.planes import slices_of, upright
from her2radiomics.imaging.reading import read_volume
from her2radiomics.imaging.regions import make_region

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Perturbing:
    """Whose image it is, and what regions are made of its outlines; the first outline is the reference's."""

    case: LoadedCase
    regions: Sequence[str]
    patient: str
    sequence: str
    image_file: str
    changed: bool

    def random(self, settings: Perturbation, *more: str) -> np.random.Generator:
        """Numbers for this change of this case, whatever else is computed."""
        seed = getattr(settings, "seed", 0)
        return stream(seed, self.patient, " ".join([settings.kind, self.sequence, *more]))

    @property
    def image(self) -> sitk.Image:
        assert self.case.image is not None
        return self.case.image

    def voxels(self, name: str) -> Mask:
        """An outline, shape (z, y, x)."""
        return sitk.GetArrayFromImage(self.case.masks[name]) != 0

    def made(self, name: str) -> list[Mask]:
        """The regions of an outline; those that cannot be made fail when they are extracted."""
        found = []
        for region in self.regions:
            try:
                made = make_region(self.case.masks[name], region, self.case.breast, self.case.levels.get(name))
            except CaseError:
                continue
            found.append(sitk.GetArrayFromImage(made) != 0)
        return found

    def redraw(self, settings: Grow | Shrink | Shift | ContourNoise) -> None:
        """Every outline by itself."""
        spacing = self.image.GetSpacing()
        for name in [*self.case.masks]:
            mask = self.voxels(name)
            if isinstance(settings, Grow | Shrink):
                drawn = perturbation.grown(mask, spacing, settings.mm * (1 if settings.kind == "grow" else -1))
            elif isinstance(settings, Shift):
                angle = self.random(settings).uniform(0, 2 * math.pi)
                vector = (settings.mm * math.cos(angle), settings.mm * math.sin(angle), 0.0)
                drawn = perturbation.shifted(mask, spacing, vector)
            else:
                drawn = perturbation.with_contour_noise(
                    mask, spacing, settings.sd_mm, settings.length_mm, self.random(settings, name)
                )
            self._put(name, drawn, settings, same=np.array_equal(drawn, mask))

    def move(self, settings: OtherTissue) -> None:
        """All outlines by one way, to where no region meets the tumour, its rings or air."""
        case, outlines = self.case, {name: self.voxels(name) for name in self.case.masks}
        regions = {name: self.made(name) for name in outlines}
        whole = np.logical_or.reduce([*outlines.values()])
        needed = np.logical_or.reduce([mask for made in regions.values() for mask in made] or [whole])
        taken = whole | needed
        source = self._as_read() if case.breast is None else self.image

        tissue = perturbation.tissue_of(source, case.breast)
        step = perturbation.other_place(
            needed, whole, lambda index: tissue(index) & ~taken[index], self.random(settings)
        )
        for name, mask in outlines.items():
            self._put(name, np.roll(mask, step, axis=(0, 1, 2)), settings)
            if name in case.levels:
                case.levels[name] += step[0]

    def _as_read(self) -> sitk.Image:
        """The image before any step changed its grey levels, on the grid of now: where air is, only that one shows."""
        if not self.changed:
            return self.image
        volume = read_volume(self.image_file)
        volume = upright(volume, slices_of(volume).axis)
        return sitk.Resample(volume, self.image, sitk.Transform(), sitk.sitkNearestNeighbor, extremes(volume)[0])

    def _put(self, name: str, drawn: Mask, settings: Perturbation, *, same: bool = False) -> None:
        """Replace an outline, unless nothing usable is left of it."""
        try:
            check_mask(drawn)
        except CaseError as error:
            self.case.problems[name] = CaseError(
                found=f"{error.found} after '{settings.kind}'",
                expected=error.expected,
                remedy="The lesion is too small, or too near to the image's edge, for this change; the patient is left out.",
            )
            del self.case.masks[name]
            return
        mask = sitk.GetImageFromArray(drawn.astype(np.uint8))
        mask.CopyInformation(self.image)
        self.case.masks[name] = mask
        self.case.measures[name] = measure_mask(mask, self.image)
        if same:
            self.case.warnings[name].append(f"'{settings.kind}' changed no voxel of the outline: they are too coarse")

    def revalue(self, settings: ShuffledVoxels | ImageNoise) -> None:
        """Other grey levels; outlines stay."""
        names = [*self.case.masks]
        voxels, random = sitk.GetArrayFromImage(self.image), self.random(settings)
        values: NDArray[Any]
        if isinstance(settings, ImageNoise):
            values = perturbation.with_noise(voxels, self.voxels(names[0]), settings.share, random)
        else:
            reference = self.made(names[0])
            values = perturbation.shuffled(voxels, reference, random)
            # of other readers what the reference reader left out
            own = np.logical_or.reduce(reference) if reference else np.zeros(voxels.shape, dtype=bool)
            for name in names[1:]:
                values = perturbation.shuffled(values, [region & ~own for region in self.made(name)], random)
                own |= np.logical_or.reduce([own, *self.made(name)])
        changed = sitk.GetImageFromArray(values)
        changed.CopyInformation(self.image)
        self.case.image = changed


def perturb_case(
    case: LoadedCase,
    settings: Perturbation,
    regions: Sequence[str],
    *,
    patient: str,
    sequence: str,
    image_file: str,
    changed: bool,
) -> None:
    """Change a case's outlines or image in place; what fails is kept as the problem of the outlines.

    Parameters
    ----------
    case
        As features are to see it, after preprocessing.
    settings
        What is changed, with its seed.
    regions
        Regions that are made of each outline, for what depends on them.
    patient, sequence
        Enter the seed, so that neither the order of cases nor other patients matter.
    image_file
        The image as read, and ``changed``: whether preprocessing changed its grey levels.
    """
    if not case.masks:
        return
    work = _Perturbing(case, regions, patient, sequence, image_file, changed)
    case.steps = ", ".join(filter(None, [case.steps, settings.kind.replace("_", " ")]))
    try:
        if isinstance(settings, OtherTissue):
            work.move(settings)
        elif isinstance(settings, ShuffledVoxels | ImageNoise):
            work.revalue(settings)
        else:
            work.redraw(settings)
    except Exception as error:  # a case that cannot be changed is left out, as one that cannot be read
        for name in [*case.masks]:
            case.problems[name] = as_case_error(error)
            del case.masks[name]
