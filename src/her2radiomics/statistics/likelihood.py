"""Maximum likelihood and Firth's penalised likelihood of the logistic model, on plain arrays.

Bootstraps and calibration refit a small logistic model thousands of times, where importing and calling a
modelling library costs far more than the fit: Newton's method is therefore written out here, and checked in
the tests against ``glm`` of R.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics._check import BoolArray, FloatArray
from her2radiomics.statistics.penalised import maximum

_MAX_ITERATIONS = 50
_MAX_FIRTH_ITERATIONS = 200


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


class Firth:
    """Log-likelihood plus half the log-determinant of the information (Firth 1993), with the exact second derivative.

    Parameters
    ----------
    x
        Design with its intercept column, shape (n, p), best standardised.
    positive
        Outcome, shape (n,).
    """

    def __init__(self, x: FloatArray, positive: BoolArray) -> None:
        """Keep the data."""
        self.x, self.positive = x, positive
        self._at: tuple[FloatArray, tuple[FloatArray, FloatArray, FloatArray, FloatArray]] | None = None

    def _point(self, beta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Linear predictors, weights, and both factors of the weighted design: a step begins where a value was taken."""
        if self._at is None or not np.array_equal(self._at[0], beta):
            linear = self.x @ beta
            weight = weights(linear)
            q, r = np.linalg.qr(self.x * np.sqrt(weight)[:, None])
            self._at = beta.copy(), (linear, weight, q, r)
        return self._at[1]

    def value(self, beta: FloatArray) -> float:
        """Return the penalised log-likelihood."""
        linear, _, _, r = self._point(beta)
        diagonal = np.abs(np.diag(r))
        if diagonal.min() == 0:  # probabilities of exactly 0 and 1: outside what the penalty allows
            return float("-inf")
        return log_likelihood(linear, self.positive) + float(np.log(diagonal).sum())

    def step(self, beta: FloatArray, free: BoolArray) -> FloatArray:
        """Return Newton's step; where the likelihood is not concave, one of Fisher scoring."""
        linear, weight, q, _ = self._point(beta)
        probability = _expit(linear)
        hat = q @ q.T
        leverage = np.diag(hat)
        tilt = 1 - 2 * probability
        columns = self.x[:, free]
        score = columns.T @ (self.positive - probability + leverage * tilt / 2)
        scoring = columns.T @ (columns * (weight * (1 + leverage))[:, None])
        # minus the second derivative: ∂h_i/∂η_k = h_i t_i δ_ik − H_ik² t_k, with t = 1 − 2p
        twisted = columns * tilt[:, None]
        hessian = scoring + (twisted.T @ np.square(hat) @ twisted - twisted.T @ (twisted * leverage[:, None])) / 2
        for matrix in (hessian, scoring):
            try:
                np.linalg.cholesky(matrix)
                return np.asarray(np.linalg.solve(matrix, score), dtype=float)
            except np.linalg.LinAlgError:
                continue
        raise ArithmeticError("Firth's penalised likelihood: found a singular information matrix.")


def firth_fit(x: FloatArray, positive: BoolArray) -> tuple[FloatArray, float]:
    """Maximum of the penalised log-likelihood over all coefficients: Newton's method, else a general optimiser.

    Raises
    ------
    ArithmeticError
        Neither finds a maximum.
    """
    try:
        free, start = np.ones(x.shape[1], dtype=bool), np.zeros(x.shape[1])
        return maximum(Firth(x, positive), free, start, _MAX_FIRTH_ITERATIONS)
    except (ArithmeticError, np.linalg.LinAlgError):
        return firth_slowly(x, positive)


def firth_slowly(x: FloatArray, positive: BoolArray) -> tuple[FloatArray, float]:
    """As :func:`firth_fit` by BFGS, for models with half as many terms as rows, where Newton's steps creep."""
    objective = Firth(x, positive)

    def negative(beta: FloatArray) -> tuple[float, FloatArray]:
        linear = x @ beta
        weight, fitted = weights(linear), _expit(linear)
        inverse = np.linalg.pinv(x.T @ (x * weight[:, None]))
        leverage = weight * np.einsum("ij,jk,ik->i", x, inverse, x, optimize=True)
        return -objective.value(beta), -(x.T @ (positive - fitted + leverage * (0.5 - fitted)))

    best = scipy.optimize.minimize(
        negative, np.zeros(x.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 2000}
    )
    if not np.isfinite(best.fun) or np.abs(best.jac).max() > 1e-3:
        raise ArithmeticError("Firth's penalised likelihood: found no convergence, expected a maximum.")
    return np.asarray(best.x, dtype=float), -float(best.fun)


def firth_standardised(design: FloatArray, positive: BoolArray) -> FloatArray:
    """Coefficients of Firth's fit with FLIC's intercept first, shape (1 + p,), on the terms as given.

    Raises
    ------
    ArithmeticError
        There is no maximum.
    """
    scale = design.std(axis=0)
    peak, _ = firth_fit(np.column_stack([np.ones(len(design)), (design - design.mean(axis=0)) / scale]), positive)
    beta = peak[1:] / scale
    return np.concatenate([[intercept_for(design @ beta, positive)], beta])


def intercept_for(linear: FloatArray, positive: BoolArray) -> float:
    """Return the intercept that makes the mean probability equal the prevalence, given the linear part (FLIC).

    References
    ----------
    Puhr et al., Statistics in Medicine 36 (2017) 2302–2317.
    """
    return float(fit_ml(np.empty((linear.size, 0)), positive, offset=linear).beta[0])


def _expit(linear: FloatArray) -> FloatArray:

    return np.asarray(scipy.special.expit(linear), dtype=float)
