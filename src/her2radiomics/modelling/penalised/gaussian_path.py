"""LASSO and elastic-net paths in glmnet's conventions: population SDs, penalty per row, a grid of penalties.

Gaussian: minimise Σ(y − b₀ − xb)² / (2n) + λ‖b‖₁ on standardised columns; scikit-learn's ``alpha`` is this λ. The
path is followed from knot to knot by least-angle regression (scikit-learn's ``lars_path``), which for a few dozen
patients is faster than coordinate descent at any useful tolerance; each solution is then checked against the optimality
conditions. A path that fails them is finished by Newton's method on the active features (``active_set``), and, where that
does not end, by scikit-learn's coordinate descent.

With a ridge share the penalty is λ(α‖b‖₁ + (1 − α)‖b‖² / (2s)), s the population SD of y: glmnet scales y to SD 1 before it
applies the penalty and scales back, which changes nothing for the LASSO and divides the ridge by s. Such a path bends
between its knots, so each penalty is solved by itself, from the solution of the one before (``active_set``).

References
----------
Friedman, Hastie & Tibshirani, Journal of Statistical Software 33 (2010) 1–22.
Efron, Hastie, Johnstone & Tibshirani, Annals of Statistics 32 (2004) 407–499 (least-angle regression).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import sklearn
from her2radiomics.modelling.base import is_constant
from her2radiomics.modelling.penalised.active_set import SQUARED, minimum

# glmnet's smallest α when it looks for the largest penalty
SMALLEST_ALPHA = 1e-3
# violation of the optimality conditions, as a share of the largest penalty, up to which a solution stands
OPTIMAL = 1e-6
# largest difference of two standardised columns that are copies, and share of the largest coefficient that is rounding
COPY, ROUNDING = 1e-10, 1e-12


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


def lambda_grid(values: np.ndarray, labels: np.ndarray, count: int = 100, alpha: float = 1.0) -> np.ndarray:
    """Grid of glmnet: from the smallest penalty that keeps nothing, down to 0.01 of it (1e-4 when rows > columns).

    ``alpha`` is the share of the LASSO in the penalty. The largest penalty is the same for the gaussian and the binomial
    family. glmnet's automatic grid may end earlier (when the deviance stops changing); this one never does. Empty when
    no column varies with the label.
    """
    columns, _, _ = standardise(values)
    if columns.shape[1] == 0:
        return np.empty(0)
    largest = float(np.abs(columns.T @ (labels - labels.mean())).max()) / len(labels)
    if largest <= 1e-12:
        return np.empty(0)
    ratio = 1e-2 if values.shape[0] < values.shape[1] else 1e-4
    return largest / max(alpha, SMALLEST_ALPHA) * np.geomspace(1.0, ratio, count)


def gaussian_path(values: np.ndarray, labels: np.ndarray, lambdas: np.ndarray, alpha: float = 1.0) -> Path:
    """Least-squares LASSO or elastic net at each penalty.

    Parameters
    ----------
    values
        Finite numbers, shape (rows, features).
    labels
        Shape (rows,).
    lambdas
        Penalties, strictly decreasing, shape (l,).
    alpha
        Share of the LASSO in the penalty, above 0 up to 1 (the LASSO).
    """
    columns, mean, deviation = standardise(values)
    centred = labels - labels.mean()
    if alpha < 1:
        coefficients = _net(columns, centred, lambdas, alpha)
    else:
        coefficients = _least_angle(columns, centred, lambdas)
        good = _optimal(columns, centred, lambdas, coefficients)
        if not good.all():
            start = int(np.argmin(good))
            before = coefficients[:, start - 1] if start else np.zeros(columns.shape[1])
            coefficients[:, start:] = _from(before, columns, centred, lambdas[start:])
    coefficients = coefficients / deviation[:, None]
    return Path(lambdas, coefficients, labels.mean() - mean @ coefficients)


def _least_angle(columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray) -> np.ndarray:
    """LASSO coefficients at the penalties by least-angle regression, shape (features, l); of copies of a column the first.

    Between two knots of the path the solution is linear in the penalty. Where the path ends early the rest repeats its last
    knot: check the optimality conditions.
    """
    result = np.zeros((columns.shape[1], lambdas.size))
    kept = _without_copies(columns, columns.T @ centred / len(centred))
    if kept.size == 0:
        return result
    with warnings.catch_warnings(), sklearn.config_context(skip_parameter_validation=True):
        warnings.simplefilter("ignore")  # what it warns of, the optimality conditions decide
        knots, _, path = sklearn.linear_model.lars_path(
            columns.T[kept].T,
            centred,
            method="lasso",
            copy_X=False,
            # it stops 1e-7 before this penalty
            alpha_min=max(float(lambdas[-1]) - 1e-6, 0.0),
            max_iter=20 * min(columns.shape) + 20,
        )
    ever = np.flatnonzero(path.any(axis=1))
    path = path[ever]
    # a coefficient that leaves is left at the rounding of 0
    path[np.abs(path) <= ROUNDING * np.abs(path).max(initial=0.0)] = 0.0
    at = np.clip(lambdas, knots[-1], knots[0])
    end = np.clip(np.searchsorted(-knots, -at), 1, max(knots.size - 1, 1))
    span = knots[end - 1] - knots[np.minimum(end, knots.size - 1)]
    share = np.divide(knots[end - 1] - at, span, out=np.zeros_like(at), where=span > 0)
    share[share <= ROUNDING] = 0.0
    result[kept[ever]] = path[:, end - 1] * (1 - share) + path[:, np.minimum(end, knots.size - 1)] * share
    return result


def _without_copies(columns: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Places of the columns that vary and are no copy, to the sign, of one before."""
    # copies have the same covariance with the outcome: only columns next to each other in this order are compared
    size = np.abs(covariance)
    order = np.argsort(size, kind="stable")
    group = np.cumsum(np.diff(size[order], prepend=-1.0) > COPY)
    order = order[np.lexsort((order, group))]
    beside = np.flatnonzero(np.diff(group) == 0)
    one, other = columns[:, order[beside]], columns[:, order[beside + 1]]
    apart = np.minimum(np.abs(one - other).max(axis=0), np.abs(one + other).max(axis=0))
    keep = np.asarray(columns.any(axis=0))
    keep[order[beside + 1][apart <= COPY]] = False
    return np.flatnonzero(keep)


def _net(columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray, alpha: float) -> np.ndarray:
    """Elastic-net coefficients at the penalties, shape (features, l)."""
    result = np.zeros((columns.shape[1], lambdas.size))
    spread = float(centred.std())
    if spread == 0:
        return result
    beta = np.zeros(columns.shape[1])
    for place, penalty in enumerate(lambdas.tolist()):
        lasso, ridge = penalty * alpha, penalty * (1 - alpha) / spread
        found = minimum(SQUARED, columns, centred, lasso, ridge, beta, 0.0)
        beta = _coordinate_net(columns, centred, lasso, ridge, beta) if found is None else found[0]
        result[:, place] = beta
    return result


def _coordinate_net(
    columns: np.ndarray, centred: np.ndarray, lasso: float, ridge: float, start: np.ndarray
) -> np.ndarray:
    """Elastic net at one penalty by scikit-learn's coordinate descent, from a start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, coefficients, _ = sklearn.linear_model.enet_path(
            columns,
            centred,
            l1_ratio=lasso / (lasso + ridge),
            alphas=[lasso + ridge],
            coef_init=start,
            tol=1e-10,
            max_iter=100_000,
        )
    return np.asarray(coefficients[:, 0], dtype=float)


def _optimal(columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Whether each solution fulfils the optimality (Karush–Kuhn–Tucker) conditions; shape (l,)."""
    ever = coefficients.any(axis=1)
    own = coefficients[ever]
    gradient = columns.T @ (centred[:, None] - columns[:, ever] @ own) / len(centred)
    largest = np.maximum(gradient.max(axis=0, initial=0.0), -gradient.min(axis=0, initial=0.0))
    pulled = np.where(own != 0, np.abs(gradient[ever] - lambdas * np.sign(own)), 0.0)
    slack = np.maximum(largest - lambdas, pulled.max(axis=0, initial=0.0))
    return np.asarray(slack <= OPTIMAL * lambdas[0])


def _from(before: np.ndarray, columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray) -> np.ndarray:
    """Coefficients at the penalties, each from the solution before it; shape (features, l).

    Near-copies of columns, on which least-angle regression stumbles, take coordinate descent seconds, and it may end before
    the optimum; the active set is exact. Where its search does not end, coordinate descent finishes the path.
    """
    result = np.zeros((columns.shape[1], lambdas.size))
    kept = _without_copies(columns, columns.T @ centred / len(centred))
    varied, beta = columns[:, kept], before[kept]
    for place, penalty in enumerate(lambdas.tolist()):
        found = minimum(SQUARED, varied, centred, penalty, 0.0, beta, 0.0)
        if found is None:
            result[:, place:] = _coordinate_descent(columns, centred, lambdas[place:])
            break
        beta = found[0]
        result[kept, place] = beta
    return result


def _coordinate_descent(columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray) -> np.ndarray:
    """Coefficients at the penalties by scikit-learn's coordinate descent; shape (features, l)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last digits of near-copies: any solution predicts the same
        _, coefficients, _ = sklearn.linear_model.lasso_path(
            columns, centred, alphas=lambdas, tol=1e-6, max_iter=10_000
        )
    return np.asarray(coefficients, dtype=float)
