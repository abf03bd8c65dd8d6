"""Recursive feature elimination."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, is_constant, selection_step


@selection_step(label="Recursive feature elimination", role="reduction", references=("guyon_2002",))
class RecursiveEliminationStep(SelectionStep):
    """Drop the feature with the smallest logistic weight until few are left.

    The weights are those of a ridge-penalised logistic regression (C = 1) on standardised features, so that they can be
    compared, and exist when there are more features than rows.
    """

    step: Literal["recursive_elimination"] = Field(description="Recursive feature elimination.")
    k: int = Field(ge=1, description="Features to keep.")

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        return f"the feature with the smallest logistic weight was eliminated until {self.k} were left"

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedStep:
        """Eliminate features one by one."""
        values = X.to_numpy(dtype=float)
        keep = ~is_constant(values)
        if int(keep.sum()) > self.k:
            part = values[:, keep]
            part = (part - part.mean(axis=0)) / part.std(axis=0)
            ridge = sklearn.linear_model.LogisticRegression(
                C=1.0, l1_ratio=0.0, solver="lbfgs", tol=1e-8, max_iter=10_000
            )
            keep[keep] = sklearn.feature_selection.RFE(ridge, n_features_to_select=self.k).fit(part, y).support_
        return FittedStep.of(X, keep, f"recursive elimination to {self.k}")
