"""Signal equations by hand calculation, kinetics, random fields and sampling weights against their definitions."""

import dataclasses
import math

import numpy as np
import pytest

from her2radiomics.imaging.fields import apply_axes, slice_weights, smooth_field
from her2radiomics.simulation.acquisition import TYPICAL
from her2radiomics.simulation.biology import biology, late_change, phase_minutes
from her2radiomics.simulation.kinetics import (
    TISSUES,
    concentration,
    diffusion_attenuation,
    relaxivity,
    spin_echo,
    spoiled_gradient_echo,
)
from her2radiomics.simulation.lesion import solid
from her2radiomics.simulation.settings import CentreSettings, DynamicTiming, TumourSettings
from her2radiomics.simulation.traits import HETEROGENEITY_LOADINGS, TRAITS, draw_traits


def test_spoiled_gradient_echo_by_hand():
    """M₀ 1, T₁ 1000 ms, T₂ 100 ms, C 1 mM at 1.5 T (r₁ 4.1, r₂ 4.6), TR 5, TE 2 ms, α 10°.

    R₁ = 0.001 + 0.0041 = 0.0051/ms, E₁ = exp(−0.0255) = 0.97482; R₂ = 0.01 + 0.0046, exp(−0.0292) = 0.97122;
    S = 0.173648 · 0.025178 / (1 − 0.984808 · 0.974822) · 0.971222 = 0.106163
    """
    signal = spoiled_gradient_echo(
        1.0, 1000.0, 100.0, 1.0, field_strength_t=1.5, repetition_ms=5.0, echo_ms=2.0, flip_deg=10.0
    )
    assert signal == pytest.approx(0.173648 * 0.025178 / (1 - 0.984808 * 0.974822) * 0.971222, rel=1e-4)
    assert signal == pytest.approx(0.10617, rel=1e-3)


def test_spin_echo_and_diffusion_by_hand():
    """(1 − e⁻⁴) · e⁻¹ = 0.361142; exp(−800 · 0.001 · 1.25) = e⁻¹."""
    assert spin_echo(1.0, 1000.0, 80.0, repetition_ms=4000.0, echo_ms=80.0) == pytest.approx(0.361142, rel=1e-5)
    assert diffusion_attenuation(1.25, 800.0) == pytest.approx(math.exp(-1))


def test_concentration_by_hand():
    """Two minutes, 0.2 mmol/kg, plateau 0.5 mM, rates 1 and 0.1 per min: 2 · 0.5 · (1 − e⁻²) · e⁻⁰·² = 0.707928."""
    assert concentration(2.0, 0.2, 0.5, 1.0, 0.1) == pytest.approx(0.707928, rel=1e-5)
    assert concentration(-0.5, 0.2, 0.5, 1.0, 0.1) == 0.0


def test_phases_are_timed_from_the_injection():
    """Phases of 60 s: the middle of the third lies at 150 s, and 30 s later at 180 s; phase 0 before the injection."""
    timing = {"phases": 6, "phase_seconds": 60}
    made = CentreSettings.model_construct(dynamic=DynamicTiming(**timing))
    later = CentreSettings.model_construct(dynamic=DynamicTiming(**timing, delay_seconds=30))
    assert phase_minutes(made, 3) == pytest.approx(150 / 60)
    assert phase_minutes(later, 3) == pytest.approx(3.0)
    for centre in (made, later):
        assert phase_minutes(centre, 0) <= 0


def test_area_and_volume_of_the_planted_ellipsoid():
    """Radius 12 mm: 4/3 π 12³ mm³ = 7.238 cm³; relative half axes in the axial plane 1.1 and 0.9: π·1.2²·0.99 cm²."""
    body = dataclasses.replace(TYPICAL, radius_mm=12.0, axes=(1 / 0.99, 1.1, 0.9))
    assert body.volume_cm3 == pytest.approx(7.238, abs=1e-3)
    assert body.area_cm2 == pytest.approx(math.pi * 1.44 * 0.99)


def test_relaxivities_agree_with_an_independent_measurement():
    """Gd-DTPA in whole blood at 37 °C, Shen et al., Invest Radiol 2015;50:330: r₁ 4.3 ± 0.4 at 1.5 T, 3.8 ± 0.2 at 3 T."""
    assert relaxivity(1.5)[0] == pytest.approx(4.3, abs=0.4)
    assert relaxivity(3.0)[0] == pytest.approx(3.8, abs=0.2)
    between = relaxivity(2.25)
    assert between == pytest.approx(np.mean([relaxivity(1.5), relaxivity(3.0)], axis=0))


def test_signal_rises_with_dose_and_longer_t1_lowers_it():
    tumour = TISSUES["tumour"]
    echo = {"field_strength_t": 3.0, "repetition_ms": 5.0, "echo_ms": 2.3, "flip_deg": 10.0}
    doses = [concentration(1.5, dose, 0.42, 1.5, 0.07) for dose in (0.0, 0.05, 0.1, 0.2, 0.3)]
    signals = [spoiled_gradient_echo(1.0, tumour.t1(3.0), tumour.t2(3.0), c, **echo) for c in doses]
    assert np.all(np.diff(signals) > 0)
    assert spoiled_gradient_echo(1.0, 2 * tumour.t1(3.0), tumour.t2(3.0), 0.0, **echo) < signals[0]


def test_curve_types_follow_wash_out():
    centre = CentreSettings.model_validate(
        {
            "counts": {},
            "field_strength_t": 3.0,
            "dose_mmol_kg": 0.1,
            "dynamic": {"phases": 5, "phase_seconds": 60},
            "voxels": {name: {"in_plane_mm": 1, "slice_mm": 2} for name in ("dce", "t2", "dwi")},
            "snr": {"dce": 30, "t2": 30, "dwi": 10},
        }
    )
    traits = dict.fromkeys(TRAITS, 0.0)
    changes = []
    for wash_out, exchange in ((-2.0, -2.0), (0.0, 0.0), (2.0, 1.0)):
        body = biology(traits | {"wash_out": wash_out, "exchange": exchange}, TumourSettings(), 1, "a")
        changes.append(late_change(body, centre))
    assert changes[0] > 0.1 > abs(changes[1]) and changes[2] < -0.1


def test_curve_types_do_not_depend_on_the_number_of_phases():
    body = biology(dict.fromkeys(TRAITS, 0.0) | {"wash_out": 1.0}, TumourSettings(), 1, "a")
    made = {
        phases: CentreSettings.model_construct(
            field_strength_t=3.0, dose_mmol_kg=0.1, dynamic=DynamicTiming(phases=phases, phase_seconds=60)
        )
        for phases in (5, 8)
    }
    assert late_change(body, made[5]) == late_change(body, made[8]) != late_change(body, made[5], 7.0)


def test_traits_are_standard_normal_with_the_given_correlations():
    drawn = np.array([list(draw_traits(1, f"p{i}", HETEROGENEITY_LOADINGS).values()) for i in range(3000)])
    # 3000 draws: SE of a mean 0.018, of an SD 0.013, of a correlation 0.018 at most
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=0.075)
    np.testing.assert_allclose(drawn.std(axis=0), 1, atol=0.055)
    correlation = np.corrcoef(drawn.T)[0]
    for trait, loading in HETEROGENEITY_LOADINGS.items():
        assert correlation[TRAITS.index(trait)] == pytest.approx(loading, abs=0.07)
    assert abs(correlation[TRAITS.index("size")]) < 0.07


def test_smooth_field_has_unit_variance_and_the_wanted_smoothness():
    """A Gaussian kernel of width σ gives the autocorrelation exp(−d²/4σ²): 0.779 at d = σ."""
    rng = np.random.default_rng(0)
    fields = np.stack([smooth_field(rng, (24, 40, 40), (2.0, 1.0, 1.0), 4.0) for _ in range(60)])
    assert fields.dtype == np.float32
    assert fields.mean() == pytest.approx(0, abs=0.05)
    np.testing.assert_allclose(fields.var(axis=(0, 2, 3)), 1, atol=0.2)
    for axis, steps in ((1, 2), (2, 4), (3, 4)):
        ahead = np.take(fields, range(steps, fields.shape[axis]), axis=axis)
        behind = np.take(fields, range(fields.shape[axis] - steps), axis=axis)
        assert np.mean(ahead * behind) == pytest.approx(math.exp(-0.25), abs=0.06)


def test_sampling_weights_sum_to_one_and_keep_a_ramp():
    truth = np.arange(40.0)
    voxel = np.arange(4.0, 36.0, 1.6)
    for box in (True, False):
        weights = slice_weights(truth, voxel, 1.6, box=box)
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(weights @ truth, voxel, atol=0.05 if not box else 0.12)


def test_box_weights_are_overlaps():
    """A 3 mm slice centred on a 1 mm sample covers that sample and its neighbours wholly: a third each."""
    weights = slice_weights(np.arange(9.0), np.array([4.0]), 3.0, box=True).toarray()[0]
    np.testing.assert_allclose(weights, [0, 0, 0, 1 / 3, 1 / 3, 1 / 3, 0, 0, 0], atol=1e-7)


def test_apply_axes_is_the_outer_product_in_any_order():
    rng = np.random.default_rng(1)
    volume = rng.standard_normal((5, 6, 7)).astype(np.float32)
    weights = [slice_weights(np.arange(float(n)), np.arange(0.5, n - 1, 1.5), 1.5, box=True) for n in volume.shape]
    wanted = np.einsum("az,by,cx,zyx->abc", *(w.toarray() for w in weights), volume)
    for order in ((0, 1, 2), (2, 1, 0)):
        np.testing.assert_allclose(apply_axes(volume, weights, order), wanted, atol=1e-5)


def test_solid_keeps_the_largest_piece_and_fills_holes():
    mask = np.zeros((7, 7, 7), dtype=bool)
    mask[1:6, 1:6, 1:6] = True
    wanted = mask.copy()
    mask[3, 3, 3] = False
    mask[0, 0, 0] = True
    np.testing.assert_array_equal(solid(mask), wanted)
    assert not solid(np.zeros((3, 3, 3), dtype=bool)).any()
