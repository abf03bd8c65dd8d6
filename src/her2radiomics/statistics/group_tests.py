"""The tests of a baseline table, one function a test; each says in words which variant it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics._check import FloatArray

_MAX_NODES = 2_000_000
_DRAWN = 100_000


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
    result = scipy.stats.mannwhitneyu(*samples, alternative="two-sided", method="asymptotic", use_continuity=True)
    return Tested(
        float(result.statistic),
        float(result.pvalue),
        "Mann–Whitney U test, normal approximation with continuity correction",
    )


def compare_counts(counts: np.ndarray, yates: bool, seed: int = 1, *, exact: bool = True) -> Tested:
    """χ² test, or (``exact``) Fisher's exact test where an expected count is below 5.

    Parameters
    ----------
    counts
        Levels × groups; no empty row or column.
    yates
        Continuity correction of the χ² test of a 2 × 2 table.

    seed
        Of the Monte Carlo test.

    Notes
    -----
    The exact test of more than 2 × 2 counts (Freeman–Halton) enumerates all tables with the same margins. Where they are
    too many it draws 100,000 of them, as R's ``fisher.test(simulate.p.value = TRUE)``; the standard error is in the name.
    """
    if min(counts.shape) < 2:
        return Tested(float("nan"), float("nan"), "none: one level")
    corrected = yates and counts.shape == (2, 2)
    chi2 = scipy.stats.chi2_contingency(counts, correction=corrected)
    kind = "Yates's continuity correction" if corrected else "Pearson, no continuity correction"
    small = bool((chi2.expected_freq < 5).any())
    if not small or not exact:
        kind += "; expected counts below 5" if small else ""
        return Tested(float(chi2.statistic), float(chi2.pvalue), f"χ² test ({kind})")
    if counts.shape == (2, 2):
        p = float(scipy.stats.fisher_exact(counts, alternative="two-sided").pvalue)
        return Tested(float("nan"), p, "Fisher's exact test")
    name = f"Fisher–Freeman–Halton exact test, {counts.shape[0]} × {counts.shape[1]}"
    summed = freeman_halton(counts)
    if summed is not None:
        return Tested(float("nan"), summed, name)
    p, error = freeman_halton_sampled(counts, seed)
    return Tested(float("nan"), p, f"{name}, Monte Carlo of {_DRAWN:,} tables (standard error {error:.2g})")


def freeman_halton(counts: np.ndarray) -> float | None:
    """Exact two-sided p of an r × c table: the probability of all tables no likelier than the one seen.

    The tables are built column by column. What is left of the rows' totals, in any order, and the probability so far are a
    node; tables that meet in a node go on together (the network of Mehta & Patel). ``None`` where nodes are too many.

    References
    ----------
    Freeman & Halton, Biometrika 38 (1951) 141–149; Mehta & Patel, JASA 78 (1983) 427–434; as ``fisher.test`` of R, with
    its relative tolerance of 1e-7.
    """
    counts = np.asarray(counts)
    counts = counts if counts.shape[0] >= counts.shape[1] else counts.T
    gammaln = scipy.special.gammaln
    left: np.ndarray = np.sort(counts.sum(axis=1))[None, :]
    weight: np.ndarray = np.zeros(1)
    paths: np.ndarray = np.ones(1)
    totals = np.sort(counts.sum(axis=0))
    for total in totals[:-1]:
        node, used = np.arange(len(left)), np.zeros(len(left), dtype=int)
        taken = np.empty((len(left), 0), dtype=int)
        after = np.concatenate(
            [np.cumsum(left[:, ::-1], axis=1)[:, ::-1][:, 1:], np.zeros((len(left), 1), int)], axis=1
        )
        for row in range(left.shape[1]):
            least = np.maximum(0, total - used - after[node, row])
            choices = np.minimum(left[node, row], total - used) - least + 1
            if choices.sum() > _MAX_NODES:
                return None
            of = np.repeat(np.arange(node.size), choices)
            take = np.arange(of.size) - np.repeat(np.cumsum(choices) - choices, choices) + least[of]
            node, used, taken = node[of], used[of] + take, np.column_stack([taken[of], take])
        weight = weight[node] - gammaln(taken + 1).sum(axis=1)
        nodes = np.column_stack([np.sort(left[node] - taken, axis=1), np.round(weight * 1e9).astype(np.int64)])
        met, first, place = np.unique(nodes, axis=0, return_index=True, return_inverse=True)
        paths = np.bincount(place.ravel(), weights=paths[node])
        left, weight = np.asarray(met[:, :-1]), weight[first]
    weight = weight - gammaln(left + 1).sum(axis=1)
    seen = float(-gammaln(counts + 1).sum())
    margins = sum(float(gammaln(counts.sum(axis=axis) + 1).sum()) for axis in (0, 1))
    chance = paths * np.exp(weight + margins - float(gammaln(counts.sum() + 1)))
    return float(min(1.0, chance[weight <= seen + 1e-7].sum()))


def freeman_halton_sampled(counts: np.ndarray, seed: int) -> tuple[float, float]:
    """Monte Carlo p of an r × c table, (b + 1) / (B + 1) as R's, and its standard error.

    Tables are drawn with the margins of ``counts`` (Patefield, Applied Statistics 30 (1981) 91–97).
    """
    drawn = scipy.stats.random_table(counts.sum(axis=1), counts.sum(axis=0)).rvs(
        _DRAWN, method="patefield", random_state=np.random.default_rng(seed)
    )
    gammaln = scipy.special.gammaln
    rare = -gammaln(drawn + 1).sum(axis=(1, 2)) <= -gammaln(counts + 1).sum() + 1e-7
    p = float((rare.sum() + 1) / (_DRAWN + 1))
    return p, float(np.sqrt(p * (1 - p) / _DRAWN))
