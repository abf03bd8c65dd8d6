"""MetaImage: header and voxels in one file (``.mha``), or a header (``.mhd``) beside one file of voxels."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from her2radiomics.imaging.formats import image_format, itk_file


class Header(NamedTuple):
    """Whether the voxels are compressed, their file, and where they begin in it."""

    compressed: bool
    body: Path
    start: int


@image_format
class MetaImage(itk_file.ITKFile):
    """MetaImage, by ITK."""

    name, endings, itk = "MetaImage", (".mha", ".mhd"), "MetaImageIO"

    def check_header(self, path: Path) -> Header:
        """Its `ElementDataFile` is one file beside the header: a folder, list, pattern or a link elsewhere is refused."""
        lines, whole = itk_file.text_lines(path)
        compressed = False
        for line, end in lines:
            field, _, value = (part.strip() for part in line.replace(":", "=", 1).partition("="))
            if field.lower() == "compresseddata":
                compressed = value.lower() == "true"
            elif field.lower() == "elementdatafile":  # the header's last field
                if value.upper() == "LOCAL":
                    return Header(compressed, path, end)
                itk_file.check_beside(path, [value])
                return Header(compressed, path.parent / value, 0)
        itk_file.check_beside(path, [] if whole else [""])
        return Header(False, path, 0)

    def check_content(self, path: Path, header: Header) -> None:
        """Compressed voxels are read to their checksum (ITK prints a warning and goes on); ITK notices a short raw file."""
        if header.compressed:
            itk_file.check_compressed(path, header.body, header.start)
