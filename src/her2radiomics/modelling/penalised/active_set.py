"""The elastic net at one penalty: minimise loss / n + λ(α‖b‖₁ + (1 − α)‖b‖² / 2) by Newton's method on the active features.

The signs of the active coefficients are fixed, so that on them the objective is smooth; a coefficient that reaches 0
leaves, and the feature that violates the optimality (Karush–Kuhn–Tucker) conditions most joins, until none does. The
solution holds to rounding, where coordinate descent stops at its tolerance.

Reference
---------
Zou & Hastie, Journal of the Royal Statistical Society B 67 (2005) 301–320 (the penalty; in glmnet's scaling here).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import scipy

_MAX_STEPS = 50
# violation of the optimality conditions, as a share of the l1 penalty, at which a solution stands
_OPTIMAL = 1e-9

Vector = np.ndarray


@dataclass(frozen=True)
class Loss:
    """A convex loss of a linear predictor.

    Attributes
    ----------
    value
        ``(linear, outcome)`` → mean loss.
    slope
        ``(linear, outcome)`` → derivative of each row's loss, shape (rows,).
    bend
        ``linear`` → second derivative of each row's loss, shape (rows,).
    """

    value: Callable[[Vector, Vector], float]
    slope: Callable[[Vector, Vector], Vector]
    bend: Callable[[Vector], Vector]


def _log_loss(linear: Vector, labels: Vector) -> float:
    return float(np.logaddexp(0.0, np.where(labels == 1, -linear, linear)).sum() / labels.size)


def _log_slope(linear: Vector, labels: Vector) -> Vector:

    return np.asarray(scipy.special.expit(linear) - labels)


def _log_bend(linear: Vector) -> Vector:

    fitted = np.asarray(scipy.special.expit(linear))
    return fitted * (1 - fitted)


LOGISTIC = Loss(_log_loss, _log_slope, _log_bend)
SQUARED = Loss(
    lambda linear, outcome: float(np.square(linear - outcome).mean() / 2),
    lambda linear, outcome: linear - outcome,
    np.ones_like,
)


def minimum(
    loss: Loss, columns: Vector, outcome: Vector, lasso: float, ridge: float, beta: Vector, intercept: float
) -> tuple[Vector, float] | None:
    """Minimise at one penalty from a start.

    Parameters
    ----------
    loss
        :data:`LOGISTIC` or :data:`SQUARED`.
    columns
        Standardised columns, shape (rows, features).
    outcome
        Shape (rows,).
    lasso, ridge
        λα and λ(1 − α).
    beta, intercept
        The start: coefficients, shape (features,), and intercept, such as those of the penalty before.

    Returns
    -------
    tuple or None
        Coefficients and intercept; ``None`` where the search does not end (copies of a feature without a ridge).
    """
    n = len(outcome)
    active = [int(i) for i in np.flatnonzero(beta)]
    signs = [float(np.sign(beta[i])) for i in active]
    # a ridge lets more features in than there are rows
    most = n - 1 if ridge == 0 else columns.shape[1]
    for _ in range(4 * max(n, most)):
        theta = np.concatenate([[intercept], beta[active]])
        solved = _smooth_minimum(loss, columns, outcome, lasso, ridge, theta, active, signs)
        if solved is None:
            return None
        theta, slope = solved
        intercept = float(theta[0])
        beta = np.zeros(columns.shape[1])
        beta[active] = theta[1:]
        gradient = columns.T @ slope / n
        slack = np.abs(gradient) - lasso
        slack[active] = -np.inf
        joiner = int(np.argmax(slack))
        if slack[joiner] <= _OPTIMAL * lasso:
            return beta, intercept
        if len(active) >= most:
            return None
        active.append(joiner)
        signs.append(-float(np.sign(gradient[joiner])))
    return None


def _smooth_minimum(
    loss: Loss,
    columns: Vector,
    outcome: Vector,
    lasso: float,
    ridge: float,
    theta: Vector,
    active: list[int],
    signs: list[float],
) -> tuple[Vector, Vector] | None:
    """Newton's method for intercept and active coefficients of fixed sign; a coefficient that reaches 0 leaves.

    ``active`` and ``signs`` are changed in place. Returns the solution and the slope of each row's loss.
    """
    n = len(outcome)
    design, pull, shrink = _terms(columns, lasso, ridge, active, signs)
    for _ in range(_MAX_STEPS + 4 * len(active)):
        linear = design @ theta
        slope = loss.slope(linear, outcome)
        gradient = design.T @ slope / n + pull + shrink * theta
        if np.abs(gradient).max() <= _OPTIMAL * lasso:
            return theta, slope
        curvature = design.T @ (design * (loss.bend(linear) / n)[:, None]) + np.diag(shrink)
        try:
            step = -np.linalg.solve(curvature, gradient)
        except np.linalg.LinAlgError:
            return None
        against = pull * step < 0
        reach = np.divide(-theta, step, out=np.full(theta.size, np.inf), where=against)
        leaver = int(np.argmin(reach))
        share = min(1.0, float(reach[leaver]))

        value = loss.value(linear, outcome) + float(pull @ theta + shrink @ np.square(theta) / 2)
        while share > 1e-10:
            trial = theta + share * step
            reached = loss.value(design @ trial, outcome) + float(pull @ trial + shrink @ np.square(trial) / 2)
            if not reached > value + 1e-14:
                break
            share /= 2
        theta = theta + share * step
        if share == reach[leaver]:
            theta = np.delete(theta, leaver)
            del active[leaver - 1], signs[leaver - 1]
            design, pull, shrink = _terms(columns, lasso, ridge, active, signs)
        elif share <= 1e-10:
            return None
    return None


def _terms(
    columns: Vector, lasso: float, ridge: float, active: list[int], signs: list[float]
) -> tuple[Vector, Vector, Vector]:
    """Design of intercept and active features, the slope of their l1 penalty, and the ridge of each."""
    design = np.column_stack([np.ones(len(columns)), columns[:, active]])
    shrink = np.full(1 + len(active), ridge)
    shrink[0] = 0.0
    return design, lasso * np.array([0.0, *signs]), shrink
