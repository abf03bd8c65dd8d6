"""Kinds of NIfTI, NRRD and MetaImage files whose header differs from a right one's by one thing."""

from __future__ import annotations

import gzip
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from kinds import REFUSED, SAME, WARNED, Right, kind

# -- NIfTI ----------------------------------------------------------------------------------------------------------

AT = {"pixdim": ("<8f", 76), "scl": ("<2f", 112), "codes": ("<2h", 252), "quatern": ("<3f", 256), "units": ("<B", 123)}
AT |= {"offset": ("<3f", 268), "srow": ("<12f", 280), "bitpix": ("<h", 72), "magic": ("<4s", 344), "start": ("<f", 108)}
NAN = math.nan


def nifti(right: Right, folder: Path, change: Callable[[dict[str, list[Any]]], None], ending: str = "nii") -> Path:
    """A file whose header fields are changed after it was written."""
    path = folder / "image.nii"
    sitk.WriteImage(right.image(), str(path))
    content = bytearray(path.read_bytes())
    fields = {name: [*struct.unpack_from(form, content, start)] for name, (form, start) in AT.items()}
    change(fields)
    for name, (form, start) in AT.items():
        struct.pack_into(form, content, start, *fields[name])
    path.unlink()
    path = path.with_name(f"image.{ending}")
    path.write_bytes(gzip.compress(bytes(content)) if ending.endswith("gz") else bytes(content))
    return path


def header(what: str, outcome: str, words: str = "", grid: bool = True, **values: Any) -> None:
    """A kind of NIfTI whose header fields take other values: a list, or a function of the field's values."""

    def change(fields: dict[str, list[Any]]) -> None:
        for name, value in values.items():
            fields[name] = value(fields[name]) if callable(value) else value

    kind("NIfTI", what, outcome, words, grid)(lambda right, folder: nifti(right, folder, change))


def put(index: int, value: float) -> Callable[[list[float]], list[float]]:
    return lambda values: [value if place == index else old for place, old in enumerate(values)]


def scaled(factor: float) -> Callable[[list[float]], list[float]]:
    return lambda values: [value * factor for value in values]


def moved(by: float) -> Callable[[list[float]], list[float]]:
    return lambda row: [*row[:3], row[3] + by, *row[4:]]


def lengthened(by: float) -> Callable[[list[float]], list[float]]:
    return lambda row: [*(value * (by if place % 4 == 2 else 1) for place, value in enumerate(row))]


header("position and axes in the sform alone (`qform_code` 0)", SAME, codes=[0, 1])
header("position and axes in the qform alone (`sform_code` 0)", SAME, codes=[1, 0])
header("no unit of length (`xyzt_units` 0)", SAME, units=[0])
header("`scl_slope` and `scl_inter` 0, which scales nothing", SAME, scl=[0, 0])
header(
    "numbers in metres, and so says the unit",
    WARNED,
    "the metre",
    units=[1],
    **dict.fromkeys(
        ("pixdim", "offset", "srow"), lambda v: v[:1] + scaled(0.001)(v[1:]) if len(v) == 8 else scaled(0.001)(v)
    ),
)
header("an unknown unit of length (code 5)", WARNED, "unit of length (5)", units=[5])
header(
    "the slice distance lost from `pixdim` (0), kept by the sform", REFUSED, "pixdim", pixdim=put(3, 0), codes=[0, 1]
)
header(
    "the slice distance 1 in `pixdim`, another in the sform", REFUSED, "have steps of", pixdim=put(3, 1), codes=[0, 1]
)
header("a voxel spacing that is no number", REFUSED, "voxel spacing (pixdim)", pixdim=put(2, NAN))
header("a negative voxel spacing", REFUSED, "voxel spacing (pixdim)", pixdim=put(2, -0.75))
header("qform and sform 50 mm apart", REFUSED, "two positions", srow=moved(50))
header("qform and sform 0.3 mm apart", WARNED, "0.3 mm apart", srow=moved(0.3), codes=[1, 1], grid=False)
header("the sform mirrored, the qform not", REFUSED, "two positions", srow=lambda row: [-v for v in row[:4]] + row[4:])
header("a sheared sform", REFUSED, "not orthonormal", srow=lambda r: [r[0], r[1] + 0.2, *r[2:]], codes=[0, 1])
header("axes longer than the spacing in the sform", REFUSED, "have steps of", srow=lengthened(1.05))
header("a quaternion that is no rotation", REFUSED, "quaternion", quatern=[0.9, 0.9, 0.9])
header("a position that is no number", REFUSED, "NaN or infinity in its axes", offset=put(0, NAN))
header("axes of an atlas (`sform_code` 4)", WARNED, "sform_code 4", codes=[0, 4])
header("neither qform nor sform", WARNED, "no position and orientation", grid=False, codes=[0, 0])
header("`scl_slope` and `scl_inter` that are no numbers, as nibabel writes them", SAME, scl=[NAN, NAN])
header("`scl_slope` that is infinite", WARNED, "scl_slope is inf", scl=[math.inf, 0])
header("`scl_slope` 0 with an intercept", REFUSED, "scl_slope 0 with scl_inter 5", scl=[0, 5])
header("`bitpix` of another type", REFUSED, "bitpix 8", bitpix=[8])
header("an Analyze 7.5 header", REFUSED, "Analyze", magic=[b"\0\0\0\0"])
header("voxels that start within the header", REFUSED, "start at byte 0", start=[0])
header(
    "metres in a header that says mm",
    WARNED,
    "implausible",
    grid=False,
    codes=[1, 0],
    pixdim=lambda v: [v[0], *scaled(0.001)(v[1:])],
)


@kind("NIfTI", "compressed", SAME)
def _(right: Right, folder: Path) -> Path:
    return nifti(right, folder, lambda fields: None, "nii.gz")


@kind("NIfTI", "stored at half its values, with a slope of 2", SAME)
def _(right: Right, folder: Path) -> Path:
    half = Right(right.voxels // 2, *right.where()[1:])
    right.voxels = half.voxels * 2.0
    return nifti(half, folder, lambda fields: fields.update(scl=[2, 0]), "nii.gz")


@kind("NIfTI", "two volumes in one file", REFUSED, "4-D")
def _(right: Right, folder: Path) -> Path:
    sitk.WriteImage(sitk.JoinSeries([right.image()] * 2), str(folder / "image.nii.gz"))
    return folder / "image.nii.gz"


@kind("NIfTI", "a voxel that is no number", REFUSED, "NaN or infinite voxels")
def _(right: Right, folder: Path) -> Path:
    right.voxels = right.voxels.astype(np.float32)
    right.voxels[2, 3, 4] = NAN
    return nifti(right, folder, lambda fields: None, "nii.gz")


@kind("NIfTI", "a NIfTI-2 header", REFUSED, "NIfTI-2")
def _(right: Right, folder: Path) -> Path:
    x, y, z = right.voxels.shape[::-1]
    rows = np.column_stack([right.direction * right.spacing, right.origin]) * [[-1], [-1], [1]]
    content = bytearray(544)
    for form, start, values in (
        *(("i", 0, [540]), ("8s", 4, [b"n+2\0\r\n\x1a\n"]), ("2h", 12, [4, 16]), ("8q", 16, [3, x, y, z, 1, 1, 1, 1])),
        *(
            ("8d", 104, [1, *right.spacing, 0, 0, 0, 0]),
            ("q", 168, [544]),
            ("2i", 344, [0, 1]),
            ("12d", 400, rows.ravel()),
        ),
        ("i", 500, [2]),
    ):
        struct.pack_into(f"<{form}", content, start, *values)
    path = folder / "image.nii"
    path.write_bytes(bytes(content) + right.voxels.astype("<i2").tobytes())
    return path


@kind("NIfTI", "a size in the header that leaves out two slices", WARNED, "bytes are left after the voxels")
def _(right: Right, folder: Path) -> Path:
    right.voxels = np.concatenate([right.voxels, right.voxels[:2]])
    path = nifti(right, folder, lambda fields: None)
    content = bytearray(path.read_bytes())
    struct.pack_into("<h", content, 46, 10)
    path.write_bytes(bytes(content))
    right.voxels = right.voxels[:10]
    return path


@kind("NIfTI", "cut short", REFUSED, "bytes of voxels that its header promises")
def _(right: Right, folder: Path) -> Path:
    path = nifti(right, folder, lambda fields: None)
    path.write_bytes(path.read_bytes()[:-200])
    return path


# -- NRRD and MetaImage: headers of text -----------------------------------------------------------------------------


def vectors(right: Right, flip: tuple[int, int, int] = (1, 1, 1)) -> list[str]:
    steps = (right.direction * right.spacing).T * flip
    return [",".join(repr(float(part)) for part in step) for step in steps]


def nrrd(
    form: str,
    outcome: str,
    words: str = "",
    grid: bool = True,
    flip: tuple[int, int, int] = (1, 1, 1),
    **fields: str | None,
) -> None:
    """A kind of NRRD whose header has other fields: ``None`` leaves one out."""

    def make(right: Right, folder: Path) -> Path:
        steps = vectors(right, flip)
        x, y, z = right.voxels.shape[::-1]
        said: dict[str, str | None] = {
            **{"type": "int16", "dimension": "3", "sizes": f"{x} {y} {z}", "encoding": "raw", "endian": "little"},
            "space": "left-posterior-superior",
            "space directions": " ".join(f"({step})" for step in steps),
            "space origin": f"({','.join(repr(float(part)) for part in np.array(right.origin) * flip)})",
        }
        for name, value in fields.items():
            text = value and value.format(a=steps[0], b=steps[1], c=steps[2], spacing=" ".join(map(str, right.spacing)))
            said[name.replace("_", " ")] = text
        lines = ["NRRD0004", *(f"{name}: {value}" for name, value in said.items() if value is not None)]
        path = folder / "image.nrrd"
        path.write_bytes("\n".join([*lines, "", ""]).encode() + right.voxels.astype("<i2").tobytes())
        return path

    kind("NRRD", form, outcome, words, grid)(make)


nrrd("axes to the right and anterior (`space: right-anterior-superior`)", SAME, space="RAS", flip=(-1, -1, 1))
nrrd(
    "axes to the left and anterior (`space: left-anterior-superior`)",
    SAME,
    space="left-anterior-superior",
    flip=(1, -1, 1),
)
nrrd("axes of the scanner (`space: scanner-xyz`)", WARNED, "not of the patient", space="scanner-xyz")
nrrd("no voxel spacing", REFUSED, "without a voxel spacing", space=None, space_directions=None, space_origin=None)
nrrd(
    "a voxel spacing that is no number",
    REFUSED,
    "without a voxel spacing",
    space=None,
    space_directions=None,
    space_origin=None,
    spacings="nan nan nan",
)
nrrd(
    "spacing without axes and position",
    WARNED,
    "no orientation",
    grid=False,
    space=None,
    space_directions=None,
    space_origin=None,
    spacings="{spacing}",
)
nrrd("no direction for the slices", REFUSED, "voxel spacing", space_directions="({a}) ({b}) none")
nrrd("a slice distance of 0", REFUSED, "voxel spacing", space_directions="({a}) ({b}) (0,0,0)")
nrrd("spacing and axes, which no NRRD may have both", REFUSED, "cannot be read", spacings="1 1 1")
nrrd("metres (`space units`)", REFUSED, "unit of length is m", space_units='"m" "m" "m"')
nrrd("no position", WARNED, "no position", grid=False, space_origin=None)
nrrd("voxels that were quantised (`old min`, `old max`)", WARNED, "quantised", old_min="0", old_max="1.4")
nrrd("no order of bytes", REFUSED, "cannot be read", endian=None)
nrrd("sheared axes", REFUSED, "not orthonormal", space_directions="(0.875,0.2,0) (0,0.75,0) (0,0,2.5)")


def meta(form: str, outcome: str, words: str = "", grid: bool = True, **fields: str | None) -> None:
    """A kind of MetaImage whose header has other fields: ``None`` leaves one out; ``More`` is added as it stands."""

    def make(right: Right, folder: Path) -> Path:
        steps, place = " ".join(map(str, right.spacing)), " ".join(repr(float(part)) for part in right.origin)
        matrix = " ".join(repr(float(part)) for part in right.direction.T.ravel())
        said: dict[str, str | None] = {
            **{"ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False"},
            **{"CompressedData": "False", "TransformMatrix": matrix, "Offset": place, "ElementSpacing": steps},
            "DimSize": " ".join(map(str, right.voxels.shape[::-1])),
        }
        said |= {
            name: value and value.format(spacing=steps, place=place, matrix=matrix) for name, value in fields.items()
        }
        lines = [value if name == "More" else f"{name} = {value}" for name, value in said.items() if value is not None]
        path = folder / "image.mha"
        text = "\n".join([*map(str, lines), "ElementType = MET_SHORT", "ElementDataFile = LOCAL", ""])
        path.write_bytes(text.encode() + right.voxels.astype("<i2").tobytes())
        return path

    kind("MetaImage", form, outcome, words, grid)(make)


meta("the spacing called `ElementSize`", SAME, ElementSpacing=None, ElementSize="{spacing}")
meta(
    "the position called `Position`, the axes `Orientation`",
    SAME,
    Offset=None,
    Position="{place}",
    TransformMatrix=None,
    Orientation="{matrix}",
)
meta("no voxel spacing", REFUSED, "without a voxel spacing", ElementSpacing=None)
meta("a slice distance of 0", REFUSED, "voxel spacing", ElementSpacing="0.875 0.75 0")
meta("a negative slice distance", REFUSED, "voxel spacing", ElementSpacing="0.875 0.75 -2.5")
meta("decimal commas", REFUSED, "voxel spacing", ElementSpacing="0,875 0,75 2,5")
meta("the spacing twice, with two values", REFUSED, "2 values of its elementspacing", More="ElementSpacing = 1 1 1")
meta("two positions (`Offset`, `Position`)", REFUSED, "2 values of its position", Position="1 2 3")
meta("two orientations", REFUSED, "2 values of its axes", Orientation="0 1 0 1 0 0 0 0 1")
meta("centimetres (`DistanceUnits`)", REFUSED, "DistanceUnits are cm", DistanceUnits="cm")
meta("a slope that ITK does not apply", REFUSED, "rescales its voxels", ElementToIntensityFunctionSlope="2")
meta("voxels of another size than their distance", WARNED, "ElementSize", ElementSize="0.4 0.4 2")
meta("no position", WARNED, "no position", grid=False, Offset=None)
meta("no axes", WARNED, "no axes", grid=False, TransformMatrix=None)
meta("no order of bytes", WARNED, "order the bytes", BinaryDataByteOrderMSB=None)
meta("axes in letters that are not those of the matrix", WARNED, "AnatomicalOrientation", AnatomicalOrientation="SRI")


@kind("NRRD", "more bytes than its size has voxels", WARNED, "700 bytes are left after the voxels")
def _(right: Right, folder: Path) -> Path:
    sitk.WriteImage(right.image(), str(folder / "image.nrrd"))
    with (folder / "image.nrrd").open("ab") as stream:
        stream.write(bytes(700))
    return folder / "image.nrrd"


@kind("MetaImage", "more bytes than its size has voxels", WARNED, "700 bytes are left after the voxels")
def _(right: Right, folder: Path) -> Path:
    sitk.WriteImage(right.image(), str(folder / "image.mhd"))
    with (folder / "image.raw").open("ab") as stream:
        stream.write(bytes(700))
    return folder / "image.mhd"
