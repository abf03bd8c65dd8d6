"""What image readers do not tell: truncated, corrupted and non-finite files.

ITK reads a truncated or bit-flipped ``.nii.gz`` to the end and returns wrong voxels, and turns the NaN and
infinite voxels of a NIfTI file into 0. So each file's own bytes are read once, as a stream, before ITK reads
them (or, for a gzipped NIfTI file, the voxels read are held against the stream's checksum): the compressed
stream to its checksum, the size against the header, the voxels of floating NIfTI files.
"""

from __future__ import annotations

import gzip
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, cast

import numpy as np

from her2radiomics.core.errors import CaseError

CHUNK = 1 << 20
MOST_TRAILING = 1 << 26  # bytes after the voxels that are read past
MOST_BYTES = 1 << 31  # of a compressed NRRD or MetaImage body
MOST_HEADER = 1 << 26  # bytes before the voxels, extensions included
_NATIVE = "<" if sys.byteorder == "little" else ">"
NIFTI_FLOATS = {16: "f4", 64: "f8"}  # NIfTI datatype codes of real floating images


def check_file(path: Path) -> None:
    """Refuse a file that is missing, truncated, corrupted, not three-dimensional or (NIfTI) non-finite.

    Parameters
    ----------
    path
        A NIfTI, NRRD or MetaImage file. Other formats pass: their reader must notice.

    Raises
    ------
    CaseError
        Naming the file, what was found, expected and advised.
    """
    name = path.name.lower()
    try:
        if name.endswith((".nii", ".nii.gz", ".hdr", ".img", ".img.gz")):
            _check_nifti(path)
        elif name.endswith((".nrrd", ".nhdr")):
            _check_nrrd(path)
        elif name.endswith((".mha", ".mhd")):
            _check_metaimage(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, f"a damaged compressed stream ({error})") from error
    except OSError as error:
        raise CaseError(
            found=f"a file that cannot be read ({error.strerror or error})",
            expected="a readable image file",
            remedy="Check the path, the permissions and the disk.",
            file=path,
        ) from error


@dataclass(frozen=True)
class Checksum:
    """CRC-32 of a gzipped NIfTI file: of its header alone, and of the whole as its last bytes state it."""

    header: int
    whole: int

    def holds(self, voxels: np.ndarray) -> bool:
        """Whether these voxels, as read, are the very bytes that were compressed."""
        return zlib.crc32(voxels.data, self.header) == self.whole


def promised_checksum(path: Path) -> Checksum | None:
    """The checksum that a reader's voxels can be held against, sparing a second decompression.

    ``None`` where that cannot work and :func:`check_file` must decide: other formats, files that are not one
    gzip stream of a 3-D header and its voxels.
    """
    if not path.name.lower().endswith(".nii.gz"):
        return None
    try:
        with _open(path) as stream:
            header = stream.read(540)
        order, dims, _, bits, offset = _nifti_header(path, header)
        with path.open("rb") as raw:
            raw.seek(-8, 2)
            whole, size = struct.unpack("<II", raw.read(8))
    except (CaseError, OSError, EOFError, zlib.error):
        return None
    if len(dims) != 3 or order != _NATIVE or not 348 <= offset <= len(header):
        return None
    if offset + dims[0] * dims[1] * dims[2] * (bits // 8) != size:
        return None
    return Checksum(zlib.crc32(header[:offset]), whole)


def _damaged(path: Path, found: str) -> CaseError:
    return CaseError(
        found=found,
        expected="a complete file whose checksum holds",
        remedy="Copy or export the file again; its voxels cannot be trusted.",
        file=path,
    )


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _open(path: Path) -> IO[bytes]:
    """Open a file, through gzip where its first two bytes say so (whatever its name says)."""
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if compressed else path.open("rb")


def _check_nifti(path: Path) -> None:
    header_path, data_path = _nifti_pair(path)
    with _open(header_path) as stream:
        header = stream.read(540)
        order, dims, code, bits, offset = _nifti_header(header_path, header)
        expected = bits // 8
        for size in dims:
            expected *= size
        if len(dims) != 3:
            raise _not_3d(path, dims)
        if data_path == header_path:
            _check_voxels(path, stream, header, offset, expected, order, code)
    if data_path != header_path:
        with _open(data_path) as stream:
            _check_voxels(data_path, stream, b"", offset, expected, order, code)


def _not_3d(path: Path, dims: list[int]) -> CaseError:
    if len(dims) == 5 and dims[3] == 1 and dims[4] > 1:
        return CaseError(
            found=f"{dims[4]} values a voxel",
            expected="one real number a voxel",
            remedy="Convert a vector image to the one channel that is meant.",
            file=path,
        )
    return CaseError(
        found=f"a {len(dims)}-D NIfTI file of {'×'.join(map(str, dims))} voxels",
        expected="a 3-D image",
        remedy="Write each time point (or the stack of slices) to a 3-D file of its own.",
        file=path,
    )


def _nifti_pair(path: Path) -> tuple[Path, Path]:
    """Header and data file: the same for ``.nii``, two for ``.hdr``/``.img``."""
    name = path.name
    for ending in (".hdr", ".img.gz", ".img"):
        if name.lower().endswith(ending):
            stem = name[: -len(ending)]
            header = path.with_name(f"{stem}.hdr")
            candidates = [path.with_name(f"{stem}.img"), path.with_name(f"{stem}.img.gz")]
            return header, next((file for file in candidates if file.is_file()), candidates[0])
    return path, path


def _nifti_header(path: Path, header: bytes) -> tuple[str, list[int], int, int, int]:
    """Byte order, dimensions, datatype code, bits a voxel and data offset of a NIfTI-1 or -2 header."""
    for order in "<>":
        size = struct.unpack_from(f"{order}i", header)[0] if len(header) >= 4 else 0
        if size == 348 and len(header) >= 348:
            dims = struct.unpack_from(f"{order}8h", header, 40)
            code, bits = struct.unpack_from(f"{order}2h", header, 70)
            offset = struct.unpack_from(f"{order}f", header, 108)[0]
        elif size == 540 and len(header) >= 540:
            code, bits = struct.unpack_from(f"{order}2h", header, 12)
            dims = struct.unpack_from(f"{order}8q", header, 16)
            offset = struct.unpack_from(f"{order}q", header, 168)[0]
        else:
            continue
        if not 0 <= offset <= MOST_HEADER:  # NaN included
            raise _damaged(path, f"a NIfTI header whose voxels start at byte {offset:g}")
        if 1 <= dims[0] <= 7 and all(length > 0 for length in dims[1 : dims[0] + 1]):
            return order, [int(length) for length in dims[1 : dims[0] + 1]], code, bits, int(offset)
    raise _damaged(path, "no NIfTI header")


def _check_voxels(
    path: Path, stream: IO[bytes], head: bytes, offset: int, expected: int, order: str, code: int
) -> None:
    """Read the voxels to the end of the stream: all there, checksum holding, every float finite."""
    body = head[offset:]
    stream.read(max(0, offset - len(head)))
    found, rest = 0, b""
    kind = NIFTI_FLOATS.get(code)
    for chunk in chain((body,), _chunks(stream)):
        used = chunk[: max(0, expected - found)]
        found += len(chunk)
        if found > expected + MOST_TRAILING:
            raise _unfolding(path)
        if kind is None:
            continue

        rest += used
        whole = len(rest) - len(rest) % int(kind[1])
        values = np.frombuffer(rest[:whole], dtype=order + kind)
        rest = rest[whole:]
        if not np.isfinite(values).all():
            raise _non_finite(path)
    if found < expected:
        raise _damaged(path, f"{found} of the {expected} bytes of voxels that its header promises")


def _unfolding(path: Path) -> CaseError:
    return CaseError(
        found="a compressed stream that unfolds to far more than its header promises",
        expected="the voxels of the header, and little after them",
        remedy="Do not use the file: export the image again from its source.",
        file=path,
    )


def _non_finite(path: Path) -> CaseError:
    return CaseError(
        found="NaN or infinite voxels",
        expected="finite numbers in every voxel",
        remedy="Find out where they come from (a division in a map?) and write the image without them.",
        file=path,
    )


def _check_nrrd(path: Path) -> None:
    """Read a gzip-encoded NRRD body to its checksum; teem itself notices a short raw body."""
    with path.open("rb") as stream:
        header = b""
        while b"\n\n" not in header and b"\r\n\r\n" not in header:
            chunk = stream.read(4096)
            if not chunk or len(header) > CHUNK:
                return  # a detached header: its reader checks the data file's length
            header += chunk
        end = header.find(b"\n\n") + 2 if b"\n\n" in header else header.find(b"\r\n\r\n") + 4
        fields = header[:end].decode("ascii", "replace").lower().splitlines()
        encoding = next(
            (line.split(":", 1)[1].strip() for line in fields if line.startswith("encoding:")), ""
        )
        if encoding in ("gzip", "gz"):
            stream.seek(end)
            with gzip.open(stream, "rb") as body:
                found = 0
                for chunk in _chunks(cast(IO[bytes], body)):
                    found += len(chunk)
                    if found > MOST_BYTES:
                        raise _unfolding(path)


def _check_metaimage(path: Path) -> None:
    """Inflate a compressed MetaImage body to its checksum: ITK prints 'Uncompress failed' and goes on."""
    with path.open("rb") as stream:
        fields: dict[str, str] = {}
        for line in stream:
            key, _, value = line.decode("latin-1").partition("=")
            fields[key.strip()] = value.strip()
            if key.strip() == "ElementDataFile":
                break
        if fields.get("CompressedData", "False").lower() != "true":
            return
        data = fields.get("ElementDataFile", "LOCAL")
        if data.upper() == "LOCAL":
            _inflate(path, stream)
        else:
            with (path.parent / data).open("rb") as body:
                _inflate(path.parent / data, body)


def _inflate(path: Path, stream: IO[bytes]) -> None:
    inflater = zlib.decompressobj()
    found = 0
    for chunk in _chunks(stream):
        while chunk and not inflater.eof:
            found += len(inflater.decompress(chunk, CHUNK))
            chunk = inflater.unconsumed_tail
            if found > MOST_BYTES:
                raise _unfolding(path)
    if not inflater.eof:
        raise _damaged(path, "a compressed stream that ends too early")
