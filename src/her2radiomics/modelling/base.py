"""What all selection steps share: pandas in, pandas out, and a record of what went in and out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from her2radiomics.core.libraries import pd

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.adjustment import CentreAdjustment

# relative spread below which a column counts as constant: rounding of a mean, not a measurement
CONSTANT = 1e-12


def is_constant(values: np.ndarray) -> np.ndarray:
    """Mark the columns of a finite (rows × features) array that do not vary beyond rounding."""
    if values.shape[0] == 0:
        return np.ones(values.shape[1], dtype=bool)
    spread = values.max(axis=0) - values.min(axis=0)
    return spread <= CONSTANT * np.abs(values).max(axis=0)


class FeatureStep(TransformerMixin, BaseEstimator):
    """Base of the steps: a table (patients × features, finite numbers) becomes another.

    Fitted attributes
    -----------------
    feature_names_in_ : list of str
    names_out_ : list of str
        Kept features, in the order of the input columns.
    features_in_, features_out_ : int
    note_ : str
        What the selection report says about this step.
    """

    feature_names_in_: list[str]
    names_out_: list[str]
    features_in_: int
    features_out_: int
    note_: str

    def _record(self, X: pd.DataFrame, keep: np.ndarray | None = None, note: str = "") -> None:
        names = list(X.columns)
        self.feature_names_in_ = names
        self.names_out_ = names if keep is None else [n for n, k in zip(names, keep, strict=True) if k]
        self.features_in_, self.features_out_ = len(names), len(self.names_out_)
        self.note_ = note

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Keep the selected columns (scaling steps override this)."""
        return X if list(X.columns) == self.names_out_ else X[self.names_out_]

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> np.ndarray:
        """Names of the columns that :meth:`transform` returns."""
        return np.asarray(self.names_out_, dtype=object)

    def scaling(self, feature: str) -> tuple[float, float] | CentreAdjustment | None:
        """``(shift, scale)`` that this step applies to a feature as ``(x - shift) / scale``; ``None``: untouched.

        ComBat gives the adjustment of each centre instead.
        """
        return None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the fit that are kept beside the model, by name."""
        return {}

    def notes(self) -> list[str]:
        """Sentences on the fit for ``model.json`` and the report."""
        return []

    def selection_rows(self, step: str) -> list[dict[str, Any]]:
        """Rows of the selection report."""
        return [
            {
                "name": step,
                "features_in": self.features_in_,
                "features_out": self.features_out_,
                "note": self.note_,
            }
        ]
