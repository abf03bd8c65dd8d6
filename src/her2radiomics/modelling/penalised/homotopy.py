"""The LASSO path from knot to knot, without drift: between two knots the solution is linear in the penalty.

With active features A and signs s, the solution at penalty λ is β_A = u − λv with G_AA u = X_Aᵀy/n and G_AA v = s
(G = XᵀX/n), and every feature's covariance with the residual is a + λb. The next knot is the largest λ at which an
inactive feature reaches ±λ (it joins) or an active coefficient reaches 0 (it leaves). Each segment is solved afresh,
so that rounding does not add up along the path as it does in incremental least-angle regression.

References
----------
Osborne, Presnell & Turlach, IMA Journal of Numerical Analysis 20 (2000) 389–403.
Efron, Hastie, Johnstone & Tibshirani, Annals of Statistics 32 (2004) 407–499.
"""

from __future__ import annotations

import numpy as np

# share of its length that the active features must leave of a feature, for it to join them (else it is a copy)
NEW = 1e-13
NONE = -1


def follow(columns: np.ndarray, centred: np.ndarray, lambdas: np.ndarray) -> np.ndarray:
    """LASSO coefficients at each penalty.

    Parameters
    ----------
    columns
        Standardised columns (mean 0, population SD 1; constant ones 0), shape (rows, features).
    centred
        Centred outcome, shape (rows,).
    lambdas
        Penalties, strictly decreasing, shape (l,).

    Returns
    -------
    ndarray, shape (features, l)
        Where the path gets stuck (ties without end), the rest is 0: check the optimality conditions.
    """
    n, p = columns.shape
    result = np.zeros((p, lambdas.size))
    covariance = columns.T @ centred / n
    if p == 0 or not np.any(covariance):
        return result
    first = int(np.argmax(np.abs(covariance)))
    active, signs = [first], [float(np.sign(covariance[first]))]
    gram = np.empty((p, min(n, p)), order="F")
    gram[:, 0] = columns.T @ columns[:, first] / n
    blocked = np.zeros(p, dtype=bool)
    penalty = float(abs(covariance[first]))
    # penalties above the first knot keep nothing
    place = int(np.searchsorted(-lambdas, -penalty, side="left"))
    joined, left, left_sign = first, NONE, 0.0

    for _ in range(20 * min(n, p) + 20):
        size = len(active)
        block = gram[:, :size]
        s = np.array(signs)
        try:
            u, v = np.linalg.solve(block[active], np.column_stack([covariance[active], s])).T
        except np.linalg.LinAlgError:
            return result
        a, b = covariance - block @ u, block @ v

        event, leaver = _next_leave(u, v, s, penalty, active.index(joined) if joined != NONE else NONE)
        joiner, sign = NONE, 0.0
        inactive = ~blocked
        inactive[active] = False
        for side in (1.0, -1.0):
            knot = _joins(side * a, side * b, inactive)
            if left != NONE and left_sign == side:
                knot[left] = -np.inf  # it left from this side: it cannot come back on the same straight line
            best = int(np.argmax(knot))
            reached = min(float(knot[best]), penalty)
            if reached > event:
                event, joiner, sign, leaver = reached, best, side, NONE

        while place < lambdas.size and lambdas[place] >= event:
            result[active, place] = u - lambdas[place] * v
            place += 1
        if place == lambdas.size or event <= 0:
            return result
        moved, penalty = event < penalty, event
        if joiner == NONE:
            joined, left, left_sign = NONE, active.pop(leaver), signs.pop(leaver)
            gram[:, leaver : size - 1] = gram[:, leaver + 1 : size].copy()
            blocked[:] = False
            if not active:
                return result
            continue
        column = columns.T @ columns[:, joiner] / n
        explained = column[active] @ np.linalg.solve(block[active], column[active])
        if size == gram.shape[1] or column[joiner] - explained <= NEW * column[joiner]:
            blocked[joiner] = True  # a copy, or a combination, of active features
            if moved:
                joined = left = NONE
            continue
        gram[:, size] = column
        active.append(joiner)
        signs.append(sign)
        joined, left = joiner, NONE
    return result


def _next_leave(
    u: np.ndarray, v: np.ndarray, s: np.ndarray, penalty: float, joined: int
) -> tuple[float, int]:
    """Largest penalty at which an active coefficient reaches 0, and its place (0 and none: it never does)."""
    falling = s * v < 0
    if joined != NONE:
        falling[joined] = False  # it has just started from 0
    knot = np.divide(u, v, out=np.full(u.size, -np.inf), where=falling)
    place = int(np.argmax(knot))
    return (min(float(knot[place]), penalty), place) if knot[place] > 0 else (0.0, NONE)


def _joins(a: np.ndarray, b: np.ndarray, inactive: np.ndarray) -> np.ndarray:
    """Penalties at which a + λb reaches +λ from below as λ falls; −∞ where it does not."""
    return np.divide(a, 1 - b, out=np.full(a.size, -np.inf), where=inactive & (b < 1))
