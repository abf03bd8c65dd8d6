"""Relation of features to the label, one by one."""

from __future__ import annotations

import numpy as np

from her2radiomics.core.libraries import scipy
from her2radiomics.modelling.base import is_constant

# spread within a class, relative to that of the feature, that is rounding
ROUNDING = 1e-12
#: Tests in the wording of a methods section.
TESTS = {"f_classif": "one-way analysis of variance", "mann_whitney": "the Mann–Whitney test"}


def univariate_test(values: np.ndarray, labels: np.ndarray, test: str) -> tuple[np.ndarray, np.ndarray]:
    """Statistic and p of every column against a 0/1 label.

    Parameters
    ----------
    values
        Finite numbers, shape (rows, features).
    labels
        0 or 1, shape (rows,).
    test
        ``f_classif``: one-way analysis of variance (the values of scikit-learn's, accurate far from 0, too).
        ``mann_whitney``: two-sided, normal approximation with corrections for ties and continuity (scipy's
        ``asymptotic``).

    Returns
    -------
    statistic, p
        Each of shape (features,). The statistic grows with the relation: F, or |U − n₀n₁/2|. A constant column has
        statistic 0 and p 1; one that does not vary within either class has F = ∞ and p = 0.
    """
    statistic, p = np.zeros(values.shape[1]), np.ones(values.shape[1])
    varies = ~is_constant(values)
    if not varies.any():
        return statistic, p
    if test == "f_classif":
        statistic[varies], p[varies] = _analysis_of_variance(values[:, varies], labels == 1)
        return statistic, p

    one, zero = values[labels == 1][:, varies], values[labels == 0][:, varies]
    result = scipy.stats.mannwhitneyu(
        one, zero, alternative="two-sided", method="asymptotic", use_continuity=True, axis=0
    )
    statistic[varies] = np.abs(result.statistic - len(one) * len(zero) / 2)
    p[varies] = result.pvalue
    return statistic, p


def _analysis_of_variance(values: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F and p of two classes for columns that vary; F is infinite and p 0 where neither class varies beyond rounding.

    Columns are brought to a magnitude of 1 first, so that squares neither overflow nor vanish.
    """
    values = values - values.mean(axis=0)
    values = values / np.abs(values).max(axis=0)
    n, within, between = len(values), np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for member in (positive, ~positive):
        mean = values[member].mean(axis=0)
        within += np.square(values[member] - mean).sum(axis=0)
        between += member.sum() * np.square(mean - values.mean(axis=0))
    within = np.where(within <= n * ROUNDING**2, 0.0, within)
    with np.errstate(divide="ignore"):
        statistic = between / within * (n - 2)
    return statistic, np.asarray(scipy.special.fdtrc(1, n - 2, statistic), dtype=float)


def by_relation(values: np.ndarray, labels: np.ndarray, test: str = "f_classif") -> np.ndarray:
    """Places of the columns from the most to the least related to a 0/1 label, shape (features,).

    By p, then the statistic, then the order of the columns.
    """
    statistic, p = univariate_test(values, labels, test)
    return np.asarray(np.lexsort((np.arange(p.size), -statistic, p)))
