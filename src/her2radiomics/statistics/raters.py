"""Agreement of two readers on levels: Cohen's kappa, unweighted or weighted.

References
----------
Cohen, Educational and Psychological Measurement 20 (1960) 37–46; Psychological Bulletin 70 (1968) 213–220 (weighted).
Fleiss, Cohen & Everitt, Psychological Bulletin 72 (1969) 323–327 (standard errors), as statsmodels has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import inter_rater, scipy
from her2radiomics.statistics._check import as_level, one_of
from her2radiomics.statistics._result import Result

Weights = Literal["none", "linear", "quadratic"]


@dataclass(frozen=True)
class Kappa(Result):
    """Cohen's kappa.

    ``observed`` is the share of subjects on which both readers agree exactly. ``se`` is the standard error of the
    estimate (for its interval), ``p`` tests kappa = 0 with the standard error under that hypothesis. All but ``observed``
    and ``n`` are NaN where both readers use one level alone: there is nothing to agree on.
    """

    weights: str
    value: float
    low: float
    high: float
    se: float
    p: float
    observed: float
    n: int
    level: float


def kappa(
    first: ArrayLike,
    second: ArrayLike,
    levels: Sequence[Any] | None = None,
    *,
    weights: Weights = "none",
    level: float = 0.95,
) -> Kappa:
    """Cohen's kappa of two readers.

    Parameters
    ----------
    first, second
        The readers' levels of the same subjects, shape (n,), n ≥ 2, complete.
    levels
        All levels in order; by default those that occur, sorted. The order matters to weights alone.
    weights
        ``none``: agreement is exact; ``linear`` and ``quadratic``: disagreement counts by the distance of the levels.
    level
        Level of the interval.

    Raises
    ------
    ValueError
        Readers of different numbers of subjects, fewer than two subjects, a missing value, or an unknown level.
    """
    a, b = (np.asarray(values, dtype=object) for values in (first, second))
    if a.ndim != 1 or a.shape != b.shape or a.size < 2:
        raise ValueError(f"first, second: found shapes {a.shape} and {b.shape}, expected at least 2 subjects each.")
    one_of(weights, ("none", "linear", "quadratic"), "weights")
    missing = [value for value in (*a, *b) if value is None or value != value]
    if missing:
        raise ValueError(f"first, second: found {len(missing)} missing values, expected none.")
    if levels is not None and (isinstance(levels, str) or not isinstance(levels, Sequence)):
        raise ValueError(f"levels: found {levels!r}, expected a list of all levels, in order.")
    order = sorted({*a, *b}, key=str) if levels is None else list(levels)
    unknown = [value for value in (*a, *b) if value not in order]
    if unknown:
        raise ValueError(f"levels: found {unknown[0]!r} in the readings, expected one of {order}.")
    counts = np.zeros((len(order), len(order)))
    np.add.at(counts, ([order.index(v) for v in a], [order.index(v) for v in b]), 1)
    observed = float(np.trace(counts) / counts.sum())
    if len({*a, *b}) < 2:
        nan = float("nan")
        return Kappa(weights, nan, nan, nan, nan, nan, observed, a.size, level)
    found = inter_rater.cohens_kappa(counts, wt=None if weights == "none" else weights)
    z = float(scipy.stats.norm.isf((1 - as_level(level)) / 2))
    value, se = float(found.kappa), float(found.std_kappa)
    p = 2 * float(scipy.stats.norm.sf(abs(value / found.std_kappa0)))
    return Kappa(weights, value, value - z * se, min(value + z * se, 1.0), se, p, observed, a.size, level)
