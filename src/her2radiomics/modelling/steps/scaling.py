"""Scaling of features, learned on the training rows, and the rule for values that are not numbers."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FeatureStep, is_constant


class NumericFeatures(FeatureStep):
    """Drop features that are not a number in training; later fill such values with the training median.

    Fitted attributes
    -----------------
    medians_ : ndarray, shape (features_out_,)
    dropped_ : list of str
        Features that were NaN or infinite for at least one training patient.
    """

    medians_: np.ndarray
    dropped_: list[str]

    def fit(self, X: pd.DataFrame, y: object = None) -> NumericFeatures:
        """Learn which features are numbers for every training row, and their medians."""
        values = X.to_numpy(dtype=float)
        keep = np.isfinite(values).all(axis=0)
        lost = int((~keep).sum())
        self._record(X, keep, f"{lost} not a number for every training patient" if lost else "")
        self.dropped_ = [name for name, kept in zip(X.columns, keep, strict=True) if not kept]
        self.medians_ = np.median(values[:, keep], axis=0)
        return self

    def notes(self) -> list[str]:
        """How many features were dropped."""
        dropped = len(self.dropped_)
        return [f"{dropped} features were not a number in training and were dropped"] if dropped else []

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Keep the numeric features; missing and infinite values become the training medians."""
        values = X[self.names_out_].to_numpy(dtype=float)
        finite = np.isfinite(values)
        if not finite.all():
            values = np.where(finite, values, self.medians_)
        return pd.DataFrame(values, index=X.index, columns=self.names_out_)


class _Scaler(FeatureStep):
    """Shift and scale every column; a column that is constant in training is only shifted."""

    shift_: np.ndarray
    scale_: np.ndarray

    @abstractmethod
    def _spread(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shift and scale of every column of the training rows, each of shape (features,)."""

    def fit(self, X: pd.DataFrame, y: object = None) -> _Scaler:
        """Learn shift and scale of every column from the training rows."""
        values = X.to_numpy(dtype=float)
        constant = is_constant(values)
        self.shift_, spread = self._spread(values)
        self.scale_ = np.where(constant, 1.0, spread)
        self._position = {name: i for i, name in enumerate(X.columns)}
        flat = int(constant.sum())
        self._record(X, None, f"{flat} constant in training" if flat else "")
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return ``(x - shift) / scale``; nothing is clipped."""
        values = (X[self.names_out_].to_numpy(dtype=float) - self.shift_) / self.scale_
        return pd.DataFrame(values, index=X.index, columns=self.names_out_)

    def scaling(self, feature: str) -> tuple[float, float] | None:
        """``(shift, scale)`` of a feature."""
        place = self._position[feature]
        return float(self.shift_[place]), float(self.scale_[place])


class MinMax(_Scaler):
    """Scale to [0, 1] on the training rows: shift is the minimum, scale the range. Unseen rows may fall outside."""

    def _spread(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low = values.min(axis=0)
        return low, values.max(axis=0) - low


class ZScore(_Scaler):
    """Standardise with the training mean and population standard deviation (divisor n, as scikit-learn)."""

    def _spread(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return values.mean(axis=0), values.std(axis=0)
