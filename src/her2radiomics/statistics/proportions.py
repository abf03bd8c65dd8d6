"""Proportions with exact intervals, rates at a threshold, and Holm's correction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics._check import FloatArray, as_finite, as_labels, one_of, public
from her2radiomics.statistics._result import Result


@public
def proportion_interval(successes: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact (Clopper–Pearson) interval of a proportion.

    Parameters
    ----------
    successes
        Number of successes, 0 to ``n``. It need not be whole: AUC · n gives MedCalc's exact interval of an
        AUC.
    n
        Number of trials, at least 1.
    level
        Confidence level.

    Raises
    ------
    ValueError
        If ``n`` is less than 1 or ``successes`` is outside 0 to ``n``.

    References
    ----------
    Clopper & Pearson, Biometrika 26 (1934) 404–413; as ``binom.test`` of R.
    """
    if successes > n:
        raise ValueError(f"successes: found {successes!r} of n = {n!r}, expected 0 to n.")
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(scipy.special.betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(scipy.special.betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


@dataclass(frozen=True, eq=False, repr=False)
class OperatingPoint(Result):
    """Performance at a threshold, with exact intervals.

    A row is called positive when its score is at or above the threshold. A rate without a denominator (the
    positive predictive value where nobody is called positive) is NaN, and :attr:`remark` says so.
    """

    threshold: float
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int
    level: float = 0.95

    @property
    def fractions(self) -> dict[str, tuple[int, int]]:
        """Numerator and denominator of each rate."""
        tp, fp = self.true_positives, self.false_positives
        tn, fn = self.true_negatives, self.false_negatives
        return {
            "sensitivity": (tp, tp + fn),
            "specificity": (tn, tn + fp),
            "ppv": (tp, tp + fp),
            "npv": (tn, tn + fn),
            "accuracy": (tp + tn, tp + tn + fp + fn),
        }

    def value(self, rate: str) -> float:
        """Return one rate; NaN where its denominator is 0."""
        numerator, denominator = self.fractions[one_of(rate, tuple(self.fractions), "rate")]
        return numerator / denominator if denominator else float("nan")

    @property
    def degenerate(self) -> bool:
        """Whether the threshold calls everybody positive or everybody negative."""
        called = self.true_positives + self.false_positives
        return called == 0 or called == self.fractions["accuracy"][1]

    @property
    def remark(self) -> str:
        """Rates without a denominator, and a threshold that separates nobody."""
        said = [
            f"{rate.upper() if rate in ('ppv', 'npv') else rate} not computable, no patient in its denominator"
            for rate, (_, n) in self.fractions.items()
            if n == 0
        ]
        if self.degenerate:
            side = "positive" if self.true_positives + self.false_positives else "negative"
            said.append(f"all patients were classified {side}")
        return "; ".join(said)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a rate: ``measure, value, low, high, numerator, denominator``."""
        nan = (float("nan"), float("nan"))
        rows = [
            (rate, self.value(rate), *(proportion_interval(x, n, self.level) if n else nan), x, n)
            for rate, (x, n) in self.fractions.items()
        ]
        return pd.DataFrame(rows, columns=["measure", "value", "low", "high", "numerator", "denominator"])


@public
def operating_point(labels: ArrayLike, scores: ArrayLike, threshold: float, level: float = 0.95) -> OperatingPoint:
    """Sensitivity, specificity, predictive values and accuracy where ``score >= threshold`` means positive.

    Parameters
    ----------
    labels
        0 or 1, shape (n,); one class alone is allowed.
    scores
        Finite numbers, shape (n,).
    threshold
        Fixed beforehand, on other rows, for an unbiased result.
    level
        Level of the exact intervals.
    """
    positive = as_labels(labels, both=False)
    called = as_finite(scores, size=positive.size) >= threshold
    return OperatingPoint(
        threshold=float(threshold),
        true_positives=int(np.sum(called & positive)),
        false_positives=int(np.sum(called & ~positive)),
        true_negatives=int(np.sum(~called & ~positive)),
        false_negatives=int(np.sum(~called & positive)),
        level=level,
    )


@public
def holm(p_values: ArrayLike) -> FloatArray:
    """Holm-adjusted p values, shape (m,), in the order given; missing ones stay missing and do not count.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 6 (1979) 65–70; as ``p.adjust(method = "holm")`` of R.
    """
    try:
        p = np.asarray(p_values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("p_values: found text or rows of unequal length, expected a list of numbers.") from None
    if p.ndim != 1:
        raise ValueError(f"p_values: found shape {p.shape}, expected one list of p values.")
    known = np.flatnonzero(~np.isnan(p))
    if known.size and (p[known].min() < 0 or p[known].max() > 1):
        raise ValueError(f"p_values: found {p[known].min():g} to {p[known].max():g}, expected 0 to 1.")
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(p.shape, np.nan)
    stepped = np.maximum.accumulate(p[order] * np.arange(order.size, 0, -1))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
