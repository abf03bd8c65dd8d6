"""Logistic regression."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.estimator import Estimator, FinalFit, Folds, Method, estimator
from her2radiomics.modelling.logistic import firth_reference, fit_logistic
from her2radiomics.modelling.ranking import by_relation


@estimator(label="Logistic regression")
class LogisticSpec(Estimator):
    """The regression that turns selected features into a Rad-score (log-odds) and a probability.

    The only estimator with standard errors.
    """

    kind: Literal["logistic"] = Field("logistic", description="Logistic regression.")
    method: Method = "auto"
    folds: Folds = 0

    def phrase(self) -> str:
        """Return the estimator in words."""
        return "a logistic regression"

    def references_used(self) -> tuple[str, ...]:
        """Firth's method, where it may be used."""
        return firth_reference(self.method)

    def fit(self, table: pd.DataFrame, labels: np.ndarray, *, seed: int, name: str) -> FinalFit:
        """Fit the regression; of terms that are combinations of others the more related to the label are kept."""
        order = by_relation(table.to_numpy(dtype=float), labels)
        fit = fit_logistic(table.iloc[:, order], labels, self.method, name=name)
        kept = tuple(str(feature) for feature in table.columns if feature in fit.coefficients)
        return FinalFit(kept, fit.intercept, fit.coefficients, fit.method, fit.note, fit.separated)
