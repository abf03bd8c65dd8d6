"""Stability selection: features that a LASSO or elastic net takes again and again on halves of the training patients.

References
----------
Meinshausen & Bühlmann, Journal of the Royal Statistical Society B 72 (2010) 417–473: the method and the bound.
Shah & Samworth, Journal of the Royal Statistical Society B 75 (2013) 55–80: complementary halves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FeatureStep, is_constant
from her2radiomics.modelling.penalised.binomial_path import binomial_path
from her2radiomics.modelling.penalised.gaussian_path import gaussian_path, lambda_grid
from her2radiomics.modelling.tables import sequence_of

PATHS = {"gaussian": gaussian_path, "binomial": binomial_path}
# penalties tried first for the q features that enter first; the rest of the grid follows where they are not enough
FIRST = 30
GRID = 100


class StabilitySelection(FeatureStep):
    """Keep the features whose share of selections over random halves of the patients reaches a threshold.

    The halves are drawn by patient (all rows of a patient in one half), stratified by label, in complementary pairs:
    the patients are split in two, both halves are used, and where a class is odd one patient of it is in neither. They
    depend on the patients' identifiers and the seed, not on the order of rows.

    On each half either the first ``q`` features to enter the path are taken (of those that enter at the same penalty
    of the grid, the larger coefficients on standardised columns), or those with a coefficient other than zero at a
    fixed penalty: ``penalty`` times the largest penalty of all training rows.

    With q̂ features taken on average of p, threshold π > 0.5, the expected number of falsely kept features is at most
    q̂² / ((2π − 1) p), if the noise features are exchangeable and the selection is better than guessing.

    Parameters
    ----------
    q, penalty, threshold, samples, family, alpha
        See :class:`~her2radiomics.modelling.steps.settings.StabilityStep`.
    seed
        Seed of the halves.

    Fitted attributes
    -----------------
    frequency_ : ndarray, shape (features_in_,)
        Share of the halves on which a feature was taken.
    bound_ : float
        The bound above; NaN where nothing could be fitted.
    """

    frequency_: np.ndarray
    bound_: float

    def __init__(
        self,
        q: int | None = None,
        penalty: float | None = None,
        threshold: float = 0.75,
        samples: int = 100,
        family: str = "gaussian",
        alpha: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Keep the parameters."""
        self.q = q
        self.penalty = penalty
        self.threshold = threshold
        self.samples = samples
        self.family = family
        self.alpha = alpha
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: Any) -> StabilitySelection:
        """Count selections over the halves; ``X`` is indexed by patient."""
        values, labels = X.to_numpy(dtype=float), np.asarray(y, dtype=float)
        self.frequency_, self.bound_ = np.zeros(X.shape[1]), float("nan")
        halves = patient_halves(X.index.to_numpy(), labels, self.samples // 2, self.seed)
        if not halves:
            return self._nothing(X, "kept nothing: too few patients of a class for two halves")
        grid = lambda_grid(values, labels, GRID, self.alpha)
        if grid.size == 0:
            return self._nothing(X, "kept nothing: no feature varies with the label")
        counts = np.zeros(X.shape[1])
        for rows in halves:
            counts += self._taken(values[rows], labels[rows], float(grid[0]))
        self.frequency_ = counts / len(halves)
        average = float(counts.sum() / len(halves))
        self.bound_ = average**2 / ((2 * self.threshold - 1) * X.shape[1])
        keep = counts >= self.threshold * len(halves) - 1e-9
        note = (
            f"taken on at least {self.threshold:.0%} of {len(halves)} halves, {average:.1f} on average; expected "
            f"false selections at most {self.bound_:.2g} (Meinshausen–Bühlmann)"
        )
        self._record(X, keep, note if keep.any() else f"kept nothing: {note}")
        return self

    def _nothing(self, X: pd.DataFrame, note: str) -> StabilitySelection:
        self._record(X, np.zeros(X.shape[1], dtype=bool), note)
        return self

    def _taken(self, values: np.ndarray, labels: np.ndarray, largest: float) -> np.ndarray:
        """Mark the features that one half takes, shape (features,)."""
        path = PATHS[self.family]
        if self.penalty is not None:
            top = lambda_grid(values, labels, 2, self.alpha)
            fixed = self.penalty * largest
            if top.size == 0 or top[0] <= fixed:
                return np.zeros(values.shape[1], dtype=bool)
            # warm steps on the way down, as the path is followed
            lambdas = np.geomspace(top[0], fixed, 10)
            return np.asarray(path(values, labels, lambdas, self.alpha).coefficients[:, -1] != 0)
        grid = lambda_grid(values, labels, GRID, self.alpha)
        marked = np.zeros(values.shape[1], dtype=bool)
        if grid.size == 0:
            return marked
        q = int(self.q or 0)
        scale = np.where(is_constant(values), 0.0, values.std(axis=0))
        for end in (FIRST, GRID):
            coefficients = path(values, labels, grid[:end], self.alpha).coefficients * scale[:, None]
            entered = (coefficients != 0).any(axis=1)
            if int(entered.sum()) >= q:
                break
        places = np.flatnonzero(entered)
        first = np.argmax(coefficients[places] != 0, axis=1)
        size = np.round(np.abs(coefficients[places, first]), 12)
        marked[places[np.lexsort((places, -size, first))[:q]]] = True
        return marked

    def tables(self) -> dict[str, pd.DataFrame]:
        """``stability``: every feature ever taken, the most frequent first."""
        names = [str(name) for name in self.feature_names_in_]
        table = pd.DataFrame({"feature": names, "sequence": [sequence_of(name) for name in names]})
        kept = set(self.names_out_)
        table["frequency"] = self.frequency_
        table["kept"] = ["yes" if name in kept else "no" for name in names]
        table = table[table["frequency"] > 0].sort_values(
            ["frequency", "feature"], ascending=[False, True], ignore_index=True
        )
        return {"stability": table}


def patient_halves(patients: np.ndarray, labels: np.ndarray, pairs: int, seed: int) -> list[np.ndarray]:
    """Rows of complementary random halves of the patients, stratified by label: two lists of rows a pair.

    The split depends on the patients' identifiers and the seed, not on the order of the rows; all rows of a patient
    (drawn twice by a bootstrap) go together. Empty with fewer than two patients of a class.
    """
    once, first, row = np.unique(np.asarray(patients).astype(str), return_index=True, return_inverse=True)
    outcome = np.asarray(labels)[first].astype(int)
    classes = [np.flatnonzero(outcome == value) for value in (0, 1)]
    if min(len(members) for members in classes) < 2:
        return []
    random = np.random.default_rng(seed)
    halves = []
    for _ in range(pairs):
        half = np.full(once.size, -1)
        for members in classes:
            shuffled, size = random.permutation(members), len(members) // 2
            half[shuffled[:size]] = 0
            half[shuffled[size : 2 * size]] = 1
        halves += [np.flatnonzero(half[row] == side) for side in (0, 1)]
    return halves
