"""Outlines and images changed on purpose: volumes, shifts and noise against what can be calculated by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk

from her2radiomics.core.errors import CaseError
from her2radiomics.core.seeds import stream
from her2radiomics.core.settings import validate
from her2radiomics.extraction import extract_features
from her2radiomics.extraction.options import Alteration
from her2radiomics.imaging.perturbation import (
    border_distance,
    grown,
    other_place,
    shifted,
    shuffled,
    tissue_of,
    with_contour_noise,
    with_noise,
)

SPACING = (0.7, 0.7, 1.5)  # x, y, z in mm


def ball(radius: float, spacing=SPACING, half=(22.0, 22.0, 22.0)) -> np.ndarray:
    """Voxels whose centre lies within a ball around the image's middle, shape (z, y, x)."""
    axes = [np.arange(-h, h + s / 2, s) for h, s in zip(half, spacing, strict=True)][::-1]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    return z**2 + y**2 + x**2 <= radius**2


def volume(mask: np.ndarray, spacing=SPACING) -> float:
    return float(mask.sum() * np.prod(spacing))


@pytest.mark.parametrize("spacing", [SPACING, (1.0, 1.0, 1.0), (0.5, 0.5, 3.0)])
@pytest.mark.parametrize("mm", [-3.0, -1.0, 1.0, 2.5])
def test_a_ball_has_the_volume_of_its_new_radius(spacing, mm):
    """4/3 π (r ± mm)³, the radius to a quarter of the largest voxel edge: of where a centre lies, a mask knows no more."""
    drawn = grown(ball(14.0, spacing), spacing, mm)
    radius = (volume(drawn, spacing) * 3 / (4 * math.pi)) ** (1 / 3)
    assert radius == pytest.approx(14.0 + mm, abs=0.25 * max(spacing))


def test_the_faces_of_a_box_by_hand():
    """Voxels of 1 x 1 x 2 mm: neighbours' centres lie half a voxel from the border, 0.5 or 1 mm, the next 1.5 and 3 mm."""
    mask = np.zeros((15, 24, 26), bool)
    mask[5:10, 7:17, 8:18] = True

    def spans(mm: float, z: float = 2.0) -> list[int]:
        drawn = grown(mask, (1.0, 1.0, z), mm)
        return [int(line.sum()) for line in (drawn[:, 12, 13], drawn[7, :, 13], drawn[7, 12])]

    assert spans(0.4) == spans(-0.4) == [5, 10, 10]
    assert spans(1.0) == [7, 12, 12]
    assert spans(1.0, z=2.2) == [5, 12, 12]
    assert spans(-1.0, z=2.2) == [5, 8, 8]
    assert spans(-1.2) == [3, 8, 8]
    assert spans(3.2) == [9, 16, 16]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_or_filled_by_a_change_of_nothing(seed):
    mask = np.random.default_rng(seed).random((8, 20, 20)) < 0.3
    np.testing.assert_array_equal(grown(mask, SPACING, 1e-9), mask)
    np.testing.assert_array_equal(shifted(mask, SPACING, (0.0, 0.0, 0.0)), mask)


def test_the_distance_is_half_a_voxel_on_both_sides_of_a_border():
    mask = np.zeros((4, 5, 12), bool)
    mask[:, :, 6:] = True
    np.testing.assert_allclose(border_distance(mask, (0.8, 1.0, 3.0))[2, 2], 0.8 * (np.arange(12) - 5.5), atol=1e-12)


def test_an_outline_at_the_edge_of_the_image_has_its_border_there():
    mask = np.zeros((6, 8, 8), bool)
    mask[:, :5, :] = True
    drawn = grown(mask, (1.0, 1.0, 1.0), -1.0)
    wanted = np.zeros_like(mask)
    wanted[1:-1, 1:4, 1:-1] = True
    assert (drawn & wanted).sum() == drawn.sum() > 0.8 * wanted.sum(), "corners are rounded"
    assert drawn[1:-1, 2, 4].all() and drawn[3, 1:4, 4].all() and drawn[3, 2, 1:-1].all()


def test_a_shift_by_whole_voxels_is_exact():
    mask = ball(9.0)
    moved = shifted(mask, SPACING, (2 * 0.7, -3 * 0.7, 1.5))
    np.testing.assert_array_equal(moved, np.roll(mask, (1, -3, 2), (0, 1, 2)))
    assert not shifted(mask, SPACING, (500.0, 0.0, 0.0)).any()


@pytest.mark.parametrize("vector", [(0.3, 0.0, 0.0), (0.25, -0.45, 0.0), (0.0, 0.0, 0.6)])
def test_a_shift_by_part_of_a_voxel_moves_the_middle_by_as_much(vector):
    mask = ball(12.0)
    middles = [np.argwhere(m).mean(axis=0)[::-1] * SPACING for m in (mask, shifted(mask, SPACING, vector))]
    assert (np.abs(middles[1] - middles[0] - vector) < 0.25 * np.array(SPACING) * (np.array(vector) != 0) + 0.01).all()


def test_features_of_a_repeating_image_stay_where_the_outline_moves_by_a_period(tmp_path):
    tile = np.random.default_rng(3).normal(100, 30, (6, 8, 8))
    image = sitk.GetImageFromArray(np.tile(tile, (1, 8, 8)))
    image.SetSpacing((0.5, 0.5, 2.0))
    mask = np.zeros((6, 64, 64), bool)
    mask[1:5, 25:36, 26:37] = True
    masks = {}
    moved = shifted(mask, (0.5, 0.5, 2.0), (4.0, -4.0, 0.0))
    for name, voxels in (("here", mask), ("there", moved)):
        masks[name] = sitk.GetImageFromArray(voxels.astype(np.uint8))
        masks[name].CopyInformation(image)
    assert not (mask & moved).all()
    file = tmp_path / "p.yaml"
    file.write_text("setting: {binWidth: 10}\nimageType: {Original: {}, Wavelet: {}}\nfeatureClass: {}\n")
    table = extract_features(image, masks, file)
    placed = [name for name in table.columns if "shape" not in name]  # a shape's eigenvalues are of coordinates
    np.testing.assert_allclose(table.loc["there", placed], table.loc["here", placed], rtol=1e-9)


def test_the_border_wanders_by_the_standard_deviation_and_the_length_asked_for():
    """A plane border: heights have the SD, and correlate at a lag d as a Gaussian kernel of width L does, exp(-d²/4L²)."""
    spacing, sd, length = (0.5, 0.5, 0.2), 0.8, 4.0
    mask = np.zeros((60, 160, 160), bool)
    mask[:30] = True
    heights = np.concatenate(
        [
            with_contour_noise(mask, spacing, sd, length, stream(5, str(n), "test"))[15:, 10:-10, 10:-10].sum(axis=0)
            * 0.2
            for n in range(3)
        ]
    )
    assert heights.mean() == pytest.approx(3.0, abs=0.15)
    assert heights.std() == pytest.approx(sd, rel=0.15)
    lag = 8  # voxels: 4 mm
    assert np.corrcoef(heights[:, :-lag].ravel(), heights[:, lag:].ravel())[0, 1] == pytest.approx(
        math.exp(-(4.0**2) / (4 * length**2)), abs=0.12
    )


def test_noise_has_the_standard_deviation_asked_for():
    voxels = np.random.default_rng(1).integers(0, 800, (20, 40, 40)).astype(np.int16)
    inside = np.zeros(voxels.shape, bool)
    inside[5:9, 10:20, 10:20] = True
    added = with_noise(voxels, inside, 0.25, stream(1, "P1", "noise")) - voxels
    wanted = 0.25 * voxels[inside].astype(float).std()
    n = added.size
    # the sample SD's own standard error is SD / (2n)^0.5
    assert added.std() == pytest.approx(wanted, abs=4 * wanted / math.sqrt(2 * n))
    assert abs(added.mean()) < 4 * wanted / math.sqrt(n)


def test_every_region_keeps_its_grey_levels_when_voxels_are_shuffled():
    voxels = np.random.default_rng(2).integers(0, 5000, (10, 20, 20)).astype(np.int16)
    tumour = np.zeros(voxels.shape, bool)
    tumour[2:7, 4:12, 5:13] = True
    piece = tumour.copy()
    piece[:4] = piece[5:] = False
    changed = shuffled(voxels, [tumour, piece], stream(0, "P1", "shuffled_voxels T2"))
    assert changed.dtype == voxels.dtype
    for region in (tumour, piece, tumour & ~piece):
        np.testing.assert_array_equal(np.sort(changed[region]), np.sort(voxels[region]))
        assert (changed[region] != voxels[region]).mean() > 0.9
    np.testing.assert_array_equal(changed[~tumour], voxels[~tumour])


def test_another_place_is_free_and_in_the_same_slices_where_there_is_one():
    region = np.zeros((5, 30, 30), bool)
    region[2, 10:16, 10:14] = True
    whole = region.copy()
    whole[1:4, 9:17, 9:15] = True
    tissue = np.ones_like(region)
    tissue[:, :, 22:] = False
    asked = []

    def free(index: int) -> np.ndarray:
        asked.append(index)
        return tissue[index] & ~whole[index]

    places = {other_place(region, whole, free, stream(1, str(n), "place")) for n in range(40)}
    assert len(places) > 20, "drawn, not always the first"
    for step in places:
        moved = np.roll(region, step, (0, 1, 2))
        assert step[0] == 0 and (moved & tissue & ~whole).sum() == region.sum()
        rows, columns = np.nonzero(np.roll(whole, step, (0, 1, 2)).any(axis=0))
        assert (np.ptp(rows), np.ptp(columns)) == (7, 5), "the whole outline stays within the image"
    assert set(asked) == {2}
    tissue[2] = False  # nothing is free in these slices
    step = other_place(region, whole, free, stream(1, "P1", "place"))
    assert step[0] == -1 and (np.roll(region, step, (0, 1, 2)) & tissue & ~whole).sum() == region.sum()
    tissue[:] = False
    with pytest.raises(CaseError, match="no place in other tissue"):
        other_place(region, whole, free, stream(1, "P1", "place"))


def test_tissue_is_the_breast_mask_or_what_is_no_air():
    random = np.random.default_rng(0)
    voxels = random.rayleigh(8, (4, 60, 60)).astype(np.float32)
    voxels[:, 3:50, 10:50] += 60  # suppressed fat
    voxels[:, 20:40, 20:40] += 900  # glands
    voxels[:, 25:29, 25:29] = 5  # a cyst without signal is enclosed
    image = sitk.GetImageFromArray(voxels)
    for factor in (1.0, 1e-6):  # whatever the unit
        tissue = tissue_of(image * factor, None)
        for index in (0, 3):
            found = tissue(index)
            assert found[6:47, 13:47].all() and found[3:50, 10:50].sum() == found.sum(), "all of it, and no air"
            assert not found[0].any(), "at the image's edge there is air too"
    breast = sitk.GetImageFromArray((voxels > 50).astype(np.uint8))
    np.testing.assert_array_equal(tissue_of(image, breast)(2), voxels[2] > 50)


def test_noise_that_would_tear_an_outline_is_refused():
    rough = {"perturb": {"kind": "contour_noise", "sd_mm": 2, "length_mm": 3}}
    with pytest.raises(Exception, match="length of at least 2 sd_mm"):
        validate(Alteration, rough, "changes")
    with pytest.raises(Exception, match="perturb.*'wobble'"):
        validate(Alteration, {"perturb": {"kind": "wobble"}}, "changes")
