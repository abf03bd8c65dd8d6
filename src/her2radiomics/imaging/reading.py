"""Reading images and masks by their format, checked before they are used; nothing of it in silence."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging import checks
from her2radiomics.imaging.checks import check_mask, check_same_grid, times, volume_ml
from her2radiomics.imaging.formats import format_of, formats_in_words
from her2radiomics.imaging.threads import one_thread

VOLUME_CHANGE = 0.10  # relative change of the mask's volume above which the warning says so


def read_image(path: str | Path) -> sitk.Image:
    """Read and check an image.

    Parameters
    ----------
    path
        A file or folder of one of the formats in :data:`her2radiomics.imaging.formats.FORMATS`.

    Returns
    -------
    SimpleITK.Image
        3-D, one real finite number a voxel, in the file's own pixel type.

    Raises
    ------
    CaseError
        When the file is missing, unreadable, truncated or corrupted, holds NaN or infinite voxels, is not a
        3-D single-channel volume, is constant, or has axes that are not orthonormal; when its voxels lie in another
        folder, or it is larger than any breast MRI; when a folder holds no
        DICOM series, several, or one with several images at one position or with missing slices.
    """
    path = Path(path)
    image = read_volume(path)
    checks.check_image(image, path)
    return image


def read_mask(path: str | Path, image: sitk.Image, label: int | str | None = None) -> sitk.Image:
    """Read and check a mask.

    Parameters
    ----------
    path
        As for :func:`read_image`.
    image
        The image it was drawn on: size, spacing, origin and direction must agree.
    label
        The mask value that is the region. Without it (``None`` or empty) the mask must hold exactly one
        non-zero value.

    Returns
    -------
    SimpleITK.Image
        0 and 1 (8 bit), with exactly the image's geometry.

    Raises
    ------
    CaseError
        As :func:`read_image`, and when mask values are not whole numbers, the label is not there or not
        named among several, the geometry differs, or the mask is empty, one voxel, a line, or the whole
        image.
    """
    return place_mask(read_volume(path), image, label, file=path)[0]


def read_mask_onto(
    path: str | Path, image: sitk.Image, label: int | str | None = None
) -> tuple[sitk.Image, str]:
    """Read a mask as :func:`read_mask` does, from whatever grid it was drawn on.

    Returns
    -------
    tuple
        The mask on the image's grid, and what was done in words: empty where the grids agree and nothing was.

    Raises
    ------
    CaseError
        As :func:`read_mask` but for geometry; when the mask lies outside the image, or nothing usable is left of it on a
        coarser grid.
    """
    return place_mask(read_volume(path), image, label, resample=True, file=path)


def read_volume(path: str | Path) -> sitk.Image:
    """Read a file or folder by its format; of its content only that it is whole is checked."""
    path = Path(path)
    if not path.is_file() and not path.is_dir():
        raise CaseError(
            found="no such file",
            expected=f"a {formats_in_words()}",
            remedy="Correct the path in the manifest (paths are relative to the manifest).",
            file=path,
        )
    return format_of(path).read(path)


def place_mask(
    mask: sitk.Image,
    image: sitk.Image,
    label: int | str | None = None,
    *,
    resample: bool = False,
    file: str | Path = "",
) -> tuple[sitk.Image, str]:
    """Check a mask as :func:`~her2radiomics.imaging.read_mask` does, and bring it to the image's grid.

    ``resample`` says whether a mask on another grid is resampled, else it is refused; ``file`` is named in errors.

    Returns
    -------
    tuple
        0 and 1 (8 bit) with exactly the image's geometry, and what was done in words: empty where the grids agree.
    """
    checks.check_volume(mask, file)
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


def _choose(values: np.ndarray, label: int | str | None, file: str | Path) -> float:
    """The mask value that is the region, of the non-zero values found."""
    broken = values[~(np.isfinite(values) & (values == np.round(values)))]
    remedy = "Correct mask_label in the manifest, or the mask."
    if broken.size:
        found = f"mask values that are not whole numbers ({_some(broken)})"
        expected = "whole numbers: 0 outside, one value for each structure inside"
        remedy = "Export the mask as a label map; resample it with nearest-neighbour interpolation only."
    elif label is None or label == "":
        if values.size <= 1:
            return float(values[0]) if values.size else 1.0
        found = f"{values.size} values in the mask ({_some(values)}) and no mask_label"
        expected, remedy = "one non-zero value, or its mask_label", "Fill in mask_label in the manifest."
    elif not re.fullmatch(r"\s*[+-]?\d+(\.0*)?\s*", str(label)):
        found, expected = f"mask_label '{label}'", "a whole number"
    elif values.size and float(label) not in values:
        found = f"no voxel of value {float(label):g} (the mask holds {_some(values)})"
        expected = f"the mask_label {float(label):g} in the mask"
    else:
        return float(label)
    raise CaseError(found=found, expected=expected, remedy=remedy, file=file)


def _some(values: np.ndarray) -> str:
    shown = ", ".join(f"{float(value):g}" for value in values[:5])
    return shown if values.size <= 5 else f"{shown}, … {values.size} in all"


def resample_onto(mask: sitk.Image, image: sitk.Image, file: str | Path = "") -> tuple[sitk.Image, str]:
    """Resample a mask of 0 and 1 onto an image's grid: each of its voxels takes the nearest mask voxel's value.

    Returns
    -------
    tuple
        The mask on the image's grid; and both grids, the volumes in ml and the voxels lost outside the image, in words.
    """
    count, outside = _outside(mask, image)
    if outside == count:
        raise CaseError(
            found=f"a mask that lies wholly outside the image (all {count} voxels)",
            expected="a mask that overlaps the image in physical coordinates",
            remedy="Check that mask and image are of one examination and that neither lost its origin or direction.",
            file=file,
        )
    with one_thread():
        moved = sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    try:
        check_mask(sitk.GetArrayViewFromImage(moved) != 0, file)
    except CaseError as error:
        found = f"{error.found} after resampling the mask ({count} voxels) onto the image's grid"
        remedy = "The lesion is too small for the image's voxels, or the mask hardly overlaps it: look at both in a viewer."
        raise replace(error, found=found, remedy=remedy) from error
    before, after = volume_ml(mask), volume_ml(moved)
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


def _outside(mask: sitk.Image, image: sitk.Image) -> tuple[int, int]:
    """Number of mask voxels, and of those whose centre lies in no voxel of the image."""
    index = np.argwhere(sitk.GetArrayViewFromImage(mask))[:, ::-1]
    axes = np.reshape(mask.GetDirection(), (3, 3)) * mask.GetSpacing()
    points = index @ axes.T + mask.GetOrigin()
    back = np.reshape(image.GetDirection(), (3, 3)).T / np.array(image.GetSpacing())[:, None]
    places = (points - image.GetOrigin()) @ back.T
    inside = (places >= -0.5 - 1e-6) & (places <= np.array(image.GetSize()) - 0.5 + 1e-6)
    return len(index), int(np.count_nonzero(~inside.all(axis=1)))
