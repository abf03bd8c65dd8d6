"""What a prediction is compared with: means and covariances of the training patients, and no patient's row.

From these come the interval of a probability, the likeness of a patient to those of training, and what drove a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.modelling.saved import rules as r
from her2radiomics.modelling.saved.rules import probability

#: More terms than this are not compared: their covariance would be as large as the model.
MOST_TERMS = 200
#: Of the largest eigenvalue of a correlation matrix: directions below it did not vary in training.
FLAT = 1e-10
#: Largest condition number of the information matrix, its columns standardised, that is inverted.
CONDITION = 1e12
LEVEL = 0.95
LIKELIHOODS = ("ml", "firth")


@dataclass(frozen=True)
class Term:
    """A column of the final regression: a number, the code of an ordinal column, or one level of a categorical one.

    ``codes`` gives each level's number; it is empty where the predictor is a number itself.
    """

    predictor: str
    codes: tuple[tuple[str, float], ...] = ()

    def values(self, predictor: r.Predictor, table: pd.DataFrame) -> np.ndarray:
        """Values of the rows, shape (rows,)."""
        if isinstance(predictor, r.LevelPredictor):
            codes = dict(self.codes)
            return np.array([codes[level] for level in predictor.found(table)], dtype=float)
        return predictor.scaled(table)


@dataclass(frozen=True)
class Driver:
    """How far one predictor moved a score from that of the training mean; ``within`` names the score it is part of."""

    name: str
    contribution: float
    within: str = ""


@dataclass(frozen=True)
class Similarity:
    """Mahalanobis distance from the training mean, and the share of training patients who are not farther away."""

    distance: float
    share: float


@dataclass(frozen=True)
class Reference:
    """Training patients as a prediction is compared with them.

    Attributes
    ----------
    terms
        Columns of the final regression.
    mean, covariance
        Of the terms, shape (terms,) and (terms, terms).
    distances
        Percentiles 0 to 100 of the training patients' Mahalanobis distances, shape (101,).
    contributions
        Mean of what each predictor adds to the log-odds; those of an inner score by its name, then the predictor's.
    uncertainty
        Covariance of intercept and coefficients, shape (1 + terms, 1 + terms); ``None`` where there is none.
    reason
        Why there is none; else how it was estimated.
    """

    terms: tuple[Term, ...]
    mean: np.ndarray
    covariance: np.ndarray
    distances: np.ndarray
    contributions: Mapping[tuple[str, str], float]
    uncertainty: np.ndarray | None
    reason: str

    def interval(self, rule: r.Rule, table: pd.DataFrame, level: float = LEVEL) -> np.ndarray | None:
        """Wald's interval of each row's probability, from the log-odds, shape (rows, 2); ``None`` without covariance."""
        if self.uncertainty is None:
            return None
        design = np.column_stack([np.ones(len(table)), _design(rule, self.terms, table)])
        error = np.sqrt(np.einsum("ij,jk,ik->i", design, self.uncertainty, design))
        half = float(scipy.stats.norm.ppf(0.5 + level / 2)) * error
        score = rule.score(table)
        return np.column_stack([probability(score - half), probability(score + half)])

    def similarity(self, rule: r.Rule, table: pd.DataFrame) -> list[Similarity]:
        """Each row's distance from the training mean; none where the model has no predictor, or too many."""
        if not self.terms or not len(self.distances):
            return []
        found = _distances(_design(rule, self.terms, table), self.mean, self.covariance)
        shares = np.interp(found, self.distances, np.linspace(0, 1, len(self.distances)))
        return [Similarity(float(d), float(s)) for d, s in zip(found, shares, strict=True)]

    def drivers(self, rule: r.Rule, table: pd.DataFrame) -> list[list[Driver]]:
        """What moved each row's score from that of the training mean, in the model's order; empty for a forest.

        A predictor's contribution is its coefficient times the difference of its value from the training mean, so that those
        with an empty ``within`` add up to the score less :meth:`baseline`, and those within a score to that score's.
        """
        found: list[list[Driver]] = [[] for _ in range(len(table))]
        for name, within, values in _contributions(rule, table):
            mean = self.contributions[within, name]
            for drivers, value in zip(found, values, strict=True):
                drivers.append(Driver(name, float(value) - mean, within))
        return found

    def baseline(self, rule: r.Rule) -> float:
        """Score at the training mean of every predictor."""
        assert isinstance(rule, r.LinearRule)
        return rule.intercept + sum(mean for (within, _), mean in self.contributions.items() if not within)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return {
            "terms": [{"predictor": term.predictor, "codes": dict(term.codes)} for term in self.terms],
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
            "distances": self.distances.tolist(),
            "contributions": [[within, name, mean] for (within, name), mean in self.contributions.items()],
            "uncertainty": None if self.uncertainty is None else self.uncertainty.tolist(),
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Reference:
        """From the data of :meth:`to_dict`.

        Raises
        ------
        KeyError, TypeError, ValueError
            Something is absent or is not what it must be.
        """
        terms = tuple(Term(item["predictor"], tuple(item["codes"].items())) for item in content["terms"])
        count, uncertainty = len(terms), content["uncertainty"]
        return cls(
            terms,
            _numbers(content["mean"], (count,)),
            _numbers(content["covariance"], (count, count)),
            _numbers(content["distances"], (len(content["distances"]),)),
            {(within, name): float(mean) for within, name, mean in content["contributions"]},
            None if uncertainty is None else _numbers(uncertainty, (count + 1, count + 1)),
            str(content["reason"]),
        )


def learn_reference(rule: r.Rule, rows: pd.DataFrame, method: str, categorical: frozenset[str]) -> Reference:
    """Learn what later predictions are compared with.

    Parameters
    ----------
    rule
        The fitted model.
    rows
        The training rows that it was fitted on.
    method
        How its final regression was fitted.
    categorical
        Columns whose levels are terms of their own.
    """
    terms = tuple(term for predictor in rule.predictors for term in _terms(predictor, categorical))
    told = {(within, name): float(values.mean()) for name, within, values in _contributions(rule, rows)}
    if len(terms) > MOST_TERMS:
        reason = f"the model has {len(terms)} terms, more than the {MOST_TERMS} whose covariance is kept"
        return Reference((), np.empty(0), np.empty((0, 0)), np.empty(0), told, None, reason)
    design = _design(rule, terms, rows)
    mean = design.mean(axis=0)
    covariance = np.atleast_2d(np.cov(design, rowvar=False)) if terms else np.empty((0, 0))
    distances = _distances(design, mean, covariance) if terms else np.empty(0)
    percentiles = np.percentile(distances, np.arange(101)) if terms else np.empty(0)
    uncertainty, reason = _uncertainty(rule, design, rows, method)
    return Reference(terms, mean, covariance, percentiles, told, uncertainty, reason)


def _terms(predictor: r.Predictor, categorical: frozenset[str]) -> list[Term]:
    """Columns of the regression that a predictor has."""
    if not isinstance(predictor, r.LevelPredictor):
        return [Term(predictor.name)]
    levels = [level for level, _ in predictor.weights]
    if predictor.name in categorical:
        return [Term(predictor.name, tuple((x, float(x == level)) for x in levels)) for level in levels[1:]]
    return [Term(predictor.name, tuple((level, float(code)) for code, level in enumerate(levels)))]


def _design(rule: r.Rule, terms: tuple[Term, ...], table: pd.DataFrame) -> np.ndarray:
    """Values of the terms, shape (rows, terms)."""
    known = {predictor.name: predictor for predictor in rule.predictors}
    columns = [term.values(known[term.predictor], table) for term in terms]
    return np.column_stack(columns) if columns else np.empty((len(table), 0))


def _contributions(rule: r.Rule, table: pd.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name, the score that it is part of, and what it adds to the log-odds of the rows, shape (rows,)."""
    if not isinstance(rule, r.LinearRule):
        return
    for predictor in rule.predictors:
        yield predictor.name, "", predictor.contribution(table)
        if isinstance(predictor, r.ScorePredictor) and isinstance(predictor.rule, r.LinearRule):
            for inner in predictor.rule.predictors:
                yield inner.name, predictor.name, predictor.coefficient * inner.contribution(table)


def _distances(design: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Mahalanobis distances, shape (rows,), over the directions in which training varied (Moore–Penrose inverse)."""
    scale = np.sqrt(np.diag(covariance))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    kept = values > FLAT * max(values.max(), FLAT)
    rotated = ((design - mean) / scale) @ vectors[:, kept]
    return np.sqrt((rotated**2 / values[kept]).sum(axis=1))


def _uncertainty(rule: r.Rule, design: np.ndarray, rows: pd.DataFrame, method: str) -> tuple[np.ndarray | None, str]:
    """Inverse of the Fisher information at the model's own probabilities, and how it was made; or why there is none."""
    if not isinstance(rule, r.LinearRule):
        return None, "a random forest has no covariance of coefficients"
    if rule.predictors and method not in LIKELIHOODS:
        return None, f"a penalised estimator ({method.replace('_', ' ')}) has no covariance of coefficients"
    if len(rows) <= design.shape[1] + 1:
        return None, f"{design.shape[1]} terms for {len(rows)} training patients leave nothing to estimate it from"
    fitted = rule.probability(rows)
    full = np.column_stack([np.ones(len(rows)), design])
    information = full.T @ (full * (fitted * (1 - fitted))[:, None])
    scale = np.sqrt(np.diag(information))
    if not (scale > 0).all() or np.linalg.cond(information / np.outer(scale, scale)) > CONDITION:
        return None, "the classes are all but separated in training, so that the information matrix has no inverse"
    inverse = np.linalg.inv(information / np.outer(scale, scale)) / np.outer(scale, scale)
    name = "maximum likelihood" if method == "ml" or not rule.predictors else "Firth's penalised likelihood"
    return (inverse + inverse.T) / 2, f"Wald, from the inverse Fisher information of the final regression ({name})"


def _numbers(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.array(values, dtype=float).reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError("found a number that is not finite")
    return array
