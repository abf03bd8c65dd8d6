"""Does a second model move patients the right way? Net reclassification and integrated discrimination.

References
----------
Pencina et al., Statistics in Medicine 27 (2008) 157–172; 30 (2011) 11–21 (category-free). Both
indices can look favourable for a useless or badly calibrated model (Hilden & Gerds, Statistics in Medicine 33
(2014) 3405–3414): read them beside the AUC, calibration and net benefit, and not on the rows that a model was
fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics._check import FloatArray, as_labels, as_probabilities, public
from her2radiomics.statistics._result import Result


@dataclass(frozen=True)
class Improvement(Result):
    """Improvement of model B over model A.

    ``events`` and ``non_events`` are its two parts, ``value`` their sum, with its interval and two-sided p.
    """

    index: str
    value: float
    low: float
    high: float
    z: float
    p: float
    events: float
    non_events: float


@public
def net_reclassification(
    labels: ArrayLike,
    probabilities_a: ArrayLike,
    probabilities_b: ArrayLike,
    cuts: Sequence[float] | None = None,
    level: float = 0.95,
) -> Improvement:
    """Net reclassification improvement of B over A, category-free or over risk categories.

    Parameters
    ----------
    labels, probabilities_a, probabilities_b
        Outcomes and the two models' probabilities of the same rows, shape (n,).
    cuts
        Probabilities that part the risk categories; without them every rise or fall counts.
    level
        Level of the interval.
    """
    positive = as_labels(labels)
    a = as_probabilities(probabilities_a, size=positive.size, name="probabilities_a")
    b = as_probabilities(probabilities_b, size=positive.size, name="probabilities_b")
    if cuts is None:
        moved = np.sign(b - a)
    else:
        edges = np.unique(as_probabilities(cuts, name="cuts"))
        if edges.size == 0:
            raise ValueError("cuts: found none, expected one probability or more, or None for the category-free index.")
        moved = np.sign(np.searchsorted(edges, b, side="right") - np.searchsorted(edges, a, side="right"))
    name = "category-free NRI" if cuts is None else "NRI at " + ", ".join(f"{cut:g}" for cut in edges)
    return _improvement(name, moved[positive], -moved[~positive], population=True, level=level)


@public
def integrated_discrimination(
    labels: ArrayLike, probabilities_a: ArrayLike, probabilities_b: ArrayLike, level: float = 0.95
) -> Improvement:
    """Integrated discrimination improvement: rise of B over A in events less that in non-events."""
    positive = as_labels(labels)
    a = as_probabilities(probabilities_a, size=positive.size, name="probabilities_a")
    b = as_probabilities(probabilities_b, size=positive.size, name="probabilities_b")
    change = b - a
    return _improvement("IDI", change[positive], -change[~positive], population=False, level=level)


def _improvement(name: str, events: FloatArray, others: FloatArray, *, population: bool, level: float) -> Improvement:
    """Sum of two means, with the normal interval of independent samples."""
    ddof = 0 if population else 1
    if not population and min(events.size, others.size) < 2:
        raise ValueError(f"labels: found {events.size} and {others.size} rows, expected 2 of each class.")
    value = float(events.mean() + others.mean())
    error = float(np.sqrt(events.var(ddof=ddof) / events.size + others.var(ddof=ddof) / others.size))
    z = value / error if error > 0 else 0.0 if value == 0 else float(np.copysign(np.inf, value))
    half = float(scipy.special.ndtri(1 - (1 - level) / 2)) * error
    p = 2 * float(scipy.special.ndtr(-abs(z)))
    return Improvement(name, value, value - half, value + half, z, p, float(events.mean()), float(others.mean()))
