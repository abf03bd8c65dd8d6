"""ComBat: location and scale of each centre by empirical Bayes, on standardised features.

A feature x of a patient of centre c is x = e + σ(γ_c + δ_c ε): e is what the covariates let expect, σ² the pooled
residual variance. γ_c and δ_c² are estimated from the centre's patients and shrunk towards their distribution over the
features, normal and inverse gamma. Harmonised, x becomes (x − e − σγ_c) / δ_c + e.

References
----------
Johnson, Li & Rabinovic, Biostatistics 8 (2007) 118–127 (the method; R package sva).
Fortin et al., NeuroImage 167 (2018) 104–120 (covariates kept; neuroCombat).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2radiomics.core.errors import StudyError
from her2radiomics.modelling.base import is_constant

# relative change at which the shrinkage has converged (sva and neuroCombat stop at 1e-4)
CONVERGED = 1e-13
_MAX_STEPS = 10_000
_BLOCK = 512


@dataclass(frozen=True)
class CombatFit:
    """What ComBat learned.

    Attributes
    ----------
    centres
        Names, sorted, shape (centres,).
    mean
        Expected value of each feature without covariates, shape (features,).
    weights
        What each column of the design adds to it, shape (columns, features).
    pooled
        σ of each feature, shape (features,).
    gamma, delta
        Shrunk location and variance of each centre on standardised features, shape (centres, features).
    adjusted
        Features that are adjusted; the others (constant within a centre) have γ = 0 and δ = 1, shape (features,).
    shrunk
        Whether there were the two features or more that shrinkage needs.
    """

    centres: tuple[str, ...]
    mean: np.ndarray
    weights: np.ndarray
    pooled: np.ndarray
    gamma: np.ndarray
    delta: np.ndarray
    adjusted: np.ndarray
    shrunk: bool


def fit_combat(
    values: np.ndarray,
    centre: np.ndarray,
    design: np.ndarray | None = None,
    *,
    parametric: bool = True,
    mean_only: bool = False,
    reference: str | None = None,
) -> CombatFit:
    """Learn the centres' locations and scales.

    As in sva, a feature that is constant within a centre is left as it is, everywhere, and out of the priors; with
    ``mean_only`` the shrinkage of a location has the weight of one patient.

    Parameters
    ----------
    values
        Finite numbers, shape (rows, features).
    centre
        Text, two centres or more, shape (rows,).
    design
        Covariates as numbers, shape (rows, columns).
    parametric
        Normal and inverse gamma priors; otherwise the features' own estimates are the prior.
    mean_only
        Leave the scales as they are.
    reference
        A centre that the others are brought to and that is not changed.

    Raises
    ------
    StudyError
        The covariates cannot be told from the centres, or leave no residual.
    """
    names, place = np.unique(np.asarray(centre).astype(str), return_inverse=True)
    n, sizes = len(values), np.bincount(place)
    covariates = np.empty((n, 0)) if design is None else np.asarray(design, dtype=float)
    batches = np.eye(names.size)[place]
    _refuse_confounded(batches, covariates)
    full = np.column_stack([batches, covariates])
    beta = np.linalg.lstsq(full, values, rcond=None)[0]
    if reference is None:
        mean = sizes / n @ beta[: names.size]
        residual = values - full @ beta
    else:
        rows = place == int(np.flatnonzero(names == reference)[0])
        mean = beta[: names.size][names == reference][0]
        residual = (values - full @ beta)[rows]
    weights = beta[names.size :]
    pooled = np.sqrt(np.square(residual).mean(axis=0))

    adjusted = ~is_constant(values) & (pooled > 1e-10 * np.abs(values).max(axis=0, initial=0.0))
    if not mean_only:
        for number in range(names.size):
            adjusted &= ~is_constant(values[place == number])
    gamma, delta = np.zeros((names.size, values.shape[1])), np.ones((names.size, values.shape[1]))
    part = np.where(adjusted, pooled, 1.0)
    standard = ((values - mean - covariates @ weights) / part)[:, adjusted]
    shrunk = int(adjusted.sum()) > 1
    for number, name in enumerate(names):
        if name == reference or not adjusted.any():
            continue
        rows = standard[place == number]
        found = _estimate(rows, parametric=parametric, mean_only=mean_only, shrink=shrunk)
        gamma[number, adjusted], delta[number, adjusted] = found
    return CombatFit(tuple(names.tolist()), mean, weights, part, gamma, delta, adjusted, shrunk)


def _refuse_confounded(batches: np.ndarray, covariates: np.ndarray) -> None:
    if covariates.shape[1] == 0:
        return
    spread = covariates.std(axis=0)
    scaled = (covariates - covariates.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    full = np.column_stack([batches, scaled])
    rank = int(np.linalg.matrix_rank(full, tol=1e-8 * np.sqrt(len(full))))
    if rank < full.shape[1]:
        raise StudyError(
            "combat: found covariates that cannot be separated from the centres or from one another (each centre has one "
            "value, or a level occurs in one centre alone); expected some of each in the centres. List fewer covariates."
        )
    if rank >= len(full):
        raise StudyError(
            f"combat: found {full.shape[1]} centres and covariates for {len(full)} rows; expected fewer. "
            "List fewer covariates."
        )


def _estimate(rows: np.ndarray, *, parametric: bool, mean_only: bool, shrink: bool) -> tuple[np.ndarray, np.ndarray]:
    """Location and variance of one centre's standardised rows, each of shape (features,)."""
    n = len(rows)
    location = rows.mean(axis=0)
    around = np.square(rows - location).sum(axis=0)
    variance = np.ones(rows.shape[1]) if mean_only else around / (n - 1)
    if not shrink:
        return location, variance
    if not parametric:
        return _nonparametric(location, variance, around, n)
    middle, spread = float(location.mean()), float(location.var(ddof=1))
    if mean_only:
        return (spread * location + middle) / (spread + 1), variance
    return _parametric(location, variance, around, n, middle, spread)


def _parametric(
    location: np.ndarray, variance: np.ndarray, around: np.ndarray, n: int, middle: float, spread: float
) -> tuple[np.ndarray, np.ndarray]:
    """Iterate the two conditional posterior means (Johnson et al., equations 3.2 and 3.3) until they stay.

    The inverse gamma prior by moments m and s of the variances has shape (2s + m²) / s and scale (ms + m³) / s; both
    sides of its posterior mean are multiplied by s, so that equal variances (s = 0) do not divide by zero.
    """
    m, s = float(variance.mean()), float(variance.var(ddof=1))
    gamma, delta = location, variance
    for _ in range(_MAX_STEPS):
        new_gamma = (spread * n * location + delta * middle) / (spread * n + delta)
        squares = around + n * np.square(location - new_gamma)
        new_delta = (0.5 * squares * s + m * s + m**3) / (n / 2 * s + s + m**2)
        change = max(float(np.abs(new_gamma - gamma).max()), float((np.abs(new_delta - delta) / delta).max()))
        gamma, delta = new_gamma, new_delta
        if change <= CONVERGED:
            break
    return gamma, delta


def _nonparametric(
    location: np.ndarray, variance: np.ndarray, around: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means with the other features' estimates as the prior, each weighted by its likelihood."""
    gamma, delta = np.empty_like(location), np.empty_like(variance)
    for start in range(0, location.size, _BLOCK):
        own = slice(start, min(start + _BLOCK, location.size))
        squares = around[own, None] + n * np.square(location[own, None] - location)
        log = -n / 2 * np.log(2 * np.pi * variance) - squares / (2 * variance)
        log[np.arange(log.shape[0]), np.arange(own.start, own.stop)] = -np.inf
        weight = np.exp(log - log.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        gamma[own], delta[own] = weight @ location, weight @ variance
    return gamma, delta
