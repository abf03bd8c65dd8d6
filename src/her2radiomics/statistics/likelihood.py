"""Maximum likelihood and Firth's penalised likelihood of the logistic model, on plain arrays.

Bootstraps and calibration refit a small logistic model thousands of times, where importing and calling a
modelling library costs far more than the fit: Newton's method is therefore written out here, and checked in
the tests against ``glm`` of R. So is Firth's, with its profile intervals found by bisection: the
Venzon–Moolgavkar iteration of the library firthmodels, which agrees elsewhere, does not converge on fully
separated data, where Firth is needed most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2radiomics.statistics._check import BoolArray, FloatArray

_MAX_ITERATIONS = 50
_MAX_FIRTH_ITERATIONS = 500


@dataclass(frozen=True)
class Fit:
    """Coefficients (the intercept first), their covariance, the log-likelihood, and convergence."""

    beta: FloatArray
    covariance: FloatArray
    log_likelihood: float
    converged: bool


def log_likelihood(linear: FloatArray, positive: BoolArray) -> float:
    """Binomial log-likelihood of linear predictors, shape (n,)."""
    return float(-np.logaddexp(0.0, np.where(positive, -linear, linear)).sum())


def fit_ml(design: FloatArray, positive: BoolArray, offset: FloatArray | float = 0.0) -> Fit:
    """Maximum-likelihood logistic regression with an intercept, by Newton's method.

    Parameters
    ----------
    design
        Terms without the intercept, shape (n, p), p ≥ 0; full column rank together with the intercept.
    positive
        Outcome, shape (n,).
    offset
        Added to the linear predictor.

    Notes
    ----- The columns are standardised for the iteration, which does not change the maximum. Where the
    likelihood has no maximum (separation), ``converged`` is false.
    """
    n, p = design.shape
    centre = design.mean(axis=0)
    scale = design.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    x = np.column_stack([np.ones(n), (design - centre) / scale])
    beta = np.zeros(p + 1)
    value = log_likelihood(x @ beta + offset, positive)
    converged = False
    information = x.T @ x / 4
    for _ in range(_MAX_ITERATIONS):
        probability = _expit(x @ beta + offset)
        weight = probability * (1 - probability)
        information = x.T @ (x * weight[:, None])
        try:
            step = np.linalg.solve(information, x.T @ (positive - probability))
        except np.linalg.LinAlgError:
            break
        for _ in range(30):  # halve a step that overshoots
            trial = log_likelihood(x @ (beta + step) + offset, positive)
            if trial >= value - 1e-12 * abs(value):
                break
            step = step / 2
        beta, value = beta + step, trial
        if np.abs(step).max() < 1e-10 * (1 + np.abs(beta).max()):
            converged = True
            break
        if np.abs(beta).max() > 1e3:
            break
    back = np.diag(np.concatenate([[1.0], 1 / scale]))
    back[0, 1:] = -centre / scale
    if converged and np.linalg.cond(information) < 1e14:
        covariance = back @ np.linalg.inv(information) @ back.T
    else:
        converged, covariance = False, np.full((p + 1, p + 1), np.nan)
    return Fit(back @ beta, covariance, value, converged)


def weights(linear: FloatArray) -> FloatArray:
    """Binomial variance p (1 − p) of each row, from its linear predictor."""
    return _expit(linear) * _expit(-linear)


def firth_log_likelihood(x: FloatArray, positive: BoolArray, beta: FloatArray) -> float:
    """Log-likelihood plus half the log-determinant of the information; ``x`` has its intercept column."""
    linear = x @ beta
    sign, determinant = np.linalg.slogdet(x.T @ (x * weights(linear)[:, None]))
    return log_likelihood(linear, positive) + 0.5 * determinant if sign > 0 else float("-inf")


def firth_maximum(
    x: FloatArray, positive: BoolArray, free: BoolArray, start: FloatArray
) -> tuple[FloatArray, float]:
    """Maximise the penalised log-likelihood over the ``free`` coefficients; the others stay as in ``start``.

    The penalty keeps the full information matrix, as in the penalised likelihood-ratio test of Heinze &
    Schemper (2002) and of R's ``logistf``. Newton's method on Firth's modified score.

    Parameters
    ----------
    x
        Design with its intercept column, shape (n, p), best standardised.
    positive
        Outcome, shape (n,).
    free
        Coefficients that move, shape (p,).
    start
        All coefficients at the start, shape (p,).

    Returns
    -------
    tuple
        Coefficients, shape (p,), and the penalised log-likelihood there.

    Raises
    ------
    ArithmeticError
        If the iteration does not converge.
    """
    beta = start.astype(float).copy()
    value = firth_log_likelihood(x, positive, beta)
    if not free.any():
        return beta, value
    for _ in range(_MAX_FIRTH_ITERATIONS):
        weight = weights(x @ beta)
        information = x.T @ (x * weight[:, None])
        leverage = weight * np.einsum("ij,ji->i", x, np.linalg.solve(information, x.T))
        probability = _expit(x @ beta)
        score = x.T @ (positive - probability + leverage * (0.5 - probability))
        step = np.linalg.solve(information[np.ix_(free, free)], score[free])
        step *= min(1.0, 5.0 / max(np.abs(step).max(), 1e-300))
        moved, trial = beta.copy(), value
        for _ in range(40):  # halve a step that overshoots
            moved[free] = beta[free] + step
            trial = firth_log_likelihood(x, positive, moved)
            if trial >= value - 1e-11 * abs(value):
                break
            step = step / 2
        beta, value = moved, trial
        if np.abs(step).max() < 1e-8 * (1 + np.abs(beta).max()):
            return beta, value
    raise ArithmeticError("Firth's penalised likelihood: found no convergence, expected a maximum.")


def firth_profile_interval(
    x: FloatArray, positive: BoolArray, beta: FloatArray, error: float, at: int, level: float
) -> tuple[float, float]:
    """Profile interval of coefficient ``at``; ``beta`` is the maximum, ``error`` its standard error there."""
    from scipy.optimize import brentq
    from scipy.special import chdtri

    target = firth_log_likelihood(x, positive, beta) - float(chdtri(1, 1 - level)) / 2
    bounds = []
    for side in (-1.0, 1.0):
        near, inner, reach = beta, 0.0, error / 4
        while True:  # walk outwards, so that each maximum starts from its neighbour
            moved, value = firth_profile(x, positive, near, at, beta[at] + side * reach)
            if value <= target:
                break
            near, inner, reach = moved, reach, reach * 1.3

        def above(point: float, near: FloatArray = near) -> float:
            return firth_profile(x, positive, near, at, point)[1] - target

        ends = (beta[at] + side * inner, beta[at] + side * reach)
        bounds.append(float(brentq(above, *ends, xtol=1e-10, rtol=1e-12)))
    return bounds[0], bounds[1]


def firth_profile(
    x: FloatArray, positive: BoolArray, near: FloatArray, at: int, value: float
) -> tuple[FloatArray, float]:
    """Maximum with coefficient ``at`` held at ``value``: the best from several starts.

    Far from the overall maximum the penalised likelihood of a separated outcome can have several local maxima. The
    starts are ``near``, 0, and ``near`` stretched as the held coefficient is; with a predictor of few values another
    maximum may still be higher, and an interval's far end is then the nearer crossing.
    """
    free = np.arange(near.size) != at
    starts = [np.where(free, near, value), np.where(free, 0.0, value)]
    if near[at] != 0 and value != 0:
        starts.append(near * (value / near[at]))
    tried = [firth_maximum(x, positive, free, start) for start in starts]
    return max(tried, key=lambda result: result[1])


def intercept_for(linear: FloatArray, positive: BoolArray) -> float:
    """Return the intercept that makes the mean probability equal the prevalence, given the linear part
    (FLIC).

    References
    ----------
    Puhr et al., Statistics in Medicine 36 (2017) 2302–2317.
    """
    return float(fit_ml(np.empty((linear.size, 0)), positive, offset=linear).beta[0])


def is_separated(design: FloatArray, positive: BoolArray) -> FloatArray:
    """Directions of separation, shape (1 + p,), intercept first: ±1 where the estimate is ±infinite, else 0.

    Linear programming (Konis 2007), on standardised terms so that the answer does not depend on their units.
    The terms must be independent and vary.
    """
    from firthmodels import detect_separation

    x = (design - design.mean(axis=0)) / design.std(axis=0)
    directions = detect_separation(x, positive.astype(int)).directions.astype(float)
    return np.concatenate([directions[-1:], directions[:-1]])


def _expit(linear: FloatArray) -> FloatArray:
    from scipy.special import expit

    return np.asarray(expit(linear), dtype=float)
