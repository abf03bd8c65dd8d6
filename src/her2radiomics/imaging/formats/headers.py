"""What an image file may not make a reader do: open another file, take all memory, or be read as something else.

ITK follows a detached header (NRRD ``data file``, MetaImage ``ElementDataFile``) to whatever path it names, guesses the
format of a file by its content, and takes memory for whatever size a header claims. Here the format follows the ending
alone, the voxels lie beside their header, and the size is looked at first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from her2radiomics.core.errors import CaseError

#: 512 × 512 × 1024. Five times the largest breast MRI of the public cohorts; 2 GiB as 64-bit numbers.
MOST_VOXELS = 2**28
#: Text at the start of a file in which a header's fields are looked for.
HEADER = 1 << 16
#: Ending to ITK's reader. A reader that is not named here is never asked.
FORMATS = {
    ".nii": "NiftiImageIO",
    ".nii.gz": "NiftiImageIO",
    ".hdr": "NiftiImageIO",
    ".img": "NiftiImageIO",
    ".img.gz": "NiftiImageIO",
    ".nrrd": "NrrdImageIO",
    ".nhdr": "NrrdImageIO",
    ".mha": "MetaImageIO",
    ".mhd": "MetaImageIO",
    ".dcm": "GDCMImageIO",
}


def format_of(path: Path) -> str:
    """ITK's reader for a file, by its ending.

    Raises
    ------
    CaseError
        The ending is none of those known.
    """
    name = path.name.lower()
    for ending, reader in FORMATS.items():
        if name.endswith(ending):
            return reader
    raise CaseError(
        found=f"a file that ends in '{path.suffix}'",
        expected=f"one of {', '.join(FORMATS)}, or a folder with a DICOM series",
        remedy="Convert it to NIfTI (.nii.gz), or give it the ending of its format.",
        file=path,
    )


def check_voxel_count(size: Sequence[int], file: str | Path) -> None:
    """Refuse an image whose header claims more than :data:`MOST_VOXELS`.

    Raises
    ------
    CaseError
        With the size found.
    """
    if math.prod(size) > MOST_VOXELS:
        raise CaseError(
            found=f"a header that claims {'×'.join(map(str, size))} voxels",
            expected=f"at most {MOST_VOXELS} (512×512×1024)",
            remedy="If the size is right, crop the image to the breasts; else export the file again.",
            file=file,
        )


def check_detached(path: Path) -> None:
    """Refuse a header whose voxels do not lie in one file beside it.

    Raises
    ------
    CaseError
        The header names a path, a list or a pattern of files, or a link to a file in another folder.
    """
    name = path.name.lower()
    if name.endswith((".nrrd", ".nhdr")):
        named = _nrrd_data(path)
    elif name.endswith((".mha", ".mhd")):
        named = _metaimage_data(path)
    elif name.endswith((".hdr", ".img", ".img.gz")):
        stem = path.name[: name.rindex(".img" if ".img" in name[-7:] else ".hdr")]
        named = [
            f"{stem}{ending}"
            for ending in (".hdr", ".img", ".img.gz")
            if (path.parent / f"{stem}{ending}").is_file()
        ]
    else:
        return
    here = {path.parent.resolve(), path.resolve().parent}
    for data in named:
        if not _plain(data) or (path.parent / data).resolve().parent not in here:
            raise CaseError(
                found="a header whose voxels lie elsewhere",
                expected="its voxels in the same file, or in one file beside it, named without a folder or a space",
                remedy="Write header and voxels to one file (.nii.gz, .nrrd, .mha).",
                file=path,
            )


def _plain(name: str) -> bool:
    """Whether a header's word for its voxels is the name of one file: no folder, list or pattern."""
    return not (
        re.search(r"[/\\\s%:]", name) or name in ("", ".", "..") or name.upper() in ("LIST", "SKIPLIST")
    )


def _lines(path: Path) -> tuple[list[str], bool]:
    """Lines of the file's beginning, and whether that is all of it."""
    try:
        with path.open("rb") as stream:
            found = stream.read(HEADER)
            whole = not stream.read(1)
    except OSError:  # told by the checks of the file's content
        return [], True
    return re.split(r"\r\n|\r|\n", found.decode("latin-1")), whole


def _nrrd_data(path: Path) -> list[str]:
    """What the fields ``data file`` or ``datafile`` of an NRRD header name; the header ends at the first empty line."""
    found: list[str] = []
    lines, whole = _lines(path)
    for line in lines:
        if not line:
            return found
        field, colon, value = line.partition(":")
        if colon and not value.startswith("=") and re.sub(r"\s", "", field).lower() == "datafile":
            found.append(value.strip())
    return found if whole else [""]


def _metaimage_data(path: Path) -> list[str]:
    """What ``ElementDataFile`` names, unless the voxels follow the header; a header ends with this field."""
    lines, whole = _lines(path)
    for line in lines:
        field, _, value = line.replace(":", "=", 1).partition("=")
        if field.strip().lower() == "elementdatafile":
            return [] if value.strip().upper() == "LOCAL" else [value.strip()]
    return [] if whole else [""]
