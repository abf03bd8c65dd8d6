"""Calibration curves: apparent and bias-corrected as ``rms::calibrate``, observed with a bootstrap band."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2radiomics.core.libraries import pd, smoothers_lowess
from her2radiomics.statistics._check import BoolArray, FloatArray, as_labels, as_probabilities, as_resamples, public
from her2radiomics.statistics.design import Levels
from her2radiomics.statistics.draws import Resamples, draw_rows
from her2radiomics.statistics.resampling import Refit, Resampled, chosen_refit, refitted

_POINTS = 50


@dataclass(frozen=True, eq=False, repr=False)
class CalibrationCurve(Resampled):
    """Calibration curve.

    ``table`` has ``curve, predicted, observed, low, high``; ``curve`` is ``apparent`` and ``bias_corrected``
    on the rows that the model was fitted on, ``observed`` on others; ``low`` and ``high`` are the bootstrap
    band of ``observed``. The ideal curve is the diagonal. ``mean_absolute_error`` is the mean difference of
    prediction and corrected curve, as rms prints, NaN without correction; ``methods`` counts the refits by method,
    ``failed`` resamples could not be refitted, and where none could there is no ``bias_corrected``.
    """

    table: pd.DataFrame
    mean_absolute_error: float
    iterations: int
    methods: dict[str, int]


@public
def calibration_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    design: pd.DataFrame | None = None,
    refit: Refit | None = None,
    levels: Levels | None = None,
    bootstrap: int = 0,
    seed: int | None = None,
    at: ArrayLike | None = None,
    level: float = 0.95,
    resamples: NDArray[np.intp] | None = None,
    clusters: ArrayLike | None = None,
) -> CalibrationCurve:
    """Smooth calibration curve.

    Parameters
    ----------
    labels, probabilities
        Outcomes and predicted probabilities, shape (n,).
    design
        For rows that the model was fitted on: its table; the bootstrap refits the logistic model on it, which
        is ``rms::calibrate(lrm(…), B = bootstrap)``.
    refit
        Instead of ``design``, for a whole pipeline: see :mod:`her2radiomics.statistics.resampling`. With
        neither, the rows are taken as never used for fitting, and the curve is ``observed``.
    levels
        Levels of categorical columns of ``design``, the reference first.
    bootstrap, seed
        Number of resamples (0: no correction, no band) and their seed.
    at
        Predicted probabilities at which the curves are given; by default 50 equally spaced ones from the
        fifth smallest to the fifth largest prediction (the default of rms).
    level
        Level of the bootstrap band.
    resamples
        Row numbers of the resamples, shape (bootstrap, n), instead of ``bootstrap`` and ``seed``.
    clusters
        Who each row is of, where several are of one person: whole persons are drawn.

    Raises
    ------
    ValueError
        If there are fewer than 11 rows or fewer than 3 distinct probabilities, which no smoother can follow.
    """
    positive, probability = smoothable(labels, probabilities)
    n = positive.size
    ordered = np.sort(probability)
    grid = np.linspace(ordered[4], ordered[n - 5], _POINTS) if at is None else as_probabilities(at, name="at")
    if grid.size == 0:
        raise ValueError("at: found no probability, expected one or more.")
    drawn: Resamples = np.empty((0, n), dtype=np.intp)
    if resamples is not None:
        drawn = as_resamples(resamples, n)
    elif bootstrap:
        drawn = draw_rows(n, bootstrap, seed, clusters)
    if design is not None or refit is not None:
        refit = chosen_refit(positive, refit, design, levels)
    smooth = smoothed(probability, positive, grid)
    missing = np.full(grid.size, np.nan)
    error, methods = float("nan"), Counter[str]()
    if refit is None:
        low, high = _band(probability, positive, grid, drawn, level) if len(drawn) else (missing, missing)
        curves = {"observed": (smooth, low, high)}
        methods[""] = len(drawn)
    else:
        curves = {"apparent": (smooth, missing, missing)}
        if len(drawn):
            optimism = _optimism(positive, refit, grid, drawn, methods)
            if methods:
                corrected = smooth - optimism
                curves["bias_corrected"] = (corrected, missing, missing)
                order = np.argsort(grid)
                inside = np.interp(probability, grid[order], corrected[order], left=np.nan, right=np.nan)
                known = ~np.isnan(inside)
                error = float(np.abs(inside - probability)[known].mean()) if known.any() else float("nan")
    table = pd.concat(
        [
            pd.DataFrame({"curve": name, "predicted": grid, "observed": y, "low": low, "high": high})
            for name, (y, low, high) in curves.items()
        ],
        ignore_index=True,
    )
    return CalibrationCurve(table, error, len(drawn), dict(methods))


def smoothable(labels: ArrayLike, probabilities: ArrayLike) -> tuple[BoolArray, FloatArray]:
    """Labels and probabilities that a smoother can follow; :class:`ValueError` for too few rows or distinct values."""
    positive = as_labels(labels)
    probability = as_probabilities(probabilities, size=positive.size)
    n, distinct = positive.size, np.unique(probability).size
    if n < 11 or distinct < 3:
        raise ValueError(
            f"probabilities: found {n} rows with {distinct} distinct probabilities, expected at least 11 with 3."
        )
    return positive, probability


def smoothed(probability: FloatArray, positive: BoolArray, grid: FloatArray) -> FloatArray:
    """Lowess of outcome on probability, interpolated at ``grid``: R's defaults, but no robustness iterations.

    NaN outside the range of ``probability``, as R's ``approx``.
    """
    order = np.argsort(probability, kind="stable")
    x, y = probability[order], positive[order].astype(float)
    smooth = smoothers_lowess.lowess(
        y, x, frac=2 / 3, it=0, delta=0.01 * (x[-1] - x[0]), is_sorted=True, return_sorted=False
    )
    _, first = np.unique(x, return_index=True)
    values: FloatArray = np.interp(grid, x[first], smooth[first], left=np.nan, right=np.nan)
    return values


def _optimism(
    positive: BoolArray, refit: Refit, grid: FloatArray, resamples: Resamples, methods: Counter[str]
) -> FloatArray:
    """Mean optimism at each grid point, where both curves reach it; ``methods`` counts the refits that worked."""
    total, count = np.zeros(grid.size), np.zeros(grid.size)
    for rows, again in refitted(positive, refit, resamples, methods):
        if np.unique(again[rows]).size < 3:
            continue
        gap = smoothed(again[rows], positive[rows], grid) - smoothed(again, positive, grid)
        known = ~np.isnan(gap)
        total[known] += gap[known]
        count += known
    with np.errstate(invalid="ignore"):
        optimism: FloatArray = total / count
    return optimism


def _band(
    probability: FloatArray, positive: BoolArray, grid: FloatArray, resamples: Resamples, level: float
) -> tuple[FloatArray, FloatArray]:
    """Percentile band of the smooth curve over resampled rows, clipped to [0, 1]."""
    curves = [
        smoothed(probability[rows], positive[rows], grid)
        for rows in resamples
        if np.unique(probability[rows]).size >= 3
    ]
    tail = (1 - level) / 2
    if not curves:
        return np.full(grid.size, np.nan), np.full(grid.size, np.nan)
    stacked = np.array(curves)
    reached = ~np.isnan(stacked).all(axis=0)
    low, high = np.full(grid.size, np.nan), np.full(grid.size, np.nan)
    low[reached], high[reached] = np.nanquantile(stacked[:, reached], [tail, 1 - tail], axis=0)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)
