"""Voxels and places equal those of independent readers: SimpleITK (GDCM) where it is right, and dcm2niix.

The files are those that pydicom ships, the public ones named by HER2RADIOMICS_DATA, and oblique series made here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dicom_files as dicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from kinds import Right

from her2radiomics.core.errors import CaseError
from her2radiomics.imaging import read_image
from her2radiomics.imaging.__main__ import main
from her2radiomics.imaging.formats import doubts_of

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"
NO_PLACE, COLOUR, NO_IMAGE = ("without a readable position", "values per voxel", "a DICOM object without an image")
UNREADABLE, READ = "DICOM files that cannot be read", "read"
#: What becomes of each file that pydicom ships, by the words of the error: one slice each, or what is no image of a volume.
TABLE = {
    READ: (
        "693_J2KI CT_small J2K_pixelrep_mismatch MR_small MR_small_RLE MR_small_bigendian MR_small_expb MR_small_implicit "
        "MR_small_jp2klossless MR_small_jpeg_ls_lossless MR_small_padded examples_overlay"
    ),
    COLOUR: (
        "ExplVR_BigEnd GDCMJ2K_TextGBR SC_jpeg_no_color_transform SC_jpeg_no_color_transform_2 SC_rgb_dcmtk_+eb+cr "
        "SC_rgb_dcmtk_+eb+cy+n1 SC_rgb_dcmtk_+eb+cy+n2 SC_rgb_dcmtk_+eb+cy+np SC_rgb_dcmtk_+eb+cy+s2 SC_rgb_dcmtk_+eb+cy+s4 "
        "SC_rgb_gdcm_KY SC_rgb_jls_lossy_line SC_rgb_jls_lossy_sample SC_rgb_jpeg SC_rgb_jpeg_app14_dcmd SC_rgb_jpeg_dcmd "
        "SC_rgb_jpeg_dcmtk SC_rgb_jpeg_gdcm SC_rgb_jpeg_lossy_gdcm SC_rgb_rle SC_rgb_rle_16bit SC_rgb_rle_16bit_2frame "
        "SC_rgb_rle_2frame SC_rgb_rle_32bit SC_rgb_rle_32bit_2frame SC_rgb_small_odd SC_rgb_small_odd_big_endian "
        "SC_rgb_small_odd_jpeg SC_ybr_full_422_uncompressed examples_jpeg2k examples_rgb_color examples_ybr_color"
    ),
    "colours (PALETTE COLOR)": "examples_palette",
    NO_PLACE: (
        "JPEG-lossy JPEG2000 JPEG2000-embedded-sequence-delimiter JPEGLSNearLossless_08 JPEGLSNearLossless_16 "
        "JPGExtended image_dfl"
    ),
    NO_IMAGE: (
        "ExplVR_BigEndNoMeta ExplVR_LitEndNoMeta reportsi reportsi_with_empty_number_tags rtplan rtplan_truncated rtstruct "
        "test-SR waveform_ecg"
    ),
    "a DICOM SEG, which holds masks": "liver_1frame liver_expb_1frame",
    "frames in a file that says where 0 of them lie": "rtdose rtdose_expb rtdose_rle",
    "one slice without a thickness": "rtdose_1frame rtdose_expb_1frame rtdose_rle_1frame",
    "a DICOM header that cannot be read": "badVR",
    UNREADABLE: (
        "MR_truncated UN_sequence empty_charset_LEI meta_missing_tsyntax nested_priv_SQ no_meta no_meta_group_length priv_SQ"
    ),
}


def same_places(image: sitk.Image, other: sitk.Image, **tolerance: float) -> None:
    """Every voxel has the value that the other reader gives its place."""
    assert image.GetNumberOfPixels() == other.GetNumberOfPixels()
    placed = sitk.Resample(sitk.Cast(other, sitk.sitkFloat64), image, sitk.Transform(), sitk.sitkNearestNeighbor, -1e9)
    np.testing.assert_allclose(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(placed), **tolerance)


def by_dcm2niix(folder: Path, work: Path) -> sitk.Image:
    """The one volume that dcm2niix makes of a folder."""
    program = Path(sys.executable).with_name("dcm2niix")
    if not program.is_file():
        pytest.skip("dcm2niix is not installed beside Python")
    work.mkdir()
    subprocess.run([program, "-b", "n", "-z", "n", "-f", "volume", "-o", work, folder], check=True, capture_output=True)
    (made,) = work.glob("*.nii")
    return sitk.ReadImage(str(made))


def by_gdcm(folder: Path) -> sitk.Image:
    (series,) = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    return sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series))


def test_the_table_has_every_file_that_pydicom_ships():
    listed = [f"{name}.dcm" for names in TABLE.values() for name in names.split()]
    assert len(listed) == 78
    assert sorted(listed) == sorted(path.name for path in SHIPPED.glob("*.dcm"))


@pytest.mark.parametrize("name", [name for words, names in TABLE.items() if words != READ for name in names.split()])
def test_what_is_no_image_of_a_volume_is_refused_by_name(name):
    (words,) = (words for words, names in TABLE.items() if name in names.split())
    with pytest.raises(CaseError) as caught:
        read_image(SHIPPED / f"{name}.dcm")
    assert words in caught.value.found and caught.value.remedy


@pytest.mark.parametrize("name", TABLE[READ].split())
def test_voxels_and_places_of_shipped_files_are_those_of_gdcm(name):
    path = SHIPPED / f"{name}.dcm"
    image, other = read_image(path), sitk.ReadImage(str(path), imageIO="GDCMImageIO")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(other))
    np.testing.assert_allclose(image.GetOrigin(), other.GetOrigin(), atol=1e-6)
    np.testing.assert_allclose(image.GetDirection(), other.GetDirection(), atol=1e-6)
    np.testing.assert_allclose(image.GetSpacing()[:2], other.GetSpacing()[:2], rtol=1e-6)
    # the thickness is what the file says: GDCM leaves it at 1 mm for some of them
    said = pydicom.dcmread(path, stop_before_pixels=True)
    assert image.GetSpacing()[2] == float(said.get("SpacingBetweenSlices") or said.SliceThickness)


def test_a_slice_that_says_two_thicknesses_is_warned_about():
    doubts = doubts_of(read_image(SHIPPED / "693_J2KI.dcm"))
    assert doubts[0] == "one slice; SpacingBetweenSlices says 20 mm, which was taken, SliceThickness 5 mm"
    assert "with loss" in doubts[1] and "padding value (-2000)" in doubts[2]


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("98892001/CT5N", ""),
        ("98892001/CT2N", "2 orientations in one series (1 sagittal, 1 coronal)"),
        ("98892003/MR1", "3 DICOM series in one folder"),
        ("98892003/MR2", "3 DICOM series in one folder (of 1 and 3 and 3 files)"),
        ("98892003/MR700", "7 orientations in one series"),
        ("77654033/CT2", "slices 1.25 to 202.5 mm apart, with one gap"),
        ("77654033/CR1", NO_PLACE),
        ("TINY_ALPHA/PT000000/ST000000/SE000000", NO_IMAGE),
        ("", "a folder without a DICOM series"),
    ],
)
def test_folders_that_pydicom_ships(folder, words):
    path = SHIPPED / "dicomdirtests" / folder
    if words:
        with pytest.raises(CaseError) as caught:
            read_image(path)
        assert words in caught.value.found
    else:
        same_places(read_image(path), by_gdcm(path))


def oblique() -> Right:
    direction = np.reshape(sitk.Euler3DTransform((0, 0, 0), 0.3, -0.2, 0.4).GetMatrix(), (3, 3))
    voxels = np.random.default_rng(3).integers(0, 900, (12, 34, 40)).astype(np.int16)
    return Right(voxels, (0.875, 0.75, 2.5), (-61.5, 20.25, -33.0), direction)


def scaled(dataset: pydicom.Dataset, index: int) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept = dicom.number(0.5 + 0.125 * index), "-3"


def test_an_oblique_series_with_a_slope_for_each_slice_is_that_of_dcm2niix(tmp_path):
    folder = dicom.classic(tmp_path / "series", *oblique().where(), scaled)
    same_places(read_image(folder), by_dcm2niix(folder, tmp_path / "other"), rtol=1e-6)


def test_an_oblique_multi_frame_file_is_that_of_dcm2niix(tmp_path):
    (tmp_path / "series").mkdir()
    path = dicom.enhanced(tmp_path / "series" / "image.dcm", *oblique().where())
    same_places(read_image(path), by_dcm2niix(path.parent, tmp_path / "other"))


class TestPublicFiles:
    """The files of public collections that HER2RADIOMICS_DATA names; tests skip where they are absent."""

    PILOT = "breast_mri_nact_pilot/dicom/UCSF-BR-06"
    DUKE = "duke_breast_mri_153/dicom/Breast_MRI_153/01-01-1990-NA-MRI BREAST BILATERAL WWO-78209"
    FOLDERS = (
        f"{PILOT}/image_dce_pe1",
        f"{PILOT}/image_dce_ser",
        f"{DUKE}/2.000000-ax dyn pre-75557",
        f"{DUKE}/4.000000-ax dyn 1st pass-83574",
        f"{DUKE}/7.000000-ax dyn 2nd pass-95244",
        "sts_mr_t1/STS_002/dicom/image",
    )

    @pytest.mark.real
    @pytest.mark.parametrize("name", FOLDERS)
    def test_a_series_is_that_of_both(self, real_data, tmp_path, name):
        image = read_image(real_data / name)
        other = by_gdcm(real_data / name)
        assert (image.GetSize(), image.GetPixelID()) == (other.GetSize(), other.GetPixelID())
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(other))
        for part in ("Spacing", "Origin", "Direction"):
            np.testing.assert_allclose(getattr(image, f"Get{part}")(), getattr(other, f"Get{part}")(), atol=1e-9)
        same_places(image, by_dcm2niix(real_data / name, tmp_path / "other"), rtol=1e-6)
        assert not doubts_of(image)

    @pytest.mark.real
    def test_the_phantom_of_ibsi_in_many_frames(self, real_data, tmp_path):
        """Its frames run against their normal: GDCM gives them the same places."""
        folder = real_data / "ibsi_digital_phantom/dicom/image"
        image = read_image(folder)
        same_places(image, by_dcm2niix(folder, tmp_path / "other"))
        printed = sitk.ReadImage(str(real_data / "ibsi_digital_phantom/nifti/image/phantom.nii.gz"))
        assert sorted(sitk.GetArrayFromImage(image).ravel()) == sorted(sitk.GetArrayFromImage(printed).ravel())
        assert image.GetSize() == (5, 4, 4)

    @pytest.mark.real
    def test_three_phases_of_one_series_are_told_apart_and_read_one_by_one(self, real_data, tmp_path, capsys):
        folder = real_data / f"{self.PILOT}/image_dce_3dfgre_orig"
        with pytest.raises(
            CaseError, match=r"36 images at 12 positions in one series, told apart by ContentTime \(3 values\)"
        ):
            read_image(folder)
        assert main([str(folder), str(tmp_path), "--by", "ContentTime"]) == 0
        assert "volume_3.nii.gz: ContentTime 3 of 3, 12 slices" in capsys.readouterr().out
        whole = real_data / "breast_mri_nact_pilot/mama_mia_layout/images/NACT_06"
        for number in range(3):
            image = read_image(tmp_path / f"volume_{number + 1}.nii.gz")
            nifti = read_image(whole / f"nact_06_000{number}.nii.gz")
            cut = sitk.Resample(nifti, image, sitk.Transform(), sitk.sitkNearestNeighbor)
            np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(cut))


def test_a_map_whose_first_slice_has_a_slope_of_1_is_read_as_it_is_meant(tmp_path):
    """As in SimpleITK #1636: GDCM reads all slices as whole numbers, by the first one's slope."""
    right = oblique()
    meant = np.round(right.voxels / 900 * 1.4, 3)
    slopes = [1.0, *(float(dicom.number(slice_.max() / 4095)) for slice_ in meant[1:])]
    stored = np.stack([np.round(slice_ / slope) for slice_, slope in zip(meant, slopes, strict=True)]).astype(np.int16)

    def scale(dataset: pydicom.Dataset, index: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = dicom.number(slopes[index]), "0"

    folder = dicom.classic(tmp_path / "map", stored, *right.where()[1:], scale)
    image = read_image(folder)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), stored * np.reshape(slopes, (-1, 1, 1)))
    assert image.GetPixelIDTypeAsString() == "64-bit float"
    same_places(image, by_dcm2niix(folder, tmp_path / "other"), rtol=1e-6)
    assert set(np.unique(sitk.GetArrayFromImage(by_gdcm(folder)))) <= {0, 1}  # what it was


@pytest.mark.parametrize(
    ("slopes", "kind"),
    [(("1", "0"), "16-bit signed"), (("1", "-1024"), "32-bit signed"), (("0.5", "0"), "64-bit float")],
)
def test_whole_numbers_stay_whole_as_gdcm_has_them(tmp_path, slopes, kind):
    """The type decides the last digits of filters, so that it is the one that stock PyRadiomics gets."""

    def scale(dataset: pydicom.Dataset, index: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = slopes

    folder = dicom.classic(tmp_path / "series", *oblique().where(), scale)
    image, other = read_image(folder), by_gdcm(folder)
    assert image.GetPixelIDTypeAsString() == other.GetPixelIDTypeAsString()
    assert image.GetPixelIDTypeAsString().startswith(kind)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(other))
