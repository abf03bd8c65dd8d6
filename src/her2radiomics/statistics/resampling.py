"""Bootstrap correction for optimism: of the AUC and, in ``calibration_plot``, of the calibration curve.

What is bootstrapped is a *refit*: a function that takes the row numbers of a resample, repeats everything
that was learnt on those rows (selection of features and of λ as well as the coefficients), and returns the
probabilities of all the original rows. A refit that leaves a step out understates the optimism. It follows the rule
of the fit: where a resample separates the classes, Firth's method is used if the fit would have used it.

References
----------
Harrell, Lee & Mark, Statistics in Medicine 15 (1996) 361–387; ``rms::predab.resample``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics import likelihood
from her2radiomics.statistics._check import (
    BoolArray,
    FloatArray,
    as_finite,
    as_labels,
    as_probabilities,
    as_resamples,
    one_of,
    public,
)
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.design import Levels, treatment_coding
from her2radiomics.statistics.draws import Resamples, draw_rows
from her2radiomics.statistics.goodness import brier, calibration
from her2radiomics.statistics.roc import auc

Refit = Callable[[NDArray[np.intp]], "ArrayLike | None"]
METHODS = {"ml": "maximum likelihood", "firth": "Firth's method"}


class Refitted(np.ndarray):
    """Probabilities of a refit with the method that gave them (``.method``); a refit may return a bare array, too."""

    method: str

    def __array_finalize__(self, source: object) -> None:
        """Keep the method in slices."""
        self.method = getattr(source, "method", "")

    @classmethod
    def by(cls, method: str, probabilities: ArrayLike) -> Refitted:
        """Mark probabilities with their method."""
        marked = np.asarray(probabilities, dtype=float).view(cls)
        marked.method = method
        return marked


@public
def logistic_refit(
    table: pd.DataFrame,
    labels: ArrayLike,
    levels: Levels | None = None,
    method: Literal["ml", "firth", "auto"] = "auto",
) -> Refit:
    """Return the refit of a logistic model whose terms are fixed beforehand.

    Parameters
    ----------
    table, labels, levels, method
        As for :func:`logistic_regression`: with ``auto`` a resample that separates the classes is fitted by Firth's
        method; with ``ml`` it is left out, as ``rms`` does.

    Returns
    -------
    callable
        Row numbers → probabilities of all rows and the method used; ``None`` where a resample cannot be fitted (one
        class, a level without rows).
    """
    positive = as_labels(labels)
    one_of(method, ("ml", "firth", "auto"), "method")
    if len(table) != positive.size:
        raise ValueError(f"table: found {len(table)} rows, expected {positive.size}, one per label.")
    design = treatment_coding(table, levels).matrix(table)

    def refit(rows: NDArray[np.intp]) -> Refitted | None:

        x, y = design[rows], positive[rows]
        if y.all() or not y.any() or (np.ptp(x, axis=0) == 0).any():
            return None
        fit = likelihood.fit_ml(x, y) if method != "firth" else None
        if fit is not None and fit.converged:
            beta, used = fit.beta, "ml"
        elif method == "ml":
            return None
        else:
            try:
                beta, used = likelihood.firth_standardised(x, y), "firth"
            except (ArithmeticError, np.linalg.LinAlgError):
                return None
        return Refitted.by(used, scipy.special.expit(beta[0] + design @ beta[1:]))

    return refit


def refitted(
    positive: BoolArray, refit: Refit, resamples: Resamples, methods: dict[str, int], *, probabilities: bool = True
) -> Iterator[tuple[NDArray[np.intp], FloatArray]]:
    """Yield the rows of each resample and its refit's probabilities of all rows; skip failed refits.

    ``methods`` counts the refits by the method that they name; those that name none are counted under ``""``.
    """
    for rows in resamples:
        events = int(positive[rows].sum())
        found = None if events in (0, rows.size) else refit(rows)
        if found is None:
            continue
        method = found.method if isinstance(found, Refitted) else ""
        methods[method] = methods.get(method, 0) + 1
        check = as_probabilities if probabilities else as_finite
        yield rows, check(np.asarray(found), size=positive.size, name="refit")


def used_words(iterations: int, methods: dict[str, int]) -> str:
    """How many resamples were used and by which method: *100 of 100 resamples, 61 by maximum likelihood, …*."""
    parts = [f"{sum(methods.values())} of {iterations} resamples"]
    return ", ".join(parts + [f"{n} by {METHODS.get(name, name)}" for name, n in sorted(methods.items()) if name])


class Resampled(Result):
    """A result of refits, with how many were used and by which method."""

    iterations: int
    methods: dict[str, int]

    @property
    def failed(self) -> int:
        """Resamples that could not be refitted."""
        return self.iterations - sum(self.methods.values())

    @property
    def remark(self) -> str:
        """How many resamples were used, and by which method."""
        return f"{used_words(self.iterations, self.methods)}." if self.iterations else ""


@dataclass(frozen=True)
class OptimismCorrectedAuc(Resampled):
    """AUC corrected for optimism by the bootstrap.

    ``methods`` counts the refits by method; ``failed`` of ``iterations`` resamples could not be refitted.
    """

    apparent: float
    optimism: float
    corrected: float
    iterations: int
    methods: dict[str, int] = field(default_factory=dict)


@public
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
        Instead of ``refit``: the table of a logistic model, refitted as :func:`logistic_refit` does.
    iterations, seed
        Number of resamples and their seed.
    """
    positive = as_labels(labels)
    apparent = auc(positive, scores)
    refit, methods = chosen_refit(positive, refit, design, levels), Counter[str]()
    drawn = draw_rows(positive.size, iterations, seed)
    differences = [
        auc(positive[rows], again[rows]) - auc(positive, again)
        for rows, again in refitted(positive, refit, drawn, methods, probabilities=False)
    ]
    if not differences:
        raise ValueError(f"refit: none of {iterations} resamples could be refitted; the data are too few.")
    optimism = float(np.mean(differences))
    return OptimismCorrectedAuc(apparent, optimism, apparent - optimism, iterations, dict(methods))


@dataclass(frozen=True, eq=False, repr=False)
class OptimismCorrected(Resampled):
    """Performance corrected for optimism by the bootstrap.

    ``table`` has ``measure, apparent, optimism, corrected, resamples``; ``measure`` is ``auc``, ``brier``,
    ``calibration_intercept`` and ``calibration_slope``. ``methods`` counts the refits by method; ``failed`` of
    ``iterations`` resamples could not be refitted.
    """

    table: pd.DataFrame
    iterations: int
    methods: dict[str, int]


@public
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
    clusters: ArrayLike | None = None,
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
    clusters
        Who each row is of, where several are of one person: see :func:`draw_rows`.
    """
    positive = as_labels(labels)
    n = positive.size
    probability = as_probabilities(probabilities, size=n)
    drawn = draw_rows(n, iterations, seed, clusters) if resamples is None else as_resamples(resamples, n)
    refit, methods = chosen_refit(positive, refit, design, levels), Counter[str]()
    gaps: dict[str, list[float]] = {name: [] for name in ("auc", "brier", "calibration_intercept", "calibration_slope")}
    for rows, again in refitted(positive, refit, drawn, methods):
        gaps["auc"].append(auc(positive[rows], again[rows]) - auc(positive, again))
        gaps["brier"].append(brier(positive[rows], again[rows]) - brier(positive, again))
        there = calibration(positive, again)
        gaps["calibration_intercept"].append(-there.intercept)
        gaps["calibration_slope"].append(1 - there.slope)
    if not methods:
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
    return OptimismCorrected(pd.DataFrame(rows_out, columns=columns), len(drawn), dict(methods))


@public
def remembered(refit: Refit) -> Refit:
    """Return ``refit`` with a memory: the same resample is refitted once, however many statistics ask for it."""
    known: dict[bytes, Any] = {}

    def again(rows: NDArray[np.intp]) -> Any:
        key = np.ascontiguousarray(rows, dtype=np.int64).tobytes()
        if key not in known:
            known[key] = refit(rows)
        return known[key]

    return again


def chosen_refit(positive: BoolArray, refit: Refit | None, design: pd.DataFrame | None, levels: Levels | None) -> Refit:
    """Return ``refit``, or the logistic refit of ``design``; exactly one of them must be given."""
    if (refit is None) == (design is None):
        raise ValueError("refit, design: found both or neither, expected one of them.")
    if refit is not None:
        return refit
    assert design is not None
    try:
        return logistic_refit(design, positive, levels)
    except ValueError as error:
        raise ValueError(f"design, {error}") from error
