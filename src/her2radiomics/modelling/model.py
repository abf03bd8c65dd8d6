"""What all kinds of model share: settings with words, what a fit may look at, and what it leaves.

A kind of model is one settings class: :meth:`ModelSpec.fit` learns from training rows and returns a :class:`Fitted`. Nothing
here imports scikit-learn, so that protocols are read without it; the estimator that scikit-learn can clone is
:class:`~her2radiomics.modelling.study_model.StudyModel`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from her2radiomics.core.columns import Column
from her2radiomics.core.libraries import pd
from her2radiomics.core.registry import Kinds
from her2radiomics.core.settings import Settings
from her2radiomics.modelling.base import SelectionStep
from her2radiomics.modelling.estimator import ESTIMATORS
from her2radiomics.modelling.fit_report import FitReport, coefficient_notes, coefficient_table, selection_table
from her2radiomics.modelling.logistic import firth_reference
from her2radiomics.modelling.parts import Part, SharedFits
from her2radiomics.modelling.saved.rules import LevelPredictor, Rule
from her2radiomics.statistics import LogisticRegression, logistic_refit, logistic_regression

if TYPE_CHECKING:
    from her2radiomics.modelling.features import FeatureBlock
    from her2radiomics.modelling.readers import SecondReader
    from her2radiomics.modelling.variables import Variable
    from her2radiomics.statistics.resampling import Refit

#: What is done with missing clinical values, as a methods section says it.
MISSING_WORDS = {
    "complete_case": " Patients with a missing candidate were left out.",
    "impute": " Missing values were filled with the training median or most frequent level.",
}


class Names(Protocol):
    """Printed names, as sentences on models need them."""

    def label(self, model: str) -> str:
        """``Nomogram``: a model."""

    def model(self, name: str) -> str:
        """``the nomogram``: a model inside a sentence."""

    def column(self, name: str) -> str:
        """``age``: a participants column inside a sentence."""

    def sequences(self, names: Sequence[str]) -> list[str]:
        """Sequences, all where none is named; empty where the features were brought."""


@dataclass(frozen=True)
class Learning:
    """What a model may look at beside its rows and their labels.

    Attributes
    ----------
    name
        The model's name.
    specs
        All models of the protocol.
    columns
        The protocol's participants columns.
    second_reader
        The second reader's features.
    seed
        Seed of everything random in the fit.
    shared
        Fits of parts that were made before.
    persons
        Patient to person, of those who share one with another patient.
    """

    name: str
    specs: Mapping[str, ModelSpec]
    columns: Mapping[str, Column]
    second_reader: SecondReader | None
    seed: int
    shared: SharedFits | None = None
    persons: Mapping[str, str] = field(default_factory=dict)

    def part(self, name: str, X: pd.DataFrame, labels: np.ndarray) -> Part:
        """Another model on these rows: from the shared fits, or fitted here."""
        found = None if self.shared is None else self.shared.find(name, X.index, labels)
        return found or self.specs[name].fit(X, labels, replace(self, name=name)).part()


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted(ABC):
    """A fitted model of any kind.

    Attributes
    ----------
    name
        The model's name.
    rule
        All that prediction needs.
    used
        Which of the rows given were used, shape (rows,).
    table, labels
        What the final estimator was fitted on: rows used × predictors.
    levels
        Levels of the categorical predictors, the reference first.
    method
        ``ml`` or ``firth`` of a logistic regression; else the estimator's kind.
    remarks
        Sentences on the fit.
    held_out
        Out-of-bag probabilities of the training rows, where the estimator has some.
    parts
        The models that this one is made of.
    """

    name: str
    rule: Rule
    used: np.ndarray
    table: pd.DataFrame
    labels: np.ndarray
    method: str
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    held_out: np.ndarray | None = None
    parts: tuple[Part, ...] = ()

    @abstractmethod
    def selection_rows(self) -> list[dict[str, Any]]:
        """Rows of ``selection.csv``, without their numbers."""

    @property
    def empty(self) -> bool:
        """Whether nothing was selected."""
        return not self.rule.predictors

    @property
    def notes(self) -> list[str]:
        """Sentences on the fit, for ``model.json`` and the report."""
        nothing = "nothing was selected: the model is its intercept, AUC 0.5"
        return [*self.remarks, *([nothing] if self.empty else [])]

    @cached_property
    def part_reports(self) -> dict[str, FitReport]:
        """Tables of the parts' fits."""
        return {part.name: part.report() for part in self.parts}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables that the kind adds, those of its parts as ``<part>.<table>``."""
        return {
            f"{part}.{key}": table for part, report in self.part_reports.items() for key, table in report.tables.items()
        }

    def part_rows(self) -> list[dict[str, Any]]:
        """Rows of the parts' ``selection.csv``, named ``<part>: <step>``."""
        return [
            {**row, "name": f"{part}: {row['name']}"}
            for part, report in self.part_reports.items()
            for row in report.selection.to_dict("records")
        ]

    def coefficients(self) -> pd.DataFrame:
        """``term, beta, se, …`` of the final regression."""
        return coefficient_table(self.table, self.rule, self.method, lambda: self.regression)

    @cached_property
    def regression(self) -> LogisticRegression:
        """The final regression, fitted once for its table and its tests."""
        return logistic_regression(self.table, self.labels, self.method, self.levels)  # type: ignore[arg-type]

    def fit_report(self) -> FitReport:
        """Tables of the fit."""
        coefficients = self.coefficients()
        notes = coefficient_notes(self.rule, len(self.labels), self.method, coefficients)
        selection = selection_table(self.selection_rows())
        return FitReport(coefficients, selection, self.tables(), [*self.notes, *notes])

    def handed_on(self) -> Mapping[str, Variable] | None:
        """Participants columns that a combination takes over; ``None``: it takes the score."""
        return None

    def part(self) -> Part:
        """What a model that is made of this one takes over."""
        return Part(self.name, self.rule, self.remarks, self.handed_on(), self.fit_report)

    def design(self, X: pd.DataFrame) -> pd.DataFrame:
        """Predictors of the final regression: one column each, levels as text."""
        columns = {}
        for predictor in self.rule.predictors:
            if isinstance(predictor, LevelPredictor):
                levels = X[predictor.name].astype(object)
                columns[predictor.name] = levels if predictor.fill is None else levels.fillna(predictor.fill)
            else:
                columns[predictor.name] = pd.Series(predictor.contribution(X), index=X.index)
        return pd.DataFrame(columns, index=X.index)

    def final_refit(self, X: pd.DataFrame, labels: np.ndarray, likelihood: str) -> Refit:
        """Refit of the final regression alone on resampled training rows, its terms and their scaling fixed.

        Parameters
        ----------
        X, labels
            Training rows and labels, in any order; all of them predictable.
        likelihood
            :attr:`ModelSpec.likelihood`: a refit follows the rule of the fit.

        Returns
        -------
        callable
            Row numbers → probabilities of all rows of ``X``, or ``None`` where the resample cannot be fitted.
        """
        return logistic_refit(self.design(X), labels, method=likelihood)  # type: ignore[arg-type]


@dataclass(frozen=True)
class ModelKind:
    """What is printed and known about a kind of model.

    Attributes
    ----------
    name
        As protocols write it.
    label
        Printed name.
    rows
        Printed names of its own rows of ``selection.csv``.
    made_of
        Kinds of the models that it may be made of.
    """

    name: str
    label: str
    rows: Mapping[str, str] = field(default_factory=dict)
    made_of: tuple[str, ...] = ()


class ModelSpec(Settings):
    """Base of the kinds of model; a subclass has the field ``kind``, its settings, and what is abstract here."""

    about: ClassVar[ModelKind]
    if TYPE_CHECKING:
        kind: str
        method: str
        folds: int
        allow_unavailable: bool

    @abstractmethod
    def fit(self, X: pd.DataFrame, labels: np.ndarray, learning: Learning) -> Fitted:
        """Fit on training rows.

        Parameters
        ----------
        X
            Patients × columns, sorted by patient.
        labels
            0 or 1, in the order of the rows.
        learning
            What else there is.
        """

    @abstractmethod
    def sentence(self, who: str, names: Names) -> str:
        """Return what the model is, in the wording of a methods section; ``who`` is its subject."""

    def made_from(self, names: Names) -> list[str]:
        """Printed names of what the model is made from, for :meth:`several`."""
        return []

    def several(self, parts: str, count: int) -> str:
        """Return models of this kind that differ in nothing but what they are made from; empty: each has its sentence."""
        return ""

    def parts(self) -> tuple[str, ...]:
        """Models that this one is made of."""
        return ()

    @property
    def block(self) -> FeatureBlock | None:
        """Image features that the model itself selects among."""
        return None

    def feature_steps(self) -> tuple[SelectionStep, ...]:
        """Steps on image features."""
        return self.block.steps if self.block else ()

    @property
    def likelihood(self) -> str:
        """Method of the final logistic regression; empty where another estimator is the last."""
        return self.method

    @property
    def reported_folds(self) -> int:
        """Folds of the cross-validation that is reported."""
        return self.folds

    @property
    def final_label(self) -> str:
        """Printed name of the last regression or other estimator."""
        return ESTIMATORS["logistic"].about.label

    def references_used(self) -> tuple[str, ...]:
        """Keys of the references of these settings."""
        return (*step_references(self.feature_steps()), *firth_reference(self.method))


def step_references(steps: Sequence[SelectionStep]) -> tuple[str, ...]:
    """Keys of the references of steps."""
    return tuple(key for step in steps for key in step.about.references)


#: Every kind of model by its name; filled when the package ``models`` is imported.
MODELS: Kinds[ModelSpec] = Kinds("kind of model", ModelSpec, "kind", ModelKind)  # type: ignore[type-abstract]
model_kind = MODELS.register
