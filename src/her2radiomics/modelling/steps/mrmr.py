"""Minimum redundancy, maximum relevance: features related to the label, and little to one another.

References
----------
Ding & Peng, Journal of Bioinformatics and Computational Biology 3 (2005) 185–205: the four criteria (F statistic with
correlation, mutual information with itself; difference or quotient) and the three states at mean ± SD / 2.
Peng, Long & Ding, IEEE Transactions on Pattern Analysis and Machine Intelligence 27 (2005) 1226–1238.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, is_constant, selection_step
from her2radiomics.modelling.ranking import univariate_test

# smallest redundancy that a quotient divides by: unrelated features must not win by rounding
FLOOR = 1e-3
# in the note of the fit, and in the methods section
RELEVANCE = {
    "f_classif": ("ANOVA F", "the F statistic"),
    "mutual_information": ("mutual information", "mutual information"),
}
REDUNDANCY = {
    "correlation": ("mean |r|", "absolute Pearson correlation"),
    "mutual_information": ("mean mutual information", "mutual information"),
}


@dataclass(frozen=True)
class FittedMrmr(FittedStep):
    """The kept features in the order in which they were taken."""

    order: tuple[str, ...]


@selection_step(
    label="Minimum redundancy, maximum relevance", short="mRMR", role="reduction", references=("peng_2005",)
)
class MrmrStep(SelectionStep):
    """Minimum redundancy, maximum relevance: features related to the label, and little to one another.

    Takes ``k`` features one after the other: the most relevant first, then the best of relevance and mean redundancy
    with those taken, as ``difference`` or ``quotient`` (the redundancy no smaller than 0.001). Mutual information is
    that of three states cut at mean ± SD / 2 (Ding and Peng 2005). Ties, beyond 12 digits, go to the first column;
    constant features are never taken. With F, correlation and quotient the order is that of mrmr_selection 0.2.8.
    """

    step: Literal["mrmr"] = Field(description="Minimum redundancy, maximum relevance.")
    k: int = Field(ge=1, description="Features to keep.")
    relevance: Literal["f_classif", "mutual_information"] = Field(
        "f_classif",
        description="Relation to the label: F of the analysis of variance, or mutual information of three states "
        "(cut at mean ± SD / 2).",
    )
    redundancy: Literal["correlation", "mutual_information"] = Field(
        "correlation",
        description="Mean relation to the features taken before: absolute Pearson correlation, or mutual information.",
    )
    scheme: Literal["difference", "quotient"] = Field(
        "quotient", description="relevance − redundancy, or relevance / redundancy."
    )

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        return (
            f"{self.k} features were taken by minimum redundancy and maximum relevance: the {self.scheme} of "
            f"{RELEVANCE[self.relevance][1]} with the outcome and the mean {REDUNDANCY[self.redundancy][1]} with the "
            "features taken before"
        )

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedMrmr:
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
        keep = np.zeros(X.shape[1], dtype=bool)
        keep[taken] = True
        against = f"{RELEVANCE[self.relevance][0]} against {REDUNDANCY[self.redundancy][0]}"
        order = tuple(str(X.columns[place]) for place in taken)
        return FittedMrmr.of(X, keep, f"{against}, {self.scheme}, k = {self.k}", order=order)


def _first_best(score: np.ndarray, left: np.ndarray) -> int:
    """Place of the largest score among those left, the first of those equal to 12 digits."""
    top = score[left].max()
    slack = 1e-12 * abs(top) if np.isfinite(top) else 0.0
    return int(np.argmax(left & (score >= top - slack)))


def _correlation(values: np.ndarray, varies: np.ndarray) -> Callable[[int], np.ndarray]:
    """Function of a column's place: absolute Pearson correlations with it, shape (features,); constant ones have 0."""
    centred = values - values.mean(axis=0)
    length = np.sqrt(np.square(centred).sum(axis=0))
    unit = np.where(varies, centred / np.where(varies, length, 1.0), 0.0)
    return lambda place: np.abs(unit[:, place] @ unit)


def _information(states: np.ndarray | None) -> Callable[[int], np.ndarray]:
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
