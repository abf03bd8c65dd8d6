"""Images and masks that can be computed but deserve a look: the one among its cohort is named, with the numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from her2radiomics.extraction import QC_COLUMNS, extract_case, write_rows
from her2radiomics.extraction.outliers import robust_distance
from her2radiomics.extraction.plausibility import compare_readings, measure_mask
from her2radiomics.extraction.tables import merge_qc

PARAMETERS = """
setting: {binCount: 32}
imageType: {Original: {}}
featureClass: {firstorder: [Mean]}
"""
CORONAL = (1, 0, 0, 0, 0, 1, 0, -1, 0)


def files(folder: Path, patient: str, seed: int, change: str) -> dict[str, str]:
    """Image and mask of a patient that is as the others, but for one thing."""
    voxels = np.random.default_rng(seed).normal(300, 60, (14, 26, 28)).clip(1)
    image = sitk.GetImageFromArray((voxels / 1000 if change == "units" else voxels).astype(np.float32))
    image.SetSpacing((0.9, 0.9, 4.5 if change == "spacing" else 2.5))
    image.SetDirection(CORONAL if change == "plane" else (1, 0, 0, 0, 1, 0, 0, 0, 1))
    drawn = np.zeros(voxels.shape, np.uint8)
    drawn[5 : 6 if change == "one slice" else 9, 9:15, 10:17] = 1
    mask = sitk.GetImageFromArray(drawn)
    mask.CopyInformation(image)
    if change == "crop":
        image, mask = image[6:22, 5:21, 3:11], mask[6:22, 5:21, 3:11]
    phase = 2 if change == "phase" else 1
    row = {"patient_id": patient, "sequence": "DCE1", "reader": "1", "region": "tumour", "mask_label": ""}
    row |= {"image": f"{folder}/{patient.lower()}_000{phase}.nii.gz", "mask": f"{folder}/{patient}_mask.nii.gz"}
    sitk.WriteImage(image, row["image"])
    sitk.WriteImage(mask, row["mask"])
    return row


def quality(folder: Path, change: str):
    """Quality control of twelve patients, of whom the last one differs."""
    (folder / "small.yaml").write_text(PARAMETERS, encoding="utf-8")
    paths = []
    for number in range(12):
        last = number == 11
        seed = 3 if last and change == "copy" else number
        row = files(folder, f"P{number:03}", seed, change if last else "")
        found = extract_case([row], regions=["tumour_slice"], parameters=folder / "small.yaml", root=folder)
        paths.append(folder / f"{number}.csv")
        write_rows(QC_COLUMNS, found.qc, paths[-1])
    return merge_qc(paths, ["DCE1"]).set_index("patient_id")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("units", ["mean intensity in the region 0.3", "robust SD from the sequence's median", "about 1,000, other units"]),
        ("spacing", ["spacing 4.5 mm along z", "from the sequence's median 2.5 (12 images)"]),
        ("crop", ["the image is a crop, 0.20 of the sequence's median field of view", "not interchangeable"]),
        ("plane", ["slices of the plane coronal, where 11 of 12 images of the sequence have axial"]),
        ("phase", ["a file called *_0002.nii.gz, where 11 of 12", "another phase?"]),
        ("copy", ["the same numbers as DCE1 of patient P003: one image under two names?"]),
        ("one slice", ["a mask of one slice, where the sequence's median is 4 slices"]),
    ],
)  # fmt: skip
def test_the_one_that_differs_is_named(tmp_path, change, words):
    table = quality(tmp_path, change)
    assert table.loc["P011", "status"] == "warned"
    for word in words:
        assert word in table.loc["P011", "reason"]
    others = [patient for patient in table.index if patient != "P011" and not (change == "copy" and patient == "P003")]
    assert set(table.loc[others, "status"]) == {"extracted"} and set(table.loc[others, "reason"]) == {""}


def test_a_cohort_whose_images_are_alike_has_no_warning(tmp_path):
    assert set(quality(tmp_path, "")["status"]) == {"extracted"}


def test_distance_is_from_the_median_in_units_of_the_mad():
    # median 3, absolute deviations 2 1 0 1 97: MAD 1
    found = robust_distance(np.array([1.0, 2.0, 3.0, 4.0, 100.0]), 0.0)
    np.testing.assert_allclose(found, np.array([-2, -1, 0, 1, 97]) / 1.4826)
    np.testing.assert_allclose(robust_distance(np.array([5.0, 5.0, 5.0, 6.0]), 0.5), [0, 0, 0, 2])


def placed(*blocks: tuple[slice, slice, slice], spacing=(1.0, 1.0, 2.0)) -> sitk.Image:
    voxels = np.zeros((20, 60, 60), np.uint8)
    for block in blocks:
        voxels[block] = 1
    mask = sitk.GetImageFromArray(voxels)
    mask.SetSpacing(spacing)
    return mask


LESION = (slice(4, 8), slice(10, 16), slice(10, 16))
NOISE = sitk.GetImageFromArray(np.random.default_rng(1).normal(100, 9, (20, 60, 60)).astype(np.float32))


def test_parts_and_their_distance():
    # from y = 15 to y = 40 along y alone: 25 mm; the corners that touch are one part
    touching = (slice(8, 9), slice(16, 17), slice(16, 17))
    far = (slice(5, 6), slice(40, 42), slice(12, 13))
    found = measure_mask(placed(LESION, touching, far), NOISE)
    assert (found.components, found.parts_distance_mm, found.mask_slices) == (2, pytest.approx(25.0), 5)
    assert found.image_share == (4 * 36 + 1 + 2) / (20 * 60 * 60)
    assert found.warnings == (
        "the mask has 2 parts, up to 25.0 mm from the largest one, the smallest of 2 voxels: stray voxels, or more than "
        "the lesion?",
    )


def test_a_satellite_close_by_is_measured_without_a_warning():
    found = measure_mask(placed(LESION, (slice(5, 7), slice(20, 23), slice(10, 13))), NOISE)
    assert (found.components, found.parts_distance_mm, found.warnings) == (2, pytest.approx(5.0), ())


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (placed((slice(0, 20), slice(0, 40), slice(0, 40))), "covers 44% of the image"),
        (placed((slice(2, 18), slice(10, 40), slice(10, 40)), spacing=(3.0, 3.0, 3.0)), "holds 389 ml"),
        (placed(LESION, (slice(10, 12), slice(10, 16), slice(10, 16))), "2 slices without an outline"),
    ],
)
def test_what_is_no_outline_of_a_lesion(mask, words):
    assert any(words in warning for warning in measure_mask(mask, NOISE).warnings)


def test_readings_that_are_copies_or_of_another_lesion():
    other = placed((slice(5, 9), slice(40, 46), slice(10, 16)))
    found = compare_readings({"1": placed(LESION), "2": placed(LESION), "3": other, "4": other}, "1")
    assert {reader: dice for reader, (dice, _) in found.items()} == {"1": None, "2": 1.0, "3": 0.0, "4": 0.0}
    warnings = {reader: warnings for reader, (_, warnings) in found.items()}
    assert [len(warnings[reader]) for reader in "1234"] == [0, 1, 1, 1]
    assert "an exact copy of that of reader 1" in warnings["2"][0]
    assert "Dice coefficient of 0.00" in warnings["3"][0]
    assert "an exact copy of that of reader 3" in warnings["4"][0]
