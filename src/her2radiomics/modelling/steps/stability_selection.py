"""Stability selection: features that a LASSO or elastic net takes again and again on halves of the training patients.

References
----------
Meinshausen & Bühlmann, Journal of the Royal Statistical Society B 72 (2010) 417–473: the method and the bound.
Shah & Samworth, Journal of the Royal Statistical Society B 75 (2013) 55–80: complementary halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, is_constant, selection_step
from her2radiomics.modelling.penalised.binomial_path import binomial_path
from her2radiomics.modelling.penalised.gaussian_path import gaussian_path, lambda_grid
from her2radiomics.modelling.people import by_person
from her2radiomics.modelling.steps.lasso import FAMILIES
from her2radiomics.modelling.tables import sequence_of

PATHS = {"gaussian": gaussian_path, "binomial": binomial_path}
# penalties tried first for the q features that enter first; the rest of the grid follows where they are not enough
FIRST = 30
GRID = 100


@dataclass(frozen=True)
class FittedStability(FittedStep):
    """What stability selection learned.

    Attributes
    ----------
    frequency
        Share of the halves on which a feature was taken, shape (features,).
    bound
        Expected number of falsely kept features at most; NaN where nothing could be fitted.
    """

    frequency: np.ndarray
    bound: float

    def tables(self) -> dict[str, pd.DataFrame]:
        """``stability``: every feature ever taken, the most frequent first."""
        names = [str(name) for name in self.names_in]
        table = pd.DataFrame({"feature": names, "sequence": [sequence_of(name) for name in names]})
        kept = set(self.names_out)
        table["frequency"] = self.frequency
        table["kept"] = ["yes" if name in kept else "no" for name in names]
        table = table[table["frequency"] > 0].sort_values(
            ["frequency", "feature"], ascending=[False, True], ignore_index=True
        )
        return {"stability": table}


@selection_step(label="Stability selection", role="reduction", references=("meinshausen_2010",), once=True)
class StabilityStep(SelectionStep):
    """Keep the features that a LASSO or elastic net takes on most random halves of the training patients.

    The halves are drawn by patient (all rows of a patient in one half), stratified by label, in complementary pairs:
    the patients are split in two, both halves are used, and where a class is odd one patient of it is in neither. They
    depend on the patients' identifiers and the seed. On each half either the first ``q`` features to enter the path are
    taken (of those that enter at the same penalty of the grid, the larger coefficients on standardised columns), or
    those with non-zero coefficients at a fixed penalty: ``penalty`` times the largest penalty of all training
    rows. With q̂ features taken on average of p and threshold π, the expected number of falsely kept features is at
    most q̂² / ((2π − 1) p), if the noise features are exchangeable and the selection is better than guessing.
    """

    step: Literal["stability_selection"] = Field(description="Stability selection.")
    q: int | None = Field(None, ge=1, description="On each half the first q features to enter the path are taken.")
    penalty: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="On each half the features at this penalty are taken, a share of the largest of all training rows.",
    )
    threshold: float = Field(
        0.75, gt=0.5, le=1, description="Keep features taken on at least this share of the halves."
    )
    samples: int = Field(100, ge=20, multiple_of=2, description="Halves, drawn in complementary pairs.")
    family: Literal["gaussian", "binomial"] = Field(
        "gaussian", description="gaussian: least squares on the 0/1 label; binomial: logistic."
    )
    alpha: float = Field(
        1.0, ge=0.001, le=1, description="Share of the LASSO in the penalty: 1 is the LASSO, less an elastic net."
    )

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.q is None) == (self.penalty is None):
            raise ValueError("give either 'q' (features per half) or 'penalty' (a share), not both")
        return self

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        method = "LASSO" if self.alpha == 1 else f"an elastic net (alpha {self.alpha:g})"
        taken = (
            f"among the first {self.q} to enter its path"
            if self.q
            else f"kept at {self.penalty:g} of the largest penalty"
        )
        return (
            f"features {taken} on at least {100 * self.threshold:g}% of {self.samples} random halves of the training "
            f"patients were kept (stability selection with {method}: {FAMILIES[self.family]})"
        )

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedStability:
        """Count selections over the halves; ``X`` is indexed by patient."""
        values, labels = X.to_numpy(dtype=float), np.asarray(y, dtype=float)
        counts = np.zeros(X.shape[1])

        def nothing(why: str) -> FittedStability:
            none = np.zeros(X.shape[1], dtype=bool)
            return FittedStability.of(X, none, f"kept nothing: {why}", frequency=counts, bound=float("nan"))

        halves = patient_halves(
            by_person(X, training.persons).index.to_numpy(), labels, self.samples // 2, training.seed
        )
        if not halves:
            return nothing("too few patients in one class for two halves")
        grid = lambda_grid(values, labels, GRID, self.alpha)
        if grid.size == 0:
            return nothing("no feature varies with the label")
        for rows in halves:
            counts += self._taken(values[rows], labels[rows], float(grid[0]))
        average = float(counts.sum() / len(halves))
        bound = average**2 / ((2 * self.threshold - 1) * X.shape[1])
        keep = counts >= self.threshold * len(halves) - 1e-9
        note = (
            f"taken on at least {self.threshold:.0%} of {len(halves)} halves, {average:.1f} on average; expected "
            f"false selections at most {bound:.2g} (Meinshausen–Bühlmann)"
        )
        note = note if keep.any() else f"kept nothing: {note}"
        return FittedStability.of(X, keep, note, frequency=counts / len(halves), bound=bound)

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


def patient_halves(patients: np.ndarray, labels: np.ndarray, pairs: int, seed: int) -> list[np.ndarray]:
    """Rows of complementary random halves of the patients, stratified by label: two lists of rows per pair.

    The split depends on the patients' identifiers and the seed, not on the order of the rows; all rows of a patient
    (drawn twice by a bootstrap) go together. Empty with fewer than two patients of a class.
    """
    once, row = np.unique(np.asarray(patients).astype(str), return_inverse=True)
    outcome = np.zeros(once.size, dtype=int)
    np.maximum.at(outcome, row, np.asarray(labels).astype(int))
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
