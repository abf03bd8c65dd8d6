"""Distance of probabilities from the smooth calibration curve: ICI, E50 and E90."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import pd
from her2radiomics.statistics._check import BoolArray, FloatArray, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.calibration_plot import smoothable, smoothed
from her2radiomics.statistics.draws import draw_rows

_MEASURES = ("ici", "e50", "e90")


@dataclass(frozen=True, eq=False, repr=False)
class CalibrationErrors(Result):
    """Integrated calibration index, and median and 90th percentile of the calibration error.

    ``table`` has ``measure`` (``ici``, ``e50``, ``e90``), ``value, low, high``; 0 is ideal. The bounds are NaN without
    resamples; ``used`` of ``iterations`` resamples could be smoothed.
    """

    table: pd.DataFrame
    iterations: int
    used: int


@public
def calibration_errors(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    bootstrap: int = 0,
    seed: int | None = None,
    level: float = 0.95,
    clusters: ArrayLike | None = None,
) -> CalibrationErrors:
    """Mean (ICI), median (E50) and 90th percentile (E90) of the absolute distance of probability and smooth curve.

    The curve is that of :func:`calibration_curve`, so that ICI and E90 are ``Eavg`` and ``E90`` of ``rms::val.prob``;
    Austin & Steyerberg smooth by loess instead.

    Parameters
    ----------
    labels, probabilities
        Outcomes and predicted probabilities, shape (n,).
    bootstrap, seed
        Resamples of the percentile interval (0: none) and their seed.
    level
        Level of the interval.
    clusters
        Who each row is of, where several are of one person: whole persons are drawn.

    Raises
    ------
    ValueError
        If there are fewer than 11 rows or fewer than 3 distinct probabilities, which no smoother can follow.

    References
    ----------
    Austin & Steyerberg, Statistics in Medicine 38 (2019) 4051–4065.
    """
    positive, probability = smoothable(labels, probabilities)
    found = []
    if bootstrap:
        for drawn in draw_rows(positive.size, bootstrap, seed, clusters):
            if np.unique(probability[drawn]).size >= 3:
                found.append(_errors(probability[drawn], positive[drawn]))
    tail = (1 - level) / 2
    low, high = np.quantile(np.array(found), [tail, 1 - tail], axis=0) if found else np.full((2, 3), np.nan)
    values = {"value": _errors(probability, positive), "low": low, "high": high}
    table = pd.DataFrame({"measure": _MEASURES, **values})
    return CalibrationErrors(table, bootstrap, len(found))


def _errors(probability: FloatArray, positive: BoolArray) -> tuple[float, float, float]:
    gaps = np.abs(probability - smoothed(probability, positive, probability))
    return float(gaps.mean()), float(np.median(gaps)), float(np.quantile(gaps, 0.9))
