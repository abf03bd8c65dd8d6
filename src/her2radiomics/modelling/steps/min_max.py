"""Min-max scaling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.modelling.base import SelectionStep, Training, selection_step
from her2radiomics.modelling.scaling import FittedScaling, fit_scaling


@selection_step(label="Min-max scaling", noun="min-max scaling", role="scaling")
class MinMaxStep(SelectionStep):
    """Scale every feature to [0, 1] on the training rows; unseen rows are not clipped.

    By the training minimum and range; a feature that is constant in training is shifted only.
    """

    step: Literal["min_max"] = Field(description="Min-max scaling.")

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        return "features were scaled to the unit interval by their training minimum and maximum, without clipping"

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedScaling:
        """Learn minimum and range of every feature."""
        return fit_scaling(X, _range)


def _range(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaler = sklearn.preprocessing.MinMaxScaler().fit(values)
    return scaler.data_min_, scaler.data_range_
