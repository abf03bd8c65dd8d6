"""DICOM: a folder with the files of one series, placed by position, or one file (``.dcm``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from her2radiomics.core.errors import CaseError, quote
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.formats import damaged, image_format
from her2radiomics.imaging.formats.itk_file import ITKFile, check_voxel_count

SLICE_GAP_TOLERANCE = 0.01  # of the slice spacing: DICOM positions are rounded to some micrometres


@image_format
class DICOM(ITKFile):
    """DICOM, by GDCM. What its errors print tells no examination: neither a file's name nor a series' number."""

    name, endings, itk = "DICOM", (".dcm",), "GDCMImageIO"
    folder = "one DICOM series"

    def check_header(self, path: Path) -> tuple[str, ...]:
        """A folder holds one series, one image at each position (phases are not stacked), evenly spaced slices."""
        if not path.is_dir():
            return ()
        series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(path))
        files = [sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path), name) for name in series]
        if len(series) != 1:
            counts = " and ".join(str(len(names)) for names in files)
            several = f"{len(series)} DICOM series in one folder (of {counts} files)"
            raise CaseError(
                found=several if series else "a folder without a DICOM series",
                expected="the DICOM files of one series",
                remedy="Name the folder that holds the files themselves, each series in a folder of its own.",
                file=path,
            )
        _check_positions(path, files[0])
        return files[0]

    def check_content(self, path: Path, header: tuple[str, ...]) -> None:
        """No DICOM file of a folder is unreadable: GDCM passes over a file that is cut short."""
        if not path.is_dir():
            return
        ours = {Path(name).name for name in header}
        others = [file for file in path.iterdir() if file.name not in (*ours, "DICOMDIR") and _is_dicom(file)]
        if others:
            raise damaged(path, f"{len(others)} of {len(ours) + len(others)} DICOM files that cannot be read")

    def read_voxels(self, path: Path, header: tuple[str, ...]) -> sitk.Image:
        """Read the slices in the order of their positions."""
        if not path.is_dir():
            return super().read_voxels(path, header)
        try:
            return sitk.ReadImage(header, imageIO=self.itk)
        except RuntimeError as error:
            raise CaseError(
                found="a DICOM series that cannot be read",
                quoted=quote(error, path),
                expected="slices of one size and pixel type",
                remedy="Convert the series with dcm2niix and look at its messages.",
                file=path,
            ) from error


def _is_dicom(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _check_positions(folder: Path, names: tuple[str, ...]) -> None:
    """Refuse several images at one position and gaps between slices, and more voxels than any breast MRI has."""
    places: list[float] = []
    size = [1]
    for number, name in enumerate(names, start=1):
        reader = sitk.ImageFileReader()
        reader.SetImageIO(DICOM.itk)
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
        size = max(size, list(reader.GetSize()))
        places.append(float(np.dot(np.cross(axes[:3], axes[3:]), position)))
    check_voxel_count([*size, len(names)], folder)
    if len(places) < 2:
        return
    steps = np.diff(np.sort(places))
    typical = float(np.median(steps))
    if steps.min() < 1e-3:
        found = f"{len(places)} images at {len(set(np.round(places, 3)))} positions in one series"
        expected = "one image a position"
        remedy = "Split the phases of the series (by AcquisitionNumber or ContentTime) into folders."
    elif np.any(np.abs(steps - typical) > SLICE_GAP_TOLERANCE * typical + 1e-3):
        found = f"slices {steps.min():.4g} to {steps.max():.4g} mm apart"
        expected, remedy = "evenly spaced slices", "Look for missing files in the folder."
    else:
        return
    raise CaseError(found=found, expected=expected, remedy=remedy, file=folder)
