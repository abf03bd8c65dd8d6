"""Every model of a protocol as one scikit-learn estimator: checks, the locked threshold, prediction through one rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.fit_report import FitReport
from her2radiomics.modelling.model import Fitted, Learning, ModelSpec
from her2radiomics.modelling.parts import SharedFits
from her2radiomics.modelling.readers import SecondReader
from her2radiomics.modelling.saved.reference import Reference, learn_reference
from her2radiomics.modelling.saved.rules import Rule
from her2radiomics.modelling.scikit_learn import BaseEstimator, ClassifierMixin
from her2radiomics.modelling.threads import one_thread
from her2radiomics.statistics import youden_threshold
from her2radiomics.statistics._check import aligned, as_labels

if TYPE_CHECKING:
    from her2radiomics.statistics import YoudenThreshold
    from her2radiomics.statistics.resampling import Refit


class StudyModel(ClassifierMixin, BaseEstimator):
    """A model of a protocol: fit on training rows, predict log-odds and probabilities.

    ``X`` is indexed by patient and holds feature columns and typed clinical columns; ``y`` is 0 or 1. The fit does
    not depend on the order of the rows or columns. A fit of a combined model fits its parts, so that cloning,
    cross-validating or bootstrapping it repeats everything that they learn.

    Parameters
    ----------
    name
        The model, a key of ``specs``.
    specs
        The protocol's models.
    columns
        The protocol's participants columns.
    second_reader
        The second reader's features, or ``None``.
    seed
        Seed of everything random in the fit.
    shared
        Fits of parts that are not repeated.
    persons
        Patient to person, of those who share one with another patient: folds, halves and resamples are drawn by person.

    Fitted attributes
    -----------------
    fitted_ : Fitted
        What was learned, by the kind of the model.
    rule_ : Rule
        All that prediction needs.
    threshold_ : YoudenThreshold
        Chosen on the training rows' probabilities (out of bag, where there are some), and locked.
    linear_range_ : tuple of float
        Smallest and largest score of a training row.
    n_, events_ : int
        Training rows used, and those with label 1.
    rows_ : pandas.DataFrame
        Training rows used, with the columns that the rule needs.
    """

    fitted_: Fitted
    rule_: Rule
    threshold_: YoudenThreshold
    linear_range_: tuple[float, float]
    classes_: np.ndarray
    n_: int
    events_: int
    rows_: pd.DataFrame

    def __init__(
        self,
        name: str,
        specs: Mapping[str, ModelSpec],
        columns: Mapping[str, Column],
        second_reader: SecondReader | None = None,
        seed: int = 0,
        shared: SharedFits | None = None,
        persons: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the parameters."""
        self.name = name
        self.specs = specs
        self.columns = columns
        self.second_reader = second_reader
        self.seed = seed
        self.shared = shared
        self.persons = persons

    @property
    def spec(self) -> ModelSpec:
        """Settings of the model."""
        return self.specs[self.name]

    def fit(self, X: pd.DataFrame, y: Any) -> StudyModel:
        """Fit every step on these rows.

        Parameters
        ----------
        X
            Patients × columns.
        y
            Labels, 0 or 1, in the order of the rows; with an index they are aligned to it.
        """
        if len(X) != len(y):
            raise StudyError(f"model '{self.name}': found {len(X)} rows and {len(y)} labels, expected one per row.")
        labels = as_labels(aligned(table=X, labels=y)["labels"]).astype(int)
        # sorted by patient, so that neither folds nor rounding depend on the order in which rows come
        order = np.argsort(X.index.to_numpy().astype(str), kind="stable")
        X, labels = X.iloc[order], labels[order]
        self.classes_ = np.array([0, 1])
        learning = Learning(
            self.name, self.specs, self.columns, self.second_reader, self.seed, self.shared, self.persons or {}
        )
        with one_thread():
            fitted = self.spec.fit(X, labels, learning)
        self.fitted_, self.rule_ = fitted, fitted.rule
        needed = self._columns()
        X, labels = X[[name for name in X.columns if name in needed]][fitted.used], labels[fitted.used]
        self.rows_ = X
        score = self.rule_.score(X)
        self.n_, self.events_ = len(labels), int(labels.sum())
        self.linear_range_ = (float(score.min()), float(score.max()))
        judged = self.rule_.probability(X)
        if fitted.held_out is not None:
            judged = np.where(np.isnan(fitted.held_out), judged, fitted.held_out)
        self.threshold_ = youden_threshold(labels, judged)
        return self

    def _columns(self) -> set[str]:
        """Columns that the rule reads."""
        rule = self.rule_
        named = {p.name for p in (*rule.features(), *rule.clinical(), *rule.covariates())}
        return named | {adjustment.column for adjustment in rule.adjustments()}

    def reference(self) -> Reference:
        """What later predictions are compared with."""
        categorical = frozenset(name for name, column in self.columns.items() if column.kind == "categorical")
        with one_thread():
            return learn_reference(self.rule_, self.rows_, self.fitted_.method, categorical)

    @property
    def empty_(self) -> bool:
        """Whether nothing was selected."""
        return self.fitted_.empty

    def decision_function(self, X: pd.DataFrame) -> np.ndarray:
        """Score (log-odds) of new rows, shape (rows,)."""
        return self.rule_.score(X)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Probabilities of label 0 and 1, shape (rows, 2)."""
        positive = self.rule_.probability(X)
        return np.column_stack([1 - positive, positive])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Class at the locked threshold, shape (rows,)."""
        return (self.predict_proba(X)[:, 1] >= self.threshold_.threshold).astype(int)

    def fit_report(self) -> FitReport:
        """Tables of the fit."""
        return self.fitted_.fit_report()

    def final_refit(self, X: pd.DataFrame, y: Any) -> Refit:
        """Refit of the final regression alone; see :meth:`~her2radiomics.modelling.model.Fitted.final_refit`."""
        return self.fitted_.final_refit(X, np.asarray(y), self.spec.likelihood)
