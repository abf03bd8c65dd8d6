"""Calibration curves: apparent and bias-corrected as ``rms::calibrate``, observed with a bootstrap band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2radiomics.core.libraries import pd, smoothers_lowess
from her2radiomics.statistics._check import BoolArray, FloatArray, as_labels, as_level, as_probabilities
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.design import Levels
from her2radiomics.statistics.resampling import Refit, chosen_refit, draw_rows, refitted

_POINTS = 50


@dataclass(frozen=True, eq=False, repr=False)
class CalibrationCurve(Result):
    """Calibration curve.

    ``table`` has ``curve, predicted, observed, low, high``; ``curve`` is ``apparent`` and ``bias_corrected``
    on the rows that the model was fitted on, ``observed`` on others; ``low`` and ``high`` are the bootstrap
    band of ``observed``. The ideal curve is the diagonal. ``mean_absolute_error`` is the mean difference of
    prediction and corrected curve, as rms prints, NaN without correction; ``failed`` resamples could not be
    refitted, and where none could there is no ``bias_corrected``.
    """

    table: pd.DataFrame
    mean_absolute_error: float
    iterations: int
    failed: int

    def to_frame(self) -> pd.DataFrame:
        """Return :attr:`table`."""
        return self.table


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

    Raises
    ------
    ValueError
        If there are fewer than 11 rows or fewer than 3 distinct probabilities, which no smoother can follow.
    """
    positive = as_labels(labels)
    probability = as_probabilities(probabilities, size=positive.size)
    n, distinct = positive.size, np.unique(probability).size
    if n < 11 or distinct < 3:
        raise ValueError(
            f"found {n} rows with {distinct} distinct probabilities, expected at least 11 with 3."
        )
    ordered = np.sort(probability)
    grid = np.linspace(ordered[4], ordered[n - 5], _POINTS) if at is None else as_probabilities(at, name="at")
    if resamples is None and bootstrap > 0:
        resamples = draw_rows(n, bootstrap, seed)
    drawn = np.empty((0, n), dtype=np.intp) if resamples is None else np.asarray(resamples)
    smooth = _smoothed(probability, positive, grid)
    missing = np.full(grid.size, np.nan)
    if design is None and refit is None:
        low, high = (
            _band(probability, positive, grid, drawn, as_level(level)) if len(drawn) else (missing, missing)
        )
        curves = {"observed": (smooth, low, high)}
        error, failed = float("nan"), 0
    else:
        curves = {"apparent": (smooth, missing, missing)}
        error, failed = float("nan"), 0
        if len(drawn):
            model = chosen_refit(positive, refit, design, levels)
            optimism, done = _optimism(positive, model, grid, drawn)
            failed = len(drawn) - done
            if done:
                corrected = smooth - optimism
                curves["bias_corrected"] = (corrected, missing, missing)
                inside = np.interp(probability, grid, corrected, left=np.nan, right=np.nan) - probability
                error = float(np.nanmean(np.abs(inside)))
    table = pd.concat(
        [
            pd.DataFrame({"curve": name, "predicted": grid, "observed": y, "low": low, "high": high})
            for name, (y, low, high) in curves.items()
        ],
        ignore_index=True,
    )
    return CalibrationCurve(table, error, len(drawn), failed)


def _smoothed(probability: FloatArray, positive: BoolArray, grid: FloatArray) -> FloatArray:
    """Lowess of outcome on probability with R's defaults but no robustness iterations, interpolated at
    ``grid``.

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
    positive: BoolArray, refit: Refit, grid: FloatArray, resamples: NDArray[np.intp]
) -> tuple[FloatArray, int]:
    """Mean optimism at each grid point, where both curves reach it, and the number of refits that worked."""
    total, count, done = np.zeros(grid.size), np.zeros(grid.size), 0
    for rows, again in refitted(positive, refit, resamples):
        done += 1
        if np.unique(again[rows]).size < 3:
            continue
        gap = _smoothed(again[rows], positive[rows], grid) - _smoothed(again, positive, grid)
        known = ~np.isnan(gap)
        total[known] += gap[known]
        count += known
    with np.errstate(invalid="ignore"):
        optimism: FloatArray = total / count
    return optimism, done


def _band(
    probability: FloatArray, positive: BoolArray, grid: FloatArray, resamples: NDArray[np.intp], level: float
) -> tuple[FloatArray, FloatArray]:
    """Percentile band of the smooth curve over resampled rows, clipped to [0, 1]."""
    curves = [
        _smoothed(probability[rows], positive[rows], grid)
        for rows in resamples
        if np.unique(probability[rows]).size >= 3
    ]
    tail = (1 - level) / 2
    stacked = np.array(curves)
    reached = ~np.isnan(stacked).all(axis=0)
    low, high = np.full(grid.size, np.nan), np.full(grid.size, np.nan)
    low[reached], high[reached] = np.nanquantile(stacked[:, reached], [tail, 1 - tail], axis=0)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)
