"""NIfTI: one file (``.nii``, ``.nii.gz``), or a header (``.hdr``) beside its voxels (``.img``, ``.img.gz``).

ITK reads a truncated or bit-flipped ``.nii.gz`` to the end and returns wrong voxels, and turns NaN and infinite voxels
into 0. So the file's bytes are read once as a stream before ITK reads them. A ``.nii.gz`` whose voxels are stored as they
are meant is decompressed once, by ISA-L, which compares the checksum and takes half of ITK's time; ITK reads its header.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

import numpy as np

from her2radiomics.core.libraries import isal_zlib, sitk
from her2radiomics.imaging.checks import check_shape, not_finite
from her2radiomics.imaging.formats import damaged, image_format
from her2radiomics.imaging.formats.itk_file import ITKFile, check_beside, check_voxel_count, chunks, overlong, surplus
from her2radiomics.imaging.formats.nifti_header import Header, contradictions, parse

MOST_TRAILING = 1 << 26  # bytes after the voxels that are read past
FLOATS = {16: "f4", 64: "f8"}  # datatype codes of real floating images
STORED = FLOATS | {2: "u1", 256: "i1", 4: "i2", 512: "u2", 8: "i4", 768: "u4", 1024: "i8", 1280: "u8"}
NATIVE = "<" if sys.byteorder == "little" else ">"


@image_format
class NIfTI(ITKFile):
    """NIfTI-1, by ITK."""

    name, endings, itk = "NIfTI", (".nii", ".nii.gz", ".hdr", ".img", ".img.gz"), "NiftiImageIO"

    def check_header(self, path: Path) -> Header:
        """Three dimensions; spacing, axes, positions and scale agree; neither `.hdr` nor `.img` is a link elsewhere."""
        first, second = _pair(path)
        if first != second:
            files = (first, first.with_suffix(".img"), first.with_suffix(".img.gz"))
            check_beside(path, [file.name for file in files if file.is_file()])
        with _open(first) as stream:
            header, said = parse(path, stream.read(540))
        vector = len(header.size) == 5 and header.size[3] == 1 and header.size[4] > 1
        check_shape(header.size, f"{header.size[-1]} values per voxel" * vector, path)
        doubts = contradictions(path, said, header.size)
        return header._replace(doubts=doubts + surplus(_length(second) - header.offset - header.promised))

    def claimed_size(self, header: Header, reader: sitk.ImageFileReader) -> Sequence[int]:
        """As the header says; ITK's reader takes the order of its bytes by the same field."""
        return header.size

    def check_content(self, path: Path, header: Header) -> None:
        """All voxels are there, a compressed stream holds its checksum, voxels are finite (ITK would read NaN as 0)."""
        kind = FLOATS.get(header.code)
        found, rest = 0, b""
        with _open(_pair(path)[1]) as stream:
            stream.read(header.offset)
            for chunk in chunks(stream):
                rest += chunk[: max(0, header.promised - found)] if kind else b""
                found += len(chunk)
                if found > header.promised + MOST_TRAILING:
                    raise overlong(path)
                if kind:
                    whole = len(rest) - len(rest) % int(kind[1])
                    if not np.isfinite(np.frombuffer(rest[:whole], dtype=header.order + kind)).all():
                        raise not_finite(path)
                    rest = rest[whole:]
        if found < header.promised:
            raise damaged(path, f"{found} of the {header.promised} bytes of voxels that its header promises")

    def _read_checked(self, path: Path, header: Header) -> sitk.Image:
        return self._decompress(path, header) or super()._read_checked(path, header)

    def _decompress(self, path: Path, header: Header) -> sitk.Image | None:
        """A whole ``.nii.gz`` of finite voxels that are neither scaled nor of another byte order; else ``None``."""
        kind = STORED.get(header.code)
        if kind is None or header.scaled or header.order != NATIVE or not path.name.lower().endswith(".nii.gz"):
            return None
        check_voxel_count(header.size, path)
        stream = isal_zlib.decompressobj(zlib.MAX_WBITS | 16)
        content, found = np.empty(header.offset + header.promised, np.uint8), 0
        try:
            with path.open("rb") as file:
                for chunk in chunks(file):
                    part = stream.decompress(chunk, len(content) - found + 1)
                    content[found : found + len(part)] = np.frombuffer(part, np.uint8)  # refused where it is too long
                    found += len(part)
            reader = self._placed(content[: header.offset])
        except (isal_zlib.IsalError, RuntimeError, ValueError, OSError):  # type: ignore[misc]
            return None
        if found != len(content) or not stream.eof or stream.unused_data:
            return None
        voxels = content[header.offset :].view(kind).reshape(header.size[::-1])
        if header.code in FLOATS and not np.isfinite(voxels).all():
            return None
        image = sitk.GetImageFromArray(voxels)
        for place in ("Origin", "Spacing", "Direction"):
            getattr(image, f"Set{place}")(getattr(reader, f"Get{place}")())
        return image

    def _placed(self, header: np.ndarray) -> sitk.ImageFileReader:
        """ITK's reading of a header that is not compressed: it takes ten times as long to read a compressed one."""
        with tempfile.NamedTemporaryFile(suffix=".nii") as stream:
            stream.write(header.data)
            stream.flush()
            reader = self.reader(Path(stream.name))
            reader.ReadImageInformation()
        return reader


def _pair(path: Path) -> tuple[Path, Path]:
    """The files of header and voxels: the same for ``.nii``."""
    for ending in (".hdr", ".img.gz", ".img"):
        if path.name.lower().endswith(ending):
            first = path.with_name(f"{path.name[: -len(ending)]}.hdr")
            image, packed = first.with_suffix(".img"), first.with_suffix(".img.gz")
            return first, packed if packed.is_file() and not image.is_file() else image
    return path, path


def _open(path: Path) -> IO[bytes]:
    """Open a file, through gzip where its first two bytes say so (whatever its name says)."""
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if compressed else path.open("rb")


def _length(path: Path) -> int:
    """Bytes of a file; of a compressed one those that it says at its end to have had."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
        end = stream.seek(0, 2)
        stream.seek(max(0, end - 4))
        return int.from_bytes(stream.read(4), "little") if packed else end
