"""What formats share that ITK reads from one file, or from a header and one file of voxels beside it.

ITK follows a header to whatever path it names, guesses the format of a file by its content, takes memory for whatever
size a header claims, and reads a truncated or bit-flipped file to the end. So one of its readers is asked by name, the
voxels lie beside their header, the size is looked at first, and each format checks the file's own bytes.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar

from her2radiomics.core.errors import CaseError, quote
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.formats import ImageFormat, damaged, formats_in_words

#: 512 × 512 × 1024. Five times the largest breast MRI of the public cohorts; 2 GiB as 64-bit numbers.
MOST_VOXELS = 2**28
CHUNK = 1 << 20
HEADER = 1 << 16  # bytes at the start of a file in which a header's fields are looked for
MOST_BYTES = 1 << 31  # of a compressed body
_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n)")


class ITKFile(ImageFormat):
    """A format that one of ITK's readers (``itk``) reads; no other is ever asked."""

    itk: ClassVar[str]

    def claimed_size(self, header: Any, reader: sitk.ImageFileReader) -> Sequence[int]:
        """Voxels along each axis as ITK will read them; a format that knows them from its header spares a reading."""
        reader.ReadImageInformation()
        return reader.GetSize()

    def reader(self, path: Path) -> sitk.ImageFileReader:
        """ITK's reader of this format, of a file."""
        reader = sitk.ImageFileReader()
        reader.SetImageIO(self.itk)
        reader.SetFileName(str(path))
        return reader

    def read_voxels(self, path: Path, header: Any) -> sitk.Image:
        """Read the image by this format's reader."""
        reader = self.reader(path)
        try:
            check_voxel_count(self.claimed_size(header, reader), path)
            return reader.Execute()
        except (RuntimeError, MemoryError, ValueError) as error:  # ITK's own, and what a mad header leads to
            self.check_content(path, header)  # often knows better what is wrong
            raise CaseError(
                found="a file that cannot be read as an image",
                quoted=quote(error, path),
                expected=f"{formats_in_words()}, with three perpendicular axes",
                remedy="Open it in a viewer; export it again if that fails too.",
                file=path,
            ) from error


def check_voxel_count(size: Sequence[int], file: str | Path) -> None:
    """Refuse an image whose header claims more than :data:`MOST_VOXELS`."""
    if math.prod(size) > MOST_VOXELS:
        raise CaseError(
            found=f"a header that claims {'×'.join(map(str, size))} voxels",
            expected=f"at most {MOST_VOXELS} (512×512×1024)",
            remedy="If the size is right, crop the image to the breasts; else export the file again.",
            file=file,
        )


def check_beside(path: Path, names: Sequence[str]) -> None:
    """Refuse a header whose voxels are not in one file beside it: a path, list or pattern, or a link elsewhere."""
    here = {path.parent.resolve(), path.resolve().parent}
    for name in names:
        plain = not re.search(r"[/\\\s%:\x00]", name) and name.upper() not in ("", ".", "..", "LIST", "SKIPLIST")
        if not plain or (path.parent / name).resolve().parent not in here:
            raise CaseError(
                found="a header whose voxels lie elsewhere",
                expected="its voxels in the same file, or in one file beside it, named without a folder or a space",
                remedy="Write header and voxels to one file (.nii.gz, .nrrd, .mha).",
                file=path,
            )


def check_spacing(path: Path, steps: Sequence[float], dimension: int, field: str) -> None:
    """Refuse a header without a positive voxel spacing for each of its (at most three) axes; ITK would take 1 mm."""
    bad = [step for step in steps if not (math.isfinite(step) and step > 0)]
    if bad or len(steps) < min(dimension, 3):
        raise contradiction(
            path,
            f"a header with a voxel spacing of {', '.join(f'{step:g}' for step in steps)} mm"
            if steps
            else f"a header without a voxel spacing ({field})",
            "a positive number of mm for each axis",
        )


def surplus(left: int) -> list[str]:
    """Say that so many bytes are left after the voxels that a header promises: it may be of another size than they are."""
    return [f"{left} bytes are left after the voxels that the header promises: is its size right?"] if left > 0 else []


def contradiction(path: Path, found: str, expected: str, remedy: str = "") -> CaseError:
    """The error of a header that lacks what places its voxels, or says two things."""
    usual = "Convert the original DICOM files again, or correct the header where you know what is right."
    return CaseError(found=found, expected=expected, remedy=remedy or usual, file=path)


def numbers(text: str) -> list[float]:
    """The numbers of a header's field; NaN for what is none."""
    found = re.sub(r"[(),]", " ", text).split()
    return [float(word) if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", word) else math.nan for word in found]


def text_lines(path: Path) -> tuple[list[tuple[str, int]], bool]:
    """Lines of a file's beginning, each with the place of the next one, and whether that is all of the file."""
    with path.open("rb") as stream:
        found = stream.read(HEADER)
        whole = not stream.read(1)
    lines = _LINE.finditer(found + b"\n" if whole else found)
    return [(match[1].decode("latin-1"), match.end()) for match in lines], whole


def check_compressed(path: Path, body: Path, start: int) -> None:
    """Refuse a body compressed by zlib or gzip that ends early, breaks its checksum, or decompresses to too much."""
    inflater, found = zlib.decompressobj(zlib.MAX_WBITS | 32), 0
    with body.open("rb") as stream:
        stream.seek(start)
        for chunk in chunks(stream):
            while chunk and not inflater.eof:
                found += len(inflater.decompress(chunk, CHUNK))
                chunk = inflater.unconsumed_tail
                if found > MOST_BYTES:
                    raise overlong(path)
    if not inflater.eof:
        raise damaged(path, "a compressed stream that ends too early")


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of a stream, a piece at a time."""
    while chunk := stream.read(CHUNK):
        yield chunk


def overlong(path: Path) -> CaseError:
    """The error of a compressed stream that goes on and on."""
    return CaseError(
        found="a compressed stream that decompresses to far more than its header promises",
        expected="the voxels of the header, and little after them",
        remedy="Do not use the file: export the image again from its source.",
        file=path,
    )
