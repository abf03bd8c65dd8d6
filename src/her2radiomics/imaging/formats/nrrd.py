"""NRRD: header and voxels in one file (``.nrrd``), or a header (``.nhdr``) beside one file of voxels."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import NamedTuple

from her2radiomics.imaging.formats import image_format, itk_file
from her2radiomics.imaging.formats.itk_file import contradiction, numbers

#: Spaces that ITK turns into its own; it takes the numbers of any other as they are.
SPACES = re.compile(r"(left|right)-(anterior|posterior)-superior(-time)?|LPST?|RAST?|LAST?", re.IGNORECASE)
NOT_MM = {"m", "cm", "um", "µm", "μm", "nm", "in", "meter", "metre", "meters", "micron", "microns", "inch", "inches"}


#: Of a voxel, by its type without a sign.
BYTES = {"char": 1, "int8": 1, "short": 2, "shortint": 2, "int16": 2, "int": 4, "int32": 4, "float": 4, "double": 8}


class Header(NamedTuple):
    """The voxels' encoding and file, where they begin in it (``None``: there are none), and what is doubtful."""

    encoding: str
    body: Path
    start: int | None
    doubts: list[str]


@image_format
class NRRD(itk_file.ITKFile):
    """NRRD, by ITK."""

    name, endings, itk = "NRRD", (".nrrd", ".nhdr"), "NrrdImageIO"

    def check_header(self, path: Path) -> Header:
        """A spacing in mm; its `data file` is one file beside the header: a folder, list, pattern or a link is refused."""
        lines, whole = itk_file.text_lines(path)
        said: dict[str, str] = {}
        files, start = [], None
        for line, end in lines:
            if not line:  # the header ends at the first empty line
                start = end
                break
            field, colon, value = line.partition(":")
            field = re.sub(r"\s", "", field).lower()
            if colon and field == "datafile" and not value.startswith("="):
                files.append(value.strip())
            elif colon and not value.startswith("=") and not line.startswith("#"):
                said[field] = value.strip()
        itk_file.check_beside(path, files if start or whole else [""])
        doubts = _contradictions(path, said)
        encoding = said.get("encoding", "").lower()
        kind = re.sub(r"unsigned|signed|_t| ", "", said.get("type", "").lower()).lstrip("u")
        if encoding == "raw" and kind in BYTES and not {"byteskip", "lineskip"} & said.keys() and (files or start):
            promised = math.prod(int(number) for number in numbers(said.get("sizes", "")) if number == number)
            body, first = (path.parent / files[0], 0) if files else (path, start or 0)
            doubts += itk_file.surplus(body.stat().st_size - first - promised * BYTES[kind])
        return Header(encoding, path.parent / files[0], 0, doubts) if files else Header(encoding, path, start, doubts)

    def check_content(self, path: Path, header: Header) -> None:
        """Compressed voxels are read to their checksum; ITK itself notices a short raw file."""
        if header.start is not None and header.encoding in ("gzip", "gz"):
            itk_file.check_compressed(path, header.body, header.start)


def _contradictions(path: Path, said: dict[str, str]) -> list[str]:
    """Refuse a header without a spacing, or in another unit; what is doubtful of it, in words."""
    if "sizes" not in said:  # no NRRD: ITK says so
        return []
    vectors = re.findall(r"\(([^)]*)\)", said.get("spacedirections", ""))
    steps = [math.sqrt(sum(part * part for part in numbers(vector))) for vector in vectors]
    steps = steps or [step for step in numbers(said.get("spacings", "")) if not math.isnan(step)]
    itk_file.check_spacing(path, steps, len(said["sizes"].split()), "spacings or space directions")
    units = re.findall(r'"([^"]*)"', said.get("spaceunits", "") + said.get("units", ""))
    other = [unit for unit in units if unit.strip().lower() in NOT_MM]
    if other:
        raise contradiction(path, f"a header whose unit of length is {other[0]}", "mm")
    doubts = []
    space = said.get("space", "")
    if "spacedirections" not in said or not space:
        doubts.append("the header gives no orientation (space, space directions): the grid's own axes were taken")
    elif not SPACES.fullmatch(space):
        doubts.append(
            f"the header's axes are those of '{space}', not of the patient; they were taken as left-posterior-superior"
        )
    if "spaceorigin" not in said:
        doubts.append("the header gives no position (space origin): 0 was taken")
    if {"oldmin", "oldmax"} & said.keys():
        doubts.append("the voxels were quantised (old min, old max); they were taken as they are stored")
    return doubts
