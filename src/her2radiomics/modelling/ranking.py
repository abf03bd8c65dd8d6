"""Relation of features to the label, one by one."""

from __future__ import annotations

import warnings

import numpy as np

from her2radiomics.core.libraries import scipy, sklearn
from her2radiomics.modelling.base import is_constant

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
        ``f_classif``: one-way analysis of variance (scikit-learn's). ``mann_whitney``: two-sided, normal
        approximation with corrections for ties and continuity (scipy's ``asymptotic``).

    Returns
    -------
    statistic, p
        Each of shape (features,). The statistic grows with the relation: F, or |U − n₀n₁/2|. A constant column has
        statistic 0 and p 1.
    """
    statistic, p = np.zeros(values.shape[1]), np.ones(values.shape[1])
    varies = ~is_constant(values)
    if not varies.any():
        return statistic, p
    if test == "f_classif":
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a perfect feature has F = inf, p = 0
            statistic[varies], p[varies] = sklearn.feature_selection.f_classif(values[:, varies], labels)
        return statistic, p

    one, zero = values[labels == 1][:, varies], values[labels == 0][:, varies]
    result = scipy.stats.mannwhitneyu(
        one, zero, alternative="two-sided", method="asymptotic", use_continuity=True, axis=0
    )
    statistic[varies] = np.abs(result.statistic - len(one) * len(zero) / 2)
    p[varies] = result.pvalue
    return statistic, p


def by_relation(values: np.ndarray, labels: np.ndarray, test: str = "f_classif") -> np.ndarray:
    """Places of the columns from the most to the least related to a 0/1 label, shape (features,).

    By p, then the statistic, then the order of the columns.
    """
    statistic, p = univariate_test(values, labels, test)
    return np.asarray(np.lexsort((np.arange(p.size), -statistic, p)))
