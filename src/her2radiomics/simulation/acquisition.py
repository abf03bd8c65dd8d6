"""From tissues to an image: the signal of a sequence, then the scanner that measures it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2radiomics.imaging.fields import Array, Weights, apply_axes, slice_weights
from her2radiomics.simulation import kinetics
from her2radiomics.simulation.anatomy import Breast, Grid
from her2radiomics.simulation.biology import (
    TYPICAL_EXCHANGE,
    TYPICAL_PLATEAU_MM,
    TYPICAL_WASH_OUT,
    Biology,
    phase_minutes,
)
from her2radiomics.simulation.lesion import Lesion
from her2radiomics.simulation.settings import CentreSettings, SequenceSettings

TUMOUR_SIGNAL = 1000.0
"""Mean of a typical tumour at gain 1: about 50 grey levels at a bin width of 25."""
SERIES_REFERENCE_PHASE = 2
"""Phase whose typical tumour sets the scale of a dynamic series: all its phases share one scale."""
SERIES_REFERENCE_B = 800.0
"""b-value (s/mm²) whose typical tumour sets the scale of diffusion-weighted images of all b-values."""
TYPICAL = Biology(
    radius_mm=13.0, axes=(1.0, 1.0, 1.0), roughness=0.0, spicules=0, edge_mm=1.0, texture=0.0, texture_mm=2.0,
    necrotic_fraction=0.0, plateau_mm=TYPICAL_PLATEAU_MM, exchange=TYPICAL_EXCHANGE, wash_out=TYPICAL_WASH_OUT,
    adc=kinetics.TISSUES["tumour"].adc, t1_factor=1.0, t2_factor=1.0, halo_mm=0.0, oedema=0.0, satellite=False,
    density=0.4, background_mm=0.05, breast_scale=1.0, skin_mm=1.9, gain=1.0,
)  # fmt: skip
BLOOD_MM = 1.1
"""Contrast in vessels through the first minutes at 0.1 mmol/kg (chosen)."""


@dataclass(frozen=True)
class Sampling:
    """Geometry of an image: size and spacing x, y, z, origin of its first voxel, and the weights z, y, x."""

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    weights: tuple[Weights, Weights, Weights]

    @property
    def array_spacing(self) -> tuple[float, float, float]:
        """Spacing z, y, x."""
        return self.spacing[2], self.spacing[1], self.spacing[0]


def sampling(grid: Grid, in_plane_mm: float, slice_mm: float, shift_mm: NDArray[np.float64]) -> Sampling:
    """Lay voxels over the field of view; the patient lies ``shift_mm`` (z, y, x) off from where it lay before."""
    widths = (slice_mm, in_plane_mm, in_plane_mm)
    weights, size, origin = [], [], []
    for number, width in enumerate(widths):
        n = max(int(grid.shape[number] * grid.step / width + 1e-6), 2)
        voxel = (np.arange(n) - (n - 1) / 2) * width
        weights.append(slice_weights(grid.axis(number), voxel - shift_mm[number], width, box=number == 0))
        size.append(n)
        origin.append(float(voxel[0]))
    return Sampling(
        size=(size[2], size[1], size[0]),
        spacing=(in_plane_mm, in_plane_mm, slice_mm),
        origin=(origin[2], origin[1], origin[0]),
        weights=(weights[0], weights[1], weights[2]),
    )


@dataclass(frozen=True)
class Protocol:
    """A sequence as a centre runs it on a patient: gives the signal of tissues, in arbitrary units."""

    sequence: SequenceSettings
    centre: CentreSettings
    body: Biology

    @property
    def weighted(self) -> str:
        """The sequence's kind; an ADC map is made of diffusion-weighted images."""
        return "dwi" if self.sequence.kind == "adc" else self.sequence.kind

    def tissue(self, name: str, b_value: float) -> float:
        """Signal of healthy tissue."""
        tissue, field = kinetics.TISSUES[name], self.centre.field_strength_t
        scale = self._fat() if name == "fat" else 1.0
        if name == "blood" and self.weighted != "dce":
            scale = kinetics.BLOOD_SPIN_ECHO
        supply = {"gland": self.body.background_mm, "muscle": 0.03, "skin": 0.06, "rib_cage": 0.03}
        amount = 0.0
        if name == "blood":
            amount = self.contrast(BLOOD_MM, 6.0, 0.10)
        elif name in supply:
            amount = self.contrast(supply[name], 0.35, 0.0)
        return float(
            self.signal(scale * tissue.proton_density, tissue.t1(field), tissue.t2(field), tissue.adc, amount, b_value)
        )

    def contrast(self, plateau_mm: float, exchange: float, wash_out: float) -> float:
        """Contrast agent at the sequence's time, in mM; none outside the dynamic series and before the injection."""
        if self.sequence.phase is None:
            return 0.0
        minutes = phase_minutes(self.centre, self.sequence.phase)
        return kinetics.concentration(minutes, self.centre.dose_mmol_kg, plateau_mm, exchange, wash_out)

    def signal(
        self,
        density: kinetics.Values,
        t1_ms: kinetics.Values,
        t2_ms: kinetics.Values,
        adc: kinetics.Values,
        contrast_mm: kinetics.Values,
        b_value: float,
    ) -> kinetics.Values:
        """Signal of any tissue under this sequence; ``b_value`` counts for diffusion weighting only."""
        times = {"repetition_ms": self.sequence.repetition_ms, "echo_ms": self.sequence.echo_ms}
        if self.weighted == "dce":
            return kinetics.spoiled_gradient_echo(
                density,
                t1_ms,
                t2_ms,
                contrast_mm,
                field_strength_t=self.centre.field_strength_t,
                flip_deg=self.sequence.flip_angle_deg,
                **times,
            )
        signal = kinetics.spin_echo(density, t1_ms, t2_ms, **times)
        return signal * kinetics.diffusion_attenuation(adc, b_value) if self.weighted == "dwi" else signal

    def _fat(self) -> float:
        """Gain or loss of the fat signal."""
        if self.weighted == "t2":
            return kinetics.FAT_SPIN_ECHO
        suppressed = self.weighted != "dce" or self.sequence.fat_suppressed
        return kinetics.FAT_SUPPRESSED * (0.5 if self.weighted == "dwi" else 1.0) if suppressed else 1.0

    def lesion(self, lesion: Lesion, b_value: float) -> tuple[NDArray[np.intp], Array]:
        """Signal of the tumour's voxels: flat indices into the box where its fraction is positive, and values."""
        index = np.flatnonzero(lesion.fraction > 0)
        dead = lesion.necrosis.ravel()[index]
        field, body = self.centre.field_strength_t, self.body
        viable, necrotic = kinetics.TISSUES["tumour"], kinetics.TISSUES["necrosis"]
        a = body.texture
        uptake = np.exp(a * lesion.uptake.ravel()[index] - a * a / 2)
        amount = self.contrast(body.plateau_mm, body.exchange, body.wash_out) * uptake * (1.0 - 0.9 * dead)
        t1 = _mix(dead, viable.t1(field) * body.t1_factor, necrotic.t1(field))
        t2 = _mix(
            dead,
            viable.t2(field) * body.t2_factor * np.exp(0.6 * a * lesion.relaxation.ravel()[index]),
            necrotic.t2(field),
        )
        adc = _mix(dead, body.adc * np.exp(0.7 * a * lesion.mobility.ravel()[index] - 0.245 * a * a), necrotic.adc)
        density = _mix(dead, viable.proton_density, necrotic.proton_density)
        values = self.signal(density, t1, t2, adc, amount, b_value)
        return index, np.asarray(values, dtype=np.float32)

    def reference(self) -> float:
        """Signal of a typical tumour, which sets the receiver: a series at phase 2 or b = 800 s/mm², a map at its b."""
        phase = min(SERIES_REFERENCE_PHASE, self.centre.dynamic.phases) if self.sequence.kind == "dce" else None
        typical = Protocol(self.sequence.model_copy(update={"phase": phase}), self.centre, TYPICAL)
        tumour, field = kinetics.TISSUES["tumour"], self.centre.field_strength_t
        amount = typical.contrast(TYPICAL.plateau_mm, TYPICAL.exchange, TYPICAL.wash_out)
        b_value = SERIES_REFERENCE_B if self.sequence.kind == "dwi" else self.sequence.b_value
        return float(
            typical.signal(tumour.proton_density, tumour.t1(field), tumour.t2(field), tumour.adc, amount, b_value)
        )


def compose(protocol: Protocol, breast: Breast, lesions: list[Lesion], b_value: float) -> Array:
    """Signal on the truth grid, with a typical tumour at 1000, before the scanner adds its own."""
    scale = TUMOUR_SIGNAL / protocol.reference()
    volume = np.zeros_like(breast.tissues["fat"])
    part = np.empty_like(volume)
    for name, fraction in breast.tissues.items():
        volume += np.multiply(fraction, np.float32(scale * protocol.tissue(name, b_value)), out=part)
    flat = volume.reshape(-1)
    blood = np.float32(scale * protocol.tissue("blood", b_value))
    flat[breast.vessel_index] += breast.vessel_fraction * (blood - flat[breast.vessel_index])
    for lesion in lesions:
        part = volume[lesion.box]
        part += lesion.around * np.float32(scale * _surroundings(protocol, b_value))
        index, values = protocol.lesion(lesion, b_value)
        own = lesion.fraction.ravel()[index]
        inner = part.ravel()
        inner[index] = (1.0 - own) * inner[index] + own * np.float32(scale) * values
        volume[lesion.box] = inner.reshape(part.shape)
    return volume


def measure(
    volume: Array,
    grid_sampling: Sampling,
    centre: CentreSettings,
    family: str,
    gain: float,
    coil: np.random.Generator,
    random: np.random.Generator,
) -> Array:
    """Image a signal volume: point spread, coil sensitivity, ghost, gain, background, Rician noise.

    ``coil`` draws the sensitivity: all images of a family of sequences are measured with the same.
    """
    image = apply_axes(volume, grid_sampling.weights)
    for axis, factor in enumerate(_sensitivity(image.shape, centre.bias_field, coil)):
        image *= factor.reshape([-1 if i == axis else 1 for i in range(3)])
    ghost = np.float32(min(0.008 * np.exp(0.6 * random.standard_normal()), 0.04))
    shifted = np.roll(image, image.shape[1] // 2, axis=1)  # along the phase-encoding direction
    shifted *= ghost
    image += shifted
    image += np.float32(centre.background)
    noise = np.float32(TUMOUR_SIGNAL / centre.snr[family])  # type: ignore[index]
    real = random.standard_normal(image.shape, dtype=np.float32)
    real *= noise
    real += image
    real *= real
    imaginary = random.standard_normal(image.shape, dtype=np.float32, out=image)
    imaginary *= noise
    imaginary *= imaginary
    real += imaginary
    np.sqrt(real, out=real)
    real *= np.float32(gain)
    return real


def apparent_diffusion(low: Array, high: Array, b_value: float, floor: float) -> Array:
    """ADC = ln(S₀/S_b)/b in 10⁻⁶ mm²/s, kept within 0 to 3500; 0 where S₀ lies below ``floor`` (air)."""
    ratio = np.log(np.maximum(low, 1.0) / np.maximum(high, 1.0))
    return np.where(low > floor, np.clip(ratio * np.float32(1e6 / b_value), 0.0, 3500.0), 0.0)


def _sensitivity(shape: tuple[int, ...], amplitude: float, random: np.random.Generator) -> list[Array]:
    """Smooth sensitivity as a product of one exponential per axis: a slope, a curvature, and the coil in front."""
    slope, curvature = random.standard_normal((2, 3)) * amplitude * np.array([[0.5], [0.35]])
    slope[1] -= 0.8 * amplitude  # the breast coil lies in front
    return [
        np.exp(s * u + c * (u * u - 1 / 3)).astype(np.float32)
        for s, c, u in zip(slope, curvature, (np.linspace(-1, 1, n) for n in shape), strict=True)
    ]


def _surroundings(protocol: Protocol, b_value: float) -> float:
    """Extra signal just outside the tumour: leaky vessels in the dynamic series, oedema in T2."""
    gland, field, body = kinetics.TISSUES["gland"], protocol.centre.field_strength_t, protocol.body
    t1, t2 = gland.t1(field), gland.t2(field)
    if protocol.weighted == "dce":
        leak = protocol.contrast(body.halo_mm, 1.0, 0.0)
        both = [protocol.signal(gland.proton_density, t1, t2, gland.adc, c, b_value) for c in (0.0, leak)]
        return float(both[1]) - float(both[0])
    water = protocol.signal(gland.proton_density, t1, 2.2 * t2, 2.2, 0.0, b_value)
    return body.oedema * float(water)


def _mix(share: Array, first: kinetics.Values, second: kinetics.Values) -> kinetics.Values:
    return (1.0 - share) * first + share * second
