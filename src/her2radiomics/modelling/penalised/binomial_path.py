"""The logistic LASSO and elastic-net path on standardised columns, as glmnet's binomial family.

Minimise −log-likelihood / n + λ(α‖b‖₁ + (1 − α)‖b‖² / 2). With α = 1, scikit-learn's
``LogisticRegression(l1_ratio=1, solver="saga", C=1/(n·λ))`` has the same minimum. The path is followed from the largest
penalty down by Newton's method on the active features (``active_set``). Where that gets stuck (copies of a feature),
Newton steps with weighted least squares take over, as in glmnet.
"""

from __future__ import annotations

import warnings

import numpy as np

from her2radiomics.core.libraries import scipy, sklearn
from her2radiomics.modelling.penalised.active_set import LOGISTIC, minimum
from her2radiomics.modelling.penalised.gaussian_path import Path, standardise

_MAX_STEPS = 50
# glmnet's floor of a fitted probability
_FLOOR = 1e-9


def binomial_path(values: np.ndarray, labels: np.ndarray, lambdas: np.ndarray, alpha: float = 1.0) -> Path:
    """Logistic elastic net at each penalty.

    Parameters
    ----------
    values
        Finite numbers, shape (rows, features).
    labels
        0 or 1, both present, shape (rows,).
    lambdas
        Penalties, strictly decreasing, shape (l,).
    alpha
        Share of the LASSO in the penalty, above 0 up to 1 (the LASSO).
    """
    columns, mean, deviation = standardise(values)
    beta = np.zeros(columns.shape[1])
    intercept = float(np.log(labels.mean() / (1 - labels.mean())))
    coefficients = np.zeros((columns.shape[1], lambdas.size))
    intercepts = np.zeros(lambdas.size)
    for place, penalty in enumerate(lambdas.tolist()):
        lasso, ridge = penalty * alpha, penalty * (1 - alpha)
        found = minimum(LOGISTIC, columns, labels, lasso, ridge, beta, intercept)
        beta, intercept = found or _newton(columns, labels, penalty, beta, intercept, alpha)
        coefficients[:, place], intercepts[place] = beta, intercept
    coefficients = coefficients / deviation[:, None]
    return Path(lambdas, coefficients, intercepts - mean @ coefficients)


def _newton(
    columns: np.ndarray, labels: np.ndarray, penalty: float, beta: np.ndarray, intercept: float, alpha: float = 1.0
) -> tuple[np.ndarray, float]:
    """Minimise at one penalty from a start; return coefficients and intercept."""
    value = _objective(columns, labels, penalty, beta, intercept, alpha)
    for _ in range(_MAX_STEPS):
        linear = columns @ beta + intercept
        probability = scipy.special.expit(linear)
        weight = np.maximum(probability * (1 - probability), _FLOOR)
        target = linear + (labels - probability) / weight
        new_beta, new_intercept = _weighted_net(columns, target, weight, penalty, beta, alpha)
        step, move = new_beta - beta, new_intercept - intercept
        share = 1.0
        for _ in range(30):  # halve a step that overshoots
            trial = _objective(columns, labels, penalty, beta + share * step, intercept + share * move, alpha)
            if trial <= value + 1e-14 * abs(value):
                break
            share /= 2
        gained = value - trial
        # a whole step keeps exact zeros
        beta = new_beta if share == 1.0 else beta + share * step
        intercept, value = intercept + share * move, trial
        if gained <= 1e-11 * abs(value):
            break
    return beta, intercept


def _objective(
    columns: np.ndarray, labels: np.ndarray, penalty: float, beta: np.ndarray, intercept: float, alpha: float = 1.0
) -> float:
    linear = columns @ beta + intercept
    loss = np.logaddexp(0.0, np.where(labels == 1, -linear, linear)).mean()
    return float(loss + penalty * (alpha * np.abs(beta).sum() + (1 - alpha) * np.square(beta).sum() / 2))


def _weighted_net(
    columns: np.ndarray, target: np.ndarray, weight: np.ndarray, penalty: float, start: np.ndarray, alpha: float
) -> tuple[np.ndarray, float]:
    """Weighted least-squares elastic net with an intercept, from a start."""
    share = weight / weight.sum()
    centre, middle = share @ columns, float(share @ target)
    root = np.sqrt(weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the outer iteration judges convergence
        _, path, _ = sklearn.linear_model.enet_path(
            np.asfortranarray((columns - centre) * root[:, None]),
            (target - middle) * root,
            l1_ratio=alpha,
            alphas=[penalty],
            coef_init=start,
            precompute=False,
            check_input=False,
            tol=1e-8,
            max_iter=20_000,
        )
    beta = np.asarray(path[:, 0], dtype=float)
    return beta, middle - float(centre @ beta)
