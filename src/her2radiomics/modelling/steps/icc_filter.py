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
from her2radiomics.statistics.agreement import icc_table


@dataclass(frozen=True)
class FittedIcc(FittedStep):
    """The agreement of each feature, the table of this contract; ``kept`` is *yes*, *no* or *not assessed*."""

    reproducibility: pd.DataFrame

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
            raw = X if training.first_reader is None else training.first_reader[names]
            pairs = training.second_reader.pairs(raw)
        n = 0 if pairs is None else len(pairs[0])
        if pairs is None or n < self.minimum_patients:
            none = training.second_reader is None
            note = f"not assessed: {'no second reader' if none else f'{n} training patients read twice'}"
            table = self._table(names, np.full((3, len(names)), np.nan), n, "not assessed")
            return FittedIcc.of(X, None, note, reproducibility=table)
        values, counts = self._coefficients(*pairs)
        keep = np.nan_to_num(values[0], nan=-np.inf) >= self.threshold
        table = self._table(names, values, counts, np.where(keep, "yes", "no"))
        note = f"{self.printed_form} ≥ {self.threshold:g} in {n} training patients read twice"
        return FittedIcc.of(X, keep, note, reproducibility=table)

    def _coefficients(self, one: pd.DataFrame, two: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """ICC with its interval, shape (3, features), and the number of pairs of each feature."""
        finite = np.isfinite(one.to_numpy(dtype=float)) & np.isfinite(two.to_numpy(dtype=float))
        counts = finite.sum(axis=0)
        values = np.full((3, one.shape[1]), np.nan)
        whole = counts == len(one)
        columns = ["icc", "low", "high"]
        if whole.any():
            table = icc_table(one.loc[:, whole], two.loc[:, whole], self.form)
            values[:, whole] = table[columns].to_numpy(dtype=float).T
        for place in np.flatnonzero(~whole & (counts >= self.minimum_patients)):
            rows = finite[:, place]
            table = icc_table(one.iloc[rows, [place]], two.iloc[rows, [place]], self.form)
            values[:, place] = table[columns].to_numpy(dtype=float)[0]
        return values, counts

    def _table(self, names: list[str], values: np.ndarray, n: Any, kept: Any) -> pd.DataFrame:
        table = pd.DataFrame({"feature": names, "sequence": [sequence_of(name) for name in names]})
        table["form"] = self.form
        table["icc"], table["low"], table["high"] = values
        table["n"], table["kept"] = n, kept
        return table
