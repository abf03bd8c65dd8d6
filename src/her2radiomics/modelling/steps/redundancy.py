"""Filter of features correlated with one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, is_constant, selection_step


@selection_step(label="Correlation with one another", short="Redundancy", role="reduction")
class RedundancyStep(SelectionStep):
    """Of two correlated features keep the one more strongly associated with the label.

    Features are visited from the most to the least related to the label (absolute correlation of the same kind with the 0/1
    label; ties in the order of the columns); one is dropped when it is correlated above ``threshold`` with one already kept.
    Constant features are dropped.
    """

    step: Literal["redundancy"] = Field(description="Filter of features correlated with one another.")
    method: Literal["pearson", "spearman"] = Field("pearson", description="Correlation coefficient.")
    threshold: float = Field(0.9, gt=0, le=1, description="Drop one of two features correlated above this (absolute).")

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        return (
            f"of two features with an absolute {self.method.capitalize()} correlation above {self.threshold:g}, the one "
            "more strongly associated with the outcome was retained"
        )

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedStep:
        """Visit the features."""
        values, labels = X.to_numpy(dtype=float), np.asarray(y, dtype=float)
        constant = is_constant(values)
        if self.method == "spearman":
            values, labels = scipy.stats.rankdata(values, axis=0), scipy.stats.rankdata(labels)
        values, labels = values - values.mean(axis=0), labels - labels.mean()
        length = np.sqrt(np.square(values).sum(axis=0))
        unit = values / np.where(constant, 1.0, length)
        # rounding must not decide between copies of a feature, nor reverse a tie
        relation = np.round(np.abs(labels @ unit) / np.sqrt(labels @ labels), 12)
        left, keep = ~constant, np.zeros(X.shape[1], dtype=bool)
        for place in np.argsort(-relation, kind="stable"):
            if not left[place]:
                continue
            keep[place] = True
            left &= np.abs(unit[:, place] @ unit) <= self.threshold + 1e-12
            left[place] = False
        note = f"{self.method.capitalize()} |r| ≤ {self.threshold:g} with every feature kept"
        return FittedStep.of(X, keep, note)
