"""Net benefit of deciding by a model.

References
----------
Vickers & Elkin, Medical Decision Making 26 (2006) 565–574.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import pd
from her2radiomics.statistics._check import as_labels, as_probabilities, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.draws import draw_rows


@dataclass(frozen=True, eq=False, repr=False)
class DecisionCurve(Result):
    """Decision curve.

    ``table`` has ``threshold, net_benefit, net_benefit_all, net_benefit_none``.
    """

    table: pd.DataFrame

    @property
    def useful(self) -> list[tuple[float, float]]:
        """Ranges of thresholds (first, last) where the model beats both treating all and treating none."""
        best = self.table[["net_benefit_all", "net_benefit_none"]].max(axis=1)
        better = (self.table["net_benefit"] > best).to_numpy()
        edges = np.flatnonzero(np.diff(np.concatenate([[False], better, [False]]).astype(int)))
        at = self.table["threshold"].to_numpy()
        return [(float(at[a]), float(at[b - 1])) for a, b in edges.reshape(-1, 2)]


@public
def decision_curve(labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike | None = None) -> DecisionCurve:
    """Net benefit of the model, of treating all and of treating none.

    Parameters
    ----------
    labels, probabilities
        Shape (n,); one class alone is allowed.
    thresholds
        Threshold probabilities in [0, 1); by default 0.01 to 0.99 by 0.01. A row is treated when its
        probability is at or above the threshold, as in the package dcurves.
    """
    positive = as_labels(labels, both=False)
    probability = as_probabilities(probabilities, size=positive.size)
    at = np.arange(1, 100) / 100 if thresholds is None else np.asarray(thresholds)
    odds = at / (1 - at)
    n = positive.size
    treated = [
        len(values) - np.searchsorted(np.sort(values), at, side="left")
        for values in (probability[positive], probability[~positive])
    ]
    prevalence = positive.mean()
    return DecisionCurve(
        pd.DataFrame(
            {
                "threshold": at,
                "net_benefit": treated[0] / n - treated[1] / n * odds,
                "net_benefit_all": prevalence - (1 - prevalence) * odds,
                "net_benefit_none": 0.0,
            }
        )
    )


@public
def net_benefit_difference(
    labels: ArrayLike,
    probabilities_a: ArrayLike,
    probabilities_b: ArrayLike,
    thresholds: ArrayLike,
    *,
    level: float = 0.95,
    iterations: int = 1000,
    seed: int | None = None,
    clusters: ArrayLike | None = None,
) -> pd.DataFrame:
    """Net benefit of model B less that of model A on the same rows, with a percentile interval over resampled rows.

    Parameters
    ----------
    labels, probabilities_a, probabilities_b
        Shape (n,).
    thresholds
        Threshold probabilities in [0, 1).
    level
        Level of the interval.
    iterations, seed
        Number of resamples of patients and their seed.
    clusters
        Who each row is of, where several are of one person: whole persons are drawn.

    Returns
    -------
    pandas.DataFrame
        ``threshold, difference, low, high``.
    """
    positive = as_labels(labels, both=False)
    a = as_probabilities(probabilities_a, size=positive.size, name="probabilities_a")
    b = as_probabilities(probabilities_b, size=positive.size, name="probabilities_b")
    resamples = draw_rows(positive.size, iterations, seed, clusters)
    tail = (1 - level) / 2
    rows = []
    for threshold in np.asarray(thresholds):
        # what each row adds to the difference: a true positive 1, a false positive minus the odds of the threshold
        worth = np.where(positive, 1.0, -threshold / (1 - threshold))
        gain = worth * ((b >= threshold).astype(float) - (a >= threshold))
        low, high = np.quantile([gain[drawn].mean() for drawn in resamples], [tail, 1 - tail])
        rows.append((float(threshold), float(gain.mean()), float(low), float(high)))
    return pd.DataFrame(rows, columns=["threshold", "difference", "low", "high"])
