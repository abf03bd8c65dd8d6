"""Rank correlation with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics._check import as_finite, as_level
from her2radiomics.statistics._result import Result


@dataclass(frozen=True)
class RankCorrelation(Result):
    """Spearman's rank correlation; NaN where one of the two does not vary."""

    value: float
    low: float
    high: float
    p: float
    n: int
    level: float


def rank_correlation(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> RankCorrelation:
    """Spearman's ρ of two columns; with a column of 0 and 1 it is the rank-biserial sort of point correlation.

    Parameters
    ----------
    x, y
        Shape (n,), n ≥ 4, complete.
    level
        Level of the interval: Fisher's z with the variance (1 + ρ²/2)/(n − 3). p is from the t distribution.

    Raises
    ------
    ValueError
        Fewer than four pairs, different lengths, or a value that is not finite.

    References
    ----------
    Bonett & Wright, Psychometrika 65 (2000) 23–28.
    """
    a = as_finite(x, name="x")
    b = as_finite(y, size=a.size, name="y")
    if a.size < 4:
        raise ValueError(f"x, y: found {a.size} pairs, expected at least 4.")
    if a.min() == a.max() or b.min() == b.max():
        nan = float("nan")
        return RankCorrelation(nan, nan, nan, nan, a.size, level)
    result = scipy.stats.spearmanr(a, b)
    value = float(result.statistic)
    half = float(scipy.stats.norm.isf((1 - as_level(level)) / 2)) * math.sqrt((1 + value**2 / 2) / (a.size - 3))
    centre = math.atanh(max(min(value, 1 - 1e-15), -1 + 1e-15))
    low, high = math.tanh(centre - half), math.tanh(centre + half)
    return RankCorrelation(value, low, high, float(result.pvalue), a.size, level)
