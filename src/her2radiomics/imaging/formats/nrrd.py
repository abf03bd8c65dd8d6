"""NRRD: header and voxels in one file (``.nrrd``), or a header (``.nhdr``) beside one file of voxels."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import NamedTuple

from her2radiomics.imaging.formats import image_format
from her2radiomics.imaging.formats.itk_file import (
    MOST_BYTES,
    ITKFile,
    check_beside,
    chunks,
    text_lines,
    unfolding,
)


class Header(NamedTuple):
    """The voxels' encoding, their file's name (none: the header's), and where they begin in it (``None``: nowhere)."""

    encoding: str
    file: str
    body: int | None


@image_format
class NRRD(ITKFile):
    """NRRD, by ITK."""

    name, endings, itk = "NRRD", (".nrrd", ".nhdr"), "NrrdImageIO"

    def check_header(self, path: Path) -> Header:
        """Its `data file` is one file beside the header: a folder, list, pattern or a link elsewhere is refused."""
        lines, whole = text_lines(path)
        files, encoding = [], ""
        body = None
        for line, end in lines:
            if not line:  # the header ends at the first empty line
                body = end
                break
            field, colon, value = line.partition(":")
            if not colon or value.startswith("="):
                continue
            field = re.sub(r"\s", "", field).lower()
            if field == "datafile":
                files.append(value.strip())
            elif field == "encoding":
                encoding = value.strip().lower()
        check_beside(path, files if body or whole else [""])
        return Header(encoding, files[0], 0) if files else Header(encoding, "", body)

    def check_content(self, path: Path, header: Header) -> None:
        """Compressed voxels are read to their checksum; ITK itself notices a short raw file."""
        if header.body is None or header.encoding not in ("gzip", "gz"):
            return
        with (path.parent / header.file if header.file else path).open("rb") as stream:
            stream.seek(header.body)
            found = 0
            with gzip.open(stream, "rb") as body:
                for chunk in chunks(body):  # type: ignore[arg-type]
                    found += len(chunk)
                    if found > MOST_BYTES:
                        raise unfolding(path)
