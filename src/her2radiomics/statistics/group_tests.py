"""The tests of a baseline table, one function a test; each says in words which variant it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics._check import FloatArray

_MAX_TABLES = 2_000_000


@dataclass(frozen=True)
class Tested:
    """Statistic, p and the test's name in words; both numbers are NaN where no test is possible."""

    statistic: float
    p: float
    test: str


def shapiro_p(samples: list[FloatArray]) -> float:
    """Return the groups' smallest Shapiro–Wilk p; NaN where one is constant or has fewer than 3 values."""
    if any(s.size < 3 or np.ptp(s) == 0 for s in samples):
        return float("nan")
    return min(float(scipy.stats.shapiro(s).pvalue) for s in samples)


def compare_means(samples: list[FloatArray], variances: str) -> Tested:
    """Student's or Welch's t test of two groups, one-way analysis of variance of more.

    ``variances`` is ``welch``, ``student``, or ``levene``: Student's unless Levene's test (about the mean, as
    SPSS) has p < 0.05.
    """
    if len(samples) > 2:
        result = scipy.stats.f_oneway(*samples)
        return Tested(float(result.statistic), float(result.pvalue), "one-way analysis of variance")
    equal, why = variances == "student", ""
    if variances == "levene":
        p_levene = float(scipy.stats.levene(*samples, center="mean").pvalue)
        equal, why = p_levene >= 0.05, f" (Levene p = {p_levene:.3f})"
    result = scipy.stats.ttest_ind(*samples, equal_var=equal)
    name = "Student's t test, equal variances" if equal else "Welch's t test, unequal variances"
    return Tested(float(result.statistic), float(result.pvalue), name + why)


def compare_ranks(samples: list[FloatArray]) -> Tested:
    """Mann–Whitney U of two groups (asymptotic, continuity- and tie-corrected), Kruskal–Wallis of more."""
    if np.ptp(np.concatenate(samples)) == 0:
        return Tested(float("nan"), float("nan"), "none: all values are equal")
    if len(samples) > 2:
        result = scipy.stats.kruskal(*samples)
        return Tested(float(result.statistic), float(result.pvalue), "Kruskal–Wallis test")
    result = scipy.stats.mannwhitneyu(
        *samples, alternative="two-sided", method="asymptotic", use_continuity=True
    )
    return Tested(
        float(result.statistic),
        float(result.pvalue),
        "Mann–Whitney U test, normal approximation with continuity correction",
    )


def compare_counts(counts: np.ndarray, yates: bool, *, exact: bool = True) -> Tested:
    """χ² test, or (``exact``) Fisher's exact test where an expected count is below 5.

    Parameters
    ----------
    counts
        Levels × groups; no empty row or column.
    yates
        Continuity correction of the χ² test of a 2 × 2 table.

    Notes
    -----
    The exact test of more than 2 levels (Freeman–Halton) is computed for two groups by enumeration; for
    more groups, or too many tables, the χ² test is kept and its name says that expected counts are below 5.
    """
    if min(counts.shape) < 2:
        return Tested(float("nan"), float("nan"), "none: one level")
    corrected = yates and counts.shape == (2, 2)
    chi2 = scipy.stats.chi2_contingency(counts, correction=corrected)
    kind = "Yates's continuity correction" if corrected else "Pearson, no continuity correction"
    small = bool((chi2.expected_freq < 5).any())
    if exact and small and counts.shape == (2, 2):
        odds = scipy.stats.fisher_exact(counts, alternative="two-sided")
        return Tested(float("nan"), float(odds.pvalue), "Fisher's exact test")
    if exact and small and counts.shape[1] == 2:
        p = freeman_halton(counts)
        if p is not None:
            return Tested(float("nan"), p, f"Fisher–Freeman–Halton exact test, {counts.shape[0]} × 2")
    if small:
        kind += "; expected counts below 5"
    return Tested(float(chi2.statistic), float(chi2.pvalue), f"χ² test ({kind})")


def freeman_halton(counts: np.ndarray) -> float | None:
    """Exact two-sided p of an r × 2 table: the probability of all tables no likelier than the one seen.

    The tables are built level by level; ``None`` where they would be too many.

    References
    ----------
    Freeman & Halton, Biometrika 38 (1951) 141–149; as ``fisher.test`` of R, with its relative
    tolerance of 1e-7.
    """
    rows, first = counts.sum(axis=1), int(counts[:, 0].sum())
    rest = np.concatenate([np.cumsum(rows[::-1])[::-1][1:], [0]])

    def log_choose(n: int, k: np.ndarray) -> np.ndarray:
        return scipy.special.gammaln(n + 1) - scipy.special.gammaln(k + 1) - scipy.special.gammaln(n - k + 1)

    used, weight = np.zeros(1, dtype=int), np.zeros(1)
    for size, after in zip(rows, rest, strict=True):
        if used.size * (size + 1) > _MAX_TABLES:
            return None
        take = np.arange(size + 1)
        new_used = (used[:, None] + take).ravel()
        new_weight = (weight[:, None] + log_choose(int(size), take)).ravel()
        possible = (new_used <= first) & (first - new_used <= after)
        used, weight = new_used[possible], new_weight[possible]
    total = log_choose(int(rows.sum()), np.array(first))
    seen = sum(float(log_choose(int(n), np.array(k))) for n, k in zip(rows, counts[:, 0], strict=True))
    return float(min(1.0, np.exp(weight[weight <= seen + 1e-7] - total).sum()))
