"""Image and mask of one oblique series by two programs: what agrees is taken as drawn, what was flipped is named."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from her2radiomics.core.errors import CaseError
from her2radiomics.imaging import read_image, read_mask, read_mask_onto


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    rng = np.random.default_rng(0)
    z, y, x = np.mgrid[:12, :32, :32]
    ball = (((z - 6) * 2) ** 2 + (y - 15) ** 2 + (x - 17) ** 2 < 49).astype(np.uint8)
    image = sitk.GetImageFromArray((200 + 100 * ball + rng.normal(0, 12, ball.shape)).round().astype(np.int16))
    c, s = np.cos(np.deg2rad(4.3)), np.sin(np.deg2rad(4.3))
    image.SetSpacing((0.7031, 0.7031, 3.3))
    image.SetOrigin((-120.123, -87.4567, 33.789))
    image.SetDirection((1, 0, 0, 0, c, -s, 0, s, c))
    mask = sitk.GetImageFromArray(ball)
    mask.CopyInformation(image)
    sitk.WriteImage(image, str(folder / "image.nrrd"))
    sitk.WriteImage(mask, str(folder / "slicer.nrrd"), True)
    sitk.WriteImage(mask, str(folder / "itksnap.nii.gz"))
    sitk.WriteImage(sitk.Flip(image, [False, True, False]), str(folder / "dcm2niix.nii.gz"))
    raw = gzip.decompress((folder / "itksnap.nii.gz").read_bytes())
    for name, layout, place, values in (
        ("nan_slope", "<2f", 112, (float("nan"), float("nan"))),
        ("qform_alone", "<2h", 252, (1, 0)),
    ):
        changed = bytearray(raw)
        struct.pack_into(layout, changed, place, *values)
        (folder / f"{name}.nii.gz").write_bytes(gzip.compress(bytes(changed)))
    sitk.WriteImage(sitk.Cast(mask, sitk.sitkInt64), str(folder / "int64.nii.gz"))
    return folder


@pytest.mark.parametrize("name", ["itksnap", "nan_slope", "qform_alone", "int64"])
def test_a_mask_of_the_same_grid_is_taken_as_drawn(files, name):
    image = read_image(files / "image.nrrd")
    drawn = sitk.GetArrayFromImage(read_mask(files / "slicer.nrrd", image))
    found = read_mask(files / f"{name}.nii.gz", image)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), drawn)


def test_rows_in_another_order_are_named_and_resampled_to_the_voxel(files):
    turned = read_image(files / "dcm2niix.nii.gz")
    with pytest.raises(CaseError, match="a mask of origin .* the image's origin"):
        read_mask(files / "slicer.nrrd", turned)
    mask, note = read_mask_onto(files / "slicer.nrrd", turned)
    drawn = sitk.GetArrayFromImage(read_mask(files / "slicer.nrrd", read_image(files / "image.nrrd")))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(mask)[:, ::-1], drawn)
    assert "1.134 ml before, 1.134 ml after" in note
