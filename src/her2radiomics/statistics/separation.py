"""Where maximum likelihood has no solution: separated classes of logistic, monotone likelihood of Cox regression.

A direction of separation raises the likelihood for ever. It is looked for by linear programming before anything is fitted
(Konis, DPhil thesis, Oxford 2007, as R's ``detectseparation``; for Cox regression Heinze & Schemper, Biometrics 57
(2001) 114–119, the same programme over risk sets). Terms whose estimate is infinite are those that the rows without
separation leave undetermined; the others have a finite estimate, the limit of maximum likelihood (Geyer, Electronic
Journal of Statistics 3 (2009) 259–289). A limit is a fit that did not converge, with ±inf for infinite estimates, and
NaN for the covariance of what is not finite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics import penalised
from her2radiomics.statistics._check import BoolArray, FloatArray
from her2radiomics.statistics.likelihood import Fit, log_likelihood, weights
from her2radiomics.statistics.partial_likelihood import Partial

_TOLERANCE = 1e-6
#: Overlap of the classes along one standardised term that no tolerance of a linear programme takes for none.
_CLEAR = 1e-3
#: Steps of Newton's method, and the largest linear predictor in them: beyond it linear programming decides.
_NEWTON, _FAR = 8, 20.0


class _Binomial:
    """Log-likelihood of a logistic model, without penalty."""

    def __init__(self, x: FloatArray, positive: BoolArray) -> None:
        self.x, self.positive = x, positive

    def value(self, beta: FloatArray) -> float:
        return log_likelihood(self.x @ beta, self.positive)

    def information(self, beta: FloatArray) -> FloatArray:
        return np.asarray(self.x.T @ (self.x * weights(self.x @ beta)[:, None]), dtype=float)

    def step(self, beta: FloatArray, free: BoolArray) -> FloatArray:
        score = self.x.T @ (self.positive - scipy.special.expit(self.x @ beta))
        return np.asarray(np.linalg.solve(self.information(beta)[np.ix_(free, free)], score[free]))


def separated(design: FloatArray, positive: BoolArray) -> bool:
    """Whether a logistic model of independent terms that vary, shape (n, p), has no maximum likelihood."""
    standard = _standard(design)[0]
    if design.shape[1] == 1:
        one, zero = standard[positive, 1], standard[~positive, 1]
        gap = max(one.min() - zero.max(), zero.min() - one.max())
        if gap >= 0 or gap < -_CLEAR:
            return bool(gap >= 0)
    rows = _signed(standard, positive)
    return not _overlap(rows) and bool(_direction(rows).any())


def _overlap(rows: FloatArray) -> bool:
    """Whether positive weights that balance the signed rows prove that no direction separates them.

    Where w > 0 and wᵀ rows = 0, a direction b with rows b ≥ 0 has rows b = 0 (Gordan's theorem). The residuals of maximum
    likelihood are such weights; a few steps of Newton's method find them where the classes overlap, far sooner than linear
    programming finds that there is no direction. ``False`` proves nothing.
    """
    beta, eye = np.zeros(rows.shape[1]), 1e-12 * np.eye(rows.shape[1])
    for _ in range(_NEWTON):
        wrong = scipy.special.expit(-rows @ beta)
        gram = rows.T @ (rows * (wrong * (1 - wrong))[:, None])
        beta = beta + np.linalg.solve(gram + eye * max(float(np.trace(gram)), 1e-300), rows.T @ wrong)
        if not np.abs(rows @ beta).max() < _FAR:
            return False
    wrong = scipy.special.expit(-rows @ beta)
    # the smallest change that makes the balance exact; the weights must stay positive by far
    change = rows @ np.linalg.lstsq(rows.T @ rows, rows.T @ wrong, rcond=None)[0]
    return bool(np.abs(change).max() < 1e-3 * wrong.min())


def logistic_limit(design: FloatArray, positive: BoolArray) -> Fit | None:
    """Maximum likelihood at infinity of a separated logistic model, the intercept first; ``None`` if not separated.

    On standardised terms, so that the answer does not depend on their units.
    """
    x, back = _standard(design)
    left, directions = np.ones(len(x), dtype=bool), []
    while left.any():
        # what one direction leaves unseparated, the next one may separate without undoing the first
        rows = _signed(x[left], positive[left])
        direction = _direction(rows)
        if not direction.any():
            break
        directions.append(direction)
        left[left] = ~(rows @ direction > _TOLERANCE)
    if not directions:
        return None
    return _limit(lambda terms: _Binomial(terms, positive[left]), x[left], back, directions)


def cox_direction(partial: Partial) -> FloatArray:
    """Direction in which a partial likelihood rises for ever, shape (p,); zeros where there is none.

    The programme asks that at each event time those with the event have the greatest linear predictor of all at risk; a
    variable an event time holds that maximum, so that there are as many constraints as rows.
    """
    x, time, seen = partial.x, partial.time, partial.seen
    n, p = x.shape
    at, place = np.unique(time[seen], return_inverse=True)
    last = np.searchsorted(at, time, side="right") - 1
    risk, k = last >= 0, at.size
    unit = scipy.sparse.eye_array(k, format="csr")
    below = scipy.sparse.hstack([scipy.sparse.csr_array(x[risk]), -unit[last[risk]]])
    above = scipy.sparse.hstack([-scipy.sparse.csr_array(x[seen]), unit[place]])
    nested = scipy.sparse.hstack([scipy.sparse.csr_array((k - 1, p)), unit[1:] - unit[:-1]]) if k > 1 else None
    size = np.cumsum(np.bincount(last[risk], minlength=k)[::-1])[::-1]
    within = np.cumsum([x[last == i].sum(axis=0) for i in range(k)][::-1], axis=0)[::-1]
    gain = (x[seen] * size[place][:, None] - within[place]).sum(axis=0) / n
    constraints = scipy.sparse.vstack([part for part in (below, above, nested) if part is not None]).tocsr()
    bounds = [(-1.0, 1.0)] * p + [(None, None)] * k

    def best(cost: FloatArray) -> FloatArray:
        return _solved(np.concatenate([cost, np.zeros(k)]), constraints, bounds)[:p]

    found = best(-gain)
    if found.any():  # every term that any direction moves, not only those of this one
        found = found + sum(best(side * term) for term in np.eye(p) for side in (-1.0, 1.0)) / (4 * p)
    return np.where(np.abs(found) > _TOLERANCE, found, 0.0)


def cox_limit(partial: Partial, direction: FloatArray) -> Fit:
    """Maximum partial likelihood at infinity along a direction of :func:`cox_direction`."""
    linear = partial.x @ direction
    leading = np.where(partial.risk > 0, linear, -np.inf).max(axis=1)
    kept = partial.risk * (linear >= leading[:, None] - _TOLERANCE)

    def plain(terms: FloatArray) -> Partial:
        return Partial(terms, partial.time, partial.seen, risk=kept)

    return _limit(plain, partial.x, np.eye(direction.size), [direction])


def _limit(
    model: Callable[[FloatArray], Partial | _Binomial], x: FloatArray, back: FloatArray, directions: list[FloatArray]
) -> Fit:
    """Fit what the unseparated rows determine; ``back`` turns the terms of ``x`` into those that are reported."""
    size = x.shape[1]
    raw = np.zeros(size)
    for direction in directions:
        turned = back @ direction
        turned[np.abs(turned) <= _TOLERANCE * (np.abs(back) @ np.abs(direction))] = 0.0
        raw = np.where(raw == 0, turned, raw)
    values, vectors = np.linalg.eigh(model(x).information(np.zeros(size)))
    basis = vectors[:, values > _TOLERANCE * max(values.max(), 1e-300)]
    known = back @ basis
    finite = np.linalg.norm(back - known @ basis.T, axis=1) <= _TOLERANCE * np.linalg.norm(back, axis=1)
    beta = np.where(raw == 0, np.nan, np.copysign(np.inf, raw))
    covariance, top = np.full((size, size), np.nan), float("nan")
    if basis.shape[1]:
        fitted = model(x @ basis)
        try:
            peak, top = penalised.maximum(fitted, np.full(basis.shape[1], True), np.zeros(basis.shape[1]))
        except (ArithmeticError, np.linalg.LinAlgError):  # a further direction is left, by rounding: nothing is known
            return Fit(np.where(finite, np.nan, beta), covariance, top, False)
        beta = np.where(finite, known @ peak, beta)
        whole = known @ np.linalg.inv(fitted.information(peak)) @ known.T
        covariance = np.where(np.outer(finite, finite), whole, np.nan)
    return Fit(beta, covariance, top, False)


def _standard(design: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Standardised terms with an intercept, and the matrix from their coefficients to those of the terms as given."""
    centre, scale = design.mean(axis=0), design.std(axis=0)
    back = np.diag(np.concatenate([[1.0], 1 / scale]))
    back[0, 1:] = -centre / scale
    return np.column_stack([np.ones(len(design)), (design - centre) / scale]), back


def _signed(x: FloatArray, positive: BoolArray) -> FloatArray:
    return x * np.where(positive, 1.0, -1.0)[:, None]


def _direction(rows: FloatArray) -> FloatArray:
    """Direction that is at least 0 along every row and lifts their sum most, within ±1; zeros where there is none."""
    return _solved(-rows.mean(axis=0), -rows, [(-1.0, 1.0)] * rows.shape[1])


def _solved(
    cost: FloatArray, constraints: FloatArray, bounds: Sequence[tuple[float | None, float | None]]
) -> FloatArray:
    best = scipy.optimize.linprog(
        cost, A_ub=constraints, b_ub=np.zeros(constraints.shape[0]), bounds=bounds, method="highs"
    )
    if not best.success:
        raise ArithmeticError(f"separation: the linear programme failed ({best.message}).")
    return np.where(np.abs(best.x) > 1e-4, best.x, 0.0) if -best.fun > _TOLERANCE else np.zeros(cost.size)
