"""Every bad image and mask that PyRadiomics or ITK would read silently gives one clear error."""

from __future__ import annotations

import gzip
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_series import SPACING, dicom_folder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from her2radiomics.core.errors import CaseError
from her2radiomics.imaging import read_image, read_mask
from her2radiomics.imaging.checks import voxel_hash


def volume(voxels: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING)
    image.SetOrigin((-40.0, 12.5, 3.0))
    return image


@pytest.fixture
def voxels() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 400, (9, 20, 24)).astype(np.int16)


@pytest.fixture
def tumour() -> np.ndarray:
    mask = np.zeros((9, 20, 24), np.uint8)
    mask[3:6, 8:13, 9:15] = 1
    return mask


def save(path: Path, voxels: np.ndarray) -> Path:
    sitk.WriteImage(volume(voxels), str(path), True)
    return path


def refused(path: Path, *words: str) -> CaseError:
    with pytest.raises(CaseError) as caught:
        read_image(path)
    for word in words:
        assert word in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "mha", "hdr"])
def test_good_files_come_through_unchanged(tmp_path, voxels, ending):
    image = read_image(save(tmp_path / f"image.{ending}", voxels))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels)
    np.testing.assert_allclose(image.GetSpacing(), SPACING, rtol=1e-6)


def test_missing_file(tmp_path):
    refused(tmp_path / "absent.nii.gz", "no such file")


def test_file_that_is_no_image(tmp_path):
    path = tmp_path / "image.nrrd"
    path.write_text("not an image")
    refused(path, "cannot be read as an image")


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "mha"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_truncated(tmp_path, voxels, ending, share):
    whole = save(tmp_path / f"whole.{ending}", voxels).read_bytes()
    path = tmp_path / f"cut.{ending}"
    path.write_bytes(whole[: int(len(whole) * share)])
    refused(path)


@pytest.mark.parametrize("ending", ["nii.gz", "nrrd", "mha"])
def test_one_flipped_bit_anywhere_in_the_compressed_voxels(tmp_path, voxels, ending):
    whole = save(tmp_path / f"whole.{ending}", voxels).read_bytes()
    path = tmp_path / f"flipped.{ending}"
    refusals = 0
    # gzip's ten header bytes hold a time stamp and a system code that no checksum covers
    for place in np.linspace(len(whole) // 2, len(whole) - 9, 12).astype(int):
        broken = bytearray(whole)
        broken[place] ^= 4
        path.write_bytes(bytes(broken))
        try:
            image = read_image(path)
        except CaseError as error:
            assert str(path) in str(error)
            refusals += 1
        else:  # a bit that decides about nothing, such as the stream's end mark: every voxel is right
            np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels)
    assert refusals >= 11


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "mha", "hdr"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_voxel(tmp_path, voxels, ending, value):
    broken = voxels.astype(np.float32)
    broken[2, 3, 4] = value
    refused_file = save(tmp_path / f"image.{ending}", broken)
    with pytest.raises(CaseError, match="NaN or infinite"):
        read_image(refused_file)


def test_big_endian_float_nifti_with_nan(tmp_path, voxels):
    # written by hand: ITK would read the NaN as 0
    header = bytearray(352)
    struct.pack_into(">i", header, 0, 348)
    struct.pack_into(">8h", header, 40, 3, 24, 20, 9, 1, 1, 1, 1)
    struct.pack_into(">2h", header, 70, 16, 32)
    struct.pack_into(">8f", header, 76, 1, *SPACING, 1, 1, 1, 1)
    struct.pack_into(">f", header, 108, 352)
    header[344:348] = b"n+1\0"
    body = voxels.astype(">f4")
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(bytes(header) + body.tobytes()))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_image(path)), voxels)
    body[0, 0, 7] = np.nan
    path.write_bytes(gzip.compress(bytes(header) + body.tobytes()))
    refused(path, "NaN or infinite")


def test_a_header_that_rescales_is_read_as_it_says(tmp_path, voxels):
    # the voxels read are not the bytes compressed, so that the checksum cannot be held against them directly
    path = save(tmp_path / "image.nii", voxels)
    header = bytearray(path.read_bytes())
    struct.pack_into("<2f", header, 112, 0.5, -3.0)
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(bytes(header)))
    np.testing.assert_allclose(sitk.GetArrayFromImage(read_image(path)), voxels * 0.5 - 3.0)
    broken = bytearray(path.read_bytes())
    broken[len(broken) // 2] ^= 4
    path.write_bytes(bytes(broken))
    refused(path)


def test_bytes_of_voxels_that_another_reader_would_swallow(tmp_path, voxels):
    # a stream whose checksum holds but whose voxels end early; and one that is two gzip members
    path = save(tmp_path / "image.nii", voxels)
    content = path.read_bytes()
    packed = tmp_path / "image.nii.gz"
    packed.write_bytes(gzip.compress(content[:-100]))
    refused(packed, "bytes of voxels")
    packed.write_bytes(gzip.compress(content[:900]) + gzip.compress(content[900:]))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(read_image(packed)), voxels)


@pytest.mark.parametrize("ending", ["nii.gz", "nrrd", "mha"])
@pytest.mark.parametrize("length", [1, 2])
def test_4d(tmp_path, voxels, ending, length):
    path = tmp_path / f"image.{ending}"
    sitk.WriteImage(sitk.JoinSeries([volume(voxels)] * length), str(path))
    refused(path, "4-D", "3-D image")


@pytest.mark.parametrize("ending", ["nii.gz", "nrrd", "mha"])
def test_2d(tmp_path, voxels, ending):
    path = tmp_path / f"image.{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(voxels[4]), str(path))
    refused(path, "2-D")


@pytest.mark.parametrize("ending", ["nii.gz", "nrrd", "mha"])
def test_colour_and_vector(tmp_path, voxels, ending):
    path = tmp_path / f"image.{ending}"
    channel = volume((voxels // 2).astype(np.uint8))
    sitk.WriteImage(sitk.Compose(channel, channel, channel), str(path))
    refused(path)


def test_constant(tmp_path, voxels):
    refused(save(tmp_path / "image.nii.gz", np.full_like(voxels, 7)), "constant", "7")


@pytest.mark.parametrize("ending", ["nrrd", "mha", "nii"])
def test_sheared_axes(tmp_path, voxels, ending):
    path = save(tmp_path / f"image.{ending}", voxels)
    if ending == "nii":
        header = bytearray(path.read_bytes())
        struct.pack_into("<2h", header, 252, 0, 1)
        struct.pack_into("<12f", header, 280, 0.8, 0.2, 0, 0, 0, 0.7, 0, 0, 0, 0, 2.0, 0)
        path.write_bytes(bytes(header))
    else:
        sitk.WriteImage(volume(voxels), str(path), False)
        straight = {"nrrd": rb"\(0,0\.\d+,0\)", "mha": rb"TransformMatrix = 1 0 0 0 1"}[ending]
        sheared = {"nrrd": b"(0.2,0.7,0)", "mha": b"TransformMatrix = 1 0 0 .2 1"}[ending]
        content, count = re.subn(straight, sheared, path.read_bytes())
        assert count == 1
        path.write_bytes(content)
    refused(path)


def test_folder_without_a_series(tmp_path):
    refused(tmp_path, "without a DICOM series")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(["nii", "nii.gz", "nrrd", "mha"]), st.booleans())
def test_damaged_bytes_never_end_in_another_error(tmp_path, data, ending, in_header):
    voxels = np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)
    path = tmp_path / f"image.{ending}"
    sitk.WriteImage(volume(voxels), str(path), False)
    content = bytearray(path.read_bytes())
    last = min(len(content), 400 if in_header else len(content)) - 1
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, last))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    try:
        image = read_image(path)
    except CaseError as error:
        assert str(path) in str(error)
    else:
        assert image.GetDimension() == 3
        assert np.isfinite(sitk.GetArrayViewFromImage(image)).all()


# -- masks ------------------------------------------------------------------------------------------


def mask_refused(tmp_path: Path, voxels: np.ndarray, mask: sitk.Image, label=None, ending="nii.gz") -> str:
    path = tmp_path / f"mask.{ending}"
    sitk.WriteImage(mask, str(path))
    with pytest.raises(CaseError) as caught:
        read_mask(path, volume(voxels), label)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("value", [1, 2, 255])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32, np.float64])
def test_any_single_label_is_read_as_one(tmp_path, voxels, tumour, value, kind):
    path = save(tmp_path / "mask.nii.gz", tumour.astype(kind) * kind(value))
    mask = read_mask(path, volume(voxels))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(mask), tumour)
    assert mask.GetPixelID() == sitk.sitkUInt8
    assert mask.GetSpacing() == volume(voxels).GetSpacing()


@pytest.mark.parametrize("label", [2, "2", "2.0"])
def test_named_label_among_several(tmp_path, voxels, tumour, label):
    several = tumour.copy()
    several[:2, :4, :4] = 2
    path = save(tmp_path / "mask.nii.gz", several)
    assert sitk.GetArrayFromImage(read_mask(path, volume(voxels), label)).sum() == 32


def test_several_labels_and_none_named(tmp_path, voxels, tumour):
    tumour[:2, :4, :4] = 2
    assert "2 values in the mask (1, 2) and no mask_label" in mask_refused(tmp_path, voxels, volume(tumour))


@pytest.mark.parametrize(("label", "words"), [(3, "no voxel of value 3"), ("x", "whole number"), (0.5, "whole")])
def test_label_that_is_not_there(tmp_path, voxels, tumour, label, words):
    assert words in mask_refused(tmp_path, voxels, volume(tumour), label)


def test_values_that_are_not_whole_numbers(tmp_path, voxels, tumour):
    jitter = tumour + np.random.default_rng(1).normal(0, 1e-3, tumour.shape)
    assert "not whole numbers" in mask_refused(tmp_path, voxels, volume(jitter * (tumour > 0)))
    assert "0.00392157" in mask_refused(tmp_path, voxels, volume(tumour / np.float32(255)))


def test_mask_with_nan(tmp_path, voxels, tumour):
    broken = tumour.astype(np.float32)
    broken[0, 0, 0] = np.nan
    assert "NaN" in mask_refused(tmp_path, voxels, volume(broken))
    assert "not whole numbers" in mask_refused(tmp_path, voxels, volume(broken), ending="nrrd")


def test_empty_one_voxel_line_and_full(tmp_path, voxels, tumour):
    def message(mask: np.ndarray) -> str:
        return mask_refused(tmp_path, voxels, volume(mask))

    assert "an empty mask" in message(tumour * 0)
    one = tumour * 0
    one[4, 5, 6] = 1
    assert "one voxel" in message(one)
    one[4, 5, 7:9] = 1
    assert "a line of 3 voxels" in message(one)
    assert "fills the whole image" in message(tumour * 0 + 1)


def test_vector_and_4d_mask(tmp_path, voxels, tumour):
    single = volume(tumour)
    assert "2 values per voxel" in mask_refused(tmp_path, voxels, sitk.Compose(single, single))
    assert "4-D" in mask_refused(tmp_path, voxels, sitk.JoinSeries([single]))


def test_geometry_that_is_not_the_image_s(tmp_path, voxels, tumour):
    def message(change) -> str:
        mask = volume(tumour)
        mask = change(mask) or mask
        return mask_refused(tmp_path, voxels, mask)

    assert "size 23×20×9; expected the image's size 24×20×9" in message(lambda m: m[1:])
    assert "spacing" in message(lambda m: m.SetSpacing((0.808, 0.7, 2.0)))  # 1 % off
    assert "origin" in message(lambda m: m.SetOrigin((-39.999, 12.5, 3.0)))  # 1e-3 mm off
    assert "direction" in message(lambda m: m.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1)))


def test_rounding_of_a_float32_header_is_no_mismatch(tmp_path, voxels, tumour):
    image = volume(voxels)
    image.SetOrigin((-173.123456789, 211.987654321, -98.7654321))
    mask = volume(tumour)
    mask.SetOrigin(image.GetOrigin())
    path = tmp_path / "mask.nii.gz"  # stores float32
    sitk.WriteImage(mask, str(path))
    assert read_mask(path, image).GetOrigin() == image.GetOrigin()


# -- DICOM ------------------------------------------------------------------------------------------


def test_dicom_folder_ordered_by_position(tmp_path, voxels):
    order = [3, 0, 8, 1, 7, 2, 6, 5, 4]
    folder = dicom_folder(tmp_path / "series", voxels, [(index, 2.0 * index) for index in order])
    image = read_image(folder)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels)
    np.testing.assert_allclose(image.GetSpacing(), SPACING, rtol=1e-6)


def test_several_series_in_a_folder_are_counted_but_not_named(tmp_path, voxels):
    folder = dicom_folder(tmp_path / "series", voxels, [(0, 0.0), (1, 2.0)])
    dicom_folder(folder, voxels, [(0, 0.0), (1, 2.0)], series="1.2.3.5")
    error = refused(folder, "2 DICOM series", "of 2 and 2 files")
    assert "1.2.3" not in error.found  # a series' number tells whose examination it is


def test_phases_that_share_a_series(tmp_path, voxels):
    places = [(index, 2.0 * index) for index in range(4)] * 2
    refused(dicom_folder(tmp_path / "series", voxels, places), "8 images at 4 positions")


def test_missing_slice(tmp_path, voxels):
    places = [(index, 2.0 * index) for index in range(9) if index != 4]
    refused(dicom_folder(tmp_path / "series", voxels, places), "2 to 4 mm apart")


@pytest.mark.real
def test_a_real_series_that_holds_three_phases():
    folders = Path(os.environ.get("HER2RADIOMICS_DATA", "")) / "breast_mri_nact_pilot" / "dicom"
    if not folders.is_dir():
        pytest.skip("the real images named by HER2RADIOMICS_DATA are not here")
    messages = []
    for folder in sorted({path.parent for path in folders.rglob("2-*.dcm")}):
        with pytest.raises(CaseError) as caught:
            read_image(folder)
        messages.append(str(caught.value))
    assert any("positions in one series" in message for message in messages)


class TestHashOfVoxels:
    """Two files of one image have one hash, whatever their type and place; of two images they differ."""

    @staticmethod
    def volume(seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 2000, (24, 512, 128)).astype(np.int16)

    def test_neither_type_nor_place_counts(self):
        image = sitk.GetImageFromArray(self.volume())
        moved = sitk.Cast(image, sitk.sitkFloat64)
        moved.SetOrigin((5.0, 6.0, 7.0))
        assert voxel_hash(image) == voxel_hash(moved)

    def test_another_examination_or_size_has_another(self):
        voxels = self.volume()
        images = [voxels, self.volume(1), voxels[:-1], np.swapaxes(voxels, 0, 1)]
        assert len({voxel_hash(sitk.GetImageFromArray(item)) for item in images}) == len(images)

    def test_a_lesion_on_an_empty_map_counts_in_each_of_its_slices(self):
        """Of large volumes rows are left out, and never the same ones of each slice."""
        empty = np.zeros((24, 512, 128), np.float32)
        found = {voxel_hash(sitk.GetImageFromArray(empty))}
        for z in range(24):
            lesion = empty.copy()
            lesion[z, 250:260, 60:70] = 1.2
            found.add(voxel_hash(sitk.GetImageFromArray(lesion)))
        assert len(found) == 25
