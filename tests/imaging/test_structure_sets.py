"""Masks of RTSTRUCT equal those of independent readers: the voxel mask that IBSI published of one, mirp, matplotlib.

Tolerance: none but for voxels whose centre a contour passes within 0.002 voxels, as the text of DICOM rounds it. mirp
(2.5) has another rule for the border, so that its masks differ there alone (Dice of at least 0.98).
"""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from mask_files import structure_set
from matplotlib.path import Path as Polygon

from her2radiomics.imaging import read_image, read_mask

SARCOMA = "sts_mr_t1/STS_002"
STRUCTURE = "GTV_Mass_MR_T1"


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def distance(centres: np.ndarray, points: np.ndarray) -> np.ndarray:
    """From each centre to the nearest point of a closed contour, in voxels."""
    starts, steps = points, np.roll(points, -1, axis=0) - points
    along = np.einsum("cpk,pk->cp", centres[:, None] - starts, steps) / (steps**2).sum(axis=1)
    nearest = starts + np.clip(along, 0, 1)[..., None] * steps
    return np.linalg.norm(centres[:, None] - nearest, axis=2).min(axis=1)


def by_us(folder) -> tuple[sitk.Image, np.ndarray]:
    image = read_image(folder / "dicom/image")
    mask = read_mask(folder / "dicom/mask/RS.dcm", image, STRUCTURE)
    return image, sitk.GetArrayFromImage(mask) != 0


@pytest.mark.real
def test_the_contours_of_a_sarcoma_give_the_mask_that_ibsi_published(real_data):
    """The mask in NIfTI was made from these contours by IBSI's authors."""
    image, ours = by_us(real_data / SARCOMA)
    published = sitk.ReadImage(str(real_data / SARCOMA / "nifti/mask/mask.nii.gz"))
    placed = sitk.Resample(published, image, sitk.Transform(), sitk.sitkNearestNeighbor)
    np.testing.assert_array_equal(ours, sitk.GetArrayFromImage(placed) != 0)
    assert np.count_nonzero(ours) == np.count_nonzero(sitk.GetArrayFromImage(published))


@pytest.mark.real
def test_the_contours_of_a_sarcoma_give_the_mask_of_mirp_but_for_its_border(real_data):
    mirp = pytest.importorskip("mirp", reason="needs mirp: pip install -r requirements.oracle.lock")
    folder = real_data / SARCOMA
    _, ours = by_us(folder)
    ((_, masks),) = mirp.extract_images(
        image=str(folder / "dicom/image"),
        mask=str(folder / "dicom/mask/RS.dcm"),
        roi_name=STRUCTURE,
        write_images=False,
        export_images=True,
        image_export_format="dict",
    )
    theirs = np.asarray(masks[0]["mask"]) != 0
    assert ours.shape == theirs.shape
    assert dice(ours, theirs) > 0.98
    image = sitk.GetImageFromArray(ours.view(np.uint8))
    inner, outer = sitk.BinaryErode(image, (1, 1, 0)), sitk.BinaryDilate(image, (1, 1, 0))
    border = sitk.GetArrayFromImage(outer) != sitk.GetArrayFromImage(inner)
    assert not np.any((ours != theirs) & ~border)


@pytest.mark.parametrize("seed", range(3))
def test_uneven_contours_with_a_hole_and_an_island_are_those_of_matplotlib(tmp_path, seed):
    """Random outlines on an oblique image; even-odd over the contours of a slice, as DICOM has holes."""
    generator = np.random.default_rng(seed)
    image = sitk.Image(64, 56, 9, sitk.sitkInt16)
    image.SetSpacing((0.75, 0.875, 2.5))
    image.SetOrigin((-61.5, 20.25, -33.0))
    image.SetDirection(sitk.Euler3DTransform((0, 0, 0), 0.3, -0.2, 0.4).GetMatrix())
    angles = np.linspace(0, 2 * np.pi, 41)[:-1]
    columns, rows = np.meshgrid(np.arange(64), np.arange(56))
    centres = np.column_stack([columns.ravel(), rows.ravel()])
    contours, expected, close = [], np.zeros((9, 56, 64), bool), np.zeros((9, 56, 64), bool)
    for z in range(2, 7):
        for x, y, radius in ((26.3, 27.1, 17.0), (24.2, 28.4, 6.0), (54.6, 12.7, 5.0)):
            lengths = radius * (1 + 0.2 * generator.uniform(-1, 1, angles.size))
            points = np.column_stack([x + lengths * np.cos(angles), y + lengths * np.sin(angles)])
            contours.append(np.column_stack([points, np.full(angles.size, z)]))
            expected[z] ^= Polygon(np.vstack([points, points[:1]])).contains_points(centres).reshape(56, 64)
            close[z] |= distance(centres, points).reshape(56, 64) < 0.002
    path = structure_set(tmp_path / "mask.dcm", image, {"GTV": contours})
    mask = sitk.GetArrayFromImage(read_mask(path, image)) != 0
    assert not np.any((mask != expected) & ~close)
    assert np.count_nonzero(close) <= 10  # of 4,000 voxels inside
    assert not expected[4, 28, 24] and expected[4, 27, 36] and expected[4, 12, 54]  # hole, lesion, island
