"""What a NIfTI header says, and where it contradicts itself.

ITK takes the voxel size from ``pixdim`` (1 where that is 0) and the axes from one of two places, sform and qform, by
rules of its own; other programs take the voxel size from the sform's columns. So what a header says twice must agree.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from her2radiomics.imaging.checks import check_axes, times
from her2radiomics.imaging.formats import damaged
from her2radiomics.imaging.formats.itk_file import contradiction

#: Field to format and byte, by the length of the header: NIfTI-1 and NIfTI-2.
FIELDS: dict[int, dict[str, tuple[str, int]]] = {
    348: {
        **{"magic": ("4s", 344), "dim": ("8h", 40), "datatype": ("h", 70), "bitpix": ("h", 72), "pixdim": ("8f", 76)},
        **{"vox_offset": ("f", 108), "scl_slope": ("f", 112), "scl_inter": ("f", 116), "xyzt_units": ("B", 123)},
        **{"qform_code": ("h", 252), "sform_code": ("h", 254), "qform": ("6f", 256), "sform": ("12f", 280)},
    },
    540: {
        **{"magic": ("4s", 4), "dim": ("8q", 16), "datatype": ("h", 12), "bitpix": ("h", 14), "pixdim": ("8d", 104)},
        **{"vox_offset": ("q", 168), "scl_slope": ("d", 176), "scl_inter": ("d", 184), "xyzt_units": ("i", 500)},
        **{"qform_code": ("i", 344), "sform_code": ("i", 348), "qform": ("6d", 352), "sform": ("12d", 400)},
    },
}
MAGIC = (b"n+1\0", b"ni1\0", b"n+2\0", b"ni2\0")
#: Bits a voxel of each datatype that is a plain number.
BITS = {2: 8, 256: 8, 4: 16, 512: 16, 8: 32, 768: 32, 16: 32, 64: 64, 1024: 64, 1280: 64}
ATLAS = (3, 4)  # codes of Talairach's and the MNI's axes
UNITS = {1: "metre", 3: "micrometre"}  # besides 2, mm, and 0, which says nothing
MOST_HEADER = 1 << 26  # bytes before the voxels, extensions included
SPACING_AGREES = 1e-3  # relative: some programs round pixdim to four digits
PLACES_AGREE_MM = 0.1  # qform and sform: a quaternion in single precision is some 0.02 mm off at an image's corner


class Header(NamedTuple):
    """Byte order, lengths of the axes, datatype code, bytes of voxels, where these begin, and whether they are scaled."""

    order: str
    size: list[int]
    code: int
    promised: int
    offset: int
    scaled: bool
    doubts: Sequence[str] = ()


Said = dict[str, Any]


def parse(path: Path, content: bytes) -> tuple[Header, Said]:
    """What a NIfTI-1 or -2 header says, and all of its fields by name."""
    for order in "<>":
        length = struct.unpack_from(f"{order}i", content)[0] if len(content) >= 4 else 0
        if length not in FIELDS or len(content) < length:
            continue
        fields = {
            name: struct.unpack_from(order + form, content, start) for name, (form, start) in FIELDS[length].items()
        }
        said: Said = {name: value if len(value) > 1 else value[0] for name, value in fields.items()}
        axes = list(said["dim"][1 : said["dim"][0] + 1])
        if not 0 <= said["vox_offset"] <= MOST_HEADER:  # NaN included
            raise damaged(path, f"a NIfTI header whose voxels start at byte {said['vox_offset']:g}")
        if 1 <= said["dim"][0] <= 7 and min(axes) > 0:
            if said["magic"][1:2] == b"+" and said["vox_offset"] < length:
                raise damaged(
                    path, f"a NIfTI header of {length} bytes whose voxels start at byte {said['vox_offset']:g}"
                )
            promised = math.prod(axes) * (said["bitpix"] // 8)
            slope, offset = said["scl_slope"], said["scl_inter"]  # NaN says that there is no scale
            scaled = not (slope in (0, 1) or math.isnan(slope)) or not (offset == 0 or math.isnan(offset))
            return Header(order, axes, said["datatype"], promised, int(said["vox_offset"]), scaled), said
    raise damaged(path, "no NIfTI header")


def contradictions(path: Path, said: Said, size: list[int]) -> list[str]:
    """Refuse a header that says two things; what is doubtful of it, in words."""
    bits = BITS.get(said["datatype"], said["bitpix"])
    if said["magic"] not in MAGIC:
        raise contradiction(
            path,
            "an Analyze 7.5 header, which does not say where left and right are",
            "a NIfTI header (magic n+1 or ni1)",
            "Convert the original DICOM files with dcm2niix.",
        )
    if said["magic"][2:3] == b"2":
        found = "a NIfTI-2 header, which ITK does not read"
        raise contradiction(path, found, "NIfTI-1", "Write it as NIfTI-1 (nib-convert, fslchfiletype) or as NRRD.")
    if bits != said["bitpix"]:
        found = f"a NIfTI header of datatype {said['datatype']} ({bits} bits) with bitpix {said['bitpix']}"
        raise contradiction(path, found, "both of one size")
    doubts = _check_places(path, said, size) + _check_scale(path, said)
    codes = [name for name in ("qform_code", "sform_code") if said[name] in ATLAS]
    doubts += [
        f"the axes are those of an atlas ({name} {said[name]}): lengths and volumes may be the atlas's"
        for name in codes
    ]
    unit = said["xyzt_units"] & 7
    if unit in UNITS:
        doubts.append(f"the header's unit of length is the {UNITS[unit]}; its numbers were converted to mm")
    elif unit > 3:
        doubts.append(f"the header's unit of length ({unit}) is none of NIfTI; its numbers were taken as mm")
    return doubts


def _check_places(path: Path, said: Said, size: list[int]) -> list[str]:
    """Voxel size and axes as pixdim, sform and qform say them."""
    spacing = np.array(said["pixdim"][1:4], dtype=float)
    sform = np.reshape(said["sform"], (3, 4)).astype(float) if said["sform_code"] > 0 else None
    steps = None if sform is None else np.linalg.norm(sform[:, :3], axis=0)
    positive = all(math.isfinite(step) and step > 0 for step in spacing)
    used = (*(said["qform"] if said["qform_code"] > 0 else ()), *(said["sform"] if sform is not None else ()))
    if positive and not all(map(math.isfinite, used)):
        found = "a header with NaN or infinity in its axes or position (qform, sform)"
        raise contradiction(path, found, "finite numbers")
    if positive and sform is not None and steps is not None:
        check_axes(sform[:, :3] / np.where(steps, steps, 1), path)
    if not positive or (steps is not None and np.any(np.abs(steps - spacing) > SPACING_AGREES * spacing)):
        axes = "" if steps is None else f"; the axes (sform) have steps of {times(steps)} mm"
        found = f"a header with a voxel spacing (pixdim) of {times(spacing)} mm{axes}"
        raise contradiction(path, found, "one positive spacing, in both" if axes else "three positive numbers")
    qform = _from_quaternion(path, said, spacing) if said["qform_code"] > 0 else None
    if qform is None and sform is None:
        return ["the header gives no position and orientation (qform_code and sform_code are 0)"]
    if qform is None or sform is None:
        return []
    ends = [(0, length - 1) for length in [*size, 1, 1][:3]]
    corners = np.array([*itertools.product(*ends, (1,))])
    apart = float(np.linalg.norm(corners @ (qform - sform).T, axis=1).max())
    millimetres = apart * {1: 1000.0, 3: 0.001}.get(said["xyzt_units"] & 7, 1.0)
    found = (
        f"a header with two positions: by its qform and its sform a corner of the image lies {millimetres:.3g} mm apart"
    )
    if apart > spacing.min() / 2:
        raise contradiction(
            path,
            found,
            "one position in both",
            "Find out which is the scanner's (the sform of a registered image may be an atlas), and set the other to it.",
        )
    return [found] if millimetres > PLACES_AGREE_MM else []


def _from_quaternion(path: Path, said: Said, spacing: np.ndarray) -> np.ndarray:
    """Rows of the affine (mm) of a qform, by the standard's formula (nifti1.h, method 2)."""
    b, c, d, *offset = said["qform"]
    rest = 1 - (b * b + c * c + d * d)
    if rest < -1e-3:
        raise contradiction(
            path, f"a quaternion (qform) of length {math.sqrt(1 - rest):.4g}", "a rotation: a length of 1 at most"
        )
    a = math.sqrt(max(0.0, rest))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    flip = -1 if said["pixdim"][0] < 0 else 1
    return np.column_stack([rotation * spacing * (1, 1, flip), offset])


def _check_scale(path: Path, said: Said) -> list[str]:
    """``scl_slope`` and ``scl_inter``: the standard applies none of them where the slope is 0; ITK adds the intercept."""
    slope, offset = said["scl_slope"], said["scl_inter"]
    if math.isnan(slope) and (math.isnan(offset) or offset == 0):  # so nibabel says that there is no scale
        return []
    if not math.isfinite(slope):
        return [f"scl_slope is {slope:g}, which is no scale; voxels were taken as they are stored"]
    if not math.isfinite(offset) or (slope == 0 and offset != 0):
        raise contradiction(path, f"scl_slope {slope:g} with scl_inter {offset:g}", "a slope and a finite intercept")
    return []
