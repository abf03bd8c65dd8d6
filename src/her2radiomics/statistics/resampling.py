"""Bootstrap correction for optimism: of the AUC and, in ``calibration_plot``, of the calibration curve.

What is bootstrapped is a *refit*: a function that takes the row numbers of a resample, repeats everything
that was learnt on those rows (selection of features and of λ as well as the coefficients), and returns the
probabilities of all the original rows. A refit that leaves a step out understates the optimism.

References
----------
Harrell, Lee & Mark, Statistics in Medicine 15 (1996) 361–387; ``rms::predab.resample``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics import likelihood
from her2radiomics.statistics._check import BoolArray, FloatArray, as_finite, as_labels, as_seed
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.design import Levels, treatment_coding
from her2radiomics.statistics.goodness import brier, calibration
from her2radiomics.statistics.roc import auc

Refit = Callable[[NDArray[np.intp]], "ArrayLike | None"]


def draw_rows(n: int, iterations: int, seed: int | None) -> NDArray[np.intp]:
    """Row numbers of bootstrap resamples, shape (iterations, n)."""
    if iterations < 1:
        raise ValueError(f"iterations: found {iterations}, expected at least 1.")
    return np.random.default_rng(as_seed(seed)).integers(0, n, (iterations, n))


def logistic_refit(table: pd.DataFrame, labels: ArrayLike, levels: Levels | None = None) -> Refit:
    """Return the refit of a logistic model whose terms are fixed beforehand.

    A resample in which maximum likelihood has no solution (one class, separation, a level without rows)
    returns ``None`` and is left out, as ``rms`` does.
    """
    positive = as_labels(labels)
    design = treatment_coding(table, levels).matrix(table)

    def refit(rows: NDArray[np.intp]) -> FloatArray | None:

        events = int(positive[rows].sum())
        if events in (0, rows.size) or (np.ptp(design[rows], axis=0) == 0).any():
            return None
        fit = likelihood.fit_ml(design[rows], positive[rows])
        if not fit.converged:
            return None
        return np.asarray(scipy.special.expit(fit.beta[0] + design @ fit.beta[1:]), dtype=float)

    return refit


def refitted(
    positive: BoolArray, refit: Refit, resamples: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], FloatArray]]:
    """Yield the rows of each resample and its refit's probabilities of all rows; skip failed refits."""
    for rows in resamples:
        events = int(positive[rows].sum())
        result = None if events in (0, rows.size) else refit(rows)
        if result is not None:
            yield rows, as_finite(result, size=positive.size, name="refit")


@dataclass(frozen=True)
class OptimismCorrectedAuc(Result):
    """AUC corrected for optimism by the bootstrap.

    ``failed`` resamples could not be refitted.
    """

    apparent: float
    optimism: float
    corrected: float
    iterations: int
    failed: int


def optimism_corrected_auc(
    labels: ArrayLike,
    scores: ArrayLike,
    refit: Refit | None = None,
    *,
    design: pd.DataFrame | None = None,
    levels: Levels | None = None,
    iterations: int = 1000,
    seed: int | None = None,
) -> OptimismCorrectedAuc:
    """Apparent AUC less its mean optimism over bootstrap refits (``rms::validate``).

    Parameters
    ----------
    labels, scores
        Outcomes and apparent scores of the rows that the model was fitted on, shape (n,).
    refit
        Takes row numbers, shape (n,); returns scores of all n rows from a model fitted on those rows, or
        ``None`` where it cannot be fitted.
    design, levels
        Instead of ``refit``: the table of a logistic model, refitted by maximum likelihood.
    iterations, seed
        Number of resamples and their seed.
    """
    positive = as_labels(labels)
    apparent = auc(positive, scores)
    refit = chosen_refit(positive, refit, design, levels)
    differences = [
        auc(positive[rows], again[rows]) - auc(positive, again)
        for rows, again in refitted(positive, refit, draw_rows(positive.size, iterations, seed))
    ]
    if not differences:
        raise ValueError(f"refit: none of {iterations} resamples could be refitted; the data are too few.")
    optimism = float(np.mean(differences))
    return OptimismCorrectedAuc(
        apparent, optimism, apparent - optimism, iterations, iterations - len(differences)
    )


@dataclass(frozen=True, eq=False, repr=False)
class OptimismCorrected(Result):
    """Performance corrected for optimism by the bootstrap.

    ``table`` has ``measure, apparent, optimism, corrected, resamples``; ``measure`` is ``auc``, ``brier``,
    ``calibration_intercept`` and ``calibration_slope``. ``failed`` of ``iterations`` resamples could not be refitted.
    """

    table: pd.DataFrame
    iterations: int
    failed: int

    def to_frame(self) -> pd.DataFrame:
        """Return :attr:`table`."""
        return self.table


def optimism_corrected(
    labels: ArrayLike,
    probabilities: ArrayLike,
    refit: Refit | None = None,
    *,
    design: pd.DataFrame | None = None,
    levels: Levels | None = None,
    iterations: int = 1000,
    seed: int | None = None,
    resamples: NDArray[np.intp] | None = None,
) -> OptimismCorrected:
    """AUC, Brier score, calibration intercept and slope, each less its mean optimism (``rms::validate``).

    As in rms a model is taken for calibrated where it was fitted (intercept 0, slope 1), so that the corrected intercept
    and slope are those of the refitted models on the original rows: the slope is the shrinkage that predictions need.

    Parameters
    ----------
    labels, probabilities
        Outcomes and apparent probabilities of the rows that the model was fitted on, shape (n,).
    refit, design, levels
        As for :func:`optimism_corrected_auc`; ``refit`` returns probabilities.
    iterations, seed
        Number of resamples and their seed.
    resamples
        Row numbers of the resamples, shape (iterations, n), instead.
    """
    positive = as_labels(labels)
    probability = as_finite(probabilities, size=positive.size, name="probabilities")
    drawn = draw_rows(positive.size, iterations, seed) if resamples is None else np.asarray(resamples)
    gaps: dict[str, list[float]] = {
        name: [] for name in ("auc", "brier", "calibration_intercept", "calibration_slope")
    }
    done = 0
    for rows, again in refitted(positive, chosen_refit(positive, refit, design, levels), drawn):
        done += 1
        gaps["auc"].append(auc(positive[rows], again[rows]) - auc(positive, again))
        gaps["brier"].append(brier(positive[rows], again[rows]) - brier(positive, again))
        there = calibration(positive, again)
        gaps["calibration_intercept"].append(-there.intercept)
        gaps["calibration_slope"].append(1 - there.slope)
    if not done:
        raise ValueError(f"refit: none of {len(drawn)} resamples could be refitted; the data are too few.")
    apparent = {
        "auc": auc(positive, probability),
        "brier": brier(positive, probability),
        "calibration_intercept": 0.0,
        "calibration_slope": 1.0,
    }
    rows_out = []
    for name, found in gaps.items():
        known = np.array(found)[np.isfinite(found)]  # a refit may separate the rows: no finite slope
        optimism = float(known.mean()) if known.size else float("nan")
        rows_out.append((name, apparent[name], optimism, apparent[name] - optimism, known.size))
    columns = ["measure", "apparent", "optimism", "corrected", "resamples"]
    return OptimismCorrected(pd.DataFrame(rows_out, columns=columns), len(drawn), len(drawn) - done)


def remembered(refit: Refit) -> Refit:
    """Return ``refit`` with a memory: the same resample is refitted once, however many statistics ask for it."""
    known: dict[bytes, ArrayLike | None] = {}

    def again(rows: NDArray[np.intp]) -> ArrayLike | None:
        key = np.ascontiguousarray(rows, dtype=np.int64).tobytes()
        if key not in known:
            known[key] = refit(rows)
        return known[key]

    return again


def chosen_refit(
    positive: BoolArray, refit: Refit | None, design: pd.DataFrame | None, levels: Levels | None
) -> Refit:
    """Return ``refit``, or the logistic refit of ``design``; exactly one of them must be given."""
    if (refit is None) == (design is None):
        raise ValueError("found both or neither of refit and design; expected one of them.")
    if refit is not None:
        return refit
    assert design is not None
    return logistic_refit(design, positive, levels)
