"""From latent traits to physical quantities of one patient's breast and tumour. Needs numpy only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.seeds import stream
from her2radiomics.simulation import kinetics
from her2radiomics.simulation.settings import CentreSettings, TumourSettings
from her2radiomics.simulation.traits import SATELLITE_ABOVE, clipped

VIABLE_ADC = kinetics.TISSUES["tumour"].adc
TYPICAL_PLATEAU_MM, TYPICAL_EXCHANGE, TYPICAL_WASH_OUT = 0.50, 0.85, 0.09
"""Kinetics of a typical tumour at 0.1 mmol/kg, in mM and 1/min (chosen: see docs/simulation.md)."""


@dataclass(frozen=True)
class Biology:
    """Physical quantities of one patient: lengths in mm, concentrations in mM, rates in 1/min."""

    radius_mm: float
    axes: tuple[float, float, float]  # relative half axes of the ellipsoid, product 1
    roughness: float  # amplitude of the border's waviness, relative to the radius
    spicules: int
    edge_mm: float  # width of the transition from tumour to surroundings
    texture: float  # SD of the logarithm of the viable tumour's contrast uptake
    texture_mm: float  # width (SD) of the texture's smoothing kernel
    necrotic_fraction: float
    plateau_mm: float
    exchange: float
    wash_out: float
    adc: float  # 10⁻³ mm²/s
    t1_factor: float
    t2_factor: float
    halo_mm: float  # contrast concentration just outside the tumour at 0.1 mmol/kg
    oedema: float  # relative gain of T2 signal just outside the tumour
    satellite: bool
    density: float  # share of the breast's core that is fibroglandular
    background_mm: float  # contrast plateau of the normal gland at 0.1 mmol/kg
    breast_scale: float
    skin_mm: float
    gain: float

    @property
    def max_diameter_mm(self) -> float:
        """Longest diameter of the planted border, without its spicules."""
        return 2.0 * self.radius_mm * max(self.axes) * (1.0 + DIAMETER_BY_ROUGHNESS * self.roughness)

    @property
    def area_cm2(self) -> float:
        """Largest axial cross-section of the ellipsoid behind the planted border."""
        return math.pi * self.radius_mm**2 * self.axes[1] * self.axes[2] / 100.0

    @property
    def volume_cm3(self) -> float:
        """Volume of the ellipsoid behind the planted border."""
        return 4.0 / 3.0 * math.pi * self.radius_mm**3 / 1000.0


DIAMETER_BY_ROUGHNESS = 2.1
"""How far waviness lengthens the longest diameter: measured on drawn tumours (docs/simulation.md)."""


def biology(traits: Mapping[str, float], tumour: TumourSettings, seed: int, patient: str) -> Biology:
    """Translate traits to quantities; only the ellipsoid's axes are drawn anew, from their own stream."""
    t = traits
    ragged = max(t["clumping"] - tumour.non_mass_above, 0.0)
    logs = 0.10 * stream(seed, patient, "axes").standard_normal(3)
    logs[1] += 0.12 * ragged  # along the ducts
    axes = np.exp(logs - logs.mean())
    return Biology(
        radius_mm=clipped(tumour.radius_mm * math.exp(tumour.spread * t["size"]), tumour.minimum_mm, tumour.maximum_mm),
        axes=(float(axes[0]), float(axes[1]), float(axes[2])),
        roughness=clipped(0.095 * math.exp(0.5 * t["irregularity"]) + 0.05 * ragged, 0.03, 0.24),
        spicules=int(clipped(round(5.0 * t["spiculation"]), 0, 11)),
        edge_mm=clipped(0.9 * math.exp(0.35 * t["margin_blur"]), 0.4, 2.0),
        texture=clipped(0.19 * math.exp(0.65 * t["texture_amplitude"]), 0.04, 0.8),
        texture_mm=clipped(2.4 * math.exp(0.45 * t["texture_scale"]), 1.2, 7.0),
        necrotic_fraction=clipped(0.06 * math.exp(t["necrosis"]), 0.0, 0.45),
        plateau_mm=TYPICAL_PLATEAU_MM * math.exp(0.24 * t["wash_in"]),
        exchange=TYPICAL_EXCHANGE * math.exp(0.6 * t["exchange"]),
        wash_out=TYPICAL_WASH_OUT * math.exp(0.9 * t["wash_out"]),
        adc=VIABLE_ADC + 0.11 * t["diffusion"],
        t1_factor=math.exp(0.06 * t["relaxation_t1"]),
        t2_factor=math.exp(0.08 * t["relaxation_t2"]),
        halo_mm=0.05 * math.exp(0.7 * t["halo"]),
        oedema=0.25 * max(t["oedema"], 0.0),
        satellite=t["multiplicity"] > SATELLITE_ABOVE,
        density=clipped(0.42 + 0.13 * t["density"], 0.12, 0.75),
        background_mm=0.05 * math.exp(0.6 * t["background_enhancement"]),
        breast_scale=clipped(1.0 + 0.05 * t["breast_size"], 0.88, 1.12),
        skin_mm=1.9 * math.exp(0.18 * t["skin"]),
        gain=math.exp(0.06 * t["gain"]),
    )


def phase_minutes(centre: CentreSettings, phase: int) -> float:
    """Middle of a phase in minutes after the injection; phase 0 lies before it."""
    timing = centre.dynamic
    seconds = timing.delay_seconds + (phase - 0.5) * timing.phase_seconds if phase else 0.0
    return seconds / 60.0


EARLY_MINUTES = tuple(0.25 * step for step in range(1, 11))
"""When the early peak of a curve is looked for: up to 2.5 minutes after the injection."""


def late_change(patient: Biology, centre: CentreSettings, late_minutes: float = 4.5) -> float:
    """Relative change of the tumour's signal from its peak in the first 2.5 minutes to a later time.

    BI-RADS calls a curve persistent, plateau or wash-out by a late change above, within or below ± 10%. The times are
    the same at every centre, however many phases it takes.
    """
    tumour, field = kinetics.TISSUES["tumour"], centre.field_strength_t
    *early, late = (
        float(
            kinetics.spoiled_gradient_echo(
                1.0,
                tumour.t1(field) * patient.t1_factor,
                tumour.t2(field) * patient.t2_factor,
                kinetics.concentration(
                    time, centre.dose_mmol_kg, patient.plateau_mm, patient.exchange, patient.wash_out
                ),
                field_strength_t=field,
                repetition_ms=5.0,
                echo_ms=2.3,
                flip_deg=10.0,
            )
        )
        for time in (*EARLY_MINUTES, late_minutes)
    )
    return late / max(early) - 1.0
