"""The penalty of a LASSO by cross-validation: one grid for all folds, errors weighted by fold size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import pd, scipy, sklearn
from her2radiomics.modelling.penalised.binomial_path import binomial_path
from her2radiomics.modelling.penalised.gaussian_path import Path, gaussian_path, lambda_grid

MINIMUM_FOLDS = 3


@dataclass(frozen=True)
class CrossValidatedLasso:
    """A path on all rows, and its cross-validated error.

    Attributes
    ----------
    path
        Fitted on all rows.
    mean, se
        Error at each penalty (squared error, or binomial deviance) and its standard error, shape (l,).
    index_min, index_1se
        Places of lambda.min and lambda.1se on the grid.
    folds
        Folds that were used.
    """

    path: Path
    mean: np.ndarray
    se: np.ndarray
    index_min: int
    index_1se: int
    folds: int

    def curve(self) -> pd.DataFrame:
        """Return ``lambda, mean_error, se, n_features, min, one_se``; the last two mark the two chosen penalties."""
        places = np.arange(self.mean.size)
        return pd.DataFrame(
            {
                "lambda": self.path.lambdas,
                "mean_error": self.mean,
                "se": self.se,
                "n_features": (self.path.coefficients != 0).sum(axis=0),
                "min": places == self.index_min,
                "one_se": places == self.index_1se,
            }
        )


def patient_folds(patients: np.ndarray, labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Assign rows to stratified folds, shape (rows,); empty when there are too few patients in one class.

    ``patients`` are those who must not be parted: the persons where several patients are one
    (:func:`~her2radiomics.modelling.people.by_person`); such a person is positive where one of the rows is.

    The assignment depends on the patients' identifiers and the seed, not on the order of the rows, and all rows of a
    patient (drawn twice by a bootstrap) share a fold. There are no more folds than patients of the rarer class.
    """
    once, row = np.unique(np.asarray(patients).astype(str), return_inverse=True)
    outcome = np.zeros(once.size, dtype=int)
    np.maximum.at(outcome, row, np.asarray(labels).astype(int))
    folds = min(folds, int(np.bincount(outcome, minlength=2).min()))
    if folds < MINIMUM_FOLDS:
        return np.empty(0, dtype=int)
    assigned = np.empty(once.size, dtype=int)
    splitter = sklearn.model_selection.StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    for fold, (_, test) in enumerate(splitter.split(outcome, outcome)):
        assigned[test] = fold
    return assigned[row]


def cross_validated_lasso(
    values: np.ndarray,
    labels: np.ndarray,
    fold: np.ndarray,
    *,
    family: str = "gaussian",
    n_lambdas: int = 100,
    lambdas: np.ndarray | None = None,
    alpha: float = 1.0,
) -> CrossValidatedLasso | None:
    """Fit the path and choose the penalty, as ``cv.glmnet`` with an explicit ``lambda`` and ``foldid``.

    Columns are standardised inside every fold, every fold uses the grid of all rows, and a fold's error counts with
    its number of rows. lambda.min is the largest penalty with the smallest error; lambda.1se the largest with an
    error within one standard error of it.

    Parameters
    ----------
    values
        Finite numbers, shape (rows, features).
    labels
        0 or 1, shape (rows,).
    fold
        Fold of each row, shape (rows,).
    family
        ``gaussian`` (squared error) or ``binomial`` (deviance).
    n_lambdas
        Penalties on glmnet's grid.
    lambdas
        An explicit grid instead, decreasing.
    alpha
        Share of the LASSO in the penalty (1: LASSO; less: elastic net).

    Returns
    -------
    CrossValidatedLasso or None
        ``None`` when no column varies with the label.
    """
    y = np.asarray(labels, dtype=float)
    grid = lambda_grid(values, y, n_lambdas, alpha) if lambdas is None else np.asarray(lambdas, dtype=float)
    if grid.size == 0:
        return None
    fit, loss = _FAMILIES[family]
    errors = np.empty((y.size, grid.size))
    names = np.unique(fold)
    for name in names:
        test = fold == name
        path = fit(values[~test], y[~test], grid, alpha)
        errors[test] = loss(y[test][:, None], path.predict(values[test]))
    mean, se = _summary(errors, fold, names)
    smallest = int(np.argmax(mean <= mean.min()))
    within = int(np.argmax(mean <= mean[smallest] + se[smallest]))
    return CrossValidatedLasso(fit(values, y, grid, alpha), mean, se, smallest, within, names.size)


def _summary(errors: np.ndarray, fold: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and standard error over folds; over rows where folds have fewer than three (as glmnet)."""
    if len(fold) / names.size < 3:
        mean = errors.mean(axis=0)
        return mean, np.sqrt(np.square(errors - mean).mean(axis=0) / (len(fold) - 1))
    sizes = np.array([(fold == name).sum() for name in names])
    means = np.stack([errors[fold == name].mean(axis=0) for name in names])
    mean = np.average(means, axis=0, weights=sizes)
    spread = np.average(np.square(means - mean), axis=0, weights=sizes)
    return mean, np.sqrt(spread / (names.size - 1))


def _squared_error(labels: np.ndarray, linear: np.ndarray) -> np.ndarray:
    return np.asarray(np.square(labels - linear))


def _deviance(labels: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """−2 log-likelihood of each row, with fitted probabilities kept within 1e-5 of 0 and 1 as glmnet does."""
    probability = np.clip(scipy.special.expit(linear), 1e-5, 1 - 1e-5)
    return np.asarray(-2 * np.log(np.where(labels == 1, probability, 1 - probability)))


Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, float], Path]
Loss = Callable[[np.ndarray, np.ndarray], np.ndarray]
_FAMILIES: dict[str, tuple[Fit, Loss]] = {
    "gaussian": (gaussian_path, _squared_error),
    "binomial": (binomial_path, _deviance),
}
