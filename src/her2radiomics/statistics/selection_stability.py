"""Stability of feature selection over resamples: Nogueira's index.

References
----------
Nogueira, Sechidis & Brown, Journal of Machine Learning Research 18 (2018) 1–54: definition 4, theorem 7 (variance).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics._check import public
from her2radiomics.statistics._result import Result


@dataclass(frozen=True)
class SelectionStability(Result):
    """Stability of feature selection: 1 is the same set every time, 0 what chance alone gives."""

    value: float
    low: float
    high: float
    selections: int
    features: int
    mean_kept: float
    level: float


@public
def selection_stability(kept: ArrayLike, level: float = 0.95) -> SelectionStability:
    """Nogueira's stability of a selection that was repeated on resamples.

    Parameters
    ----------
    kept
        One row a selection, one column a candidate feature, shape (m, d), m ≥ 2, of 0 and 1: 1 where it was kept.
    level
        Level of the interval (asymptotic normal).

    Raises
    ------
    ValueError
        If there are fewer than two selections, a value is not 0 or 1, or every selection kept all features or none, so
        that there is nothing to compare.

    Examples
    --------
    >>> from her2radiomics.statistics import selection_stability
    >>> round(selection_stability([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]]).value, 4)
    0.3333
    """
    try:
        values = np.asarray(kept, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("kept: found text or rows of unequal length, expected 0 and 1.") from None
    if values.ndim != 2 or len(values) < 2 or not values.shape[1]:
        raise ValueError(f"kept: found shape {values.shape}, expected at least 2 selections × features.")
    if not np.isin(values, (0.0, 1.0)).all():
        raise ValueError("kept: found other values, expected 0 and 1.")
    m, d = values.shape
    share, counts = values.mean(axis=0), values.sum(axis=1)
    mean = float(counts.mean())
    chance = mean / d * (1 - mean / d)
    if chance == 0:
        what = "no feature" if mean == 0 else "every feature"
        raise ValueError(f"kept: found {what} kept by all selections, expected selections that keep some.")
    stability = 1 - float((m / (m - 1) * share * (1 - share)).mean()) / chance
    each = (values @ share) / d - counts * mean / d**2
    each += stability / 2 * (2 * counts * mean / d**2 - counts / d - mean / d + 1)
    each /= chance
    error = math.sqrt(4 / m**2 * float(((each - each.mean()) ** 2).sum()))
    z = float(scipy.stats.norm.ppf((1 + level) / 2))
    return SelectionStability(stability, stability - z * error, min(stability + z * error, 1.0), m, d, mean, level)
