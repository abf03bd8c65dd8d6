"""NRRD: header and voxels in one file (``.nrrd``), or a header (``.nhdr``) beside one file of voxels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from her2radiomics.imaging.formats import image_format, itk_file


class Header(NamedTuple):
    """The voxels' encoding and file, and where they begin in it (``None``: there are none)."""

    encoding: str
    body: Path
    start: int | None


@image_format
class NRRD(itk_file.ITKFile):
    """NRRD, by ITK."""

    name, endings, itk = "NRRD", (".nrrd", ".nhdr"), "NrrdImageIO"

    def check_header(self, path: Path) -> Header:
        """Its `data file` is one file beside the header: a folder, list, pattern or a link elsewhere is refused."""
        lines, whole = itk_file.text_lines(path)
        files, encoding, start = [], "", None
        for line, end in lines:
            if not line:  # the header ends at the first empty line
                start = end
                break
            field, colon, value = line.partition(":")
            field = re.sub(r"\s", "", field).lower()
            if colon and field == "datafile" and not value.startswith("="):
                files.append(value.strip())
            elif colon and field == "encoding":
                encoding = value.strip().lower()
        itk_file.check_beside(path, files if start or whole else [""])
        return Header(encoding, path.parent / files[0], 0) if files else Header(encoding, path, start)

    def check_content(self, path: Path, header: Header) -> None:
        """Compressed voxels are read to their checksum; ITK itself notices a short raw file."""
        if header.start is not None and header.encoding in ("gzip", "gz"):
            itk_file.check_compressed(path, header.body, header.start)
