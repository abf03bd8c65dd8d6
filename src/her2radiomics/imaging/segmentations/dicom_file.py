"""What a single DICOM file says it is."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.core.libraries import pydicom
from her2radiomics.core.memory import raise_if_out
from her2radiomics.imaging.formats.dicom_frames import check_inflated


def only_file(path: Path) -> Path | None:
    """The file itself, or the only one in a folder; ``None`` where that is no DICOM file by its first bytes."""
    if path.is_dir():
        inside = [file for file in path.iterdir() if not file.name.startswith(".") and file.name != "DICOMDIR"]
        if len(inside) != 1:
            return None
        path = inside[0]
    elif path.suffix.lower() != ".dcm":
        return None
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return path if stream.read(132)[128:] == b"DICM" else None


def is_kind(path: Path, *kinds: str) -> bool:
    """Whether a file (or the only one in a folder) is of one of these SOP classes, by their UIDs."""
    try:
        file = only_file(path)
        if file is None:
            return False
        check_inflated(file)
        # pydicom converts a value when it is asked for, and may fail only then
        return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SOPClassUID"]).get("SOPClassUID") in kinds
    except Exception as error:  # whatever a broken file leads to: the reader of images says what is wrong
        raise_if_out(error)
        return False
