"""What DICOM files say of each of their images (frames): place, size, scale, and what may tell one from another."""

from __future__ import annotations

import math
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import pydicom
from her2radiomics.core.memory import raise_if_out
from her2radiomics.imaging.formats.itk_file import CHUNK, overlong

if TYPE_CHECKING:
    from pydicom import Dataset

EXPORT = "Use the scanner's original export, or convert the series with dcm2niix and look at its messages."
MOST_INFLATED = 1 << 28  # bytes of a deflated file
DEFLATED = b"1.2.840.10008.1.2.1.99"
#: What may tell images at one position from each other, and the functional group that has it in a multi-frame file.
TELLING = {
    "TemporalPositionIndex": "FrameContentSequence",
    "TemporalPositionIdentifier": "",
    "DiffusionBValue": "MRDiffusionSequence",
    "AcquisitionNumber": "",
    "FrameAcquisitionNumber": "FrameContentSequence",
    "EffectiveEchoTime": "MREchoSequence",
    "EchoTime": "",
    "InversionTime": "",
    "TriggerTime": "",
    "FrameType": "MRImageFrameTypeSequence",
    "ImageType": "",
    "ComplexImageComponent": "MRImageFrameTypeSequence",
    "DiffusionGradientOrientation": "MRDiffusionSequence/DiffusionGradientDirectionSequence",
    "StackID": "FrameContentSequence",
    "SequenceName": "",
    "SeriesNumber": "",
    "FrameAcquisitionDateTime": "FrameContentSequence",
    "AcquisitionTime": "",
    "ContentTime": "",
    "SOPInstanceUID": "",
}
#: b-values as Siemens, GE and Philips wrote them before there was an element for them.
PRIVATE_B = (0x0019100C, 0x00431039, 0x20011003)
#: Of a whole series one value; how several are printed.
ONE_VALUE = {
    "SeriesInstanceUID": "DICOM series",
    "PatientID": "patients",
    "StudyInstanceUID": "studies",
    "FrameOfReferenceUID": "systems of coordinates (frames of reference)",
}
ROOT = (
    *("SOPClassUID", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "LossyImageCompression"),
    *(
        "ModalityLUTSequence",
        "ImagesInAcquisition",
        "SharedFunctionalGroupsSequence",
        "PerFrameFunctionalGroupsSequence",
    ),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    *("RescaleSlope", "RescaleIntercept", "RealWorldValueMappingSequence"),
)


class Frame(NamedTuple):
    """One image: where its voxels lie, where it lies, how large it is, and what its voxels mean.

    Attributes
    ----------
    file, number
        The file, and which of its frames (from 0).
    kind
        Of the stored voxels, as numpy calls it; and the number of their ``bits`` that count.
    size, spacing
        Columns and rows; mm from column to column and from row to row.
    position, axes
        Of the first voxel's centre, in mm; directions along a row and along a column (2 × 3).
    thickness, between
        ``SliceThickness`` and ``SpacingBetweenSlices`` in mm, NaN where they are not given.
    scale
        Slope and intercept from stored voxels to the image's.
    world
        Slope, intercept and unit of a map to real-world values, where the file has one.
    padding
        The stored value of voxels that hold no picture, 0 where the header names none.
    marks
        What may tell it from another image at its place.
    """

    file: Path
    number: int
    kind: str
    bits: int
    size: tuple[int, int]
    spacing: tuple[float, float]
    position: np.ndarray
    axes: np.ndarray
    thickness: float
    between: float
    scale: tuple[float, float]
    world: tuple[float, float, str] | None
    padding: int
    marks: dict[str, str]


def is_dicom(file: Path) -> bool:
    """Whether a file begins as DICOM does, with its preamble or without."""
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        start = stream.read(132)
    return start[128:] == b"DICM" or start[:2] in (b"\2\0", b"\x08\0") or start[:3] in (b"\0\2\0", b"\0\x08\0")


def header_of(file: Path, further: Sequence[str] = ()) -> Dataset | None:
    """Elements of a file that decide how it is read, and ``further`` ones, but no voxels; ``None``: it cannot be read."""
    check_inflated(file)
    tags: list[Any] = [*ROOT, *TELLING, *PRIVATE_B, *ONE_VALUE, *further]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=tags, force=True)
    except OSError:
        raise
    except Exception as error:  # whatever a damaged file leads to
        raise_if_out(error)
        return None
    return found if found.get("SOPClassUID") or found.get("Rows") else None


def check_inflated(file: Path) -> None:
    """Refuse a deflated file that decompresses to more than any image has: it is inflated before it is looked at."""
    content = b""
    with file.open("rb") as stream:
        if DEFLATED in stream.read(1024):
            stream.seek(0)
            content = stream.read()
    inflater, found = zlib.decompressobj(-15), 0
    rest = content[144 + int.from_bytes(content[140:144], "little") :]
    while rest and not inflater.eof:
        found += len(inflater.decompress(rest, CHUNK))
        rest = inflater.unconsumed_tail
        if found > MOST_INFLATED:
            raise overlong(file)


def frames_of(file: Path, header: Dataset) -> Iterator[Frame]:
    """Every image of a file.

    Raises
    ------
    CaseError
        The file holds no image in shades of grey, or one without a place.
    """
    _check_object(header)
    several = header.get("PerFrameFunctionalGroupsSequence") or []
    count = int(header.get("NumberOfFrames") or 1)
    if count != max(1, len(several)):
        raise _refusal(
            f"{count} frames in a file that says where {len(several)} of them lie",
            "a place of its own for every frame (PerFrameFunctionalGroupsSequence)",
        )
    shared = [*(header.get("SharedFunctionalGroupsSequence") or [])][:1]
    for number, groups in enumerate([[own, *shared, header] for own in several] or [[header]]):
        yield _frame(file, number, header, groups)


def _check_object(header: Dataset) -> None:
    """Refuse what is no image of voxels in shades of grey."""
    kind = pydicom.uid.UID(str(header.get("SOPClassUID", ""))).name or "of no class"
    if not header.get("Rows") or not header.get("Columns"):
        raise _refusal(f"a DICOM object without an image ({kind})", "the images of one series")
    if "Segmentation" in kind:
        raise _refusal(
            f"a mask ({kind})", "an image", "Name it as a mask in the manifest (column mask), not as an image."
        )
    colour, samples = (str(header.get("PhotometricInterpretation", "")), int(header.get("SamplesPerPixel") or 1))
    if samples != 1 or (colour and not colour.startswith("MONOCHROME")):
        raise _refusal(
            f"{samples} values per voxel ({colour})" if samples != 1 else f"colours ({colour})",
            "one real number per voxel, in shades of grey (MONOCHROME1 or 2)",
            "Name the original series, not a colour map or a screenshot of it.",
        )
    if "MOSAIC" in _text(header.get("ImageType")):
        raise _refusal("a mosaic: many slices in one picture", "one slice a picture", "Convert it with dcm2niix.")
    stored = int(header.get("BitsStored") or 0)
    if stored and header.get("HighBit") is not None and int(header.HighBit) != stored - 1:
        raise _refusal(
            f"voxels of {stored} bits that end at bit {int(header.HighBit)}",
            f"HighBit {stored - 1}",
            "Convert it with dcm2niix.",
        )
    if header.get("ModalityLUTSequence"):
        raise _refusal(
            "voxels that a table changes (ModalityLUTSequence)", "a slope and an intercept", "Convert it with dcm2niix."
        )


def _frame(file: Path, number: int, header: Dataset, groups: list[Dataset]) -> Frame:
    def numbers(keyword: str, sequence: str, length: int) -> np.ndarray:
        value = _said(groups, keyword, sequence)
        found = [float(part) for part in (value if isinstance(value, (list, pydicom.multival.MultiValue)) else [value])]
        if len(found) != length or not np.isfinite(found).all():
            raise ValueError(keyword)
        return np.array(found)

    def number_or(default: float, keyword: str, sequence: str) -> float:
        value = _said(groups, keyword, sequence)
        return default if value is None else float(value)

    name = "position and orientation"
    try:
        position = numbers("ImagePositionPatient", "PlanePositionSequence", 3)
        axes = numbers("ImageOrientationPatient", "PlaneOrientationSequence", 6).reshape(2, 3)
        name = "PixelSpacing"
        down, along = numbers(name, "PixelMeasuresSequence", 2)
        name = "RescaleSlope or RescaleIntercept"
        scale = (
            number_or(1.0, "RescaleSlope", "PixelValueTransformationSequence"),
            number_or(0.0, "RescaleIntercept", "PixelValueTransformationSequence"),
        )
        name = "SliceThickness or SpacingBetweenSlices"
        steps = [number_or(math.nan, part, "PixelMeasuresSequence") for part in name.split(" or ")]
        name = "real-world value map"
        world = _world(groups)
        name = "BitsAllocated or PixelRepresentation"
        bits, signed = int(header.BitsAllocated), header.get("PixelRepresentation")
    except (TypeError, ValueError, AttributeError) as error:
        raise _refusal(
            f"an image without a readable {name}",
            "DICOM images with ImagePositionPatient, ImageOrientationPatient and PixelSpacing",
        ) from error
    if scale[0] == 0 or not np.isfinite(scale).all():
        raise _refusal(f"a RescaleSlope of {scale[0]:g} and RescaleIntercept of {scale[1]:g}", "numbers, and a slope")
    if not np.allclose(axes @ axes.T, np.eye(2), rtol=0, atol=1e-3) or min(down, along) <= 0:
        found = f"axes that are not orthonormal (ImageOrientationPatient {_row(axes.ravel())})"
        raise _refusal(
            found if min(down, along) > 0 else f"a PixelSpacing of {down:g}×{along:g} mm", "a rectangular grid"
        )
    marks = {keyword: _text(_said(groups, keyword, sequence)) for keyword, sequence in TELLING.items()}
    marks["DiffusionBValue"] = marks["DiffusionBValue"] or _private_b(header)
    return Frame(
        file=file,
        number=number,
        kind=f"f{bits // 8}" if signed is None else f"{'i' if signed else 'u'}{max(bits, 8) // 8}",
        bits=int(header.get("BitsStored") or bits),
        size=(int(header.Columns), int(header.Rows)),
        spacing=(float(along), float(down)),
        position=position,
        axes=axes,
        thickness=steps[0],
        between=abs(steps[1]),
        scale=scale,
        world=world,
        padding=int(header.get("PixelPaddingValue") or 0),
        marks=marks,
    )


def _said(groups: Sequence[Dataset], keyword: str, sequence: str) -> Any:
    """An element of the frame's own functional group, of the shared one, or of the file; ``None`` where it is empty."""
    for group in groups:
        items = [group]
        for step in sequence.split("/") if sequence else ():
            items = [*(items[0].get(step) or [])][:1] if items else []
        for item in items if sequence else ():
            if item.get(keyword) not in (None, ""):
                return item.get(keyword)
    value = groups[-1].get(keyword)
    return None if value in (None, "") else value


def _world(groups: Sequence[Dataset]) -> tuple[float, float, str] | None:
    """Slope, intercept and unit of the first real-world value map (slope NaN: a table)."""
    maps = next(
        (group.RealWorldValueMappingSequence for group in groups if group.get("RealWorldValueMappingSequence")), None
    )
    if maps is None:
        return None
    units = maps[0].get("MeasurementUnitsCodeSequence") or [{}]
    slope, offset = (maps[0].get(f"RealWorldValue{part}") for part in ("Slope", "Intercept"))
    linear = slope is not None and offset is not None
    return (float(slope) if linear else math.nan, float(offset) if linear else 0.0, str(units[0].get("CodeValue", "")))


def _private_b(header: Dataset) -> str:
    for tag in PRIVATE_B:
        if tag in header:
            first = _text(header[tag].value).split("\\")[0]
            return str(int(float(first)) % 100000) if first.replace(".", "").isdigit() else first
    return ""


def _text(value: Any) -> str:
    """A value as DICOM writes it, several with backslashes between."""
    if isinstance(value, bytes):
        return value.decode("latin-1").strip("\0 ")
    if isinstance(value, float):
        return f"{value:g}"
    several = isinstance(value, (list, tuple, pydicom.multival.MultiValue))
    return "\\".join(map(str, value)) if several else "" if value is None else str(value)


def _row(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.6g}" for number in numbers)


def _refusal(found: str, expected: str, remedy: str = EXPORT) -> CaseError:
    return CaseError(found=found, expected=expected, remedy=remedy)
