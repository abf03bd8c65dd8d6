"""Selection steps as scikit-learn transformers, for use outside the models of a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FittedStep, Training
from her2radiomics.modelling.scikit_learn import BaseEstimator, TransformerMixin
from her2radiomics.modelling.steps.redundancy import RedundancyStep


class RedundancyFilter(TransformerMixin, BaseEstimator):
    """Of two features correlated above a threshold keep the one more strongly associated with the label.

    See :class:`~her2radiomics.modelling.steps.redundancy.RedundancyStep`.

    Parameters
    ----------
    method
        ``pearson`` or ``spearman``.
    threshold
        Absolute correlation above which one of two features is dropped.

    Fitted attributes
    -----------------
    feature_names_in_, names_out_ : list of str
        Features given and kept, in the order of the columns.
    features_in_, features_out_ : int
    note_ : str
        The step in a few words.
    """

    fitted_: FittedStep
    feature_names_in_: list[str]
    names_out_: list[str]
    features_in_: int
    features_out_: int
    note_: str

    def __init__(self, method: Literal["pearson", "spearman"] = "pearson", threshold: float = 0.9) -> None:
        """Keep the parameters."""
        self.method = method
        self.threshold = threshold

    def fit(self, X: pd.DataFrame, y: Any) -> RedundancyFilter:
        """Choose among the columns of ``X``, patients × features, given labels 0 or 1."""
        step = RedundancyStep(step="redundancy", method=self.method, threshold=self.threshold)
        self.fitted_ = step.fit(X, np.asarray(y), Training())
        self.feature_names_in_, self.names_out_ = list(self.fitted_.names_in), list(self.fitted_.names_out)
        self.features_in_, self.features_out_ = len(self.feature_names_in_), len(self.names_out_)
        self.note_ = self.fitted_.note
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Keep the chosen columns."""
        return self.fitted_.transform(X)

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> np.ndarray:
        """Names of the columns that :meth:`transform` returns."""
        return np.asarray(self.names_out_, dtype=object)
