"""Least-angle regression with the LASSO's changes: the knots of the path, and the coefficients at them.

The steps and their order of arithmetic are those of scikit-learn's ``lars_path``, so that its path is had to the last bit
(a test compares them), without what takes half of its time where columns are many and rows few: coefficients of all columns
at every knot, checks of the arguments of every call, and columns exchanged one by one.

References
----------
Efron, Hastie, Johnstone & Tibshirani, Annals of Statistics 32 (2004) 407–499.
"""

from __future__ import annotations

import math

import numpy as np

from her2radiomics.core.libraries import scipy, sklearn_arrays

_EPSILON = float(np.finfo(float).eps)
# what keeps a division from one by 0, and the difference below which two penalties are one
_TINY, _EQUAL = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).eps)
# pivot of the Cholesky factor below which a column is a combination of the active ones
_DEGENERATE = 1e-7
_DECIMALS = int(np.finfo(float).precision)


class _Walk:
    """Where the walk along the path is.

    Attributes
    ----------
    columns
        Standardised columns, one a row, shape (features, rows): the active ones first, in the order of ``order``.
    covariance
        Of the columns that are not active with the residual.
    order
        Place of each row of ``columns`` among the columns as given.
    count
        Active columns.
    factor
        Lower Cholesky factor of the active columns' products.
    sign
        Signs of the active columns' covariances.
    coefficients
        Of the active columns.
    """

    def __init__(self, columns: np.ndarray, outcome: np.ndarray) -> None:
        """Begin where no column is active."""
        self.columns, self.outcome = np.array(columns.T, order="C"), outcome
        self.covariance = np.dot(self.columns, outcome)
        self.order, self.count = list(range(len(self.columns))), 0
        most = len(self.columns)  # memory that is never written costs nothing
        self.factor, self.sign, self.coefficients = np.empty((most, most)), np.empty(most), np.empty(0)
        self.blas, self.lapack, self.helpers = scipy.linalg.blas, scipy.linalg.lapack, sklearn_arrays

    def join(self, place: int) -> bool:
        """Make the column at a place of ``covariance`` active; ``False``: it is a combination of those that are."""
        columns, order, covariance, count = self.columns, self.order, self.covariance, self.count
        self.sign[count] = np.sign(covariance[place])
        covariance[place], covariance[0] = covariance[0], covariance[place]
        joining = columns[count + place].copy()
        columns[count + place], columns[count] = columns[count], joining
        order[count + place], order[count] = order[count], order[count + place]
        row = self.factor[count]
        if count:
            row[:count] = np.dot(joining, columns[:count].T)
            row[:count] = self.lapack.dtrtrs(self.factor[:count, :count].T, row[:count], lower=0, trans=1)[0]
        left = float(self.blas.dnrm2(joining)) ** 2 - np.dot(row[:count], row[:count])
        row[count] = max(math.sqrt(abs(left)), _EPSILON)
        if row[count] < _DEGENERATE:
            covariance[0] = 0.0
            covariance[place], covariance[0] = covariance[0], covariance[place]
            return False
        self.covariance, self.count = covariance[1:], count + 1
        self.coefficients = np.concatenate([self.coefficients, [0.0]])
        return True

    def direction(self) -> tuple[np.ndarray, float, np.ndarray]:
        """Equiangular direction of the active coefficients, its angle, and the change of the other covariances along it."""
        count, sign = self.count, self.sign[: self.count]
        factor, ridge = self.factor[:count, :count], 1.0
        along = self.lapack.dpotrs(factor, sign, lower=True)[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            angle = 1.0 / np.sqrt(np.add.reduce(along * sign))
        while not np.isfinite(angle):  # too ill-conditioned: the diagonal grows until it is not
            factor = factor + ridge * _EPSILON * np.eye(count)
            along = self.lapack.dpotrs(factor, sign, lower=True)[0]
            angle, ridge = 1.0 / np.sqrt(max(np.add.reduce(along * sign), _EPSILON)), 2 * ridge
        along *= angle
        change = np.dot(self.columns[count:], np.dot(self.columns[:count].T, along))
        # without rounding the next column would depend on the last bit of a sum
        return along, float(angle), change.round(_DECIMALS, out=change)

    def step(self, largest: float, along: np.ndarray, angle: float, change: np.ndarray) -> np.ndarray:
        """Go until a column joins or active ones reach 0; return their places, the last first."""
        nearest, covariance = self.helpers.min_pos, self.covariance
        length = min(
            nearest((largest - covariance) / (angle - change + _TINY)),
            nearest((largest + covariance) / (angle + change + _TINY)),
            largest / angle,
        )
        ends = -self.coefficients / (along + _TINY)
        end = nearest(ends)
        leaving = np.flatnonzero(ends == end)[::-1] if end < length else np.empty(0, dtype=int)
        length = min(length, end)
        self.coefficients = self.coefficients + length * along
        self.covariance -= length * change
        return leaving

    def leave(self, place: int) -> None:
        """Take an active column, whose coefficient has reached 0, out."""
        count, columns = self.count - 1, self.columns
        self.helpers.cholesky_delete(self.factor[: self.count, : self.count], place)
        leaving = columns[place].copy()
        columns[place:count] = columns[place + 1 : self.count]
        columns[count] = leaving
        self.order.insert(count, self.order.pop(place))
        self.sign[place:count] = self.sign[place + 1 : self.count]
        self.coefficients = np.concatenate([self.coefficients[:place], self.coefficients[place + 1 :]])
        residual = self.outcome - np.dot(columns[:count].T, self.coefficients)
        self.covariance = np.concatenate([[np.dot(leaving, residual)], self.covariance])
        self.count = count


def least_angle_path(
    columns: np.ndarray, outcome: np.ndarray, smallest: float, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Knots of the LASSO's path from the largest penalty down.

    Parameters
    ----------
    columns
        Standardised columns, none a copy of another, shape (rows, features), features ≥ 1.
    outcome
        Centred, shape (rows,).
    smallest
        Penalty at which the path ends.
    most
        Most knots.

    Returns
    -------
    knots, ever, coefficients
        Penalties, shape (k,); places of the columns that are ever active, shape (m,); their coefficients, shape (m, k). The
        path may end early, where rounding is all that is left of the covariances.
    """
    walk = _Walk(columns, outcome)
    knots: list[float] = []
    kept: list[tuple[list[int], np.ndarray]] = [([], np.empty(0))]
    left = False
    while True:
        place = int(np.abs(walk.covariance).argmax()) if walk.covariance.size else 0
        largest = abs(float(walk.covariance[place])) if walk.covariance.size else 0.0
        penalty = largest / len(outcome)
        if penalty <= smallest + _EQUAL:
            if abs(penalty - smallest) > _EQUAL:
                if knots:
                    share = (knots[-1] - smallest) / (knots[-1] - penalty)
                    old, new = (dict(zip(*knot, strict=True)) for knot in kept[-2:])
                    either = list(dict.fromkeys([*old, *new]))
                    start, end = (np.array([knot.get(place, 0.0) for place in either]) for knot in (old, new))
                    kept[-1] = either, start + share * (end - start)
                penalty = smallest
            break
        if len(knots) >= most or walk.count >= columns.shape[1]:
            break
        if not left and not walk.join(place):
            continue
        if knots and knots[-1] < penalty:  # rounding is all that is left
            break
        leaving = walk.step(largest, *walk.direction())
        knots.append(penalty)
        kept.append((walk.order[: walk.count], walk.coefficients))
        left = leaving.size > 0
        for place in leaving.tolist():
            walk.leave(place)
    knots.append(penalty)
    ever = np.unique(np.concatenate([np.array(active, dtype=int) for active, _ in kept]))
    found = np.zeros((ever.size, len(kept)))
    for knot, (active, coefficients) in enumerate(kept):
        found[np.searchsorted(ever, active), knot] = coefficients
    return np.array(knots), ever, found
