"""Reading images and masks: NIfTI, NRRD, MetaImage files and DICOM folders, checked before they are used."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.checks import check_image, check_mask, check_same_grid, check_volume
from her2radiomics.imaging.formats.headers import check_detached, check_voxel_count, format_of
from her2radiomics.imaging.formats.integrity import check_file, promised_checksum

SLICE_GAP_TOLERANCE = 0.01  # of the slice spacing: DICOM positions are rounded to some micrometres


def read_image(path: str | Path) -> sitk.Image:
    """Read and check an image.

    Parameters
    ----------
    path
        A NIfTI (``.nii``, ``.nii.gz``, ``.hdr``/``.img``), NRRD or MetaImage file, or a folder with one
        DICOM series.

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
    check_image(image, path)
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
    path = Path(path)
    return select_label(read_volume(path), image, label, path)


def select_label(
    mask: sitk.Image, image: sitk.Image, label: int | str | None = None, file: str | Path = ""
) -> sitk.Image:
    """Check a mask that is already in memory, as :func:`read_mask` does, and return its region as 0 and
    1."""
    check_volume(mask, file)
    check_same_grid(mask, image, file)
    binary = select_value(mask, label, file)
    binary.CopyInformation(image)
    return binary


def select_value(mask: sitk.Image, label: int | str | None = None, file: str | Path = "") -> sitk.Image:
    """The one value that is the region, as 0 and 1 on the mask's own grid, checked but for its geometry."""
    check_volume(mask, file)
    voxels = sitk.GetArrayViewFromImage(mask)
    values = np.unique(voxels[voxels != 0])
    selected = voxels == _choose(values, label, file)
    check_mask(selected, file)
    binary = sitk.GetImageFromArray(selected.view(np.uint8))
    binary.CopyInformation(mask)
    return binary


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


def read_volume(path: str | Path) -> sitk.Image:
    """Read a file or a DICOM folder; of its content only that it is whole is checked."""
    path = Path(path)
    if path.is_dir():
        return _read_series(path)
    if not path.is_file():
        raise CaseError(
            found="no such file",
            expected="an image file or a folder with a DICOM series",
            remedy="Correct the path in the manifest (paths are relative to the manifest).",
            file=path,
        )
    kind = format_of(path)
    check_detached(path)
    checksum = promised_checksum(path)
    if checksum is None:
        check_file(path)
    try:
        _check_size(path, kind)
        image = sitk.ReadImage(str(path), imageIO=kind)
    except (RuntimeError, MemoryError, ValueError) as error:  # ITK's own, and what a mad header leads to
        check_file(path)  # often knows better what is wrong
        raise CaseError(
            found=f"a file that cannot be read as an image ({_gist(error, path)})",
            expected="a NIfTI, NRRD or MetaImage file with three perpendicular axes",
            remedy="Open it in a viewer; export it again if that fails too.",
            file=path,
        ) from error
    if checksum is not None and not checksum.holds(sitk.GetArrayViewFromImage(image)):
        check_file(path)  # damaged, non-finite, or merely rescaled by its header
    return image


def _check_size(path: Path, kind: str) -> None:
    """Refuse what is too large by its header, before memory is taken for it."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO(kind)
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    check_voxel_count([int(length) for length in reader.GetSize()], path)


def _gist(error: Exception, path: Path) -> str:
    """The telling part of an ITK error: its last line of text, without the path, which the error names apart."""
    text = re.sub(
        r"\(0x[0-9a-f]+\)", "", str(error).replace(str(path), "the file")
    )  # no address: the same bytes every time
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][-200:] if lines else "no reason given"


def _read_series(folder: Path) -> sitk.Image:
    """Read the one DICOM series of a folder, slices ordered by position."""
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not series:
        raise CaseError(
            found="a folder without a DICOM series",
            expected="the DICOM files of one series",
            remedy="Name the folder that holds the files themselves.",
            file=folder,
        )
    if len(series) > 1:
        sizes = [len(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), name)) for name in series]
        raise CaseError(  # a series' number tells the examination, so it is not printed
            found=f"{len(series)} DICOM series in one folder (of {' and '.join(map(str, sizes))} files)",
            expected="one",
            remedy="Move each series to a folder of its own.",
            file=folder,
        )
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series[0])
    sizes = _check_positions(folder, names)
    check_voxel_count([*sizes, len(names)], folder)
    try:
        return sitk.ReadImage(names, imageIO="GDCMImageIO")
    except RuntimeError as error:
        raise CaseError(
            found=f"a DICOM series that cannot be read ({_gist(error, folder)})",
            expected="slices of one size and pixel type",
            remedy="Convert the series with dcm2niix and look at its messages.",
            file=folder,
        ) from error


def _check_positions(folder: Path, names: tuple[str, ...]) -> list[int]:
    """Refuse several images at one position (phases that share a series) and gaps between slices; size of a slice."""
    places: list[float] = []
    sizes = [1]
    for number, name in enumerate(names, start=1):
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(name)
        try:
            reader.ReadImageInformation()
            axes = [float(part) for part in reader.GetMetaData("0020|0037").split("\\")]
            position = [float(part) for part in reader.GetMetaData("0020|0032").split("\\")]
        except (RuntimeError, ValueError) as error:
            raise CaseError(
                found=f"file {number} of {len(names)} in the folder without a readable image position and orientation",
                expected="DICOM images with ImagePositionPatient and ImageOrientationPatient",
                remedy="Use the scanner's original export, or convert the series with dcm2niix.",
                file=folder,
            ) from error
        sizes = max(sizes, [int(length) for length in reader.GetSize()])
        places.append(float(np.dot(np.cross(axes[:3], axes[3:]), position)))
    if len(places) < 2:
        return sizes
    steps = np.diff(np.sort(places))
    typical = float(np.median(steps))
    if steps.min() < 1e-3:
        raise CaseError(
            found=f"{len(places)} images at {len(set(np.round(places, 3)))} positions in one series",
            expected="one image a position",
            remedy="Split the phases of the series (by AcquisitionNumber or ContentTime) into folders.",
            file=folder,
        )
    if np.any(np.abs(steps - typical) > SLICE_GAP_TOLERANCE * typical + 1e-3):
        raise CaseError(
            found=f"slices {steps.min():.4g} to {steps.max():.4g} mm apart",
            expected="evenly spaced slices",
            remedy="Look for missing files in the folder.",
            file=folder,
        )
    return sizes
