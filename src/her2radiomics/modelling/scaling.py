"""Scaling of features by a shift and a scale of each, learned on the training rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FittedStep, is_constant


@dataclass(frozen=True)
class FittedScaling(FittedStep):
    """Shift and scale of every column, each of shape (features,)."""

    shift: np.ndarray
    scale: np.ndarray

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return ``(x - shift) / scale``; nothing is clipped."""
        kept = super().transform(X)
        values = (kept.to_numpy(dtype=float) - self.shift) / self.scale
        return pd.DataFrame(values, index=X.index, columns=kept.columns)

    def scalings(self, feature: str) -> tuple[tuple[float, float]]:
        """``(shift, scale)`` of a feature."""
        place = self.names_in.index(feature)
        return ((float(self.shift[place]), float(self.scale[place])),)


def fit_scaling(X: pd.DataFrame, spread: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> FittedScaling:
    """Learn shift and scale of every column; one that is constant in training is only shifted.

    Parameters
    ----------
    X
        Training rows.
    spread
        Values, shape (rows, features ≥ 1) → shift and scale, each of shape (features,).
    """
    values = X.to_numpy(dtype=float)
    constant = is_constant(values)
    shift, scale = spread(values) if values.shape[1] else (np.empty(0), np.empty(0))
    flat = int(constant.sum())
    note = f"{flat} constant in training" if flat else ""
    return FittedScaling.of(X, None, note, shift=shift, scale=np.where(constant, 1.0, scale))
