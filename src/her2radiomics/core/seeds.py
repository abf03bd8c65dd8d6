"""Random streams: one for every (seed, patient, purpose), so that nothing depends on order or on company."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, patient: str, purpose: str) -> np.random.Generator:
    """Return the generator of one purpose of one patient.

    Parameters
    ----------
    seed
        The cohort's seed, ≥ 0.
    patient
        Patient identifier (empty for what belongs to the cohort as a whole).
    purpose
        What the numbers are for, e.g. ``traits`` or ``noise DCE2``. A new purpose never disturbs another one.
    """
    digest = hashlib.sha256(f"{patient}\0{purpose}".encode()).digest()
    key = tuple(int.from_bytes(digest[i : i + 4], "little") for i in (0, 4, 8))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
