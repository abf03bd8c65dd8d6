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

from her2radiomics.core.libraries import firthmodels, scipy
from her2radiomics.statistics._check import BoolArray, FloatArray

_MAX_ITERATIONS = 50
_MAX_FIRTH_ITERATIONS = 200
_MAX_OUTWARD_STEPS = 30


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
    -----
    The columns are standardised for the iteration, which does not change the maximum. Where the
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
    triangle = np.linalg.qr(x * np.sqrt(weights(linear))[:, None], mode="r")
    diagonal = np.abs(np.diag(triangle))
    if diagonal.min() == 0:  # probabilities of exactly 0 and 1: outside what the penalty allows
        return float("-inf")
    return log_likelihood(linear, positive) + float(np.log(diagonal).sum())


def firth_maximum(
    x: FloatArray, positive: BoolArray, free: BoolArray, start: FloatArray
) -> tuple[FloatArray, float]:
    """Maximise the penalised log-likelihood over the ``free`` coefficients; the others stay as in ``start``.

    The penalty keeps the full information matrix, as in the penalised likelihood-ratio test of Heinze &
    Schemper (2002) and of R's ``logistf``. Newton's method with the exact second derivative.

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
    if not np.isfinite(value):
        raise ArithmeticError("Firth's penalised likelihood: found no finite value at the start.")
    if not free.any():
        return beta, value
    for _ in range(_MAX_FIRTH_ITERATIONS):
        step = _firth_step(x, positive, beta, free)
        step *= min(1.0, 5.0 / max(np.abs(step).max(), 1e-300))
        moved, trial = beta.copy(), value
        for _ in range(40):  # halve a step that overshoots
            moved[free] = beta[free] + step
            trial = firth_log_likelihood(x, positive, moved)
            if trial >= value - 1e-12 * (1 + abs(value)):
                break
            step = step / 2
        beta, value = moved, trial
        if np.abs(step).max() < 1e-9 * (1 + np.abs(beta).max()):
            return beta, value
    raise ArithmeticError("Firth's penalised likelihood: found no convergence, expected a maximum.")


def firth_fit(x: FloatArray, positive: BoolArray) -> tuple[FloatArray, float]:
    """Maximum of the penalised log-likelihood over all coefficients: Newton's method, else a general optimiser.

    Parameters
    ----------
    x, positive
        As for :func:`firth_maximum`.

    Raises
    ------
    ArithmeticError
        Neither finds a maximum.
    """
    try:
        return firth_maximum(x, positive, np.ones(x.shape[1], dtype=bool), np.zeros(x.shape[1]))
    except (ArithmeticError, np.linalg.LinAlgError):
        return firth_slowly(x, positive)


def firth_slowly(x: FloatArray, positive: BoolArray) -> tuple[FloatArray, float]:
    """As :func:`firth_fit` by BFGS, for models with half as many terms as rows, where Newton's steps creep."""

    def negative(beta: FloatArray) -> tuple[float, FloatArray]:
        linear = x @ beta
        weight, fitted = weights(linear), _expit(linear)
        inverse = np.linalg.pinv(x.T @ (x * weight[:, None]))
        leverage = weight * np.einsum("ij,jk,ik->i", x, inverse, x, optimize=True)
        score = x.T @ (positive - fitted + leverage * (0.5 - fitted))
        return -firth_log_likelihood(x, positive, beta), -score

    best = scipy.optimize.minimize(
        negative, np.zeros(x.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 2000}
    )
    if not np.isfinite(best.fun) or np.abs(best.jac).max() > 1e-3:
        raise ArithmeticError("Firth's penalised likelihood: found no convergence, expected a maximum.")
    return np.asarray(best.x, dtype=float), -float(best.fun)


def _firth_step(x: FloatArray, positive: BoolArray, beta: FloatArray, free: BoolArray) -> FloatArray:
    """Newton step of the free coefficients; where the likelihood is not concave, a step of Fisher scoring."""
    linear = x @ beta
    weight, probability = weights(linear), _expit(linear)
    q, _ = np.linalg.qr(x * np.sqrt(weight)[:, None])
    hat = q @ q.T
    leverage = np.diag(hat)
    tilt = 1 - 2 * probability
    columns = x[:, free]
    score = columns.T @ (positive - probability + leverage * tilt / 2)
    scoring = columns.T @ (columns * (weight * (1 + leverage))[:, None])
    # minus the second derivative: ∂h_i/∂η_k = h_i t_i δ_ik − H_ik² t_k, with t = 1 − 2p
    twisted = columns * tilt[:, None]
    hessian = (
        scoring - twisted.T @ (twisted * leverage[:, None]) / 2 + twisted.T @ np.square(hat) @ twisted / 2
    )
    for matrix in (hessian, scoring):
        try:
            np.linalg.cholesky(matrix)
            return np.asarray(np.linalg.solve(matrix, score), dtype=float)
        except np.linalg.LinAlgError:
            continue
    raise ArithmeticError("Firth's penalised likelihood: found a singular information matrix.")


def firth_profile_interval(
    x: FloatArray, positive: BoolArray, beta: FloatArray, error: float, at: int, level: float
) -> tuple[float, float]:
    """Profile interval of coefficient ``at``; ``beta`` is the maximum, ``error`` its standard error there.

    Raises
    ------
    ArithmeticError
        The profile does not fall to the bound within 10⁴ standard errors, or cannot be followed there.
    """
    free = np.arange(beta.size) != at
    target = firth_log_likelihood(x, positive, beta) - float(scipy.special.chdtri(1, 1 - level)) / 2

    def profile(value: float, near: FloatArray) -> tuple[FloatArray, float]:
        return firth_maximum(x, positive, free, np.where(free, near, value))

    bounds = []
    for side in (-1.0, 1.0):
        near, inner, reach = beta, 0.0, error / 2
        # walk outwards: each maximum starts from its neighbour and stays on the maximum's own ridge
        for _ in range(_MAX_OUTWARD_STEPS):
            moved, value = profile(beta[at] + side * reach, near)
            if value <= target:
                break
            near, inner, reach = moved, reach, reach * 1.4
        else:
            raise ArithmeticError(
                "Firth's penalised likelihood: found a profile that never falls to its bound."
            )

        def above(point: float, near: FloatArray = near) -> float:
            return profile(point, near)[1] - target

        ends = (beta[at] + side * inner, beta[at] + side * reach)
        bounds.append(float(scipy.optimize.brentq(above, *ends, xtol=1e-8 * error, rtol=1e-10)))
    return bounds[0], bounds[1]


def firth_profile(x: FloatArray, positive: BoolArray, near: FloatArray, at: int, value: float) -> float:
    """Greatest penalised log-likelihood with coefficient ``at`` held at ``value``, from two starts.

    Far from the overall maximum the penalised likelihood of a separated outcome can have several local maxima.
    """
    free = np.arange(near.size) != at
    starts = (np.where(free, near, value), np.where(free, 0.0, value))
    return max(firth_maximum(x, positive, free, start)[1] for start in starts)


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
    x = (design - design.mean(axis=0)) / design.std(axis=0)
    directions = firthmodels.detect_separation(x, positive.astype(int)).directions.astype(float)
    return np.concatenate([directions[-1:], directions[:-1]])


def _expit(linear: FloatArray) -> FloatArray:

    return np.asarray(scipy.special.expit(linear), dtype=float)
