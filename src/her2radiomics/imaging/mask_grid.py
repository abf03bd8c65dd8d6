"""A mask drawn on another grid than its image's: resampled onto it by physical coordinates, and told of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.checks import check_mask, check_same_grid, times
from her2radiomics.imaging.reading import read_volume, select_value
from her2radiomics.imaging.threads import one_thread

VOLUME_CHANGE = 0.10  # relative change of the mask's volume above which the warning says so


def read_mask_onto(
    path: str | Path, image: sitk.Image, label: int | str | None = None
) -> tuple[sitk.Image, str]:
    """Read a mask as :func:`~her2radiomics.imaging.reading.read_mask` does, from whatever grid it was drawn on.

    Returns
    -------
    tuple
        The mask on the image's grid, and what was done in words: empty where the grids agree and nothing was.

    Raises
    ------
    CaseError
        As ``read_mask`` but for geometry, and as :func:`resample_onto`.
    """
    return put_onto(read_volume(path), image, label, path)


def put_onto(
    mask: sitk.Image, image: sitk.Image, label: int | str | None = None, file: str | Path = ""
) -> tuple[sitk.Image, str]:
    """As :func:`read_mask_onto`, of a mask in memory."""
    binary = select_value(mask, label, file)
    try:
        check_same_grid(binary, image, file)
    except CaseError:
        return resample_onto(binary, image, file)
    binary.CopyInformation(image)
    return binary, ""


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
