"""Filter by variance."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.core.wording import listing
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, is_constant, selection_step


@selection_step(label="Variance", role="reduction")
class VarianceStep(SelectionStep):
    """Drop features that hardly vary: of the measured values before a scaling step, of the scaled ones after it.

    Kept is a population variance above ``threshold`` of the values that reach the step; the notes say which they are. After
    z-scoring every variance is 1, and the report says that the step removes nothing.
    """

    step: Literal["variance"] = Field(description="Filter by variance.")
    threshold: float = Field(0.0, ge=0, description="Keep features whose population variance is above this.")

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words, and of which values the variance is."""
        scaled = [step.about.noun for step in before if step.about.role == "scaling"]
        of = f"after {listing(scaled)}" if scaled else "of the measured values"
        low = f"a variance of {self.threshold:g} or less" if self.threshold else "zero variance"
        return f"features with {low} ({of}) were removed"

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedStep:
        """Learn the variances."""
        values = X.to_numpy(dtype=float)
        varies = ~is_constant(values)
        variance = np.zeros(values.shape[1])
        if varies.any():
            rule = sklearn.feature_selection.VarianceThreshold(self.threshold)
            with suppress(ValueError):  # that nothing passes is a result
                rule.fit(values[:, varies])
            variance[varies] = rule.variances_
        scaled = [step.about.noun for step in training.before if step.about.role == "scaling"]
        of, after = ("", f" after {listing(scaled)}") if scaled else (" of the measured values", "")
        note = f"variance{of} > {self.threshold:g}{after}"
        if varies.any() and np.allclose(variance[varies], 1.0, rtol=0, atol=1e-9):
            note += "; after z-scoring every variance is 1, so this step removes nothing"
        return FittedStep.of(X, variance > self.threshold, note)
