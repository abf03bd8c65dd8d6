"""Precision–recall curve and its area, for outcomes that are rare.

References
----------
Davis & Goadrich, ICML 2006, 233–240 (no straight lines between points). Boyd, Eng & Page, ECML PKDD 2013, 451–466
(interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics._check import as_finite, as_labels, public
from her2radiomics.statistics._result import Result


@dataclass(frozen=True, eq=False, repr=False)
class PrecisionRecall(Result):
    """Precision–recall curve.

    Attributes
    ----------
    table
        ``threshold, recall, precision``: one row a distinct score, the highest first (score ≥ threshold is positive).
    area, low, high
        Average precision, and its interval on the logit scale (NaN where the area is 1: it has none).
    prevalence
        Area of a score without information.
    """

    table: pd.DataFrame
    area: float
    low: float
    high: float
    prevalence: float

    @property
    def remark(self) -> str:
        """The area with its interval, and the prevalence."""
        return f"Area {self.area:.4g} ({self.low:.4g} to {self.high:.4g}); without information {self.prevalence:.4g}."


@public
def precision_recall(labels: ArrayLike, scores: ArrayLike, level: float = 0.95) -> PrecisionRecall:
    """Precision at every recall, and the average precision (``sklearn.metrics.average_precision_score``).

    The area is the sum of precision times rise of recall. Its interval is logit(area) ± z / √(m · area · (1 − area)) with m
    events, back-transformed (Boyd, Eng & Page).

    Parameters
    ----------
    labels, scores
        As for :func:`auc`.
    level
        Level of the interval.
    """
    positive = as_labels(labels)
    values = as_finite(scores, size=positive.size)
    cuts, m = np.unique(values)[::-1], int(positive.sum())
    hits = m - np.searchsorted(np.sort(values[positive]), cuts, side="left")
    called = values.size - np.searchsorted(np.sort(values), cuts, side="left")
    precision, recall = hits / called, hits / m
    area = float((np.diff(recall, prepend=0.0) * precision).sum())
    low = high = float("nan")
    if 0 < area < 1:
        half = float(scipy.special.ndtri(1 - (1 - level) / 2)) / np.sqrt(m * area * (1 - area))
        low, high = (float(scipy.special.expit(scipy.special.logit(area) + side * half)) for side in (-1, 1))
    table = pd.DataFrame({"threshold": cuts, "recall": recall, "precision": precision})
    return PrecisionRecall(table, area, low, high, m / values.size)
