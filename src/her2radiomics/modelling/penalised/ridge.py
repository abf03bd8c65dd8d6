"""The ridge-penalised logistic path: minimise −log-likelihood / n + λ‖b‖² / 2 on standardised columns (glmnet, alpha 0).

scikit-learn's ``LogisticRegression(C=1/(n·λ))`` has the same minimum. Here the whole path is followed by Newton's method
in the space of the rows, so that a penalty costs the same for 10 features as for 1,000.
"""

from __future__ import annotations

import numpy as np

from her2radiomics.core.libraries import scipy
from her2radiomics.modelling.penalised.cross_validation import _deviance, _summary
from her2radiomics.modelling.penalised.gaussian_path import Path, lambda_grid, standardise

# glmnet begins a ridge path where a LASSO with alpha 0.001 would begin
_FIRST = 1000.0
_MAX_STEPS = 100
_CONVERGED = 1e-12


def ridge_grid(values: np.ndarray, labels: np.ndarray, n_lambdas: int) -> np.ndarray:
    """Penalties of glmnet for alpha 0, decreasing; empty where no column varies with the label."""
    return np.asarray(_FIRST * lambda_grid(values, np.asarray(labels, dtype=float), n_lambdas))


def ridge_path(values: np.ndarray, labels: np.ndarray, lambdas: np.ndarray) -> Path:
    """Ridge-penalised logistic regression at each penalty.

    Parameters
    ----------
    values
        Finite numbers, shape (rows, features).
    labels
        0 or 1, both present, shape (rows,).
    lambdas
        Penalties, decreasing, shape (l,).

    Raises
    ------
    ArithmeticError
        Newton's method does not converge.
    """
    columns, mean, deviation = standardise(values)
    # the solution is a combination of the rows: with columns = U S V', b = V g and |b| = |g|
    left, size, right = np.linalg.svd(columns, full_matrices=False)
    rank = size > size.max(initial=0.0) * 1e-13
    design = np.column_stack([np.ones(len(labels)), left[:, rank] * size[rank]])
    theta = np.zeros(design.shape[1])
    theta[0] = np.log(labels.mean() / (1 - labels.mean()))
    coefficients = np.zeros((columns.shape[1], lambdas.size))
    intercepts = np.zeros(lambdas.size)
    for place, penalty in enumerate(lambdas):
        theta = _minimum(design, labels, float(penalty), theta)
        coefficients[:, place], intercepts[place] = right[rank].T @ theta[1:], theta[0]
    coefficients = coefficients / deviation[:, None]
    return Path(lambdas, coefficients, intercepts - mean @ coefficients)


def _minimum(design: np.ndarray, labels: np.ndarray, penalty: float, theta: np.ndarray) -> np.ndarray:
    """Newton's method from a start, with halved steps where one overshoots."""
    n = len(labels)
    shrunk = np.full(theta.size, penalty)
    shrunk[0] = 0.0

    def objective(at: np.ndarray) -> float:
        linear = design @ at
        loss = np.logaddexp(0.0, np.where(labels == 1, -linear, linear)).mean()
        return float(loss + (shrunk * at * at).sum() / 2)

    value = objective(theta)
    for _ in range(_MAX_STEPS):
        fitted = scipy.special.expit(design @ theta)
        gradient = design.T @ (fitted - labels) / n + shrunk * theta
        hessian = design.T @ (design * (fitted * (1 - fitted))[:, None]) / n + np.diag(shrunk)
        step = np.linalg.solve(hessian, gradient)
        for _ in range(30):
            trial = objective(theta - step)
            if trial <= value + 1e-15 * abs(value):
                break
            step = step / 2
        theta, value = theta - step, trial
        if np.abs(step).max() < _CONVERGED * (1 + np.abs(theta).max()):
            return theta
    # so near to the minimum only rounding is left
    if np.abs(gradient).max() < 1e-9:
        return theta
    raise ArithmeticError(f"ridge: found no convergence at penalty {penalty:g}")


def cross_validated_ridge(
    values: np.ndarray,
    labels: np.ndarray,
    fold: np.ndarray,
    *,
    rule: str,
    n_lambdas: int = 100,
    lambdas: np.ndarray | None = None,
) -> tuple[float, Path] | None:
    """Choose the penalty by cross-validated deviance, as ``cv.glmnet(alpha = 0)`` with ``lambda`` and ``foldid`` given.

    Parameters
    ----------
    values, labels
        As for :func:`ridge_path`.
    fold
        Fold of each row, shape (rows,).
    rule
        ``min`` or ``1se``.
    n_lambdas
        Penalties on the grid.
    lambdas
        An explicit grid instead, decreasing.

    Returns
    -------
    tuple or None
        The penalty, and the path at it alone, fitted on all rows; ``None`` when no column varies with the label.
    """
    y = np.asarray(labels, dtype=float)
    grid = ridge_grid(values, y, n_lambdas) if lambdas is None else np.asarray(lambdas, dtype=float)
    if grid.size == 0:
        return None
    names = np.unique(fold)
    errors = np.empty((y.size, grid.size))
    for name in names:
        test = fold == name
        path = ridge_path(values[~test], y[~test], grid)
        errors[test] = _deviance(y[test][:, None], path.predict(values[test]))
    mean, se = _summary(errors, fold, names)
    place = int(np.argmax(mean <= mean.min()))
    if rule == "1se":
        place = int(np.argmax(mean <= mean[place] + se[place]))
    chosen = ridge_path(values, y, grid[: place + 1])
    return float(grid[place]), Path(grid[place : place + 1], chosen.coefficients[:, -1:], chosen.intercepts[-1:])
