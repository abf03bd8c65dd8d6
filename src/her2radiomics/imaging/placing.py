"""A mask on its image's grid: as it was drawn, placed voxel for voxel, or resampled where a protocol says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging import checks
from her2radiomics.imaging.checks import ON_THIS_IMAGE, check_mask, check_same_grid, times, volume_ml
from her2radiomics.imaging.labels import choose_values
from her2radiomics.imaging.threads import one_thread

VOLUME_CHANGE = 0.10  # relative change of the mask's volume above which the warning says so
LATTICE_TOLERANCE = 0.01  # voxels: positions in DICOM are decimal strings of at most 16 characters


def place_mask(
    mask: sitk.Image,
    image: sitk.Image,
    label: int | str | None = None,
    *,
    resample: bool = False,
    file: str | Path = "",
) -> tuple[sitk.Image, str]:
    """Check a label map as :func:`~her2radiomics.imaging.read_mask` does, and bring it to the image's grid.

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
    first, *others = choose_values(voxels, label, file)
    selected = voxels == first
    for value in others:
        selected |= voxels == value
    check_mask(selected, file)
    binary = as_image(selected, mask)
    if resample:
        try:
            check_same_grid(binary, image, file)
        except CaseError:
            return resample_onto(binary, image, file)
    binary.CopyInformation(image)
    return binary, ""


def as_image(voxels: np.ndarray, grid: sitk.Image) -> sitk.Image:
    """A boolean array (z, y, x) as 0 and 1 (8 bit) on a grid of that shape."""
    binary = sitk.GetImageFromArray(voxels.view(np.uint8))
    binary.CopyInformation(grid)
    return binary


def place_parts(
    parts: Sequence[sitk.Image], image: sitk.Image, *, resample: bool = False, file: str | Path = ""
) -> tuple[sitk.Image, str]:
    """Put parts of a mask, each with a position of its own, at their places on the image's grid.

    A part is as large as its file has it: one slice, or a cropped volume. Its voxels must be voxels of the image, in
    whatever order of the axes; nothing is interpolated.

    Parameters
    ----------
    parts
        Images of 0 and 1, of one orientation and spacing.
    image, resample, file
        As for :func:`place_mask`. Parts on other voxels are joined and resampled where ``resample`` says so.

    Raises
    ------
    CaseError
        The voxels are others than the image's or lie outside it, or the mask is none (:func:`checks.check_mask`).
    """
    canvas = np.zeros(image.GetSize()[::-1], bool)
    outside = 0
    try:
        for part in parts:
            outside += _put(part, image, canvas, file)
    except CaseError:
        if not resample:
            raise
        return resample_onto(_joined(parts, file), image, file)
    count = outside + int(np.count_nonzero(canvas))
    lost = f"{outside} of {count} mask voxels lie outside the image"
    if outside and (outside == count or not resample):
        raise CaseError(
            found=lost.replace(" lie", ""),
            expected="a mask inside the image that it was drawn on",
            remedy="Check that mask and image are of one series; an image that was cropped needs its mask cropped alike.",
            file=file,
        )
    check_mask(canvas, file)
    return as_image(canvas, image), f"{lost} and are lost" if outside else ""


def _put(part: sitk.Image, image: sitk.Image, canvas: np.ndarray, file: str | Path) -> int:
    """Set a part's voxels in ``canvas`` (z, y, x); number of those that lie outside."""
    last = np.array(part.GetSize()) - 1
    corners = [np.zeros(3), *(last * (np.arange(3) == axis) for axis in range(3))]
    places = np.array(
        [
            image.TransformPhysicalPointToContinuousIndex(part.TransformContinuousIndexToPhysicalPoint(c.tolist()))
            for c in corners
        ]
    )
    start, steps = np.round(places[0]).astype(int), np.round(places[1:] - places[0]).astype(int)
    # along an axis of one voxel there is no step: it takes the direction that is left over
    axes = [int(np.abs(step).argmax()) if step.any() else -1 for step in steps]
    free = [axis for axis in range(3) if axis not in axes]
    axes = [free.pop() if axis == -1 and free else axis for axis in axes]
    whole = np.abs(places - np.round(places)).max() < LATTICE_TOLERANCE
    straight = sorted(axes) == [0, 1, 2] and all(
        abs(step[axis]) == length and np.count_nonzero(step) == (length > 0)
        for step, axis, length in zip(steps, axes, last, strict=True)
    )
    if not (whole and straight):
        raise CaseError(
            found=f"mask voxels of {times(part.GetSpacing())} mm that are no voxels of the image (its voxels are "
            f"{times(image.GetSpacing())} mm; the mask's first one lies at voxel {times(places[0])} of them)",
            expected="a mask whose voxels are the image's, or some of them",
            remedy=ON_THIS_IMAGE,
            file=file,
        )
    index = np.argwhere(sitk.GetArrayViewFromImage(part))[:, ::-1]
    found = np.tile(start, (len(index), 1))
    for mine, theirs in enumerate(axes):
        found[:, theirs] += index[:, mine] * (-1 if steps[mine][theirs] < 0 else 1)
    inside = ((found >= 0) & (found < image.GetSize())).all(axis=1)
    x, y, z = found[inside].T
    canvas[z, y, x] = True
    return int(np.count_nonzero(~inside))


def _joined(parts: Sequence[sitk.Image], file: str | Path) -> sitk.Image:
    """Slices as one volume, empty where none is; a single part is the volume."""
    if len(parts) == 1:
        return parts[0]
    normal = np.reshape(parts[0].GetDirection(), (3, 3))[:, 2]
    ordered = sorted(parts, key=lambda part: float(np.dot(normal, part.GetOrigin())))
    heights = np.array([np.dot(normal, part.GetOrigin()) for part in ordered])
    step = float(np.diff(heights).min())
    numbers = (heights - heights[0]) / step
    if np.abs(numbers - np.round(numbers)).max() > 10 * LATTICE_TOLERANCE:
        raise CaseError(
            found="slices of a mask at uneven distances",
            expected="slices at multiples of one distance",
            remedy="Draw the mask on this very image.",
            file=file,
        )
    voxels = np.zeros((round(numbers[-1]) + 1, *parts[0].GetSize()[1::-1]), np.uint8)
    for number, part in zip(numbers, ordered, strict=True):
        voxels[round(number)] |= sitk.GetArrayViewFromImage(part)[0]
    volume = sitk.GetImageFromArray(voxels)
    volume.SetSpacing((*parts[0].GetSpacing()[:2], step))
    volume.SetDirection(parts[0].GetDirection())
    volume.SetOrigin(ordered[0].GetOrigin())
    return volume


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
        remedy = (
            "The lesion is too small for the image's voxels, or the mask hardly overlaps it: look at both in a viewer."
        )
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
