"""Maxima and profiles of a penalised likelihood, whatever the model: logistic or Cox.

Bounds of profiles are found by bisection: the Venzon–Moolgavkar iteration does not converge on fully separated data,
where Firth's method is needed most.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from her2radiomics.core.libraries import scipy
from her2radiomics.statistics._check import BoolArray, FloatArray

_MAX_ITERATIONS = 500
_MAX_OUTWARD_STEPS = 30


class Objective(Protocol):
    """A (penalised) log-likelihood of coefficients, shape (p,)."""

    def value(self, beta: FloatArray) -> float:
        """Return the log-likelihood; minus infinity outside what the penalty allows."""
        ...

    def step(self, beta: FloatArray, free: BoolArray) -> FloatArray:
        """Return the next step uphill of the free coefficients; raise :class:`ArithmeticError` if singular."""
        ...


def maximum(
    objective: Objective, free: BoolArray, start: FloatArray, most: int = _MAX_ITERATIONS
) -> tuple[FloatArray, float]:
    """Maximise over the ``free`` coefficients; the others stay as in ``start``.

    The penalty keeps the full information matrix, as in the penalised likelihood-ratio test of Heinze &
    Schemper (2002) and of R's ``logistf`` and ``coxphf``.

    Parameters
    ----------
    objective
        What is maximised, best on standardised terms.
    free
        Coefficients that move, shape (p,).
    start
        All coefficients at the start, shape (p,).
    most
        Most iterations.

    Returns
    -------
    tuple
        Coefficients, shape (p,), and the log-likelihood there.

    Raises
    ------
    ArithmeticError
        If the iteration does not converge.
    """
    beta = start.astype(float).copy()
    value = objective.value(beta)
    if not np.isfinite(value):
        raise ArithmeticError("penalised likelihood: found no finite value at the start.")
    if not free.any():
        return beta, value
    for _ in range(most):
        step = objective.step(beta, free)
        step = step * min(1.0, 5.0 / max(np.abs(step).max(), 1e-300))
        moved, trial = beta.copy(), value
        for _ in range(40):  # halve a step that overshoots
            moved[free] = beta[free] + step
            trial = objective.value(moved)
            if trial >= value - 1e-12 * (1 + abs(value)):
                break
            step = step / 2
        beta, value = moved, trial
        if np.abs(step).max() < 1e-9 * (1 + np.abs(beta).max()):
            return beta, value
    raise ArithmeticError("penalised likelihood: found no convergence, expected a maximum.")


def profile_interval(
    objective: Objective, beta: FloatArray, error: float, at: int, level: float
) -> tuple[float, float]:
    """Profile interval of coefficient ``at``; ``beta`` is the maximum, ``error`` its standard error there.

    Raises
    ------
    ArithmeticError
        The profile does not fall to the bound within 10⁴ standard errors, or cannot be followed there.
    """
    free = np.arange(beta.size) != at
    target = objective.value(beta) - float(scipy.special.chdtri(1, 1 - level)) / 2

    def held(value: float, near: FloatArray) -> tuple[FloatArray, float]:
        return maximum(objective, free, np.where(free, near, value))

    bounds = []
    for side in (-1.0, 1.0):
        near, inner, reach = beta, 0.0, error / 2
        # walk outwards: each maximum starts from its neighbour and stays on the maximum's own ridge
        for _ in range(_MAX_OUTWARD_STEPS):
            moved, value = held(beta[at] + side * reach, near)
            if value <= target:
                break
            near, inner, reach = moved, reach, reach * 1.4
        else:
            raise ArithmeticError("penalised likelihood: found a profile that never falls to its bound.")

        def above(point: float, near: FloatArray = near) -> float:
            return held(point, near)[1] - target

        ends = (beta[at] + side * inner, beta[at] + side * reach)
        bounds.append(float(scipy.optimize.brentq(above, *ends, xtol=1e-8 * error, rtol=1e-10)))
    return bounds[0], bounds[1]


def profile_value(objective: Objective, near: FloatArray, at: int, value: float) -> float:
    """Greatest log-likelihood with coefficient ``at`` held at ``value``, from two starts.

    Far from the overall maximum the penalised likelihood of a separated outcome can have several local maxima.
    """
    free = np.arange(near.size) != at
    starts = (np.where(free, near, value), np.where(free, 0.0, value))
    return max(maximum(objective, free, start)[1] for start in starts)


def profiled(
    objective: Objective, peak: FloatArray, top: float, error: float, at: int, level: float
) -> tuple[float, float, float] | None:
    """Interval and likelihood-ratio statistic of one coefficient; ``None`` where the profile cannot be followed."""
    try:
        low, high = profile_interval(objective, peak, error, at, level)
        return low, high, max(0.0, 2 * (top - profile_value(objective, peak, at, 0.0)))
    except (ArithmeticError, np.linalg.LinAlgError, ValueError):
        return None
