"""What differs from a right mask, one by one: a pair as it is meant, and the list of kinds that the makers fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

SAME, WARNED, REFUSED = "read as it is meant", "read, with a warning", "refused"
FORMS = (
    "label map (NIfTI, NRRD, MetaImage)",
    "DICOM SEG",
    "DICOM RTSTRUCT",
    "3D Slicer (`.seg.nrrd`)",
    "image and mask",
)


@dataclass
class Pair:
    """An image, the tumour on it and another structure beside the tumour; arrays (z, y, x)."""

    image: sitk.Image
    tumour: np.ndarray
    fat: np.ndarray

    def map(self, voxels: np.ndarray) -> sitk.Image:
        made = sitk.GetImageFromArray(voxels)
        made.CopyInformation(self.image)
        return made


class Made(NamedTuple):
    """Files of a kind, and the label of the manifest; the image's is the right one unless another is named."""

    mask: Path
    label: str = ""
    image: sitk.Image | None = None
    tumour: np.ndarray | None = None


@dataclass(frozen=True)
class MaskKind:
    """One thing that differs: in words, its maker, what comes of it, and what the error or warning says of it."""

    form: str
    what: str
    make: Callable[[Pair, Path], Made]
    outcome: str
    words: str


KINDS: list[MaskKind] = []


def kind(number: int, what: str, outcome: str = SAME, words: str = "") -> Callable:
    def add(make: Callable[[Pair, Path], Made]) -> Callable[[Pair, Path], Made]:
        KINDS.append(MaskKind(FORMS[number], what, make, outcome, words))
        return make

    return add


def saved(voxels: sitk.Image, path: Path, label: str = "", **more) -> Made:
    sitk.WriteImage(voxels, str(path), True)
    return Made(path, label, **more)
