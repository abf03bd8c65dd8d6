"""How well probabilities fit outcomes: calibration intercept and slope, O:E, Hosmer–Lemeshow, Brier score.

References
----------
Cox, Biometrika 45 (1958) 562–565 (recalibration; ``rms::val.prob``). Hosmer & Lemeshow,
Communications in Statistics A9 (1980) 1043–1069. Brier, Monthly Weather Review 78 (1950) 1–3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics import likelihood
from her2radiomics.statistics._check import as_labels, as_level, as_probabilities, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.proportions import proportion_interval


@dataclass(frozen=True)
class Calibration(Result):
    """Calibration intercept and slope with Wald's intervals: 0 and 1 are ideal.

    ``excluded`` rows had a probability of exactly 0 or 1, whose logit is infinite (``rms::val.prob`` leaves
    them out too). ``note`` says why a value is missing.
    """

    intercept: float
    slope: float
    n: int
    excluded: int = 0
    note: str = ""
    intercept_low: float = float("nan")
    intercept_high: float = float("nan")
    slope_low: float = float("nan")
    slope_high: float = float("nan")

    @property
    def remark(self) -> str:
        """The note."""
        return self.note


@public
def calibration(labels: ArrayLike, probabilities: ArrayLike, level: float = 0.95) -> Calibration:
    """Regress outcomes on the logit of their probabilities (``rms::val.prob``).

    Parameters
    ----------
    labels
        0 or 1, shape (n,), both present.
    probabilities
        In [0, 1], shape (n,).
    level
        Level of the intervals.

    Notes
    -----
    A constant probability has slope 0, and the logit of the prevalence for intercept. Probabilities
    that separate the classes have an infinite slope and no intercept.
    """
    positive = as_labels(labels)
    probability = as_probabilities(probabilities, size=positive.size)
    inside = (probability > 0) & (probability < 1)
    excluded = int((~inside).sum())
    positive, probability = positive[inside], probability[inside]
    note = f"{excluded} patients with predicted probability 0 or 1 were excluded" if excluded else ""
    events = int(positive.sum())
    if events in (0, positive.size):
        why = "; one class is left" if excluded else "one class"
        return Calibration(float("nan"), float("nan"), positive.size, excluded, note + why)
    if np.ptp(probability) == 0:
        odds = events / (positive.size - events)
        return Calibration(float(np.log(odds)), 0.0, positive.size, excluded, "constant probability")
    logit = np.log(probability) - np.log1p(-probability)
    separation = _separation(logit, positive)
    if separation:
        return Calibration(
            float("nan"),
            float(separation * np.inf),
            positive.size,
            excluded,
            "slope and intercept not estimable: the probabilities separate the classes",
        )
    fit = likelihood.fit_ml(logit[:, None], positive)
    if not fit.converged:
        note = "; ".join(filter(None, [note, "no convergence"]))
        return Calibration(float("nan"), float("nan"), positive.size, excluded, note)
    half = scipy.special.ndtri((1 + as_level(level)) / 2) * np.sqrt(np.diag(fit.covariance))
    ends = np.stack([fit.beta - half, fit.beta + half], axis=1).ravel()
    intercept, slope = map(float, fit.beta)
    return Calibration(intercept, slope, positive.size, excluded, note, *map(float, ends))


def _separation(values: np.ndarray, positive: np.ndarray) -> int:
    """Return 1 or −1 where one cut separates the classes (ties at the cut allowed), else 0."""
    if values[~positive].max() <= values[positive].min():
        return 1
    return -1 if values[positive].max() <= values[~positive].min() else 0


@dataclass(frozen=True)
class HosmerLemeshow(Result):
    """Hosmer–Lemeshow test.

    ``p`` is NaN where ``df`` is below 1.
    """

    statistic: float
    df: int
    p: float
    groups: int


@public
def hosmer_lemeshow(
    labels: ArrayLike, probabilities: ArrayLike, groups: int = 10, fitted: bool = True
) -> HosmerLemeshow:
    """Hosmer–Lemeshow test by quantiles of risk (as ``ResourceSelection::hoslem.test``).

    Parameters
    ----------
    labels, probabilities
        Shape (n,); one class alone is allowed.
    groups
        Number of groups asked for; tied quantiles merge groups, and the number left is returned.
    fitted
        Whether the rows are those that the model was fitted on: g − 2 degrees of freedom then, g on other
        rows.
    """
    positive = as_labels(labels, both=False)
    probability = as_probabilities(probabilities, size=positive.size)
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, groups + 1)))
    # closed on the right, the lowest edge included, as R's cut(include.lowest = TRUE)
    member = np.maximum(np.searchsorted(edges, probability, side="left") - 1, 0)
    size = np.bincount(member)
    kept = size > 0
    observed = np.bincount(member, weights=positive)[kept]
    expected = np.bincount(member, weights=probability)[kept]
    size = size[kept]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.square(observed - expected) / (expected * (1 - expected / size))
    statistic = float(np.where(observed == expected, 0.0, terms).sum())
    df = int(kept.sum()) - (2 if fitted else 0)
    return HosmerLemeshow(
        statistic, df, float(scipy.special.chdtrc(df, statistic)) if df > 0 else float("nan"), int(kept.sum())
    )


@public
def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared difference of probability and outcome: 0 is ideal."""
    positive = as_labels(labels, both=False)
    return float(np.mean(np.square(as_probabilities(probabilities, size=positive.size) - positive)))


@public
def brier_skill(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Brier skill: 1 − Brier score / that of the prevalence given to every row (scaled Brier score).

    1 is ideal, 0 as good as the prevalence of these rows, below 0 worse.

    References
    ----------
    Steyerberg et al., Epidemiology 21 (2010) 128–138.
    """
    positive = as_labels(labels)
    prevalence = float(positive.mean())
    return 1 - brier(positive, probabilities) / (prevalence * (1 - prevalence))


@dataclass(frozen=True)
class ObservedExpected(Result):
    """Observed over expected events (calibration in the large): 1 is ideal, above 1 the risk is underestimated."""

    ratio: float
    low: float
    high: float
    observed: int
    expected: float


@public
def observed_expected(labels: ArrayLike, probabilities: ArrayLike, level: float = 0.95) -> ObservedExpected:
    """O:E ratio with an exact interval.

    The interval is Clopper–Pearson's of the observed proportion over the mean probability, which is taken as known; so it
    exists without events, too.

    Parameters
    ----------
    labels, probabilities
        Shape (n,); one class alone is allowed.
    level
        Level of the interval.

    Raises
    ------
    ValueError
        If no event is expected.

    References
    ----------
    Debray et al., BMJ 356 (2017) i6460 (O:E).
    """
    positive = as_labels(labels, both=False)
    expected = float(as_probabilities(probabilities, size=positive.size).sum())
    if expected == 0:
        raise ValueError("probabilities: found 0 throughout, expected some risk; O:E has no denominator.")
    observed, n = int(positive.sum()), positive.size
    low, high = (bound * n / expected for bound in proportion_interval(observed, n, level))
    return ObservedExpected(observed / expected, low, high, observed, expected)
