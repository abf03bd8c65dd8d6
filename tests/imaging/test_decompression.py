"""A compressed NIfTI file that is decompressed here holds what ITK reads from it."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk

from her2radiomics.core.errors import CaseError
from her2radiomics.imaging import read_image
from her2radiomics.imaging.formats.nifti import NIfTI

KINDS = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")


@pytest.fixture
def decompressed(monkeypatch):
    """Whether each image that is read was decompressed here."""
    seen, own = [], NIfTI._decompress

    def decompress(self, path, header):
        image = own(self, path, header)
        seen.append(image is not None)
        return image

    monkeypatch.setattr(NIfTI, "_decompress", decompress)
    return seen


def content(path, kind="int16"):
    """The bytes of a NIfTI file on an oblique grid."""
    voxels = np.random.default_rng(1).integers(0, 100, (7, 9, 11)).astype(kind)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.7, 0.8, 3.1))
    image.SetOrigin((-41.5, 12.25, 7))
    image.SetDirection((0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1))
    sitk.WriteImage(image, str(path))
    return bytearray(path.read_bytes())


def as_itk_reads(path):
    return sitk.ReadImage(str(path), imageIO="NiftiImageIO")


def agree(ours, expected):
    assert ours.GetPixelID() == expected.GetPixelID()
    for part in ("Size", "Origin", "Spacing", "Direction"):
        assert getattr(ours, f"Get{part}")() == getattr(expected, f"Get{part}")()
    assert np.array_equal(sitk.GetArrayViewFromImage(ours), sitk.GetArrayViewFromImage(expected))


@pytest.mark.parametrize("kind", KINDS)
def test_voxels_of_every_type(kind, tmp_path, decompressed):
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(content(tmp_path / "image.nii", kind)))
    agree(read_image(path), as_itk_reads(tmp_path / "image.nii"))
    assert decompressed == [True]


@pytest.mark.parametrize(
    ("slope", "offset", "here"), [(0, 0, True), (np.nan, np.nan, True), (np.nan, 0, True), (2.5, -3, False)]
)
@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_a_scale_is_left_to_itk(kind, slope, offset, here, tmp_path, decompressed):
    path, plain = tmp_path / "image.nii.gz", tmp_path / "image.nii"
    whole = content(plain, kind)
    struct.pack_into("<2f", whole, 112, slope, offset)
    plain.write_bytes(whole)
    path.write_bytes(gzip.compress(whole))
    agree(read_image(path), as_itk_reads(plain))
    assert decompressed == [here]


def test_a_stream_in_two_parts_is_read_whole(tmp_path, decompressed):
    whole, path = content(tmp_path / "image.nii"), tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(whole[:700]) + gzip.compress(whole[700:]))
    agree(read_image(path), as_itk_reads(tmp_path / "image.nii"))
    assert decompressed == [False]


@pytest.mark.parametrize("place", [400, -6], ids=["in the voxels", "in the checksum"])
def test_a_flipped_bit_is_found(place, tmp_path, decompressed):
    packed = bytearray(gzip.compress(content(tmp_path / "image.nii")))
    packed[place] ^= 4
    (tmp_path / "image.nii.gz").write_bytes(packed)
    with pytest.raises(CaseError, match="damaged"):
        read_image(tmp_path / "image.nii.gz")
    assert decompressed == [False]


def test_a_stream_longer_than_its_header_promises(tmp_path, decompressed):
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(content(tmp_path / "image.nii") + bytes(10**6)))
    agree(read_image(path), as_itk_reads(tmp_path / "image.nii"))
    assert decompressed == [False]
