"""MetaImage: header and voxels in one file (``.mha``), or a header (``.mhd``) beside one file of voxels."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import NamedTuple

from her2radiomics.imaging.formats import damaged, image_format
from her2radiomics.imaging.formats.itk_file import (
    CHUNK,
    MOST_BYTES,
    ITKFile,
    check_beside,
    chunks,
    text_lines,
    unfolding,
)


class Header(NamedTuple):
    """Whether the voxels are compressed, their file's name (none: the header's), and where they begin in it."""

    compressed: bool
    file: str
    body: int


@image_format
class MetaImage(ITKFile):
    """MetaImage, by ITK."""

    name, endings, itk = "MetaImage", (".mha", ".mhd"), "MetaImageIO"

    def check_header(self, path: Path) -> Header:
        """Its `ElementDataFile` is one file beside the header: a folder, list, pattern or a link elsewhere is refused."""
        lines, whole = text_lines(path)
        compressed = False
        for line, end in lines:
            field, _, value = (part.strip() for part in line.replace(":", "=", 1).partition("="))
            if field.lower() == "compresseddata":
                compressed = value.lower() == "true"
            elif field.lower() == "elementdatafile":  # the header's last field
                if value.upper() == "LOCAL":
                    return Header(compressed, "", end)
                check_beside(path, [value])
                return Header(compressed, value, 0)
        check_beside(path, [] if whole else [""])
        return Header(False, "", 0)

    def check_content(self, path: Path, header: Header) -> None:
        """Compressed voxels are read to their checksum, where ITK prints a warning and goes on; it notices a short raw file."""
        if not header.compressed:
            return
        inflater, found = zlib.decompressobj(), 0
        with (path.parent / header.file if header.file else path).open("rb") as stream:
            stream.seek(header.body)
            for chunk in chunks(stream):
                while chunk and not inflater.eof:
                    found += len(inflater.decompress(chunk, CHUNK))
                    chunk = inflater.unconsumed_tail
                    if found > MOST_BYTES:
                        raise unfolding(path)
        if not inflater.eof:
            raise damaged(path, "a compressed stream that ends too early")
