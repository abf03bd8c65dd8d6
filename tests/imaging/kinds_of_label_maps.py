"""Label maps that differ from a right one by one thing, and pairs of image and mask."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from mask_kinds import REFUSED, SAME, WARNED, Made, Pair, kind, saved

label_map = partial(kind, 0)


def plain(
    what: str, voxels: Callable[[Pair], np.ndarray], outcome=SAME, words="", label="", end="nii.gz", changed=False
) -> None:
    """A kind that is other voxels on the image's grid; ``changed``: they are another outline."""

    def make(pair: Pair, folder: Path) -> Made:
        made = voxels(pair)
        return saved(pair.map(made), folder / f"mask.{end}", label, tumour=made == 1 if changed else None)

    label_map(what, outcome, words)(make)


def stray(pair: Pair) -> np.ndarray:
    made = pair.tumour.astype(np.uint8)
    made[1, 33, 37] = 1
    return made


def every_second(pair: Pair) -> np.ndarray:
    made = pair.tumour.astype(np.uint8)
    made[4] = 0
    return made


def bits(pair: Pair) -> np.ndarray:
    """Two structures that overlap, as sums of 1 and 2: the tumour, and a block that begins inside it."""
    other = np.zeros(pair.tumour.shape, bool)
    other[3:6, 8:13, 13:20] = True
    return (pair.tumour + 2 * other).astype(np.uint8)


plain("values of 255", lambda pair: (pair.tumour * 255).astype(np.uint8))
plain("64-bit whole numbers", lambda pair: pair.tumour.astype(np.int64), end="nrrd")
plain("numbers with a decimal point, 0.0 and 1.0", lambda pair: pair.tumour.astype(np.float32), end="mha")
plain("several values, one of them chosen", lambda pair: (2 * pair.tumour + 5 * pair.fat).astype(np.uint8), label="2")
plain(
    "two values that are the region together (`1+4`)",
    lambda pair: np.where(np.arange(40) < 12, pair.tumour, 4 * pair.tumour).astype(np.uint8),
    label="1+4",
)
plain("a bit-coded mask whose overlaps are chosen too (`1+3`)", bits, label="1+3")
plain(
    "overlapping values that are no bits (`only 4`)",
    lambda pair: (4 * pair.tumour + 8 * pair.fat).astype(np.uint8),
    label="only 4",
)
plain(
    "several values and none chosen",
    lambda pair: (pair.tumour + 5 * pair.fat).astype(np.uint8),
    REFUSED,
    "2 values in the mask (1, 5) and no mask_label",
)
plain(
    "a value chosen that is not there", lambda pair: pair.tumour.astype(np.uint8), REFUSED, "no voxel of value 3", "3"
)
plain(
    "a name chosen, which label maps do not hold",
    lambda pair: pair.tumour.astype(np.uint8),
    REFUSED,
    "mask_label 'tumour'",
    "tumour",
)
plain("bits as values, one chosen", bits, REFUSED, "bit-coded", "1")
plain(
    "probabilities",
    lambda pair: (pair.tumour * np.linspace(0.4, 0.9, 40)).astype(np.float32),
    REFUSED,
    "a probability map",
)
plain(
    "values blurred by linear interpolation",
    lambda pair: (
        3 * sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(pair.map(pair.tumour.astype(np.float32)), 1.0))
    ).round(2),
    REFUSED,
    "not whole numbers",
)
plain(
    "the image in place of the mask",
    lambda pair: sitk.GetArrayFromImage(pair.image),
    REFUSED,
    ": an image",
    "1",
    "nrrd",
)
plain("no voxel", lambda pair: np.zeros(pair.tumour.shape, np.uint8), REFUSED, "an empty mask")
plain("every voxel", lambda pair: np.ones(pair.tumour.shape, np.uint8), REFUSED, "fills the whole image")
plain(
    "inside and outside exchanged",
    lambda pair: (~pair.tumour).astype(np.uint8),
    WARNED,
    "covers 99% of the image",
    changed=True,
)
plain("a stray voxel far from the lesion", stray, WARNED, "2 parts, up to", changed=True)
plain("outlines on some slices only", every_second, WARNED, "slices without an outline", changed=True)


@label_map("its grid half a voxel off", REFUSED, "a mask of origin")
def _(pair: Pair, folder: Path) -> Made:
    mask = pair.map(pair.tumour.astype(np.uint8))
    mask.SetOrigin(mask.TransformContinuousIndexToPhysicalPoint((0.5, 0.0, 0.0)))
    return saved(mask, folder / "mask.nii.gz")


@label_map("rows in another order than the image's", REFUSED, "a mask of origin")
def _(pair: Pair, folder: Path) -> Made:
    return saved(sitk.Flip(pair.map(pair.tumour.astype(np.uint8)), (False, True, False)), folder / "mask.nii.gz")


@label_map("fewer slices than the image", REFUSED, "a mask of size")
def _(pair: Pair, folder: Path) -> Made:
    return saved(pair.map(pair.tumour.astype(np.uint8))[:, :, 2:8], folder / "mask.nrrd")


@label_map("a fourth axis of length 1", REFUSED, "4-D")
def _(pair: Pair, folder: Path) -> Made:
    return saved(sitk.JoinSeries([pair.map(pair.tumour.astype(np.uint8))]), folder / "mask.nii.gz")


@label_map("colours", REFUSED, "3 values per voxel")
def _(pair: Pair, folder: Path) -> Made:
    channel = pair.map((pair.tumour * 200).astype(np.uint8))
    return saved(sitk.Compose(channel, channel, channel), folder / "mask.nrrd")


pair_kind = partial(kind, 4)


@pair_kind("both turned after a sagittal acquisition", WARNED, "turned after its acquisition")
def _(pair: Pair, folder: Path) -> Made:
    mask = pair.map(pair.tumour.astype(np.uint8))
    turned, image = (sitk.PermuteAxes(each, (2, 0, 1)) for each in (mask, pair.image))
    return saved(turned, folder / "mask.nii.gz", image=image, tumour=pair.tumour)


@pair_kind("an outline on background", WARNED, "the image's lowest value (0): background?")
def _(pair: Pair, folder: Path) -> Made:
    voxels = sitk.GetArrayFromImage(pair.image)
    voxels[:, :, :11] = 0
    return saved(pair.map(pair.tumour.astype(np.uint8)), folder / "mask.nrrd", image=pair.map(voxels))
