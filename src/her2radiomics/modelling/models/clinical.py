"""The clinical model: univariate screening of participants columns, then one multivariate logistic regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.estimators import (
    FitReport,
    StudyModel,
    coefficient_table,
    notes_on,
    selection_table,
)
from her2radiomics.modelling.saved.rules import LinearRule
from her2radiomics.modelling.settings import ClinicalSpec
from her2radiomics.modelling.variables import (
    Variable,
    candidates,
    clinical_predictors,
    code_table,
    known_rows,
    learn_variable,
    levels_of,
    missing_notes,
    missing_table,
)
from her2radiomics.statistics import univariate_then_multivariate
from her2radiomics.statistics._check import as_labels

if TYPE_CHECKING:
    from her2radiomics.statistics import UnivariateThenMultivariate


class ClinicalModel(StudyModel):
    """Logistic model on participants columns.

    Parameters
    ----------
    name
        The model's name.
    spec
        Its settings.
    columns
        The protocol's participants columns.

    Fitted attributes
    -----------------
    choice_ : UnivariateThenMultivariate
    variables_ : dict of str to Variable
        Every candidate as training showed it.
    selected_ : tuple of str
        Kept predictors.
    missing_ : DataFrame
        Missing values of the candidates: ``column, rows, missing, handling, filled_with``.
    """

    choice_: UnivariateThenMultivariate
    variables_: dict[str, Variable]
    selected_: tuple[str, ...]
    missing_: pd.DataFrame

    def __init__(self, name: str, spec: ClinicalSpec, columns: Mapping[str, Column]) -> None:
        """Keep the parameters."""
        self.name = name
        self.spec = spec
        self.columns = columns

    def _fit(self, X: pd.DataFrame, labels: np.ndarray) -> np.ndarray:

        raw = candidates(X, self.spec.candidates, self.columns, name=self.name)
        impute = self.spec.missing == "impute"
        used = known_rows(raw, labels, impute=impute, name=self.name)
        self.notes_ += missing_notes(raw, used, impute=impute)
        everybody = raw
        raw, labels = raw[used], labels[used]
        as_labels(labels)
        self.variables_ = {
            name: learn_variable(raw[name], self.columns[name], impute=impute) for name in raw.columns
        }
        self.missing_ = missing_table(everybody, self.variables_, impute=impute)
        table = code_table(raw, self.variables_)
        try:
            self.choice_ = univariate_then_multivariate(
                table,
                labels,
                self.spec.p_enter,
                self.spec.keep,
                p_keep=self.spec.p_keep,
                method=self.spec.method,
                levels=levels_of(self.variables_),
            )
        except ValueError as error:
            raise StudyError(f"model '{self.name}': {error}") from error
        self.selected_ = self.choice_.selected
        self.table_, self.labels_ = table[list(self.selected_)], labels
        model = self.choice_.model
        if model is None:
            self.rule_ = LinearRule(self.name, float(np.log(labels.mean() / (1 - labels.mean()))))
        else:
            self.rule_ = LinearRule(self.name, model.intercept, clinical_predictors(model, self.variables_))
        return used

    def fit_report(self) -> FitReport:
        """Coefficients, selection, ``univariate``, ``multivariate`` and ``missing``."""
        choice, n = self.choice_, len(self.spec.candidates)
        coefficients = (
            choice.model.table
            if choice.model is not None
            else coefficient_table(self.table_, self.labels_, self.rule_, "ml", {})
        )
        rows = [
            {
                "name": "univariate",
                "features_in": n,
                "features_out": len(choice.entered),
                "note": "no screening" if self.spec.keep == "all" else f"p < {self.spec.p_enter:g}",
            },
            {
                "name": "multivariate",
                "features_in": len(choice.entered),
                "features_out": len(choice.selected),
                "note": f"{self.spec.keep}: {', '.join(choice.selected) or 'none kept'}",
            },
        ]
        tables = {
            "univariate": choice.univariate,
            "multivariate": choice.multivariate,
            "missing": self.missing_,
        }
        return FitReport(coefficients, selection_table(rows), tables, notes_on(self, coefficients))
