"""Contrast kinetics and signal equations of the sequences, with tissue constants. Needs numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = float | NDArray[np.floating]


@dataclass(frozen=True)
class Tissue:
    """A tissue: proton density relative to water, T1 and T2 at 1.5 T and 3 T, ADC in 10⁻³ mm²/s."""

    proton_density: float
    t1_ms: tuple[float, float]
    t2_ms: tuple[float, float]
    adc: float

    def t1(self, field_strength_t: float) -> float:
        """Longitudinal relaxation time, in ms, interpolated between 1.5 T and 3 T."""
        return float(np.interp(field_strength_t, (1.5, 3.0), self.t1_ms))

    def t2(self, field_strength_t: float) -> float:
        """Transverse relaxation time, in ms, interpolated between 1.5 T and 3 T."""
        return float(np.interp(field_strength_t, (1.5, 3.0), self.t2_ms))


# gland, fat: Rakow-Penner et al., J Magn Reson Imaging 2006;23:87-91.
# muscle, blood: Stanisz et al., Magn Reson Med 2005;54:507-512.
# tumour, necrosis, skin, rib cage, all proton densities and ADC: chosen (docs/simulation.md).
TISSUES: dict[str, Tissue] = {
    "gland": Tissue(0.85, (1266.0, 1445.0), (57.5, 54.4), 1.90),
    "fat": Tissue(0.95, (296.0, 367.0), (53.3, 53.0), 0.10),
    "muscle": Tissue(0.80, (1008.0, 1412.0), (44.0, 50.0), 1.50),
    "blood": Tissue(0.85, (1441.0, 1932.0), (290.0, 275.0), 3.00),
    "skin": Tissue(0.70, (900.0, 1100.0), (45.0, 42.0), 1.30),
    "rib_cage": Tissue(0.45, (800.0, 1000.0), (40.0, 38.0), 1.20),
    "tumour": Tissue(0.90, (1300.0, 1500.0), (80.0, 75.0), 0.95),
    "necrosis": Tissue(0.95, (1900.0, 2200.0), (180.0, 160.0), 1.90),
}

FAT_SUPPRESSED = 0.12
"""Share of the fat signal left by fat suppression (chosen)."""
BLOOD_SPIN_ECHO = 0.35
"""Share of the signal of flowing blood left in a spin echo (chosen)."""
FAT_SPIN_ECHO = 1.7
"""Gain of the fat signal in a fast spin-echo train by removal of J-coupling (chosen)."""


def relaxivity(field_strength_t: float) -> tuple[float, float]:
    """Longitudinal and transverse relaxivity of Gd-DTPA in plasma at 37 °C, in 1/(mM·s).

    Rohrer et al., Invest Radiol 2005;40:715-724: 4.1 and 4.6 at 1.5 T, 3.7 and 5.2 at 3 T.
    """
    grid = (1.5, 3.0)
    return float(np.interp(field_strength_t, grid, (4.1, 3.7))), float(np.interp(field_strength_t, grid, (4.6, 5.2)))


def concentration(minutes: float, dose_mmol_kg: float, plateau_mm: float, exchange: float, wash_out: float) -> float:
    """Contrast agent in tissue: C(t) = dose/0.1 · plateau · (1 − exp(−exchange·t)) · exp(−wash_out·t), in mM.

    Parameters
    ----------
    minutes
        Time after injection; C is 0 up to the injection.
    dose_mmol_kg
        Dose, in mmol/kg.
    plateau_mm
        Concentration that a dose of 0.1 mmol/kg would reach without wash-out, in mM.
    exchange, wash_out
        Rates, in 1/min.
    """
    if minutes <= 0:
        return 0.0
    return float(dose_mmol_kg / 0.1 * plateau_mm * -np.expm1(-exchange * minutes) * np.exp(-wash_out * minutes))


def spoiled_gradient_echo(
    proton_density: Values,
    t1_ms: Values,
    t2_ms: Values,
    concentration_mm: Values,
    *,
    field_strength_t: float,
    repetition_ms: float,
    echo_ms: float,
    flip_deg: float,
) -> Values:
    """Steady-state signal of a spoiled gradient echo with contrast agent (Ernst equation).

    S = M₀ sin α (1 − E₁)/(1 − cos α E₁) exp(−TE·R₂), E₁ = exp(−TR·R₁), R₁ = 1/T₁ + r₁C, R₂ = 1/T₂ + r₂C.
    Magnitudes only: no T₂* beyond T₂. Arrays broadcast; the result has their shape and M₀'s unit.
    """
    r1, r2 = relaxivity(field_strength_t)
    rate1 = 1.0 / t1_ms + r1 * 1e-3 * concentration_mm
    rate2 = 1.0 / t2_ms + r2 * 1e-3 * concentration_mm
    e1 = np.exp(-repetition_ms * rate1)
    angle = np.deg2rad(flip_deg)
    signal = proton_density * np.sin(angle) * (1.0 - e1) / (1.0 - np.cos(angle) * e1)
    return signal * np.exp(-echo_ms * rate2)


def spin_echo(proton_density: Values, t1_ms: Values, t2_ms: Values, *, repetition_ms: float, echo_ms: float) -> Values:
    """Spin-echo signal, S = M₀ (1 − exp(−TR/T₁)) exp(−TE/T₂)."""
    return proton_density * (1.0 - np.exp(-repetition_ms / t1_ms)) * np.exp(-echo_ms / t2_ms)


def diffusion_attenuation(adc: Values, b_value: float) -> Values:
    """Attenuation exp(−b·ADC) for an ADC in 10⁻³ mm²/s and b in s/mm²."""
    return np.exp(-b_value * 1e-3 * adc)
