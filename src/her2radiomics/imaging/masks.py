"""A mask in memory: the value that is the region, on the image's own grid, and nothing of it in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.checks import check_mask, check_same_grid, check_volume, times
from her2radiomics.imaging.threads import one_thread

VOLUME_CHANGE = 0.10  # relative change of the mask's volume above which the warning says so


def place_mask(
    mask: sitk.Image,
    image: sitk.Image,
    label: int | str | None = None,
    *,
    resample: bool = False,
    file: str | Path = "",
) -> tuple[sitk.Image, str]:
    """Check a mask as :func:`~her2radiomics.imaging.read_mask` does, and bring it to the image's grid.

    Parameters
    ----------
    mask
        As it was read.
    image
        The image it was drawn on.
    label
        The mask value that is the region, where it holds several.
    resample
        Whether a mask on another grid is resampled; else it is refused.
    file
        Named in errors.

    Returns
    -------
    tuple
        0 and 1 (8 bit) with exactly the image's geometry, and what was done in words: empty where the grids agree.

    Raises
    ------
    CaseError
        The mask cannot be used, see ``read_mask`` and :func:`resample_onto`.
    """
    check_volume(mask, file)
    if not resample:
        check_same_grid(mask, image, file)
    voxels = sitk.GetArrayViewFromImage(mask)
    selected = voxels == _choose(np.unique(voxels[voxels != 0]), label, file)
    check_mask(selected, file)
    binary = sitk.GetImageFromArray(selected.view(np.uint8))
    binary.CopyInformation(mask)
    if resample:
        try:
            check_same_grid(binary, image, file)
        except CaseError:
            return resample_onto(binary, image, file)
    binary.CopyInformation(image)
    return binary, ""


def _choose(values: np.ndarray, label: int | str | None, path: str | Path) -> float:
    """Return the mask value that is the region, of the non-zero values found."""
    broken = values[~(np.isfinite(values) & (values == np.round(values)))]
    if broken.size:
        raise CaseError(
            found=f"mask values that are not whole numbers ({_some(broken)})",
            expected="whole numbers: 0 outside, one value for each structure inside",
            remedy="Export the mask as a label map; resample it with nearest-neighbour interpolation only.",
            file=path,
        )
    if label is None or label == "":
        if values.size > 1:
            raise CaseError(
                found=f"{values.size} values in the mask ({_some(values)}) and no mask_label",
                expected="one non-zero value, or a mask_label that names the one meant",
                remedy="Fill in mask_label in the manifest.",
                file=path,
            )
        return float(values[0]) if values.size else 1.0
    try:
        wanted = float(label)
    except ValueError:
        wanted = float("nan")
    if not wanted.is_integer():
        raise CaseError(
            found=f"mask_label '{label}'",
            expected="a whole number",
            remedy="Correct mask_label in the manifest.",
            file=path,
        )
    if values.size and wanted not in values:
        raise CaseError(
            found=f"no voxel of value {wanted:g} (the mask holds {_some(values)})",
            expected=f"the mask_label {wanted:g} in the mask",
            remedy="Correct mask_label in the manifest, or the mask.",
            file=path,
        )
    return wanted


def _some(values: np.ndarray) -> str:
    shown = ", ".join(f"{float(value):g}" for value in values[:5])
    return shown if values.size <= 5 else f"{shown}, … {values.size} in all"


def resample_onto(mask: sitk.Image, image: sitk.Image, file: str | Path = "") -> tuple[sitk.Image, str]:
    """Resample a mask of 0 and 1 onto an image's grid: each of its voxels takes the nearest mask voxel's value.

    Returns
    -------
    tuple
        The mask on the image's grid, and a sentence with both grids, the volumes before and after in ml, and the
        mask voxels whose centre lies outside the image.

    Raises
    ------
    CaseError
        The mask lies outside the image, or nothing usable is left of it on the coarser grid.
    """
    voxels = sitk.GetArrayViewFromImage(mask) != 0
    count, outside = int(np.count_nonzero(voxels)), _outside(mask, voxels, image)
    if outside == count:
        raise CaseError(
            found=f"a mask that lies wholly outside the image (all {count} voxels)",
            expected="a mask that overlaps the image in physical coordinates",
            remedy="Check that mask and image are of one examination and that neither lost its origin or direction.",
            file=file,
        )
    with one_thread():
        moved = sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    kept = sitk.GetArrayViewFromImage(moved) != 0
    try:
        check_mask(kept, file)
    except CaseError as error:
        raise CaseError(
            found=f"{error.found} after resampling the mask ({count} voxels) onto the image's grid",
            expected=error.expected,
            remedy="The lesion is too small for the image's voxels, or the mask hardly overlaps it: look at both "
            "in a viewer.",
            file=file,
        ) from error
    before = count * float(np.prod(mask.GetSpacing())) / 1000
    after = int(np.count_nonzero(kept)) * float(np.prod(image.GetSpacing())) / 1000
    change = after / before - 1
    note = (
        f"mask resampled from {times(mask.GetSize())} voxels of {times(mask.GetSpacing())} mm onto the image's grid "
        f"(nearest neighbour); {before:.4g} ml before, {after:.4g} ml after"
    )
    if abs(change) > VOLUME_CHANGE:
        note += f": {change:+.0%}, look at the overlay"
    if outside:
        note += f"; {outside} of {count} mask voxels lie outside the image and are lost"
    return moved, note


def _outside(mask: sitk.Image, voxels, image: sitk.Image) -> int:  # type: ignore[no-untyped-def]
    """Mask voxels whose centre lies in no voxel of the image."""
    index = np.argwhere(voxels)[:, ::-1]
    axes = np.reshape(mask.GetDirection(), (3, 3)) * mask.GetSpacing()
    points = index @ axes.T + mask.GetOrigin()
    back = np.reshape(image.GetDirection(), (3, 3)).T / np.array(image.GetSpacing())[:, None]
    places = (points - image.GetOrigin()) @ back.T
    inside = (places >= -0.5 - 1e-6) & (places <= np.array(image.GetSize()) - 0.5 + 1e-6)
    return int(np.count_nonzero(~inside.all(axis=1)))
