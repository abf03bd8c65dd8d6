"""Area under the ROC curve: point, intervals, tests, and the threshold of Youden.

DeLong's covariance is computed from midranks for any number of score vectors at once. No Python library is
right everywhere: two identical score vectors must give p = 1, the interval is clipped to [0, 1], and the sign
of z is that of A − B, as in pROC.

References
----------
DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988) 837–845.
Sun & Xu, IEEE Signal Processing Letters 21 (2014) 1389–1393 (midranks).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics._check import BoolArray, FloatArray, as_finite, as_labels, as_seed, one_of, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.draws import draw_rows
from her2radiomics.statistics.proportions import proportion_interval

IntervalMethod = Literal["delong", "delong_logit", "binomial_exact", "bootstrap"]
_METHODS = ("delong", "delong_logit", "binomial_exact", "bootstrap")


@public
def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the empirical ROC curve; ties count one half (the Mann–Whitney statistic).

    Parameters
    ----------
    labels
        0 or 1, shape (n,), both present.
    scores
        Finite numbers, shape (n,); higher means more likely 1. The curve is never turned round: an AUC below
        0.5 is reported as such.
    """
    positive, values = _checked(labels, scores)
    return float(_areas(positive, values[None, :])[0])


@public
def auc_interval(
    labels: ArrayLike,
    scores: ArrayLike,
    method: IntervalMethod = "delong",
    level: float = 0.95,
    seed: int | None = None,
    iterations: int = 1000,
    clusters: ArrayLike | None = None,
) -> tuple[float, float]:
    """Confidence interval of an AUC.

    Parameters
    ----------
    labels, scores
        As for :func:`auc`.
    method
        ``delong``: AUC ± z · SE, clipped to [0, 1] (``pROC::ci.auc``). ``delong_logit``: logit(AUC) ± z · SE /
        (AUC (1 − AUC)), back-transformed, which never leaves [0, 1] (Pepe 2003, section 5.2); where the scores
        separate the classes, :func:`separation_bound`. ``binomial_exact``: Clopper–Pearson
        with AUC · n successes of n rows. This is MedCalc's "binomial exact"; it ignores the numbers in each
        class and is offered to reproduce published intervals. ``bootstrap``: percentiles of resamples drawn
        within each class (``pROC::ci.auc(method = "bootstrap")``).
    level
        Confidence level.
    seed
        Seed of the bootstrap, which refuses to run without one.
    iterations
        Number of bootstrap resamples.
    clusters
        Who each row is of, where several are of one person: the bootstrap then draws whole persons, of both classes
        together, and leaves out resamples of one class. The other methods take rows as independent.

    Notes
    -----
    Perfectly separating scores and constant scores have no variance: ``delong`` and ``bootstrap`` then give an interval
    of length 0, which says nothing about precision; ``delong_logit`` (of separating scores) and ``binomial_exact`` do not.
    """
    one_of(method, _METHODS, "method")
    positive, values = _checked(labels, scores)
    tail = (1 - level) / 2
    area = float(_areas(positive, values[None, :])[0])
    if method == "binomial_exact":
        return proportion_interval(area * positive.size, positive.size, level)
    if method == "bootstrap":
        areas = _bootstrap_areas(positive, values, as_seed(seed), iterations, clusters)
        low, high = np.quantile(areas, [tail, 1 - tail])
        return float(low), float(high)
    if method == "delong_logit" and area in (0.0, 1.0):
        bound = separation_bound(int(positive.sum()), int((~positive).sum()), level)
        return (bound, 1.0) if area else (0.0, 1 - bound)
    half = float(scipy.special.ndtri(1 - tail) * np.sqrt(_variance(*_placements(positive, values[None, :]))[0]))
    if method == "delong":
        return max(0.0, area - half), min(1.0, area + half)
    middle, half = float(scipy.special.logit(area)), half / (area * (1 - area))
    return float(scipy.special.expit(middle - half)), float(scipy.special.expit(middle + half))


@public
def separation_bound(positives: int, negatives: int, level: float = 0.95) -> float:
    """Lower confidence bound of an AUC of which the sample shows 1: (1 − level)^(1/k), k the rows of the smaller class.

    The scores of k disjoint pairs of a positive and a negative are all in order. At a true AUC of A that has at most the
    probability A^k, so that this is Hanley & Lippman-Hand's bound (*if nothing goes wrong, is everything all right?*; about
    1 − 3/k) of k trials without a failure. It is conservative.

    References
    ----------
    Hanley & Lippman-Hand, JAMA 249 (1983) 1743–1745.
    """
    return float((1 - level) ** (1 / min(positives, negatives)))


@dataclass(frozen=True)
class DeLongTest(Result):
    """DeLong's test of two AUCs.

    ``difference`` is A − B with its interval ``low`` to ``high``. ``df`` is infinite for paired curves
    (normal distribution); for unpaired curves ``z`` is referred to Student's t with Welch's degrees of
    freedom, as pROC does.
    """

    auc_a: float
    auc_b: float
    difference: float
    low: float
    high: float
    z: float
    df: float
    p: float


@public
def delong_test(labels: ArrayLike, scores_a: ArrayLike, scores_b: ArrayLike, level: float = 0.95) -> DeLongTest:
    """Compare two AUCs of the same rows (``pROC::roc.test(paired = TRUE)``).

    Identical rankings give z = 0 and p = 1. Different AUCs that both have no variance (1 against 0) give p =
    0.
    """
    positive = as_labels(labels)
    a = as_finite(scores_a, size=positive.size, name="scores_a")
    b = as_finite(scores_b, size=positive.size, name="scores_b")
    both = np.stack([a, b])
    areas = _areas(positive, both)
    v10, v01 = _placements(positive, both)
    variance = float(_variance(v10[:1] - v10[1:], v01[:1] - v01[1:])[0])
    return _tested(float(areas[0]), float(areas[1]), variance, float("inf"), level)


@public
def delong_test_unpaired(
    labels_a: ArrayLike, scores_a: ArrayLike, labels_b: ArrayLike, scores_b: ArrayLike, level: float = 0.95
) -> DeLongTest:
    """Compare two AUCs of different rows (``pROC::roc.test(paired = FALSE)``), such as training and test."""
    areas, variances, sizes = [], [], []
    for labels, scores, of in ((labels_a, scores_a, "_a"), (labels_b, scores_b, "_b")):
        positive, values = _checked(labels, scores, of)
        areas.append(float(_areas(positive, values[None, :])[0]))
        variances.append(float(_variance(*_placements(positive, values[None, :]))[0]))
        sizes.append(positive.size)
    total = sum(variances)
    parts = sum(v**2 / (n - 1) for v, n in zip(variances, sizes, strict=True))
    return _tested(areas[0], areas[1], total, total**2 / parts if parts else float("inf"), level)


@dataclass(frozen=True)
class YoudenThreshold(Result):
    """Threshold of greatest Youden index (score ≥ threshold means positive)."""

    threshold: float
    sensitivity: float
    specificity: float


@public
def youden_threshold(labels: ArrayLike, scores: ArrayLike) -> YoudenThreshold:
    """Threshold that maximises sensitivity + specificity − 1 (``pROC::coords(x = "best")``).

    Candidates are the midpoints between neighbouring distinct scores, so that rounding of a score cannot
    change its class; the two thresholds that call everybody the same are no candidates. Of equal candidates
    the one with the most balanced sensitivity and specificity is taken, then the lowest. A constant score has
    no candidate: its value is returned, with sensitivity 1 and specificity 0.
    """
    positive, values = _checked(labels, scores)
    distinct = np.unique(values)
    if distinct.size == 1:
        return YoudenThreshold(float(distinct[0]), 1.0, 0.0)
    middle = distinct[:-1] + np.diff(distinct) / 2
    cuts = np.where(middle > distinct[:-1], middle, distinct[1:])  # neighbours in the last bit have no middle
    m, n = int(positive.sum()), int((~positive).sum())
    hits = m - np.searchsorted(np.sort(values[positive]), cuts, side="left")
    rejections = np.searchsorted(np.sort(values[~positive]), cuts, side="left")
    index = hits * n + rejections * m  # whole numbers: ties are exact
    unbalance = np.abs(hits * n - rejections * m)
    best = np.lexsort((cuts, unbalance, -index))[0]
    return YoudenThreshold(float(cuts[best]), float(hits[best] / m), float(rejections[best] / n))


def _checked(labels: ArrayLike, scores: ArrayLike, of: str = "") -> tuple[BoolArray, FloatArray]:
    positive = as_labels(labels, name=f"labels{of}")
    return positive, as_finite(scores, size=positive.size, name=f"scores{of}")


def _areas(positive: BoolArray, scores: FloatArray) -> FloatArray:
    """AUC of each row of ``scores``, shape (k, n)."""
    m, n = int(positive.sum()), int((~positive).sum())
    ranks = _ranks(scores)[:, positive].sum(axis=1)
    areas: FloatArray = (ranks - m * (m + 1) / 2) / (m * n)
    return areas


def _ranks(scores: FloatArray) -> FloatArray:
    """Ranks in each row, the mean rank of equal ones: by pandas, which is there, as to load SciPy's takes half a second."""
    ranks: FloatArray = pd.DataFrame(scores).rank(axis=1).to_numpy()
    return ranks


def _placements(positive: BoolArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Placement values of positives, (k, m), and of negatives, (k, n), for ``scores`` of shape (k, m + n)."""
    ranks = _ranks(scores)
    m, n = int(positive.sum()), int((~positive).sum())
    of_positives = (ranks[:, positive] - _ranks(scores[:, positive])) / n
    of_negatives = 1 - (ranks[:, ~positive] - _ranks(scores[:, ~positive])) / m
    return of_positives, of_negatives


def _variance(v10: FloatArray, v01: FloatArray) -> FloatArray:
    """DeLong's variance of each row; NaN-free only with two rows in each class."""
    m, n = v10.shape[1], v01.shape[1]
    if min(m, n) < 2:
        raise ValueError(f"labels: found {m} positive and {n} negative rows, expected at least 2 of each.")
    variance: FloatArray = v10.var(axis=1, ddof=1) / m + v01.var(axis=1, ddof=1) / n
    return variance


def _tested(area_a: float, area_b: float, variance: float, df: float, level: float) -> DeLongTest:
    """Assemble the test from the two areas and the variance of their difference."""
    difference = area_a - area_b
    error = float(np.sqrt(variance))
    if difference == 0:
        z = 0.0
    else:
        z = difference / error if error > 0 else float(np.copysign(np.inf, difference))
    tail = (1 - level) / 2
    quantile = float(scipy.special.ndtri(1 - tail) if np.isinf(df) else scipy.special.stdtrit(df, 1 - tail))
    p = 2 * float(scipy.special.ndtr(-abs(z)) if np.isinf(df) else scipy.special.stdtr(df, -abs(z)))
    return DeLongTest(
        auc_a=area_a,
        auc_b=area_b,
        difference=difference,
        low=max(-1.0, difference - quantile * error),
        high=min(1.0, difference + quantile * error),
        z=z,
        df=df,
        p=p,
    )


def _bootstrap_areas(
    positive: BoolArray, scores: FloatArray, seed: int, iterations: int, clusters: ArrayLike | None
) -> FloatArray:
    """AUCs of resamples drawn within each class, or of whole clusters, shape (at most iterations,)."""
    if clusters is not None and np.unique(np.asarray(clusters).astype(str)).size < positive.size:
        resamples = draw_rows(positive.size, iterations, seed, clusters)
        both = [rows for rows in resamples if 0 < positive[rows].sum() < rows.size]
        return np.array([_areas(positive[rows], scores[None, rows])[0] for rows in both])
    random = np.random.default_rng(seed)
    cases, controls = scores[positive], scores[~positive]
    drawn = [values[random.integers(0, values.size, (iterations, values.size))] for values in (cases, controls)]
    order = np.repeat([True, False], [cases.size, controls.size])
    return _areas(order, np.concatenate(drawn, axis=1))
