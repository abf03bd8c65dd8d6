"""Filter by the agreement of two readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, selection_step
from her2radiomics.modelling.tables import sequence_of
from her2radiomics.statistics.agreement import MeanSquares

#: Level of the intervals in the table.
LEVEL = 0.95


@dataclass(frozen=True)
class FittedIcc(FittedStep):
    """The agreement of each feature; its table is made when it is read, since intervals take longer than the rest.

    Attributes
    ----------
    form
        Form of the coefficient.
    assessed
        The features that came in, shape (features,).
    coefficients
        Of each, NaN where there is none; shape (features,).
    counts
        Patients with both values, shape (features,) or one number for all.
    kept
        *yes*, *no* or *not assessed*; of the same shape.
    squares
        Places of features, and the mean squares that their intervals follow from.
    """

    form: str
    assessed: tuple[str, ...]
    coefficients: np.ndarray
    counts: np.ndarray | int
    kept: np.ndarray | str
    squares: tuple[tuple[np.ndarray, MeanSquares], ...] = ()

    @property
    def reproducibility(self) -> pd.DataFrame:
        """The table of this contract."""
        bounds = np.full((2, len(self.assessed)), np.nan)
        for places, squares in self.squares:
            bounds[:, places] = squares.interval(self.form, LEVEL)
        return pd.DataFrame(
            {
                "feature": self.assessed,
                "sequence": [sequence_of(name) for name in self.assessed],
                "form": self.form,
                "icc": self.coefficients,
                "low": bounds[0],
                "high": bounds[1],
                "n": self.counts,
                "kept": self.kept,
            }
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """``reproducibility``."""
        return {"reproducibility": self.reproducibility}


@selection_step(
    label="Agreement of readers (ICC)",
    short="ICC between readers",
    role="reproducibility",
    references=("mcgraw_1996",),
    once=True,
)
class IccFilterStep(SelectionStep):
    """Keep the features that two readers agree on.

    Those whose intraclass correlation is at least ``threshold`` in the training patients read twice. With fewer than
    ``minimum_patients`` of them, or no second reader, everything passes, *not assessed*. A pair with a value that is
    not a number is left out for that feature; a feature with too few pairs of its own, or constant in all of them, is
    dropped. The coefficients are computed on unscaled values: a shift and scale common to both readers changes no form
    of the coefficient, so that the place of the scaling does not matter.
    """

    step: Literal["icc_filter"] = Field(description="Filter by the intraclass correlation of two readers.")
    form: Literal["ICC1,1", "ICC2,1", "ICC3,1"] = Field(
        "ICC2,1", description="Form of the intraclass correlation (Shrout and Fleiss)."
    )
    threshold: float = Field(0.75, gt=0, lt=1, description="Keep features whose coefficient is at least this.")
    minimum_patients: int = Field(
        10, ge=3, description="With fewer training patients read twice the filter passes all: not assessed."
    )

    @property
    def printed_form(self) -> str:
        """``ICC(2,1)``."""
        return f"{self.form[:3]}({self.form[3:]})"

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        return (
            f"features with an intraclass correlation between readers, {self.printed_form}, of at least "
            f"{self.threshold:g} were kept"
        )

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedIcc:
        """Compute the coefficients of the features in ``X`` on the patients of ``X`` who were read twice."""
        names = list(X.columns)
        pairs = None
        if training.second_reader is not None and names:
            raw = X if training.first_reader is None else training.first_reader
            pairs = training.second_reader.pairs(raw if raw.shape[1] == len(names) else raw[names])
        n = 0 if pairs is None else len(pairs[0])
        if pairs is None or n < self.minimum_patients:
            none = training.second_reader is None
            note = f"not assessed: {'no second reader' if none else f'{n} training patients read twice'}"
            nothing = np.full(len(names), np.nan)
            found: dict[str, Any] = {"coefficients": nothing, "counts": n, "kept": "not assessed"}
            return FittedIcc.of(X, None, note, form=self.form, assessed=tuple(names), **found)
        values, counts, squares = self._coefficients(*(table.to_numpy(dtype=float) for table in pairs))
        keep = np.nan_to_num(values, nan=-np.inf) >= self.threshold
        note = f"{self.printed_form} ≥ {self.threshold:g} in {n} training patients read twice"
        found = {"coefficients": values, "counts": counts, "kept": np.where(keep, "yes", "no"), "squares": squares}
        return FittedIcc.of(X, keep, note, form=self.form, assessed=tuple(names), **found)

    def _coefficients(
        self, one: np.ndarray, two: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, tuple[tuple[np.ndarray, MeanSquares], ...]]:
        """ICC of each feature, its number of pairs, and the mean squares behind it, by place."""
        finite = np.isfinite(one) & np.isfinite(two)
        counts = finite.sum(axis=0)
        values = np.full(one.shape[1], np.nan)
        whole = counts == len(one)
        alike = [(whole, np.ones(len(one), dtype=bool))] if whole.any() else []
        gaps = np.flatnonzero(~whole & (counts >= self.minimum_patients))
        found = []
        for places, rows in [*alike, *((np.array([place]), finite[:, place]) for place in gaps)]:
            squares = MeanSquares.of(np.stack([one[np.ix_(rows, places)], two[np.ix_(rows, places)]]))
            values[places] = squares.value(self.form)
            found.append((places, squares))
        return values, counts, tuple(found)
