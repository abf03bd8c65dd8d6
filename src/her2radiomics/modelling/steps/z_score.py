"""Standardisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.modelling.base import SelectionStep, Training, selection_step
from her2radiomics.modelling.scaling import FittedScaling, fit_scaling


@selection_step(label="z-score", noun="z-scoring", role="scaling")
class ZScoreStep(SelectionStep):
    """Centre every feature at its training mean and divide by its training standard deviation.

    The standard deviation is the population's (divisor n); a feature that is constant in training is shifted only.
    """

    step: Literal["z_score"] = Field(description="Standardisation.")

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        return "features were standardised by their training mean and standard deviation"

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedScaling:
        """Learn mean and standard deviation of every feature."""
        return fit_scaling(X, _deviation)


def _deviation(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaler = sklearn.preprocessing.StandardScaler().fit(values)
    return scaler.mean_, np.sqrt(scaler.var_)
