"""What may be done to an image and its masks before features are extracted, in this fixed order.

1. A mask on another grid is resampled onto the image's (:mod:`her2radiomics.imaging.reading`).
2. N4 bias field correction. It comes before the subtraction: N4 takes logarithms, which a difference with its
   negative values has not; and the field of the image divides the pre-contrast phase too, so that no difference of
   two fitted fields enters the enhancement.
3. Subtraction of the pre-contrast phase.
4. Clipping to percentiles.
5. z-scores.
6. Resampling of image and masks; after them, so that no statistic depends on the interpolation.
7. Rounding to whole units.
8. Re-segmentation: voxels outside a range, or outliers, leave the region's intensities and texture, but not its shape.

*Foreground* is what lies above Li's minimum cross-entropy threshold of the image as read (Li and Tam, Pattern Recognit
Lett 1998;19:771). Otsu's threshold keeps only skin, vessels and enhancing tissue of a fat-suppressed breast image
(6% of a real sagittal volume where Li's keeps 18%).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.checks import check_image, check_mask, check_same_grid, times, volume_ml
from her2radiomics.imaging.placing import VOLUME_CHANGE
from her2radiomics.imaging.threads import one_thread

if TYPE_CHECKING:
    from her2radiomics.imaging.preprocessing_settings import (
        BiasField,
        Clip,
        Normalise,
        Preprocessing,
        Resample,
        Resegment,
    )

Key = TypeVar("Key", bound=Hashable)

SHORTEST_SHRUNKEN = 8  # voxels: an axis is not shrunken below
FLOORED = 0.01  # share of a tumour's voxels with a denominator at the floor above which a warning counts them
FEWEST_VOXELS = 100  # on the shrunken grid, to fit a bias field to
SHORTEST_SPLINE = 4  # voxels: a cubic B-spline needs as many along each axis
LARGEST_GRID = 2**28  # voxels: 2 GB as float64
SPACING_KEPT = 1e-5  # relative: an axis that has the spacing already is left alone
CEILING_TOLERANCE = 1e-3  # voxels: rounding of headers adds no slice


@dataclass
class Prepared(Generic[Key]):
    """An image and its masks (0 and 1, on one grid) as features see them.

    The image is float64 where anything was done to it. ``problems`` are masks that resampling left unusable, with why;
    ``warnings`` are for the reader of each mask.
    """

    image: sitk.Image
    masks: dict[Key, sitk.Image]
    breast: sitk.Image | None = None
    problems: dict[Key, CaseError] = field(default_factory=dict)
    warnings: dict[Key, list[str]] = field(default_factory=dict)


def preprocess(
    image: sitk.Image,
    settings: Preprocessing,
    masks: Mapping[Key, sitk.Image],
    *,
    breast: sitk.Image | None = None,
    precontrast: sitk.Image | None = None,
    precontrast_file: str | Path = "",
) -> Prepared[Key]:
    """Apply steps 2 to 6 to an image and its masks, on one thread.

    Parameters
    ----------
    image, masks, breast, precontrast
        A checked 3-D image, any key → mask of 0 and 1, the breast mask and the image to subtract, all on one grid.
    settings
        Which steps.
    precontrast_file
        Named in errors.

    Raises
    ------
    CaseError
        A step needs a breast mask or pre-contrast image that is not there, the pre-contrast image lies on another
        grid, or a step leaves no contrast.
    """
    prepared = Prepared(image, dict(masks), breast, warnings={key: [] for key in masks})
    if not settings.changes_image:
        return prepared
    if settings.subtract is not None:
        if precontrast is None:
            raise CaseError(
                found=f"no image of {settings.subtract}",
                expected=f"the image of {settings.subtract}, which is to be subtracted",
                remedy="Add it to the manifest (its mask may be empty), or remove preprocessing.subtract.",
            )
        check_same_grid(
            precontrast,
            image,
            precontrast_file,
            what=f"a pre-contrast image ({settings.subtract})",
            remedy="Bring both phases onto one grid first (registration): a difference of shifted images is no "
            "enhancement.",
        )
    with one_thread():
        _intensities(prepared, settings, precontrast)
        if settings.resample is not None:
            _resample(prepared, settings.resample)
        if settings.round:
            prepared.image = sitk.Round(sitk.Cast(prepared.image, sitk.sitkFloat64))
    return prepared


def resegmented(image: sitk.Image, mask: sitk.Image, settings: Resegment) -> sitk.Image:
    """Voxels of a region whose intensities are kept (IBSI-1: its intensity mask), 0 or 1 on the grid of ``mask``.

    The intersection of the range and of mean ± ``outliers_sd`` population standard deviations of the whole region.

    Raises
    ------
    CaseError
        Too little of the region is left.
    """
    voxels, inside = sitk.GetArrayViewFromImage(image), sitk.GetArrayFromImage(mask) != 0
    values = voxels[inside].astype(np.float64)
    low = -math.inf if settings.low is None else settings.low
    high = math.inf if settings.high is None else settings.high
    if settings.outliers_sd is not None:
        mean, reach = float(values.mean()), settings.outliers_sd * float(values.std())
        low, high = max(low, mean - reach), min(high, mean + reach)
    inside[inside] = (values >= low) & (values <= high)
    try:
        check_mask(inside)
    except CaseError as error:
        raise CaseError(
            found=f"{error.found} between {low:g} and {high:g}, after resegmentation",
            expected=error.expected,
            remedy="Look at the region's intensities, or widen preprocessing.resegment.",
        ) from error
    kept = sitk.GetImageFromArray(inside.astype(np.uint8))
    kept.CopyInformation(mask)
    return kept


def _intensities(prepared: Prepared, settings: Preprocessing, precontrast: sitk.Image | None) -> None:
    """Steps 2 to 5: intensities change, the grid does not."""
    if not any((settings.n4, settings.subtract, settings.clip, settings.normalise)):
        return
    within = _Within(prepared.image, prepared.breast)
    voxels = sitk.GetArrayFromImage(prepared.image).astype(np.float64)
    before = None if precontrast is None else sitk.GetArrayFromImage(precontrast).astype(np.float64)
    if settings.n4 is not None:
        bias = np.exp(sitk.GetArrayFromImage(log_bias_field(prepared.image, settings.n4, within)))
        voxels /= bias
        if before is not None:
            before /= bias
    if settings.subtract is not None:
        assert before is not None and precontrast is not None
        if settings.subtract_as == "percent":
            _percent(voxels, before, precontrast, prepared)
        else:
            voxels -= before
    del before
    if settings.clip is not None:
        clip(voxels, settings.clip, within.voxels(settings.clip.within))
    if settings.normalise is not None:
        normalise(voxels, settings.normalise, within.voxels(settings.normalise.within))
    changed = sitk.GetImageFromArray(voxels)
    changed.CopyInformation(prepared.image)
    try:
        check_image(changed)
    except CaseError as error:
        remedy = "Look at the image and at the protocol's preprocessing (is a phase subtracted from itself?)."
        raise replace(error, found=f"{error.found} after preprocessing", remedy=remedy) from error
    prepared.image = changed


class _Within:
    """The voxels that a step's statistics are taken of."""

    def __init__(self, image: sitk.Image, breast: sitk.Image | None) -> None:
        self.image, self.breast = image, breast

    @cached_property
    def foreground(self) -> sitk.Image:
        return sitk.LiThreshold(self.image, 0, 1)

    def mask(self, name: str) -> sitk.Image | None:
        """The mask of ``breast``, ``foreground`` or ``auto``; ``None`` for the whole image."""
        if name == "breast" and self.breast is None:
            raise CaseError(
                found="no breast mask",
                expected="a mask of the region 'breast', since preprocessing says within: breast",
                remedy="Add it to the manifest (region breast), or set within: foreground or within: image.",
            )
        if name == "image":
            return None
        return self.breast if self.breast is not None and name != "foreground" else self.foreground

    def voxels(self, name: str) -> np.ndarray:
        """The same as a boolean array ``(z, y, x)``."""
        mask = self.mask(name)
        if mask is None:
            return np.ones(self.image.GetSize()[::-1], dtype=bool)
        inside = sitk.GetArrayViewFromImage(mask) != 0
        if not inside.any():
            raise CaseError(
                found=f"no voxel within the {name}",
                expected="voxels to take percentiles, mean and spread of",
                remedy="Look at the breast mask and at the image's intensities (a stray voxel?).",
            )
        return inside


def log_bias_field(image: sitk.Image, settings: BiasField, within: _Within) -> sitk.Image:
    """The logarithm of the image's bias field at full resolution, by N4 on a shrunken copy.

    N4: Tustison NJ et al. IEEE Trans Med Imaging 2010;29:1310, as ITK has it. Voxels of zero or less have no logarithm
    and take no part in the fit.

    Raises
    ------
    CaseError
        Too few positive voxels to fit a field to.
    """
    factors = [min(settings.shrink_factor, max(1, length // SHORTEST_SHRUNKEN)) for length in image.GetSize()]
    chosen = within.mask(settings.within)
    small = sitk.Shrink(sitk.Cast(image, sitk.sitkFloat32), factors)
    mask = small > 0
    if chosen is not None:
        mask = mask & (sitk.Shrink(chosen, factors) != 0)
    count = int(np.count_nonzero(sitk.GetArrayViewFromImage(mask)))
    if count < FEWEST_VOXELS:
        raise CaseError(
            found=f"{count} positive voxels to fit the bias field to (shrunken by {times(factors)})",
            expected=f"at least {FEWEST_VOXELS}",
            remedy="Lower n4.shrink_factor, choose n4.within, or leave N4 out: a map such as the ADC has no bias field.",
        )
    corrector = sitk.N4BiasFieldCorrectionImageFilter()
    corrector.SetMaximumNumberOfIterations(list(settings.iterations))
    corrector.SetConvergenceThreshold(settings.convergence)
    corrector.SetNumberOfControlPoints([settings.control_points] * 3)
    corrector.Execute(small, mask)
    return corrector.GetLogBiasFieldAsImage(image)


def _percent(voxels: np.ndarray, before: np.ndarray, precontrast: sitk.Image, prepared: Prepared) -> None:
    """Relative enhancement in percent, in place; warns where a tumour's denominator is held at the floor."""
    threshold = sitk.LiThresholdImageFilter()
    threshold.Execute(precontrast)
    floor = float(threshold.GetThreshold())
    if floor <= 0:
        raise CaseError(
            found=f"a pre-contrast image whose foreground starts at {floor:.4g}",
            expected="positive intensities to divide by",
            remedy="Check the pre-contrast image, or set subtract_as: difference.",
        )
    for key, mask in prepared.masks.items():
        inside = before[sitk.GetArrayViewFromImage(mask) != 0]
        low = int(np.count_nonzero(inside < floor))
        if low > FLOORED * inside.size:
            prepared.warnings[key].append(
                f"in {low} of {inside.size} tumour voxels the pre-contrast signal lies below {floor:.4g}, which "
                "divides them instead: their percentages are understated"
            )
    voxels -= before
    voxels /= np.maximum(before, floor)
    voxels *= 100.0


def clip(voxels: np.ndarray, settings: Clip, inside: np.ndarray) -> None:
    """Hold intensities between two percentiles of the voxels ``inside`` (linear interpolation), in place."""
    low, high = np.percentile(voxels[inside], (settings.low, settings.high))
    np.clip(voxels, low, high, out=voxels)


def normalise(voxels: np.ndarray, settings: Normalise, inside: np.ndarray) -> None:
    """(x − mean) / SD × scale + shift, in place; mean and sample SD (n − 1, as ITK and PyRadiomics) ``inside``.

    Raises
    ------
    CaseError
        The voxels inside are all equal.
    """
    chosen = voxels[inside]
    mean, spread = float(chosen.mean()), float(np.std(chosen, ddof=1)) if chosen.size > 1 else 0.0
    if not spread > 0:
        raise CaseError(
            found=f"{chosen.size} voxels of one intensity within the {settings.within} to normalise by",
            expected="intensities that vary",
            remedy="Look at the mask, at the percentiles of clip, and for a stray bright voxel.",
        )
    voxels -= mean
    voxels *= settings.scale / spread
    voxels += settings.shift


def resampled_grid(
    size: Sequence[int], spacing: Sequence[float], wanted: Sequence[float | None]
) -> tuple[list[int], list[float], list[float]]:
    """Size, spacing and shift of the first voxel's centre (mm along each axis) of the resampled grid.

    The fields of view share their centre, and the new one is the smallest that holds the old one, as the IBSI aligns
    grids (reference manual, "Image interpolation"): ``ceil(n · s / s')`` voxels. An axis kept, or one that has the
    spacing already, does not move.

    >>> resampled_grid((10, 10, 4), (0.7, 0.7, 3.0), (1.0, 1.0, None))
    ([7, 7, 4], [1.0, 1.0, 3.0], [0.15000000000000036, 0.15000000000000036, 0.0])
    """
    new_size, new_spacing, shift = [], [], []
    for length, step, target in zip(size, spacing, wanted, strict=True):
        if target is None or math.isclose(step, target, rel_tol=SPACING_KEPT):
            target, count = step, length
        else:
            count = max(1, math.ceil(length * step / target - CEILING_TOLERANCE))
        new_size.append(count)
        new_spacing.append(target)
        shift.append(((length - 1) * step - (count - 1) * target) / 2)
    return new_size, new_spacing, shift


def _resample(prepared: Prepared, settings: Resample) -> None:
    """Step 6: image and masks on a grid of the wanted spacing."""
    image = prepared.image
    size, spacing, shift = resampled_grid(image.GetSize(), image.GetSpacing(), settings.spacing_mm)
    if math.prod(size) > LARGEST_GRID:
        raise CaseError(
            found=f"{times(size)} voxels after resampling to {times(spacing)} mm",
            expected=f"at most {LARGEST_GRID}",
            remedy="Choose a larger resample.spacing_mm, or null for an axis to keep.",
        )
    if settings.interpolator == "b_spline" and min(image.GetSize()) < SHORTEST_SPLINE:
        raise CaseError(
            found=f"an image of {times(image.GetSize())} voxels",
            expected=f"at least {SHORTEST_SPLINE} along each axis for a cubic B-spline",
            remedy="Set resample.interpolator: linear.",
        )
    origin = np.array(image.GetOrigin()) + np.reshape(image.GetDirection(), (3, 3)) @ shift
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(size)
    resampler.SetOutputSpacing(spacing)
    resampler.SetOutputOrigin(origin.tolist())
    resampler.SetOutputDirection(image.GetDirection())
    interpolators = {"linear": sitk.sitkLinear, "b_spline": sitk.sitkBSpline, "nearest": sitk.sitkNearestNeighbor}
    resampler.SetInterpolator(interpolators[settings.interpolator])
    prepared.image = resampler.Execute(sitk.Cast(image, sitk.sitkFloat64))
    resampler.SetInterpolator(interpolators[settings.mask])

    def moved(mask: sitk.Image) -> sitk.Image:
        if settings.mask == "nearest":
            return resampler.Execute(mask)
        return resampler.Execute(sitk.Cast(mask, sitk.sitkFloat32)) >= 0.5

    if prepared.breast is not None:
        prepared.breast = moved(prepared.breast)
    for key, mask in list(prepared.masks.items()):
        after = moved(mask)
        try:
            check_mask(sitk.GetArrayViewFromImage(after) != 0)
        except CaseError as error:
            found = f"{error.found} after resampling to {times(spacing)} mm"
            remedy = "The lesion is too small for this spacing: exclude the patient with a reason, or resample finer."
            prepared.problems[key] = replace(error, found=found, remedy=remedy)
            del prepared.masks[key]
            continue
        old, new = volume_ml(mask), volume_ml(after)
        if abs(new / old - 1) > VOLUME_CHANGE:
            prepared.warnings[key].append(
                f"resampling to {times(spacing)} mm changed the tumour's volume from {old:.4g} to {new:.4g} ml "
                f"({new / old - 1:+.0%})"
            )
        prepared.masks[key] = after
