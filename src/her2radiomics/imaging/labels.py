"""Which structure of a mask is meant: by its value in a label map, by its name or number in a segmentation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import sitk

MOST_VALUES = 200  # non-zero values of a label map: an atlas of the whole body has some 120 structures
_VALUES = re.compile(r"(?P<only>only\s+)?(?P<values>[+-]?\d+(?:\.0*)?(?:\s*\+\s*\d+)*)", re.IGNORECASE)
#: Words for what is no tumour, and for what is one whatever else its name says.
_TISSUE = (
    "adipose air background body breast bone external fat fatty fgt fibroglandular fibro glandular heart implant liver "
    "lung mammary muscle nipple organ parenchyma pectoral skin sternum thorax vessel vessels"
)
_TUMOUR = (
    "cancer carcinoma ctv enhancing focus foci ftv gtv lesion lesions malignant mass neoplasm tumor tumors "
    "tumour tumours"
)


@dataclass(frozen=True)
class Segment:
    """A structure of a segmentation: its names (the first is printed), its number, and its kind in the file's words."""

    names: tuple[str, ...]
    number: int
    kind: str = ""

    @property
    def is_tissue(self) -> bool:
        """Whether it is called as a normal structure and not as a tumour."""
        words = {*re.findall(r"[a-z]+", " ".join((*self.names, self.kind)).lower())}
        return bool(words & {*_TISSUE.split()}) and not words & {*_TUMOUR.split()}

    def __str__(self) -> str:
        """Number and name."""
        return f"{self.number} '{self.names[0]}'"


def choose_segment(segments: Sequence[Segment], label: int | str | None, file: str | Path) -> Segment:
    """The segment of this name, whatever its case, or else of this number; without ``label`` the only one.

    Raises
    ------
    CaseError
        There is no such segment, or several; none is chosen among several; the only one is called as a normal tissue.
        The error lists the segments.
    """
    wanted = "" if label is None else str(label).strip()
    fitting = [*segments]
    if wanted:
        exact = [item for item in segments if wanted in item.names]
        named = [item for item in segments if wanted.lower() in (name.lower() for name in item.names)]
        fitting = exact or named or [item for item in segments if wanted == str(item.number)]
    if len(fitting) == 1 and (wanted or not fitting[0].is_tissue):
        return fitting[0]
    remedy = "Fill in mask_label in the manifest: the name or the number of the tumour's segment."
    if not segments:
        found, remedy = "no segment", "Export the segmentation again."
    elif wanted:
        found = f"{len(fitting) or 'no'} segment{'s' * (len(fitting) > 1)} for mask_label '{wanted}'"
    elif len(segments) == 1:
        found = "one segment, which is called as a normal tissue, and no mask_label"
        remedy += " If this file holds the breast or its tissue, name another file as the tumour's mask."
    else:
        found = f"{len(segments)} segments and no mask_label"
    # names come from the file, and may say anything
    listed = f"the file holds {', '.join(map(str, segments))}" if segments else ""
    raise CaseError(found=found, quoted=listed, expected="one segment that is the tumour", remedy=remedy, file=file)


def choose_values(voxels: np.ndarray, label: int | str | None, file: str | Path) -> np.ndarray:
    """Values of a label map that are the region: ``2``, the union ``1+3``; without ``label`` the only value but 0.

    Raises
    ------
    CaseError
        Values are not whole numbers or as many as an image's; ``label`` names none that is there, is missing among
        several, or is one bit of a code whose sums name overlaps (``only 1`` says that it is not).
    """
    values = np.sort(voxels[voxels != 0])  # np.unique would import numpy's masked arrays
    values = values[np.diff(values, prepend=np.nan) != 0]
    broken = values[~(np.isfinite(values) & (values == np.round(values)))]
    match = _VALUES.fullmatch(str(label).strip()) if label not in (None, "") else None
    remedy = "Correct mask_label in the manifest, or the mask."
    if broken.size:
        share = voxels.min() >= 0 and voxels.max() <= 1
        found = f"mask values that are not whole numbers ({_some(broken)})" + ": a probability map?" * bool(share)
        expected = "whole numbers: 0 outside, one value for each structure inside"
        remedy = "Export the mask as a label map; resample it with nearest-neighbour interpolation only."
    elif values.size > MOST_VALUES:
        found, expected = f"{values.size} values in the mask ({_some(values)}): an image", "a mask"
        remedy = "Correct the column mask of the manifest: it names an image, or a map."
    elif label is None or label == "":
        if values.size <= 1:
            return values if values.size else np.ones(1)
        found = f"{values.size} values in the mask ({_some(values)}) and no mask_label"
        expected, remedy = "one non-zero value, or its mask_label", "Fill in mask_label in the manifest."
    elif match is None:
        found, expected = f"mask_label '{label}'", "a whole number, or several as in 1+3"
        remedy += " Names choose segments of DICOM and Slicer's files; a label map holds values alone."
    else:
        wanted = np.array([float(value) for value in match["values"].lstrip("+").split("+")])
        missing = wanted[~np.isin(wanted, values)]
        if values.size and missing.size:
            found = f"no voxel of value {missing[0]:g} (the mask holds {_some(values)})"
            expected = f"the mask_label {missing[0]:g} in the mask"
        elif wanted.size > 1 or match["only"] or not (sums := _sums_with(voxels, values, int(wanted[0]))):
            return wanted
        else:
            union = "+".join(str(value) for value in (int(wanted[0]), *sums))
            found = f"values ({_some(values)}) as of a bit-coded mask, where {sums[0]} marks voxels of two structures"
            expected = "a label map, of one value for each structure"
            remedy = (
                f"Write mask_label {union} for the structure with its overlaps, or 'only {wanted[0]:g}' where each value is "
                "a structure of its own."
            )
    raise CaseError(found=found, expected=expected, remedy=remedy, file=file)


def _sums_with(voxels: np.ndarray, values: np.ndarray, wanted: int) -> list[int]:
    """Values that code an overlap with ``wanted``, where values look like sums of bits; none where they do not.

    They do where every value is a power of two or a sum of such ones that are there, and each part of a sum touches the
    voxels of the sum, as overlapping structures do.
    """
    codes = [int(value) for value in values]
    bits = [code for code in codes if code > 0 and code & (code - 1) == 0]
    sums = [code for code in codes if code not in bits]
    if wanted not in bits or not sums or any(code < 0 or code & ~sum(bits) for code in codes):
        return []
    for code in sums:
        near = sitk.GetImageFromArray((voxels == code).view(np.uint8))
        around = sitk.GetArrayViewFromImage(sitk.BinaryDilate(near, (1, 1, 1))) != 0
        if not all(np.any(around & (voxels == bit)) for bit in bits if bit & code):
            return []
    return [code for code in sums if code & wanted]


def _some(values: np.ndarray) -> str:
    shown = ", ".join(f"{float(value):g}" for value in values[:5])
    return shown if values.size <= 5 else f"{shown}, … {values.size} in all"
