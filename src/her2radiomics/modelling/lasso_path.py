"""LASSO paths in glmnet's conventions: population standard deviations, penalty per row, a grid of penalties.

Gaussian: minimise Σ(y − b₀ − xb)² / (2n) + λ‖b‖₁ on standardised columns; scikit-learn's ``alpha`` is this λ. The
path is followed exactly from knot to knot (least-angle regression), which for a few dozen patients is faster than
coordinate descent at any useful tolerance; each solution is then checked against the optimality conditions, and
coordinate descent finishes the part of a path that fails them (near-copies of a feature).

References
----------
Friedman, Hastie & Tibshirani, Journal of Statistical Software 33 (2010) 1–22.
Efron et al., Annals of Statistics 32 (2004) 407–499.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from her2radiomics.modelling.base import is_constant

# violation of the optimality conditions, as a share of the largest penalty, up to which a solution stands
OPTIMAL = 1e-7
MAX_GRAM = 1500


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
    gram = columns.T @ columns if columns.shape[1] <= MAX_GRAM else None
    coefficients = _least_angle(columns, centred, lambdas, gram)
    good = _optimal(columns, centred, lambdas, coefficients)
    if not good.all():
        start = int(np.argmin(good))
        coefficients[:, start:] = _coordinate_descent(columns, centred, lambdas[start:], gram)
    coefficients = coefficients / deviation[:, None]
    return Path(lambdas, coefficients, labels.mean() - mean @ coefficients)


def _least_angle(
    columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray, gram: np.ndarray | None
) -> np.ndarray:
    """Coefficients at the penalties, interpolated on the piecewise linear path; shape (features, l)."""
    from sklearn.linear_model import lars_path

    coefficients = np.zeros((columns.shape[1], lambdas.size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # degenerate steps: the optimality conditions are checked afterwards
        knots, _, path = lars_path(
            columns,
            centred,
            Gram=gram,
            method="lasso",
            alpha_min=float(lambdas[-1]),
            max_iter=8 * len(columns),
        )
    for feature in np.flatnonzero((path != 0).any(axis=1)):
        coefficients[feature] = np.interp(lambdas[::-1], knots[::-1], path[feature, ::-1])[::-1]
    # a feature that joined and left again keeps rounding dust
    coefficients[np.abs(coefficients) <= 1e-12 * np.abs(coefficients).max(initial=0.0)] = 0.0
    return coefficients


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


def _coordinate_descent(
    columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray, gram: np.ndarray | None
) -> np.ndarray:
    """Coefficients at the penalties by scikit-learn's coordinate descent; shape (features, l)."""
    from sklearn.linear_model import lasso_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last digits of near-copies: any solution predicts the same
        _, coefficients, _ = lasso_path(
            columns,
            centred,
            alphas=lambdas,
            precompute=False if gram is None else gram,
            tol=1e-7,
            max_iter=20_000,
        )
    return np.asarray(coefficients, dtype=float)
