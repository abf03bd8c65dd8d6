"""The acquisition's slices: the axis that they are stacked along, and an image turned so that this is its last one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.checks import times

SQUARE = 1.01  # ratio of two spacings up to which pixels count as square
STANDS_OUT = 1.5  # ratio of the largest spacing to the next one from which it is that of slices
OBLIQUE = 0.9  # cosine between the slices' normal and the nearest axis of the patient
STACKED = "her2radiomics.stacked"  # key of an image's metadata: a reader of series stacked its slices along this axis
PLANES = ("sagittal", "coronal", "axial")  # by the axis of the patient across them


class Slices(NamedTuple):
    """The axis of the file that slices are stacked along (0, 1 or 2), and what of it deserves a look; empty: nothing."""

    axis: int
    note: str


def slices_of(image: sitk.Image) -> Slices:
    """Find the through-plane axis by the spacing: pixels are square, or the largest spacing stands out.

    The last axis is that of slices unless another one is found: scanners store slice after slice, but an image that a
    program turned to the patient's axes (RAS, LPS) has the slices of a sagittal acquisition along its first one. Slices of
    a DICOM series are stacked by its reader, so that there is nothing to find.
    """
    if image.HasMetaDataKey(STACKED):
        return Slices(2, "")
    spacing = np.array(image.GetSpacing())
    within = [[*map(float, np.delete(spacing, axis))] for axis in range(3)]
    square = [axis for axis in range(3) if max(within[axis]) < SQUARE * min(within[axis])]
    widest = int(spacing.argmax())
    if square:
        axis = 2 if 2 in square else square[0]
    elif spacing[widest] > STANDS_OUT * max(within[widest]):
        axis = widest
    else:
        return Slices(2, f"pixels of {times(within[2])} mm are not square: slices may be stacked along another axis")
    if axis == 2:
        return Slices(2, "")
    turned = plane_of(image, axis)
    return Slices(
        axis,
        f"the image was turned after its acquisition: {turned} slices of {times(within[axis])} mm pixels, "
        f"{spacing[axis]:.6g} mm apart, are stacked along axis {'xyz'[axis]} of the file; slices and 2-D features follow "
        "them",
    )


def plane_of(image: sitk.Image, axis: int = 2) -> str:
    """How slices lie in the patient: ``axial``, ``sagittal`` or ``coronal``, with ``oblique`` before it where turned."""
    normal = np.abs(np.reshape(image.GetDirection(), (3, 3))[:, axis])
    name = PLANES[int(normal.argmax())]
    return name if normal.max() >= OBLIQUE else f"oblique {name}"


def upright(image: sitk.Image, axis: int) -> sitk.Image:
    """The image with ``axis`` as its last one, and its rows and columns as scanners store such slices.

    Voxels keep their places in the patient. Rows run to the patient's left or back, columns to the back or feet (DICOM
    PS3.3, C.7.6.2.1.1, and what scanners write), so that filters see the slices as they were acquired.
    """
    if axis == 2:
        return image
    turned = sitk.PermuteAxes(image, [*(other for other in (0, 1, 2) if other != axis), axis])
    direction = np.reshape(turned.GetDirection(), (3, 3))
    main = np.abs(direction).argmax(axis=0)
    if main[0] == 2 or main[1] == 0:  # columns of a slice run down the patient, or to the back
        turned = sitk.PermuteAxes(turned, [1, 0, 2])
        direction = np.reshape(turned.GetDirection(), (3, 3))
        main = np.abs(direction).argmax(axis=0)
    flips = [bool(direction[main[i], i] * (-1 if main[i] == 2 else 1) < 0) for i in (0, 1)]
    return sitk.Flip(turned, [*flips, False])
