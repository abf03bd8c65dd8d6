"""Reading images and masks by their format, checked before they are used; nothing of it in silence."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging import checks
from her2radiomics.imaging.formats import doubts_of, format_of, formats_in_words, with_doubts
from her2radiomics.imaging.placing import place_mask
from her2radiomics.imaging.planes import STACKED, slices_of, upright
from her2radiomics.imaging.segmentations import segmentation_of


def read_image(path: str | Path) -> sitk.Image:
    """Read and check an image.

    Parameters
    ----------
    path
        A file or folder of one of the formats in :data:`her2radiomics.imaging.formats.FORMATS`.

    Returns
    -------
    SimpleITK.Image
        3-D, one real finite number per voxel, in the file's own pixel type.

    Raises
    ------
    CaseError
        When the file is missing, unreadable, truncated or corrupted, contradicts itself, holds NaN or infinite voxels, is
        not a 3-D single-channel volume, is constant, or has axes that are not orthonormal; when its voxels lie in another
        folder, or it is larger than any breast MRI; when the images of a DICOM folder do not make one volume
        (``docs/what_happens_when.md``). What is read but doubtful goes with the image
        (:func:`her2radiomics.imaging.formats.doubts_of`).
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
    return read_outline(path, image, label)[0]


def read_mask_onto(path: str | Path, image: sitk.Image, label: int | str | None = None) -> tuple[sitk.Image, str]:
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
    return read_outline(path, image, label, resample=True)


def read_outline(
    path: str | Path, image: sitk.Image, label: int | str | None = None, *, resample: bool = False
) -> tuple[sitk.Image, str]:
    """Read a mask as :func:`read_mask` does or, with ``resample``, as :func:`read_mask_onto`."""
    form = segmentation_of(Path(path))
    if form is None:
        drawn = read_volume(path)
        mask, note = place_mask(drawn, image, label, resample=resample, file=path)
        return with_doubts(mask, doubts_of(drawn)), note
    return form.read(Path(path), image, label, resample=resample)


def read_drawn(path: str | Path, image: str | Path, label: int | str | None = None) -> sitk.Image:
    """Read a mask for its place alone: on the grid of its file, or of its ``image`` where the file has none; upright."""
    form = segmentation_of(Path(path))
    if form is None:
        volume = read_volume(path)
        mask, _ = place_mask(volume, volume, label, file=path)
    else:
        mask, _ = form.read(Path(path), read_volume(image), label, resample=True)
    return upright(mask, slices_of(mask).axis)


def read_volume(path: str | Path) -> sitk.Image:
    """Read a file or folder by its image format; of its content only that it is whole is checked.

    Raises
    ------
    CaseError
        It cannot be read, or is a segmentation: a mask by the name of a structure, which no image is.
    """
    path = Path(path)
    segmented = segmentation_of(path)
    if segmented is not None:
        raise CaseError(
            found=f"a {segmented.name}, which holds masks",
            expected="an image",
            remedy="Name it in the column mask of the manifest, and the image that it was drawn on in the column image.",
            file=path,
        )
    if not path.is_file() and not path.is_dir():
        raise CaseError(
            found="no such file",
            expected=f"a {formats_in_words()}",
            remedy="Correct the path in the manifest (paths are relative to the manifest).",
            file=path,
        )
    form = format_of(path)
    image = form.read(path)
    if form.folder:  # it puts slice on slice itself, whatever their spacing
        image.SetMetaData(STACKED, "z")
    return image
