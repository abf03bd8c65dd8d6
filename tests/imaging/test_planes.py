"""The acquisition's slices in images that programs turned to the patient's axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_series import dicom_folder

from her2radiomics.extraction import extract_features
from her2radiomics.imaging import read_image
from her2radiomics.imaging.planes import plane_of, slices_of, upright

FILES = Path(__file__).parents[2] / "workflow" / "extraction"
#: Directions as scanners store slices: columns are the axes along a row, down a column, and across.
AXIAL = np.eye(3)
SAGITTAL = np.array([[0, 0, 1], [1, 0, 0], [0, -1, 0]], float)
CORONAL = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)


def acquired(direction: np.ndarray, spacing=(0.7, 0.7, 3.0)) -> tuple[sitk.Image, sitk.Image]:
    voxels = np.random.default_rng(4).normal(400, 120, (9, 25, 32)).clip(0).astype(np.int16)
    drawn = np.zeros(voxels.shape, np.uint8)
    drawn[4, 8:16, 10:19] = 1
    drawn[4, 8, 10] = 0
    image, mask = sitk.GetImageFromArray(voxels), sitk.GetImageFromArray(drawn)
    for each in (image, mask):
        each.SetSpacing(spacing)
        each.SetDirection(direction.ravel().tolist())
        each.SetOrigin((-24.0, -20.0, 22.0))
    return image, mask


@pytest.mark.parametrize(
    ("spacing", "axis", "doubtful"),
    [
        ((0.7, 0.7, 3.0), 2, False),
        ((1.0, 1.0, 1.0), 2, False),
        ((0.7, 0.7, 0.5), 2, False),
        ((3.0, 0.7, 0.7), 0, True),
        ((0.7, 3.0, 0.7), 1, True),
        ((0.5, 0.7, 0.7), 0, True),
        ((0.8, 0.7, 2.0), 2, False),  # pixels that are not square, slices that stand out
        ((2.0, 0.8, 0.7), 0, True),
        ((0.8, 1.0, 1.1), 2, True),  # nothing to tell by
    ],
)
def test_the_axis_of_slices_by_spacing(spacing, axis, doubtful):
    image = sitk.Image(8, 8, 8, sitk.sitkInt16)
    image.SetSpacing(spacing)
    found = slices_of(image)
    assert found.axis == axis and bool(found.note) == doubtful


def test_a_dicom_series_is_stacked_along_its_slices_whatever_the_spacing(tmp_path):
    voxels = np.random.default_rng(2).integers(0, 900, (6, 20, 20)).astype(np.uint16)
    folder = dicom_folder(tmp_path / "series", voxels, [(number, 0.8 * number) for number in range(6)])
    image = read_image(folder)
    assert image.GetSpacing() == pytest.approx((0.8, 0.7, 0.8))
    assert slices_of(image) == (2, "")
    copy = sitk.GetImageFromArray(sitk.GetArrayFromImage(image))
    copy.CopyInformation(image)
    sitk.WriteImage(copy, str(tmp_path / "image.nrrd"))
    assert slices_of(read_image(tmp_path / "image.nrrd")).axis == 1


@pytest.mark.parametrize(("direction", "name"), [(AXIAL, "axial"), (SAGITTAL, "sagittal"), (CORONAL, "coronal")])
def test_planes_have_names(direction, name):
    assert plane_of(acquired(direction)[0]) == name
    tilted = np.reshape(sitk.Euler3DTransform((0, 0, 0), 0.6, 0.0, 0.2).GetMatrix(), (3, 3))
    assert plane_of(acquired(tilted @ AXIAL)[0]) == "oblique axial"


@pytest.mark.parametrize("direction", [SAGITTAL, CORONAL], ids=["sagittal", "coronal"])
@pytest.mark.parametrize("axes", ["RAS", "LPS", "LAS", "RPI"])
def test_a_turned_image_is_the_acquired_one_again(direction, axes):
    image, _ = acquired(direction)
    turned = sitk.DICOMOrient(image, axes)
    found = upright(turned, slices_of(turned).axis)
    assert found.GetSize() == image.GetSize()
    # along the slices either order is a scanner's
    for number in (0, 8):
        corner = found.TransformIndexToPhysicalPoint((0, 0, number))
        slice_number = image.TransformPhysicalPointToIndex(corner)[2]
        np.testing.assert_array_equal(
            sitk.GetArrayFromImage(found)[number], sitk.GetArrayFromImage(image)[slice_number]
        )


def test_its_features_are_those_of_the_acquisition():
    image, mask = acquired(SAGITTAL)
    expected = extract_features(image, {"tumour": mask}, FILES / "features_1125_2d.yaml")
    turned, outlined = (sitk.DICOMOrient(each, "RAS") for each in (image, mask))
    with pytest.warns(UserWarning, match="sagittal slices of 0.7×0.7 mm pixels, 3 mm apart, .* axis x of the file"):
        found = extract_features(turned, {"tumour": outlined}, FILES / "features_1125_2d.yaml")
    assert found.shape == (1, 1125)
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-6, atol=1e-9)
