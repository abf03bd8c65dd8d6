"""DICOM SEG, RTSTRUCT and 3D Slicer's segmentations that differ from a right one by one thing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from mask_files import SEGMENTATION, codes, dicom_seg, outlines, pydicom, slicer, structure_set
from mask_kinds import REFUSED, SAME, WARNED, Made, Pair, kind

# DICOM SEG
seg = partial(kind, 1)


def segmentation(pair: Pair, path: Path, label: str = "", change=None, **more) -> Made:
    made = dicom_seg(pair.image, more.pop("masks", {"tumour": pair.tumour.astype(np.uint8)}), **more)
    if change is not None:
        change(made)
    made.save_as(path)
    return Made(path, label)


def both(pair: Pair) -> dict[str, np.ndarray]:
    return {"fat": pair.fat.astype(np.uint8), "Tumour, left": pair.tumour.astype(np.uint8)}


def seg_kind(what: str, outcome=SAME, words="", label="", change=None, masks=None, **more) -> None:
    def make(pair: Pair, folder: Path) -> Made:
        given = {"masks": masks(pair)} if masks else {}
        return segmentation(pair, folder / "mask.dcm", label, change, **given, **more)

    seg(what, outcome, words)(make)


def shuffled(made) -> None:
    count = made.NumberOfFrames
    order = [*range(1, count), 0]
    frames = made.pixel_array[order]
    made.PerFrameFunctionalGroupsSequence = [made.PerFrameFunctionalGroupsSequence[i] for i in order]
    made.PixelData = pydicom.pixels.pack_bits(frames)


def shifted(made) -> None:
    across = np.array(
        [
            float(part)
            for part in made.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient[:3]
        ]
    )
    for group in made.PerFrameFunctionalGroupsSequence:
        place = group.PlanePositionSequence[0]
        moved = np.array([float(part) for part in place.ImagePositionPatient]) + 0.4 * across
        place.ImagePositionPatient = [str(round(part, 6)) for part in moved]


def without_place(made) -> None:
    del made.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence


def one_place(made) -> None:
    first, second = made.PerFrameFunctionalGroupsSequence[:2]
    second.PlanePositionSequence = first.PlanePositionSequence


def cut(made) -> None:
    made.PixelData = made.PixelData[: len(made.PixelData) // 4 * 2]


def surface(made) -> None:
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.5"


seg_kind("all frames, empty ones too", omit=False)
seg_kind("no frames where it is empty")
seg_kind("frames in another order", change=shuffled)
seg_kind("several segments, one chosen by its name in another case", label="tumour, LEFT", masks=both)
seg_kind("several segments, one chosen by its number", label="2", masks=both)
seg_kind(
    "fractions of 0 and 1 alone",
    kind=SEGMENTATION.FRACTIONAL,
    masks=lambda pair: {"tumour": pair.tumour.astype(np.float64)},
)
seg_kind("a label map of segments", kind=SEGMENTATION.LABELMAP, label="Tumour, left", masks=both)
seg_kind("several segments and none chosen", REFUSED, "1 'fat', 2 'Tumour, left'", masks=both)
seg_kind(
    "one segment, called as a normal tissue",
    REFUSED,
    "called as a normal tissue",
    masks=lambda pair: {"Breast": pair.tumour.astype(np.uint8)},
)
seg_kind(
    "one segment, of the type *Breast*",
    REFUSED,
    "called as a normal tissue",
    masks=lambda pair: {"Segment_1": pair.tumour.astype(np.uint8)},
    types=[codes.SCT.Breast],
)
seg_kind("a segment chosen that is not there", REFUSED, "no segment for mask_label 'lesion'", "lesion", masks=both)
seg_kind(
    "fractions between 0 and 1",
    REFUSED,
    "fractional segmentation",
    kind=SEGMENTATION.FRACTIONAL,
    masks=lambda pair: {"tumour": pair.tumour * 0.4},
)
seg_kind("frames 0.4 mm beside the image's voxels", REFUSED, "no voxels of the image", change=shifted)
seg_kind("a frame without a position", REFUSED, "without position", change=without_place)
seg_kind("two frames of a segment at one position", REFUSED, "two frames of one segment", change=one_place)
seg_kind("fewer voxels than its header says", REFUSED, "DICOM SEG that cannot be read", change=cut)
seg_kind("surfaces in place of voxels", REFUSED, "surface segmentation", change=surface)


@seg("two foci, and no frame for the empty slice between them", WARNED, "1 slices without an outline")
def _(pair: Pair, folder: Path) -> Made:
    foci = pair.tumour.copy()
    foci[4] = False
    return segmentation(pair, folder / "mask.dcm", masks={"tumour": foci.astype(np.uint8)})._replace(tumour=foci)


@seg("the only file of a folder")
def _(pair: Pair, folder: Path) -> Made:
    (folder / "seg").mkdir()
    segmentation(pair, folder / "seg" / "1-1.dcm")
    return Made(folder / "seg")


@seg("an image whose rows were turned by a converter")
def _(pair: Pair, folder: Path) -> Made:
    turned = sitk.Flip(pair.image, (False, True, False))
    return segmentation(pair, folder / "mask.dcm")._replace(image=turned, tumour=pair.tumour[:, ::-1])


@seg("an image that was cropped after the outline", REFUSED, "mask voxels outside the image")
def _(pair: Pair, folder: Path) -> Made:
    return segmentation(pair, folder / "mask.dcm")._replace(image=pair.image[12:, :, :])


# DICOM RTSTRUCT
contour = partial(kind, 2)


def square(low: tuple[float, float], high: tuple[float, float], z: int) -> np.ndarray:
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    return np.array([(*corner, z) for corner in corners], float)


def contour_kind(
    what: str, contours: Callable[[Pair], dict[str, list[np.ndarray]]], outcome=SAME, words="", label="", **more
) -> None:
    def make(pair: Pair, folder: Path) -> Made:
        return Made(structure_set(folder / "mask.dcm", pair.image, contours(pair), **more), label)

    contour(what, outcome, words)(make)


def drawn(pair: Pair) -> dict[str, list[np.ndarray]]:
    return {"Fat": outlines(pair.fat), "GTV": outlines(pair.tumour)}


def through_centres(pair: Pair) -> dict[str, list[np.ndarray]]:
    """Contours through the centres of the outermost voxels, those of the hole through its neighbours'."""
    return {"GTV": [square((9, 8), (14, 12), z) for z in (3, 4, 5)] + [square((10, 9), (13, 11), 4)]}


def keyhole(pair: Pair) -> dict[str, list[np.ndarray]]:
    """The hole of the middle slice reached by a channel of no width, in one contour."""
    outer, inner = square((8.5, 7.5), (14.5, 12.5), 4), square((10.5, 9.5), (12.5, 10.5), 4)
    around = [*outer, outer[0], inner[0], *inner[:0:-1], inner[0]]
    others = [square((8.5, 7.5), (14.5, 12.5), z) for z in (3, 5)]
    return {"GTV": [*others, np.array(around)]}


def moved(pair: Pair, step: tuple[float, float, float]) -> dict[str, list[np.ndarray]]:
    return {"GTV": [points + step for points in outlines(pair.tumour)]}


contour_kind("contours of the lesion and of a hole in it", lambda pair: {"GTV": outlines(pair.tumour)})
contour_kind("contours through the centres of voxels", through_centres)
contour_kind("a hole that is reached by a channel (keyhole)", keyhole)
contour_kind("several structures, one chosen by its name", drawn, label="gtv")
contour_kind("several structures and none chosen", drawn, REFUSED, "1 'Fat', 2 'GTV'")
contour_kind(
    "one structure, called as the body",
    lambda pair: {"External": outlines(pair.tumour)},
    REFUSED,
    "called as a normal tissue",
)
contour_kind(
    "points in place of contours", lambda pair: {"GTV": outlines(pair.tumour)}, REFUSED, "kind POINT", kind="POINT"
)
contour_kind("a structure without contours", lambda pair: {"GTV": []}, REFUSED, "no contour")
contour_kind(
    "contours between the image's slices", lambda pair: moved(pair, (0, 0, 0.5)), REFUSED, "off the image's slices"
)
contour_kind("contours that leave the image", lambda pair: moved(pair, (30, 0, 0)), REFUSED, "leave the image")


@contour("contours on some slices only", WARNED, "1 slices without an outline")
def _(pair: Pair, folder: Path) -> Made:
    foci = pair.tumour.copy()
    foci[4] = False
    return Made(structure_set(folder / "mask.dcm", pair.image, {"GTV": outlines(foci)}), tumour=foci)


@contour("contours on an image turned to the patient's axes")
def _(pair: Pair, folder: Path) -> Made:
    turned = sitk.Flip(pair.image, (True, True, False))
    path = structure_set(folder / "mask.dcm", pair.image, {"GTV": outlines(pair.tumour)})
    return Made(path, "", turned, pair.tumour[:, ::-1, ::-1])


# 3D Slicer
layered = partial(kind, 3)


def slicer_kind(
    what: str, layers, segments, outcome=SAME, words="", label="", name="mask.seg.nrrd", offset=(0, 0, 0)
) -> None:
    def make(pair: Pair, folder: Path) -> Made:
        return Made(slicer(folder / name, pair.image, layers(pair), segments, offset), label)

    layered(what, outcome, words)(make)


def one(pair: Pair) -> list[np.ndarray]:
    return [np.where(pair.tumour, 2, pair.fat).astype(np.uint8)]


def overlapping(pair: Pair) -> list[np.ndarray]:
    wide = np.zeros(pair.tumour.shape, np.uint8)
    wide[2:7, 6:20, 6:20] = 1
    return [wide, pair.tumour.astype(np.uint8)]


def cropped(pair: Pair) -> list[np.ndarray]:
    return [pair.tumour[3:6, 8:13, 9:15].astype(np.uint8)]


ONE, TWO = [("lesion", 0, 1)], [("fat", 0, 1), ("lesion", 0, 2)]
slicer_kind("two segments of one layer, one chosen by its name", one, TWO, label="lesion")
slicer_kind("two segments, one chosen by its ID", one, TWO, label="Segment_2")
slicer_kind("segments that overlap, in two layers", overlapping, [("breast", 0, 1), ("lesion", 1, 1)], label="lesion")
slicer_kind("the extent of the segment alone", cropped, ONE, offset=(9, 8, 3))
slicer_kind("a name without `.seg`", one, TWO, label="lesion", name="mask.nrrd")
slicer_kind("two segments and none chosen", one, TWO, REFUSED, "1 'fat', 2 'lesion'")
slicer_kind(
    "two segments of one name",
    one,
    [("lesion", 0, 1), ("lesion", 0, 2)],
    REFUSED,
    "2 segments for mask_label",
    "lesion",
)
slicer_kind("an extent half a voxel off", cropped, ONE, REFUSED, "no voxels of the image", offset=(9.5, 8, 3))
slicer_kind(
    "an extent that leaves the image", cropped, ONE, REFUSED, "mask voxels outside the image", offset=(37, 8, 3)
)
slicer_kind("layers whose segments the header does not name", overlapping, [], REFUSED, "2 values per voxel")
