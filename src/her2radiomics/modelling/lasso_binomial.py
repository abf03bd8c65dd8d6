"""The logistic LASSO path: minimise −log-likelihood / n + λ‖b‖₁ on standardised columns, as glmnet's binomial family.

scikit-learn's ``LogisticRegression(l1_ratio=1, solver="saga", C=1/(n·λ))`` has the same minimum. Here the path is
followed from the largest penalty down: at each one Newton's method on the active features, whose signs are fixed, and
features join or leave until the optimality conditions hold. Where that gets stuck (copies of a feature), Newton steps
with weighted least-squares LASSOs take over, as in glmnet.
"""

from __future__ import annotations

import warnings

import numpy as np

from her2radiomics.modelling.lasso_path import Path, standardise

_MAX_STEPS = 50
# violation of the optimality conditions, as a share of the penalty, at which a solution stands
_OPTIMAL = 1e-9
# glmnet's floor of a fitted probability
_FLOOR = 1e-9


def binomial_path(values: np.ndarray, labels: np.ndarray, lambdas: np.ndarray) -> Path:
    """Logistic LASSO at each penalty.

    Parameters
    ----------
    values
        Finite numbers, shape (rows, features).
    labels
        0 or 1, both present, shape (rows,).
    lambdas
        Penalties, strictly decreasing, shape (l,).
    """
    columns, mean, deviation = standardise(values)
    beta = np.zeros(columns.shape[1])
    intercept = float(np.log(labels.mean() / (1 - labels.mean())))
    coefficients = np.zeros((columns.shape[1], lambdas.size))
    intercepts = np.zeros(lambdas.size)
    for place, penalty in enumerate(lambdas):
        found = _active_set(columns, labels, float(penalty), beta, intercept)
        beta, intercept = found or _newton(columns, labels, float(penalty), beta, intercept)
        coefficients[:, place], intercepts[place] = beta, intercept
    coefficients = coefficients / deviation[:, None]
    return Path(lambdas, coefficients, intercepts - mean @ coefficients)


def _active_set(
    columns: np.ndarray, labels: np.ndarray, penalty: float, beta: np.ndarray, intercept: float
) -> tuple[np.ndarray, float] | None:
    """Minimise at one penalty from a start; ``None`` where it does not end."""
    n = len(labels)
    active = [int(i) for i in np.flatnonzero(beta)]
    signs = [float(np.sign(beta[i])) for i in active]
    for _ in range(4 * n):
        theta = np.concatenate([[intercept], beta[active]])
        solved = _smooth_minimum(columns, labels, penalty, theta, active, signs)
        if solved is None:
            return None
        theta, residual = solved
        intercept = float(theta[0])
        beta = np.zeros(columns.shape[1])
        beta[active] = theta[1:]
        gradient = columns.T @ residual / n
        slack = np.abs(gradient) - penalty
        slack[active] = -np.inf
        joiner = int(np.argmax(slack))
        if slack[joiner] <= _OPTIMAL * penalty:
            return beta, intercept
        if len(active) >= n - 1:
            return None
        active.append(joiner)
        signs.append(-float(np.sign(gradient[joiner])))
    return None


def _smooth_minimum(
    columns: np.ndarray,
    labels: np.ndarray,
    penalty: float,
    theta: np.ndarray,
    active: list[int],
    signs: list[float],
) -> tuple[np.ndarray, np.ndarray] | None:
    """Newton's method for intercept and active coefficients of fixed sign; a coefficient that reaches 0 leaves.

    ``active`` and ``signs`` are changed in place. Returns the solution and the residual (fitted − labels).
    """
    from scipy.special import expit

    n = len(labels)
    for _ in range(_MAX_STEPS + 4 * len(active)):
        design = np.column_stack([np.ones(n), columns[:, active]])
        pull = penalty * np.array([0.0, *signs])
        fitted = expit(design @ theta)
        residual = fitted - labels
        gradient = design.T @ residual / n + pull
        if np.abs(gradient).max() <= _OPTIMAL * penalty:
            return theta, residual
        weight = fitted * (1 - fitted) / n
        try:
            step = -np.linalg.solve(design.T @ (design * weight[:, None]), gradient)
        except np.linalg.LinAlgError:
            return None
        against = np.array([0.0, *signs]) * step < 0
        reach = np.divide(-theta, step, out=np.full(theta.size, np.inf), where=against)
        leaver = int(np.argmin(reach))
        share = min(1.0, float(reach[leaver]))
        value = _smooth(design, labels, pull, theta)
        while share > 1e-10 and _smooth(design, labels, pull, theta + share * step) > value + 1e-14:
            share /= 2
        theta = theta + share * step
        if share == reach[leaver]:
            theta = np.delete(theta, leaver)
            del active[leaver - 1], signs[leaver - 1]
        elif share <= 1e-10:
            return None
    return None


def _smooth(design: np.ndarray, labels: np.ndarray, pull: np.ndarray, theta: np.ndarray) -> float:
    linear = design @ theta
    return float(np.logaddexp(0.0, np.where(labels == 1, -linear, linear)).mean() + pull @ theta)


def _newton(
    columns: np.ndarray, labels: np.ndarray, penalty: float, beta: np.ndarray, intercept: float
) -> tuple[np.ndarray, float]:
    """Minimise at one penalty from a start; return coefficients and intercept."""
    from scipy.special import expit

    value = _objective(columns, labels, penalty, beta, intercept)
    for _ in range(_MAX_STEPS):
        linear = columns @ beta + intercept
        probability = expit(linear)
        weight = np.maximum(probability * (1 - probability), _FLOOR)
        target = linear + (labels - probability) / weight
        new_beta, new_intercept = _weighted_lasso(columns, target, weight, penalty, beta)
        step, move = new_beta - beta, new_intercept - intercept
        share = 1.0
        for _ in range(30):  # halve a step that overshoots
            trial = _objective(columns, labels, penalty, beta + share * step, intercept + share * move)
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
    columns: np.ndarray, labels: np.ndarray, penalty: float, beta: np.ndarray, intercept: float
) -> float:
    linear = columns @ beta + intercept
    loss = np.logaddexp(0.0, np.where(labels == 1, -linear, linear)).mean()
    return float(loss + penalty * np.abs(beta).sum())


def _weighted_lasso(
    columns: np.ndarray, target: np.ndarray, weight: np.ndarray, penalty: float, start: np.ndarray
) -> tuple[np.ndarray, float]:
    """Weighted least-squares LASSO with an intercept, from a start."""
    from sklearn.linear_model import enet_path

    share = weight / weight.sum()
    centre, middle = share @ columns, float(share @ target)
    root = np.sqrt(weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the outer iteration judges convergence
        _, path, _ = enet_path(
            np.asfortranarray((columns - centre) * root[:, None]),
            (target - middle) * root,
            l1_ratio=1.0,
            alphas=[penalty],
            coef_init=start,
            precompute=False,
            check_input=False,
            tol=1e-8,
            max_iter=20_000,
        )
    beta = np.asarray(path[:, 0], dtype=float)
    return beta, middle - float(centre @ beta)
