"""The clinical model: univariate screening of participants columns, then one multivariable logistic regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.core.wording import listing
from her2radiomics.modelling.estimator import Folds, Method
from her2radiomics.modelling.fit_report import selection_row
from her2radiomics.modelling.model import MISSING_WORDS, Fitted, Learning, ModelSpec, Names, model_kind
from her2radiomics.modelling.saved.rules import LinearRule
from her2radiomics.modelling.variables import (
    LearnedColumns,
    MissingValues,
    Variable,
    clinical_predictors,
    code_table,
    learn_columns,
    levels_of,
)
from her2radiomics.statistics import univariate_then_multivariate
from her2radiomics.statistics._check import as_labels

if TYPE_CHECKING:
    from her2radiomics.statistics import UnivariateThenMultivariate

KEPT = {
    "enter": "those that passed entered one multivariable logistic regression",
    "backward": "those that passed entered a multivariable logistic regression with backward elimination",
    "significant": "those that passed entered one multivariable logistic regression, whose predictors with p < {:g} were "
    "kept and refitted",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedClinical(Fitted):
    """A fitted clinical model.

    Attributes
    ----------
    spec
        Its settings.
    choice
        Screening and regression.
    known
        The candidates as training showed them.
    """

    spec: ClinicalSpec
    choice: UnivariateThenMultivariate
    known: LearnedColumns

    def coefficients(self) -> pd.DataFrame:
        """``term, beta, se, …`` of the regression."""
        return super().coefficients() if self.choice.model is None else self.choice.model.table

    def handed_on(self) -> dict[str, Variable]:
        """Kept predictors."""
        return {name: self.known.variables[name] for name in self.choice.selected}

    def selection_rows(self) -> list[dict[str, Any]]:
        """Rows of screening and regression."""
        entered, selected = len(self.choice.entered), len(self.choice.selected)
        screened = "no screening" if self.spec.keep == "all" else f"p < {self.spec.p_enter:g}"
        kept = f"{self.spec.keep}: {', '.join(self.choice.selected) or 'none kept'}"
        return [
            selection_row("univariate", len(self.spec.candidates), entered, screened),
            selection_row("multivariate", entered, selected, kept),
        ]

    def tables(self) -> dict[str, pd.DataFrame]:
        """``univariate``, ``multivariate`` and ``missing``."""
        choice = self.choice
        return {"univariate": choice.univariate, "multivariate": choice.multivariate, "missing": self.known.missing}


@model_kind(label="Clinical", rows={"multivariate": "Multivariable logistic regression"})
class ClinicalSpec(ModelSpec):
    """A logistic model on participants columns: univariate screening, then a multivariable model."""

    kind: Literal["clinical"] = Field(description="A logistic model on participants columns.")
    candidates: tuple[str, ...] = Field(min_length=1, description="Participants columns to screen.")
    p_enter: float = Field(0.05, gt=0, le=1, description="Level of the univariate test.")
    keep: Literal["enter", "significant", "backward", "all"] = Field(
        "enter",
        description="enter: all that pass the univariate test; significant: of these, those with p below p_keep in the "
        "multivariable model; backward: the least significant removed one by one until all are below p_keep; "
        "all: every candidate, without screening (for a model with published terms).",
    )
    p_keep: float = Field(0.05, gt=0, le=1, description="Level of the multivariable test of significant and backward.")
    fallback: Literal["intercept"] = Field(
        "intercept", description="When nothing passes: the intercept alone, marked as empty."
    )
    missing: MissingValues = "impute"
    method: Method = "auto"
    folds: Folds = 0
    allow_unavailable: bool = Field(False, description="Use columns that are not yet known when predicting.")

    def sentence(self, who: str, names: Names) -> str:
        """Return the model in words."""
        columns = listing([names.column(name) for name in self.candidates])
        if self.keep == "all":
            text = (
                f"{who} was a logistic regression on {columns}: its terms were fixed beforehand, and none was screened."
            )
        else:
            text = (
                f"{who} was a logistic regression on clinical and imaging characteristics. Candidates were {columns}; each "
                f"was tested by univariable logistic regression (p < {self.p_enter:g}), and "
                f"{KEPT[self.keep].format(self.p_keep)}."
            )
        return text + MISSING_WORDS[self.missing]

    def fit(self, X: pd.DataFrame, labels: np.ndarray, learning: Learning) -> FittedClinical:
        """Screen the candidates, then fit the regression."""
        known = learn_columns(X, labels, self.candidates, learning.columns, self.missing, name=learning.name)
        raw, labels = known.raw[known.used], labels[known.used]
        as_labels(labels)
        table = code_table(raw, known.variables)
        try:
            choice = univariate_then_multivariate(
                table,
                labels,
                self.p_enter,
                self.keep,
                p_keep=self.p_keep,
                method=self.method,
                levels=levels_of(known.variables),
            )
        except ValueError as error:
            raise StudyError(f"model '{learning.name}': {error}") from error
        model = choice.model
        if model is None:
            rule = LinearRule(learning.name, float(np.log(labels.mean() / (1 - labels.mean()))))
        else:
            rule = LinearRule(learning.name, model.intercept, clinical_predictors(model, known.variables))
        return FittedClinical(
            name=learning.name,
            rule=rule,
            used=known.used,
            table=table[list(choice.selected)],
            labels=labels,
            method="ml" if model is None else model.method,
            remarks=tuple(known.notes),
            spec=self,
            choice=choice,
            known=known,
        )
