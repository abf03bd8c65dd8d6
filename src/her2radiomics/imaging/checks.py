"""Checks of an image, a mask and the two together, before any feature is computed.

Every failed check is a :class:`~her2radiomics.core.errors.CaseError` saying what was found, what was expected and
what to do. None of them copies a whole volume.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk

ORIGIN_TOLERANCE = 1e-4  # mm: headers that store float32 differ by some 1e-5 mm
SPACING_TOLERANCE = 1e-5  # relative
DIRECTION_TOLERANCE = 1e-5  # cosines
#: The remedy of a mask on another grid.
ON_THIS_IMAGE = (
    "Draw the mask on this very image, or resample it onto its grid (preprocessing: resample_mask) and "
    "look at the overlay."
)
MAX_GREY_LEVELS = 500
USUAL_GREY_LEVELS = (16, 128)  # fewest and most that pass without a warning
ORTHONORMAL_TOLERANCE = 1e-4  # cosines: NIfTI quaternions and DICOM strings carry 5 to 7 digits


#: Voxels of a volume that its hash counts, about.
HASHED = 2**18


def voxel_hash(image: sitk.Image) -> str:
    """Hash (16 hexadecimal digits) of an image's size and values, whatever type they are stored as and wherever it lies.

    Of a large volume some rows of each slice count, about :data:`HASHED` voxels, at the precision of 32-bit numbers: two
    examinations do not agree in every one of them, and hashing all would make reading a third slower.
    """
    rows = sitk.GetArrayViewFromImage(image).reshape(-1, image.GetWidth())
    step = max(1, rows.size // HASHED) | 1  # odd, so that slices of 256 or 512 rows do not count the same row each
    digest = sha256(times(image.GetSize()).encode())
    digest.update(np.ascontiguousarray(rows[::step], dtype="<f4").data)
    return digest.hexdigest()[:16]


def check_image(image: sitk.Image, file: str | Path = "") -> None:
    """Refuse an image that is not a finite, non-constant, 3-D, single-channel volume on an orthonormal grid."""
    check_volume(image, file)
    low, high = extremes(image)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise not_finite(file)
    if low == high:
        raise CaseError(
            found=f"a constant image (every voxel is {low:g})",
            expected="an image with contrast",
            remedy="Export the series again; this file contains no picture.",
            file=file,
        )


def check_volume(image: sitk.Image, file: str | Path = "") -> None:
    """Refuse what is not one real number per voxel on a 3-D grid with orthonormal axes."""
    kind = image.GetPixelIDTypeAsString()
    several = image.GetNumberOfComponentsPerPixel() > 1 or "vector" in kind or "complex" in kind
    check_shape(image.GetSize(), f"{image.GetNumberOfComponentsPerPixel()} values per voxel ({kind})" * several, file)
    check_axes(np.reshape(image.GetDirection(), (3, 3)), file)
    if not np.all(np.isfinite(image.GetSpacing())) or min(image.GetSpacing()) <= 0:
        raise CaseError(
            found=f"a voxel spacing of {_numbers(image.GetSpacing())} mm",
            expected="three positive numbers",
            remedy="Correct the header.",
            file=file,
        )


def check_axes(direction: np.ndarray, file: str | Path) -> None:
    """Refuse axes (3 × 3, cosines) that are not perpendicular and of length 1."""
    if not np.abs(direction.T @ direction - np.eye(3)).max() <= ORTHONORMAL_TOLERANCE:  # NaN included
        raise CaseError(
            found=f"axes that are not orthonormal (direction {_numbers(direction.ravel())})",
            expected="three perpendicular axes of length 1",
            remedy="Resample the sheared image onto a rectangular grid first.",
            file=file,
        )


def check_shape(size: Sequence[int], several: str, file: str | Path) -> None:
    """Refuse another dimension than three, and ``several`` values per voxel (in words; empty: one)."""
    if several:
        raise CaseError(
            found=several,
            expected="one real number per voxel",
            remedy="Convert a colour, vector or complex image to the one channel that is meant.",
            file=file,
        )
    if len(size) != 3:
        raise CaseError(
            found=f"a {len(size)}-D image of {times(size)} voxels",
            expected="a 3-D image",
            remedy="Write a stack of slices, or each time point to a separate 3-D file.",
            file=file,
        )


def not_finite(file: str | Path) -> CaseError:
    """The error of an image that holds NaN or infinity."""
    return CaseError(
        found="NaN or infinite voxels",
        expected="finite numbers in every voxel",
        remedy="Find out where they come from (a division in a map?) and write the image without them.",
        file=file,
    )


def volume_ml(mask: sitk.Image) -> float:
    """Volume of a mask's non-zero voxels in ml."""
    return float(np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * np.prod(mask.GetSpacing()) / 1000)


def extremes(image: sitk.Image) -> tuple[float, float]:
    """Return the smallest and largest voxel value (NaN where the image holds NaN), without a copy."""
    voxels = sitk.GetArrayViewFromImage(image)
    return float(voxels.min()), float(voxels.max())


def check_same_grid(
    mask: sitk.Image, image: sitk.Image, file: str | Path = "", *, what: str = "a mask", remedy: str = ON_THIS_IMAGE
) -> None:
    """Refuse a mask (or another phase: ``what``, ``remedy``) whose size, spacing, origin or direction is not the image's.

    The tolerances (1e-4 mm of origin, 1e-5 of spacing and cosines) let only the rounding of headers pass.
    """
    for measure, relative, absolute in (
        ("size", 0.0, 0.0),
        ("spacing", SPACING_TOLERANCE, 0.0),
        ("origin", 0.0, ORIGIN_TOLERANCE),
        ("direction", 0.0, DIRECTION_TOLERANCE),
    ):
        mine, theirs = (getattr(grid, f"Get{measure.capitalize()}")() for grid in (mask, image))
        if len(mine) != len(theirs) or not np.allclose(mine, theirs, rtol=relative, atol=absolute):
            words = times if measure == "size" else _numbers
            unit = " mm" if measure in ("spacing", "origin") else ""
            raise CaseError(
                found=f"{what} of {measure} {words(mine)}{unit}",
                expected=f"the image's {measure} {words(theirs)}{unit}",
                remedy=remedy,
                file=file,
            )


def check_mask(voxels: np.ndarray, file: str | Path = "") -> None:
    """Refuse a mask (boolean array) that is empty, one voxel, a line of voxels, or the whole image."""
    count = int(np.count_nonzero(voxels))
    if count == voxels.size:
        raise CaseError(
            found="a mask that fills the whole image",
            expected="an outline of the lesion",
            remedy="Check that the mask is not the image or an inverted outline.",
            file=file,
        )
    drawn = voxels[voxels.any(axis=(1, 2))]
    if sum(np.count_nonzero(drawn.any(axis=axes)) > 1 for axes in ((1, 2), (0, 2), (0, 1))) < 2:
        raise CaseError(
            found={0: "an empty mask", 1: "one voxel"}.get(count, f"a line of {count} voxels"),
            expected="a region that spans at least two directions",
            remedy="Outline the lesion on this image, or exclude the patient with a reason.",
            file=file,
        )


def check_grey_levels(levels: int, maximum: int, minimum_value: float, maximum_value: float) -> None:
    """Refuse a region with more grey levels (bins) than ``maximum``.

    A voxel at 1e9 or an image scaled by 1000 makes texture matrices that take all memory and mean nothing.
    """
    if levels > maximum:
        raise CaseError(
            found=f"{levels} grey levels in the region (values {minimum_value:g} to {maximum_value:g})",
            expected=f"at most {maximum} with this bin width",
            remedy="Look for a stray voxel or a wrong rescale slope, or choose a bin width that fits.",
        )


def times(numbers: Sequence[float] | np.ndarray) -> str:
    """Return ``352×352×120`` for ``(352, 352, 120)``; as many digits as are needed."""
    return "×".join(f"{number:.6g}" for number in numbers)


def _numbers(numbers: tuple[float, ...] | np.ndarray) -> str:
    return "(" + ", ".join(f"{float(number):.8g}" for number in numbers) + ")"
