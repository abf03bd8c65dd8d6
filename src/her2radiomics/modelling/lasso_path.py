"""LASSO paths in glmnet's conventions: population standard deviations, penalty per row, a grid of penalties.

Gaussian: minimise Σ(y − b₀ − xb)² / (2n) + λ‖b‖₁ on standardised columns; scikit-learn's ``alpha`` is this λ. The
path is followed from knot to knot (``homotopy``), which for a few dozen patients is faster than coordinate descent at
any useful tolerance; each solution is then checked against the optimality conditions, and scikit-learn's coordinate
descent finishes a path that fails them.

Reference
---------
Friedman, Hastie & Tibshirani, Journal of Statistical Software 33 (2010) 1–22.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from her2radiomics.modelling.base import is_constant
from her2radiomics.modelling.homotopy import follow

# violation of the optimality conditions, as a share of the largest penalty, up to which a solution stands
OPTIMAL = 1e-6


@dataclass(frozen=True)
class Path:
    """Coefficients along a grid of penalties, on the scale of the columns as given.

    Attributes
    ----------
    lambdas
        Penalties, decreasing, shape (l,).
    coefficients
        Shape (features, l).
    intercepts
        Shape (l,).
    """

    lambdas: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Linear predictors of rows, shape (rows, l)."""
        prediction: np.ndarray = values @ self.coefficients + self.intercepts
        return prediction


def standardise(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standardise with population SDs; return columns, means and SDs (constant columns become 0, SD 1)."""
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    constant = is_constant(values)
    deviation = np.where(constant, 1.0, deviation)
    columns = (values - mean) / deviation
    columns[:, constant] = 0.0
    return np.asfortranarray(columns), mean, deviation


def lambda_grid(values: np.ndarray, labels: np.ndarray, count: int = 100) -> np.ndarray:
    """glmnet's grid: from the smallest penalty that keeps nothing, down to 0.01 of it (1e-4 when rows > columns).

    The largest penalty is the same for the gaussian and the binomial family. glmnet's automatic grid may end earlier
    (when the deviance stops changing); this one never does. Empty when no column varies with the label.
    """
    columns, _, _ = standardise(values)
    if columns.shape[1] == 0:
        return np.empty(0)
    largest = float(np.abs(columns.T @ (labels - labels.mean())).max()) / len(labels)
    if largest <= 1e-12:
        return np.empty(0)
    ratio = 1e-2 if values.shape[0] < values.shape[1] else 1e-4
    return largest * np.geomspace(1.0, ratio, count)


def gaussian_path(values: np.ndarray, labels: np.ndarray, lambdas: np.ndarray) -> Path:
    """Least-squares LASSO at each penalty.

    Parameters
    ----------
    values
        Finite numbers, shape (rows, features).
    labels
        Shape (rows,).
    lambdas
        Penalties, strictly decreasing, shape (l,).
    """
    columns, mean, deviation = standardise(values)
    centred = labels - labels.mean()
    coefficients = follow(columns, centred, lambdas)
    good = _optimal(columns, centred, lambdas, coefficients)
    if not good.all():
        start = int(np.argmin(good))
        coefficients[:, start:] = _coordinate_descent(columns, centred, lambdas[start:])
    coefficients = coefficients / deviation[:, None]
    return Path(lambdas, coefficients, labels.mean() - mean @ coefficients)


def _optimal(
    columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray, coefficients: np.ndarray
) -> np.ndarray:
    """Whether each solution fulfils the optimality (Karush–Kuhn–Tucker) conditions; shape (l,)."""
    gradient = columns.T @ (centred[:, None] - columns @ coefficients) / len(centred)
    slack = np.where(
        coefficients != 0,
        np.abs(gradient - lambdas * np.sign(coefficients)),
        np.maximum(np.abs(gradient) - lambdas, 0.0),
    )
    return np.asarray(slack.max(axis=0, initial=0.0) <= OPTIMAL * lambdas[0])


def _coordinate_descent(columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray) -> np.ndarray:
    """Coefficients at the penalties by scikit-learn's coordinate descent; shape (features, l)."""
    from sklearn.linear_model import lasso_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last digits of near-copies: any solution predicts the same
        _, coefficients, _ = lasso_path(columns, centred, alphas=lambdas, tol=1e-6, max_iter=10_000)
    return np.asarray(coefficients, dtype=float)
