"""DICOM series as a scanner stores them, for the tests of reading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

SPACING = (0.8, 0.7, 2.0)


def write_slice(path: Path, voxels: np.ndarray, z: float, series: str, number: int) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING[:2])
    tags = {
        "0008|0008": "ORIGINAL\\PRIMARY",
        "0008|0060": "MR",
        "0020|000d": "1.2.3",
        "0020|000e": series,
        "0020|0013": str(number),
        "0020|0032": f"0\\0\\{z}",
        "0020|0037": "1\\0\\0\\0\\1\\0",
        "0018|0050": "2",
    }
    for tag, value in tags.items():
        image.SetMetaData(tag, value)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetFileName(str(path))
    writer.Execute(image)


def dicom_folder(folder: Path, voxels: np.ndarray, places, series="1.2.3.4") -> Path:
    folder.mkdir(exist_ok=True)
    for number, (index, z) in enumerate(places):
        write_slice(folder / f"{series}-{number:03}.dcm", voxels[index], z, series, number)
    return folder
