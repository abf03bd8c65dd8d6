"""Minimum redundancy, maximum relevance: features related to the label, and little to one another.

References
----------
Ding & Peng, Journal of Bioinformatics and Computational Biology 3 (2005) 185–205: the four criteria (F statistic with
correlation, mutual information with itself; difference or quotient) and the three states at mean ± SD / 2.
Peng, Long & Ding, IEEE Transactions on Pattern Analysis and Machine Intelligence 27 (2005) 1226–1238.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FeatureStep, is_constant
from her2radiomics.modelling.steps.filters import univariate_test

# smallest redundancy that a quotient divides by: unrelated features must not win by rounding
FLOOR = 1e-3
RELEVANCE = {"f_classif": "ANOVA F", "mutual_information": "mutual information"}
REDUNDANCY = {"correlation": "mean |r|", "mutual_information": "mean mutual information"}


class MinimumRedundancy(FeatureStep):
    """Take k features one after the other, each with the best of relevance and redundancy with those taken before.

    The first is the most relevant. Then the best is the largest relevance − mean redundancy (``difference``) or
    relevance / mean redundancy (``quotient``, the redundancy no smaller than :data:`FLOOR`). Ties, beyond 12 digits,
    go to the first column. Constant features are never taken.

    Parameters
    ----------
    k, relevance, redundancy, scheme
        See :class:`~her2radiomics.modelling.steps.settings.MrmrStep`.

    Fitted attributes
    -----------------
    order_ : list of str
        The kept features in the order in which they were taken.
    """

    order_: list[str]

    def __init__(
        self,
        k: int = 10,
        relevance: str = "f_classif",
        redundancy: str = "correlation",
        scheme: str = "quotient",
    ) -> None:
        """Keep the parameters."""
        self.k = k
        self.relevance = relevance
        self.redundancy = redundancy
        self.scheme = scheme

    def fit(self, X: pd.DataFrame, y: Any) -> MinimumRedundancy:
        """Take the features."""
        values, labels = X.to_numpy(dtype=float), np.asarray(y).astype(int)
        left = ~is_constant(values)
        states = _states(values, left) if "mutual_information" in (self.relevance, self.redundancy) else None
        if self.relevance == "f_classif":
            relevant, _ = univariate_test(values, labels, "f_classif")
        else:
            assert states is not None
            relevant = mutual_information(states, labels)
        related = _correlation(values, left) if self.redundancy == "correlation" else _information(states)
        total, taken = np.zeros(X.shape[1]), list[int]()
        while left.any() and len(taken) < self.k:
            score = relevant
            if taken:
                mean = total / len(taken)
                score = relevant - mean if self.scheme == "difference" else relevant / np.maximum(mean, FLOOR)
            best = _first_best(np.where(left, score, -np.inf), left)
            left[best] = False
            taken.append(best)
            total += related(best)
        self.order_ = [str(X.columns[place]) for place in taken]
        keep = np.zeros(X.shape[1], dtype=bool)
        keep[taken] = True
        note = (
            f"{RELEVANCE[self.relevance]} against {REDUNDANCY[self.redundancy]}, {self.scheme}, k = {self.k}"
        )
        self._record(X, keep, note)
        return self


def _first_best(score: np.ndarray, left: np.ndarray) -> int:
    """Place of the largest score among those left, the first of those equal to 12 digits."""
    top = score[left].max()
    slack = 1e-12 * abs(top) if np.isfinite(top) else 0.0
    return int(np.argmax(left & (score >= top - slack)))


def _correlation(values: np.ndarray, varies: np.ndarray) -> Any:
    """Function of a column's place: absolute Pearson correlations with it, shape (features,); constant ones have 0."""
    centred = values - values.mean(axis=0)
    length = np.sqrt(np.square(centred).sum(axis=0))
    unit = np.where(varies, centred / np.where(varies, length, 1.0), 0.0)
    return lambda place: np.abs(unit[:, place] @ unit)


def _information(states: np.ndarray | None) -> Any:
    """Function of a column's place: mutual information with it, shape (features,)."""
    assert states is not None
    return lambda place: mutual_information(states, states[:, place])


def _states(values: np.ndarray, varies: np.ndarray) -> np.ndarray:
    """States 0, 1, 2: below mean − SD / 2, between, above mean + SD / 2; constant columns are 1 throughout."""
    mean, half = values.mean(axis=0), values.std(axis=0) / 2
    states = 1 + (values > mean + half).astype(int) - (values < mean - half).astype(int)
    states[:, ~varies] = 1
    return np.asarray(states)


def mutual_information(states: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mutual information of every column of states with another variable, from their shares, in nats.

    Parameters
    ----------
    states
        Whole numbers 0, 1, 2, shape (rows, features).
    other
        Whole numbers, shape (rows,).

    Returns
    -------
    ndarray, shape (features,)
        At least 0 (scikit-learn's ``mutual_info_score`` of each column).
    """
    n = len(other)
    total = np.zeros(states.shape[1])
    for state in range(3):
        one = states == state
        share = one.sum(axis=0) / n
        for value in np.unique(other):
            which = other == value
            joint = one[which].sum(axis=0) / n
            expected = share * (which.sum() / n)
            there = joint > 0
            total[there] += joint[there] * np.log(joint[there] / expected[there])
    return np.maximum(total, 0.0)
