"""Univariate test against the label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, selection_step
from her2radiomics.modelling.ranking import TESTS, univariate_test


@selection_step(label="Univariate test", role="reduction")
class UnivariateStep(SelectionStep):
    """Keep the features related to the label one by one.

    By ``p``, or the best ``k``. ``f_classif`` is the one-way analysis of variance; Mann–Whitney has the normal
    approximation, corrected for ties and continuity. Ties of p are broken by the order of the columns; constant
    features have p = 1.
    """

    step: Literal["univariate"] = Field(description="Univariate test against the label.")
    test: Literal["f_classif", "mann_whitney"] = Field(
        "f_classif",
        description="One-way analysis of variance, or Mann–Whitney (normal approximation, ties and continuity corrected).",
    )
    p: float | None = Field(None, gt=0, le=1, description="Keep features with a p value below this.")
    k: int | None = Field(None, ge=1, description="Keep this many features, those with the smallest p values.")

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.p is None) == (self.k is None):
            raise ValueError("give either 'p' (a level) or 'k' (a number of features), not both")
        return self

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        if self.k:
            return f"the {self.k} features most strongly associated with the outcome by {TESTS[self.test]} were kept"
        return f"features associated with the outcome by {TESTS[self.test]} (p < {self.p:g}) were kept"

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedStep:
        """Test every feature against the label."""
        _, p = univariate_test(X.to_numpy(dtype=float), np.asarray(y), self.test)
        name = {"f_classif": "ANOVA F", "mann_whitney": "Mann–Whitney"}[self.test]
        if self.k is None:
            return FittedStep.of(X, p < float(self.p or 0), f"{name}, p < {self.p:g}")
        keep = np.zeros(X.shape[1], dtype=bool)
        keep[np.argsort(p, kind="stable")[: self.k]] = True
        return FittedStep.of(X, keep, f"{name}, the best {self.k}")
