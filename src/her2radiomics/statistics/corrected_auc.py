"""AUC of cross-validation with its error, and the .632+ estimate of an AUC.

References
----------
LeDell, Petersen & van der Laan, Electronic Journal of Statistics 9 (2015) 1583–1607 (error of a cross-validated AUC).
Efron & Tibshirani, Journal of the American Statistical Association 92 (1997) 548–560 (.632+).
Sahiner, Chan & Hadjiiski, Medical Physics 35 (2008) 1559–1570 (.632+ of an AUC).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics._check import as_finite, as_labels, as_number, public
from her2radiomics.statistics._result import Result
from her2radiomics.statistics.roc import auc

CHANCE = 0.5


@dataclass(frozen=True)
class CrossValidatedAuc(Result):
    """Mean AUC over the folds of a cross-validation, its standard error and its interval."""

    value: float
    error: float
    low: float
    high: float
    folds: int
    level: float


@public
def cross_validated_auc(
    labels: ArrayLike, scores: ArrayLike, folds: ArrayLike, level: float = 0.95
) -> CrossValidatedAuc:
    """Mean of the folds' AUCs with an interval from their influence curves (LeDell 2015).

    Parameters
    ----------
    labels, scores
        Outcomes, and the score of each row by a model that was fitted without the row's fold, shape (n,).
    folds
        Number of each row's fold, shape (n,). A fold of one class has no AUC and is left out.
    level
        Level of the interval (asymptotic normal, cut at 0 and 1).

    Raises
    ------
    ValueError
        If no fold holds both classes.
    """
    positive = as_labels(labels)
    values = as_finite(scores, size=positive.size)
    fold = as_finite(folds, size=positive.size, name="folds")
    share = float(positive.mean())
    areas, influence = [], []
    for number in np.unique(fold):
        rows = fold == number
        cases, controls = values[rows & positive], values[rows & ~positive]
        if not cases.size or not controls.size:
            continue
        area = auc(positive[rows], values[rows])
        above = np.sign(cases[:, None] - controls[None, :]) / 2 + CHANCE
        areas.append(area)
        influence.append(np.r_[(above.mean(axis=1) - area) / share, (above.mean(axis=0) - area) / (1 - share)])
    if not areas:
        raise ValueError("folds: found one class in every fold, expected a fold with both.")
    value = float(np.mean(areas))
    # a fold's mean square, over the folds
    error = math.sqrt(float(np.mean([np.square(part).mean() for part in influence])) / positive.size)
    half = float(scipy.special.ndtri((1 + level) / 2)) * error
    return CrossValidatedAuc(value, error, max(0.0, value - half), min(1.0, value + half), len(areas), level)


@public
def auc_632_plus(apparent: float, out_of_bag: float) -> float:
    """The .632+ estimate of an AUC.

    (1 − w) · apparent + w · out-of-bag, where w = 0.632 / (1 − 0.368 R) and R, the relative overfitting, is
    (apparent − out-of-bag) / (apparent − 0.5), within 0 and 1; an out-of-bag AUC below 0.5 counts as 0.5, which is what a
    model without information reaches.

    Parameters
    ----------
    apparent
        AUC of the model in the rows that it was fitted on.
    out_of_bag
        Mean AUC of refits on bootstrap resamples in the rows that each resample left out.

    Raises
    ------
    ValueError
        If a number is not between 0 and 1.
    """
    whole, left = as_number(apparent, "apparent", 0, 1), as_number(out_of_bag, "out_of_bag", 0, 1)
    if left >= whole:
        overfitting = 0.0
    elif left <= CHANCE:
        overfitting = 1.0
    else:
        overfitting = (whole - left) / (whole - CHANCE)
    weight = 0.632 / (1 - 0.368 * overfitting)
    return (1 - weight) * whole + weight * max(left, CHANCE)
