"""MetaImage: header and voxels in one file (``.mha``), or a header (``.mhd``) beside one file of voxels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from her2radiomics.imaging.formats import image_format, itk_file
from her2radiomics.imaging.formats.itk_file import contradiction, numbers

#: Fields of one meaning; ITK takes one of them, and nothing but another name tells which.
PLACES = {"position": ("offset", "position", "origin"), "axes": ("transformmatrix", "orientation", "rotation")}
SPACING = "elementspacing"
BYTES = {"CHAR": 1, "SHORT": 2, "INT": 4, "FLOAT": 4, "DOUBLE": 8, "LONG_LONG": 8}


class Header(NamedTuple):
    """Whether the voxels are compressed, their file, where they begin in it, and what is doubtful."""

    compressed: bool
    body: Path
    start: int
    doubts: Sequence[str] = ()


@image_format
class MetaImage(itk_file.ITKFile):
    """MetaImage, by ITK."""

    name, endings, itk = "MetaImage", (".mha", ".mhd"), "MetaImageIO"

    def check_header(self, path: Path) -> Header:
        """Spacing, position and axes agree, mm, no scale; its `ElementDataFile` is one file beside the header, no link."""
        lines, whole = itk_file.text_lines(path)
        said: dict[str, list[str]] = {}
        for line, end in lines:
            field, _, value = (part.strip() for part in line.replace(":", "=", 1).partition("="))
            said.setdefault(field.lower(), []).append(value)
            if field.lower() == "elementdatafile":  # the header's last field
                compressed = said.get("compresseddata", [""])[-1].lower() == "true"
                local = value.upper() == "LOCAL"
                itk_file.check_beside(path, [] if local else [value])
                body, start = (path, end) if local else (path.parent / value, 0)
                doubts = _contradictions(path, said)
                return Header(compressed, body, start, doubts + ([] if compressed else _surplus(said, body, start)))
        itk_file.check_beside(path, [] if whole else [""])
        return Header(False, path, 0)

    def check_content(self, path: Path, header: Header) -> None:
        """Compressed voxels are read to their checksum (ITK prints a warning and goes on); ITK notices a short raw file."""
        if header.compressed:
            itk_file.check_compressed(path, header.body, header.start)


def _contradictions(path: Path, said: dict[str, list[str]]) -> list[str]:
    """Refuse a header that says two things, or one that ITK passes over; what is doubtful of it, in words."""
    spacings = said.get(SPACING) or said.get("elementsize") or [""]
    dimension = len(said.get("dimsize", [""])[-1].split())
    for name, values in ((SPACING, spacings), *((name, _all(said, *names)) for name, names in PLACES.items())):
        if len({tuple(numbers(value)) for value in values}) > 1:
            raise contradiction(
                path, f"a header with {len(values)} values of its {name} ({' and '.join(values)})", "one"
            )
    itk_file.check_spacing(path, numbers(spacings[-1]), dimension, "ElementSpacing")
    unit = said.get("distanceunits", ["mm"])[-1].lower()
    if unit not in ("mm", "", "?"):
        raise contradiction(path, f"a header whose DistanceUnits are {unit}", "mm")
    scale = [said.get(f"elementtointensityfunction{part}", [""])[-1] for part in ("slope", "offset")]
    if any(text and numbers(text) != [usual] for text, usual in zip(scale, (1, 0), strict=True)):
        found = (
            f"a header that rescales its voxels (ElementToIntensityFunction: slope {scale[0]}, offset {scale[1] or 0})"
        )
        raise contradiction(path, found, "voxels as they are meant", "Write the rescaled voxels and no such field.")
    missing = [name for name, fields in PLACES.items() if not _all(said, *fields)]
    doubts = [f"the header gives no {' and no '.join(missing)}; 0 and the grid's own were taken"] if missing else []
    size = numbers(said["elementsize"][-1]) if "elementsize" in said else []
    if size and not np.allclose(size, numbers(spacings[-1]), rtol=1e-3, atol=0):
        doubts.append(
            f"ElementSize ({said['elementsize'][-1]}) is not ElementSpacing ({spacings[-1]}), which was taken"
        )
    order = _all(said, "binarydatabyteordermsb", "elementbyteordermsb")
    if not order and "char" not in said.get("elementtype", [""])[-1].lower():
        doubts.append("the header does not say in which order the bytes of a voxel are; the machine's was taken")
    letters, axes = said.get("anatomicalorientation", [""])[-1], _letters(_all(said, *PLACES["axes"]))
    if axes and len(letters) == 3 and letters.isalpha() and letters.upper() != axes:
        doubts.append(f"AnatomicalOrientation says {letters}, the axes (TransformMatrix) {axes}, which were taken")
    return doubts


def _surplus(said: dict[str, list[str]], body: Path, start: int) -> list[str]:
    """Bytes after the voxels of a raw file, where it is known how many each has."""
    size, kind = (said.get(name, [""])[-1] for name in ("dimsize", "elementtype"))
    plain = kind.upper().removeprefix("MET_").removeprefix("U")
    count = math.prod(int(number) for number in numbers(size) if number == number)
    channels = int((numbers(said.get("elementnumberofchannels", ["1"])[-1]) or [1])[0])
    skipped = "headersize" in said or plain not in BYTES or "binarydata" not in said
    return [] if skipped else itk_file.surplus(body.stat().st_size - start - count * channels * BYTES[plain])


def _all(said: dict[str, list[str]], *fields: str) -> list[str]:
    return [value for field in fields for value in said.get(field, [])]


def _letters(matrices: list[str]) -> str:
    """Where each axis of the grid starts, in letters (``RAI`` for the patient's own axes)."""
    matrix = numbers(matrices[0]) if matrices else []
    if len(matrix) != 9:
        return ""
    rows = np.reshape(matrix, (3, 3))
    main = np.abs(rows).argmax(axis=1)
    return "".join(("RAI" if row[k] > 0 else "LPS")[k] for row, k in zip(rows, main, strict=True))
