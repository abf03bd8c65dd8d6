"""The latent traits of a patient: standard normal numbers, some tied to the tumour's heterogeneity."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from her2radiomics.core.seeds import stream

# New traits go to the end: the order is the order of the random numbers.
TRAITS: tuple[str, ...] = (
    "heterogeneity",  # what the planted signal depends on
    "texture_amplitude",
    "texture_scale",
    "necrosis",
    "wash_in",
    "diffusion",  # apparent diffusion coefficient of viable tumour
    "halo",  # enhancement of the tissue around the tumour
    "size",
    "irregularity",
    "spiculation",
    "margin_blur",
    "clumping",  # non-mass growth: elongated and ragged
    "multiplicity",  # a satellite lesion above SATELLITE_ABOVE
    "exchange",  # speed of wash-in
    "wash_out",
    "relaxation_t1",
    "relaxation_t2",
    "oedema",
    "density",  # share of fibroglandular tissue
    "background_enhancement",
    "breast_size",
    "skin",  # thickness of the skin
    "gain",
    "hormone_receptors",  # no image shows it: ER and PR go together
)

HETEROGENEITY_LOADINGS: Mapping[str, float] = {
    "texture_amplitude": 0.90,
    "texture_scale": 0.85,
    "necrosis": 0.85,
    "wash_in": 0.50,
    "diffusion": 0.50,
    "halo": 0.50,
}
SPICULATION_LOADING = 0.6
"""Correlation of spiculation with irregularity."""
WASH_OUT_LOADING = 0.6
"""Correlation of wash-out with the speed of wash-in: fast curves fall early."""
SATELLITE_ABOVE = 0.70
"""A satellite lesion is drawn where the trait ``multiplicity`` exceeds this (24% of the patients)."""


def draw_traits(seed: int, patient: str, loadings: Mapping[str, float]) -> dict[str, float]:
    """Draw a patient's traits; each is standard normal, ``loadings`` are correlations with heterogeneity."""
    noise = stream(seed, patient, "traits").standard_normal(len(TRAITS))
    traits = dict(zip(TRAITS, (float(value) for value in noise), strict=True))
    traits["spiculation"] = _mix(traits["irregularity"], traits["spiculation"], SPICULATION_LOADING)
    traits["wash_out"] = _mix(traits["exchange"], traits["wash_out"], WASH_OUT_LOADING)
    for trait, loading in loadings.items():
        traits[trait] = _mix(traits["heterogeneity"], traits[trait], loading)
    return traits


def uniform(value: float) -> float:
    """Rank of a standard normal value, in (0, 1)."""
    return 0.5 * (1.0 + math.erf(value / math.sqrt(2.0)))


def clipped(value: float, low: float, high: float) -> float:
    """Return the value, kept inside the interval."""
    return float(np.clip(value, low, high))


def _mix(shared: float, own: float, loading: float) -> float:
    return loading * shared + math.sqrt(1.0 - loading**2) * own
