"""What all estimators share: settings with words, and what a fit on selected features leaves.

An estimator is one settings class: :meth:`Estimator.fit` learns from a table of selected features and returns a
:class:`FinalFit`. Nothing here imports scikit-learn, so that protocols are read without it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.core.registry import Kinds
from her2radiomics.core.settings import Settings
from her2radiomics.modelling.base import is_constant
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.modelling.saved.forest import Forest

Method = Annotated[
    Literal["ml", "firth", "auto"],
    Field(description="Maximum likelihood, Firth's penalised likelihood, or Firth only on separation."),
]
Folds = Annotated[
    int,
    Field(
        ge=0,
        description="Folds of a cross-validation that is reported (AUC of the final estimator on the selected "
        "predictors, and of the whole pipeline); the model itself is fitted on all training rows. 0: none.",
    ),
]
InnerFolds = Annotated[int, Field(ge=3)]


@dataclass(frozen=True)
class FinalFit:
    """What an estimator learnt from a table of selected features.

    Attributes
    ----------
    columns
        Features that the estimator uses, in the order of the table.
    intercept, coefficients
        Of a linear estimator: log-odds, on the scale of the table.
    method
        ``ml`` or ``firth`` of a logistic regression; else the estimator's kind.
    note
        What was fitted, in words.
    separated
        Whether Firth's method was used since the data are separated.
    forest
        Of a random forest: its trees.
    """

    columns: tuple[str, ...]
    intercept: float
    coefficients: Mapping[str, float]
    method: str
    note: str
    separated: bool = False
    forest: Forest | None = None

    def probability(self, table: pd.DataFrame) -> np.ndarray:
        """Probability of label 1 in the rows of a table scaled as the one fitted on, shape (rows,)."""
        values = table[list(self.columns)].to_numpy(dtype=float)
        if self.forest is not None:
            rounded = values.astype(np.float32)
            return np.asarray(np.mean([tree.predict(rounded) for tree in self.forest.trees], axis=0))
        beta = np.array([self.coefficients[column] for column in self.columns])
        return np.asarray(scipy.special.expit(self.intercept + values @ beta), dtype=float)


@dataclass(frozen=True)
class EstimatorKind:
    """What is printed about a kind of estimator.

    Attributes
    ----------
    name
        As protocols write it.
    label
        Printed name.
    score
        What the Rad-score is, inside a sentence.
    references
        Keys of ``report/references.json``.
    """

    name: str
    label: str
    score: str = "its linear predictor"
    references: tuple[str, ...] = ()


class Estimator(Settings):
    """Base of the estimators; a subclass has the field ``kind``, the fields of its settings, and what is abstract here.

    The docstring of an estimator says what it does and by which convention: reference page and handbook print it.
    """

    about: ClassVar[EstimatorKind]
    if TYPE_CHECKING:
        kind: str
        folds: int

    @abstractmethod
    def phrase(self) -> str:
        """``a logistic regression``: the estimator in the wording of a methods section."""

    @abstractmethod
    def fit(self, table: pd.DataFrame, labels: np.ndarray, *, seed: int, name: str) -> FinalFit:
        """Fit on every column of a table.

        Parameters
        ----------
        table
            Complete numbers, indexed by patient, columns in their final order.
        labels
            0 or 1, both present, shape (rows,).
        seed
            Seed of inner folds and of a forest.
        name
            The model's name, for errors.

        Raises
        ------
        StudyError
            The regression that was asked for does not exist.
        """

    def references_used(self) -> tuple[str, ...]:
        """Keys of the references of these settings."""
        return self.about.references


class FoldedEstimator(Estimator):
    """Base of the estimators that choose something by folds inside training."""

    if TYPE_CHECKING:
        inner_folds: int

    @abstractmethod
    def learn(self, table: pd.DataFrame, labels: np.ndarray, fold: np.ndarray) -> FinalFit:
        """Fit on the columns that vary, given the fold of each row, shape (rows,)."""

    def fit(self, table: pd.DataFrame, labels: np.ndarray, *, seed: int, name: str) -> FinalFit:
        """Fit on the columns that vary; the intercept alone where there is none, or no folds can be made."""
        columns = varying(table)
        if columns.shape[1] == 0:
            return intercept_only(labels, self.kind)
        fold = patient_folds(table.index.to_numpy(), labels, self.inner_folds, seed)
        if fold.size == 0:
            return intercept_only(labels, self.kind, "too few patients in one class to cross-validate")
        return self.learn(columns, labels, fold)


#: Every kind of estimator by its name; filled when the package ``estimators`` is imported.
ESTIMATORS: Kinds[Estimator] = Kinds("estimator", Estimator, "kind", EstimatorKind)  # type: ignore[type-abstract]
estimator = ESTIMATORS.register


def intercept_only(labels: np.ndarray, method: str, why: str = "") -> FinalFit:
    """Return the fit of nothing: the log-odds of the prevalence."""
    share = float(np.mean(labels))
    note = f"intercept only: {why}" if why else "intercept only"
    return FinalFit((), float(np.log(share / (1 - share))), {}, method, note)


def varying(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a table that are not constant."""
    return table.loc[:, ~is_constant(table.to_numpy(dtype=float))]
