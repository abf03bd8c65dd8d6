"""Measures of phases, b-values and outlines: by hand, by PyRadiomics, and by the maps of a public case."""

from __future__ import annotations

import math

import numpy as np
import pytest

from her2radiomics.core.errors import CaseError
from her2radiomics.imaging import kinetics
from her2radiomics.imaging.diffusion import adc_map
from her2radiomics.imaging.extent import cross_section_cm2, maximum_diameter_mm, slice_diameter_mm, volume_cm3

sitk = pytest.importorskip("SimpleITK")
#: 100 before; 150, 220 early; 210, 180 late: worked out below.
CURVE = kinetics.Curve.of({0: 100, 30: 150, 90: 220, 150: 210, 270: 180})


def test_a_curve_by_hand():
    assert CURVE.peak(120) == (90, 220)
    assert CURVE.peak(60) == (30, 150)
    assert CURVE.peak() == (90, 220)
    assert CURVE.enhancement(220) == pytest.approx(120)  # (220 − 100) / 100
    change, minutes = CURVE.late_change(120)
    assert change == pytest.approx(-100 * 40 / 220)  # (180 − 220) / 220
    assert minutes == 3  # 90 s to 270 s
    change, minutes = CURVE.late_change(120, until=200)
    assert (change, minutes) == (pytest.approx(-100 * 10 / 220), 1)  # (210 − 220) / 220, 90 s to 150 s


@pytest.mark.parametrize(("change", "expected"), [(10.1, 0), (10, 1), (0, 1), (-10, 1), (-10.1, 2), (55, 0), (-55, 2)])
def test_types_by_birads(change, expected):
    assert kinetics.curve_type(change) == expected


def test_a_wider_plateau():
    assert [kinetics.curve_type(change, 20) for change in (21, 15, -15, -21)] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({30: 100, 90: 200}, "no phase before the injection"),
        ({-60: 100, 0: 110}, "no phase after the injection"),
        ({0: 0, 90: 200}, "a mean signal of 0 before the injection"),
    ],
)
def test_curves_that_cannot_be_read(signals, said):
    with pytest.raises(CaseError, match=said):
        kinetics.Curve.of(signals)


def test_the_last_phase_before_the_injection_is_the_baseline():
    assert kinetics.Curve.of({-120: 90, -30: 100, 60: 200}).before == 100


def test_parts_of_a_curve_without_a_phase():
    with pytest.raises(CaseError, match="no phase in the first 20 s"):
        CURVE.peak(20)
    with pytest.raises(CaseError, match="no phase after 300 s"):
        CURVE.late_change(300)
    with pytest.raises(CaseError, match="no phase after 120 s and up to 140 s"):
        CURVE.late_change(120, 140)


def test_early_and_late_phases_are_the_nearest():
    times = [-230, 177, 531]  # UCSF-BR-06
    assert kinetics.nearest_phases(times, 150, 450) == (177, 531)
    assert kinetics.nearest_phases([0, 60, 120, 180, 240], 150, 450) == (120, 240)  # of two equally near the first
    with pytest.raises(CaseError, match="one phase nearest to both"):
        kinetics.nearest_phases([0, 60], 150, 450)


def test_enhancement_and_its_ratio_by_hand():
    before, early, late = (np.array(v, float) for v in ([100, 50, 0, 100], [170, 150, 9, 90], [240, 100, 9, 100]))
    percent = kinetics.percent_enhancement(before, early)
    assert percent[[0, 1, 3]] == pytest.approx([70, 200, -10])
    assert np.isnan(percent[2])
    ratio = kinetics.signal_enhancement_ratio(before, early, late)
    assert ratio[:3] == pytest.approx([0.5, 2, 1])  # 70/140, 100/50, 9/9
    assert np.isnan(ratio[3])  # −10 / 0


def test_functional_tumour_volume_by_hand():
    """A block of 2 × 2 × 2 voxels: each has seven neighbours; then what takes voxels out of it."""
    before = np.full((4, 4, 4), 100.0)
    early, late = before.copy(), before.copy()
    block = (slice(1, 3), slice(1, 3), slice(1, 3))
    early[block], late[block] = 170.0, 200.0
    region = np.ones_like(before, dtype=bool)
    assert kinetics.functional_tumour(before, early, late, region).sum() == 8
    assert kinetics.functional_tumour(before, early, late, region, enhancing=71).sum() == 0
    assert kinetics.functional_tumour(before, early, late, region, ratio_above=0.7).sum() == 0  # 70 / 100
    inside = region.copy()
    inside[1] = False
    assert kinetics.functional_tumour(before, early, late, inside).sum() == 4
    late[1, 1, 1] = 90.0  # falls below its start: the ratio is negative
    assert kinetics.functional_tumour(before, early, late, region).sum() == 7
    early[1, 1, 2] = early[1, 2, 1] = 100.0  # five are left, each with four neighbours
    assert kinetics.functional_tumour(before, early, late, region).sum() == 5
    early[1, 2, 2] = 100.0  # four, each with three
    assert kinetics.functional_tumour(before, early, late, region).sum() == 0
    before[block] = 59.0  # dark: below 60 % of the 95th percentile, which is 100
    early[block], late[block] = 200.0, 300.0
    assert kinetics.functional_tumour(before, early, late, region).sum() == 0
    before[block] = 60.0
    assert kinetics.functional_tumour(before, early, late, region).sum() == 8


def test_the_spot_is_the_first_square_of_the_largest_or_smallest_mean():
    values = np.zeros((2, 5, 6))
    values[1, 1:4, 2:5] = 5
    values[1, 2, 3] = 9
    region = np.ones_like(values, dtype=bool)
    found = kinetics.spot(values, region, largest=True)
    assert found.sum() == 9 and found[1, 1:4, 2:5].all()
    low = kinetics.spot(values, region, largest=False)
    assert low[0, 0:3, 0:3].all() and low.sum() == 9
    values[1, 2, 3] = np.nan  # no square may hold it
    found = kinetics.spot(values, region, largest=True)
    assert found.sum() == 9 and not found[1, 2, 3]
    with pytest.raises(CaseError, match="no 3 × 3 voxels"):
        kinetics.spot(values, region & (np.arange(6) < 2), largest=True)


def test_adc_of_two_b_values_by_hand():
    low, high = np.array([1000.0, 1000.0, 0.0]), np.array([1000 * math.exp(-0.8), 500.0, 10.0])
    found = adc_map({0: low, 800: high})
    assert found[0] == pytest.approx(1.0)
    assert found[1] == pytest.approx(1000 * math.log(2) / 800)
    assert np.isnan(found[2])
    assert adc_map({50: low, 850: high})[0] == pytest.approx(1.0)


def test_adc_of_three_b_values_is_the_least_squares_slope():
    # b − mean: −1400/3, −200/3, 1600/3; ln S − mean: 0.46667, −0.03333, −0.43333; slope −446.667 / 506,666.7
    images = {b: np.array([math.exp(y)]) for b, y in ((0, 7.0), (400, 6.5), (1000, 6.1))}
    assert adc_map(images)[0] == pytest.approx(446.6666667 / 506.6666667, rel=1e-8)
    with pytest.raises(CaseError, match="images of 1 b-value;"):
        adc_map({800: images[0]})


def test_extents_of_a_block_by_hand():
    region = np.zeros((4, 6, 8), dtype=bool)
    region[1:3, 1:4, 2:6] = True  # 4 × 3 × 2 voxels of 1 × 2 × 3 mm
    spacing = (1.0, 2.0, 3.0)
    assert volume_cm3(region, spacing) == pytest.approx(24 * 6 / 1000)
    assert cross_section_cm2(region, spacing) == pytest.approx(12 * 2 / 100)
    # the surface: faces' middles. In a slice from (−0.5, 0) to (3.5, 4): √(4² + 4²), or x 0 to 3, y −1 to 5: √(9 + 36)
    assert slice_diameter_mm(region, spacing) == pytest.approx(math.sqrt(45))
    # between slices: x 0 to 3, y 0 to 4, z −1.5 to 4.5: √(9 + 16 + 36); or y −1 to 5, z 0 to 3: √(9 + 36 + 9)
    assert maximum_diameter_mm(region, spacing) == pytest.approx(math.sqrt(61))
    one = np.zeros((1, 3, 4), dtype=bool)
    one[0, 1, 1:3] = True
    assert slice_diameter_mm(one, spacing) == pytest.approx(math.sqrt(5))  # x 0 to 1, y −1 to 1
    assert maximum_diameter_mm(np.zeros((2, 2, 2), dtype=bool), spacing) == 0


@pytest.mark.parametrize("seed", range(3))
def test_diameters_are_those_of_pyradiomics(seed):
    """PyRadiomics 3 measures them on the mesh of marching cubes; tolerance 1e-9."""
    shape = pytest.importorskip("radiomics.shape")
    random = np.random.default_rng(seed)
    noise = sitk.GetArrayFromImage(sitk.DiscreteGaussian(sitk.GetImageFromArray(random.normal(size=(9, 20, 22))), 4.0))
    region = noise > np.percentile(noise, 90)
    region[0] = region[-1] = False
    region[:, [0, -1]] = region[:, :, [0, -1]] = False
    spacing = (0.8, 0.9, 2.5)
    mask = sitk.GetImageFromArray(region.astype(np.uint8))
    mask.SetSpacing(spacing)
    found = shape.RadiomicsShape(mask, mask)
    assert maximum_diameter_mm(region, spacing) == pytest.approx(found.getMaximum3DDiameterFeatureValue(), rel=1e-9)
    by_slice = found.getMaximum2DDiameterSliceFeatureValue()
    assert slice_diameter_mm(region, spacing) == pytest.approx(by_slice, rel=1e-9)


@pytest.fixture(scope="module")
def public(real_data) -> dict[str, np.ndarray]:
    """UCSF-BR-06 (MAMA-MIA's NACT_06): phases at −230, 177 and 531 s, and the collection's own maps."""
    case = real_data / "breast_mri_nact_pilot"
    files = {f"phase{k}": f"mama_mia_layout/images/NACT_06/nact_06_000{k}.nii.gz" for k in range(3)}
    files |= {name: f"maps/NACT_06/nact_06_{name}.nii.gz" for name in ("pe1", "ser")}
    files |= {name: f"mama_mia_layout/segmentations/{name}/NACT_06.nii.gz" for name in ("voi", "ftv_pe70", "ftv_ser09")}
    return {
        name: sitk.GetArrayFromImage(sitk.ReadImage(str(case / path))).astype(float) for name, path in files.items()
    }


@pytest.mark.real
def test_percent_enhancement_is_the_collections(public):
    """Their map is cut to whole percent, and 0 below their background."""
    shown = public["pe1"] > 0
    mine = kinetics.percent_enhancement(public["phase0"], public["phase1"])
    assert np.array_equal(np.floor(mine[shown] + 1e-9), public["pe1"][shown])


@pytest.mark.real
def test_signal_enhancement_ratio_is_the_collections(public):
    """Their map is rounded to 0.001 and limited to 3."""
    tumour = public["ftv_pe70"] > 0
    mine = kinetics.signal_enhancement_ratio(*(public[f"phase{k}"] for k in range(3)))
    assert np.abs(np.minimum(mine, 3) - public["ser"])[tumour].max() < 0.0006


@pytest.mark.real
def test_functional_tumour_volume_is_the_collections(public):
    phases, voi = [public[f"phase{k}"] for k in range(3)], public["voi"] > 0
    mine = kinetics.functional_tumour(*phases, voi)
    assert np.array_equal(mine, public["ftv_pe70"] > 0)
    assert mine.sum() == 41105
    assert volume_cm3(mine, (0.703125, 0.703125, 2.0)) == pytest.approx(40.64, abs=0.005)
    # ratios above 0.9; they compare ratios rounded to 0.001: 60 voxels of 0.9 to 0.9005
    strong = kinetics.functional_tumour(*phases, voi, ratio_above=0.9)
    theirs = public["ftv_ser09"] > 0
    assert not (strong & ~theirs).any()
    assert (theirs & ~strong).sum() <= 60
