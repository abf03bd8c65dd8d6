"""ComBat in prediction: one feature's values brought from the scale of their centre to the common one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.saved.rules import TABLE, LinearRule, Rule

LEARNED, PASSED_THROUGH, ADAPTED = "learned", "passed_through", "adapted"


@dataclass(frozen=True)
class CentreAdjustment:
    """Location and scale of each centre for one feature: ``(x − e − location) / spread + e``.

    Attributes
    ----------
    column
        Column that holds the centre.
    expected
        e: what the covariates let expect of the feature, as a rule on participants columns.
    centres
        Centre, location and spread, sorted by centre.
    pooled
        Residual SD of the feature, against which ``adapt`` measures the spread of an unseen centre.
    adjusts
        Whether the feature is adjusted at all: one that is constant within a training centre is not.
    unseen, minimum, mean_only
        See :class:`~her2radiomics.modelling.steps.combat.CombatStep`.
    """

    column: str
    expected: LinearRule
    centres: tuple[tuple[str, float, float], ...]
    pooled: float
    adjusts: bool
    unseen: str
    minimum: int
    mean_only: bool

    def adjust(self, values: np.ndarray, table: pd.DataFrame, known: np.ndarray) -> np.ndarray:
        """Harmonised values.

        Parameters
        ----------
        values
            The feature as it reaches the step, shape (rows,).
        table
            The rows: centre and covariates.
        known
            Rows whose value was measured, shape (rows,). A value filled from training is on the common scale already
            and stays.

        Raises
        ------
        TableError
            No centre, or one that did not train and that ``unseen`` does not allow.
        """
        treatment, centres = self._treatment(table)
        if not self.adjusts:
            return values
        expected = self.expected.score(table)
        location, spread = np.zeros(len(table)), np.ones(len(table))
        for name, shift, scale in self.centres:
            rows = centres == name
            location[rows], spread[rows] = shift, scale
        for name in np.unique(centres[treatment == ADAPTED]):
            rows = centres == name
            location[rows], spread[rows] = self.adapted((values - expected)[rows & known])
        adjusted = (values - expected - location) / spread + expected
        return np.where(known & (treatment != PASSED_THROUGH), adjusted, values)

    def adapted(self, around: np.ndarray) -> tuple[float, float]:
        """Location and spread of an unseen centre from its own rows, shape (rows,), without shrinkage.

        They are sorted first, so that the sums do not depend on their order.
        """
        if around.size == 0:
            return 0.0, 1.0
        around = np.sort(around)
        location = float(around.mean())
        if self.mean_only or around.size < 2 or around[0] == around[-1]:
            return location, 1.0
        return location, float(around.std(ddof=1)) / self.pooled

    def treatment(self, table: pd.DataFrame) -> np.ndarray:
        """What happens to each row: learned, passed_through or adapted, shape (rows,).

        Raises
        ------
        TableError
            As :meth:`adjust`.
        """
        return self._treatment(table)[0]

    def _treatment(self, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        centres = centres_of(table, self.column)
        trained = [name for name, _, _ in self.centres]
        treatment = np.full(len(table), LEARNED, dtype=object)
        for name in sorted(set(centres.tolist()) - set(trained)):
            rows = centres == name
            if self.unseen == "adapt" and int(rows.sum()) >= self.minimum:
                treatment[rows] = ADAPTED
            elif self.unseen == "pass_through":
                treatment[rows] = PASSED_THROUGH
            else:
                raise self._refused(name, int(rows.sum()), str(table.index[rows][0]), trained)
        return treatment, centres

    def _refused(self, name: str, count: int, patient: str, trained: list[str]) -> TableError:
        learned = f"one of those that ComBat learned: {', '.join(trained)}"
        if self.unseen == "adapt":
            return TableError(
                file=TABLE,
                patient=patient,
                column=self.column,
                found=f"{self.column} '{name}' with {count} patients",
                expected=f"{learned}; or {self.minimum} patients or more of another, to adapt to it",
                remedy="Predict more patients of it together, or train with 'unseen: pass_through'.",
            )
        return TableError(
            file=TABLE,
            patient=patient,
            column=self.column,
            found=f"{self.column} '{name}' ({count} patients)",
            expected=learned,
            remedy=unseen_remedy(self.minimum),
        )

    def to_dict(self, rule: Any) -> dict[str, Any]:
        """Plain data; ``rule`` turns a rule into plain data."""
        return {
            "combat": self.column,
            "expected": rule(self.expected),
            "centres": [list(centre) for centre in self.centres],
            "pooled": self.pooled,
            "adjusts": self.adjusts,
            "unseen": self.unseen,
            "minimum": self.minimum,
            "mean_only": self.mean_only,
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any], rule: Any) -> CentreAdjustment:
        """From plain data; ``rule`` makes a rule of plain data."""
        values = {key: value for key, value in content.items() if key != "combat"}
        values["expected"] = rule(content["expected"])
        values["centres"] = tuple((name, shift, scale) for name, shift, scale in content["centres"])
        return cls(column=content["combat"], **values)


def centres_of(table: pd.DataFrame, column: str) -> np.ndarray:
    """Centre of each row as text, shape (rows,).

    Raises
    ------
    TableError
        The column, or a patient's centre, is missing.
    """
    if column not in table.columns:
        raise TableError(
            file=TABLE,
            column=column,
            found="no such column",
            expected=f"the {column} of each patient, for ComBat",
            remedy="Give it in the participants table.",
        )
    cells = zip(table[column].tolist(), table[column].isna().tolist(), strict=True)
    centres = np.array(["" if absent else str(value).strip() for value, absent in cells], dtype=object)
    missing = centres == ""
    if missing.any():
        raise TableError(
            file=TABLE,
            patient=str(table.index[missing][0]),
            column=column,
            found=f"no value ({int(missing.sum())} of {len(table)} rows)",
            expected=f"the {column} of each patient, for ComBat",
            remedy="Fill the cell, or leave the patient out.",
        )
    return centres


def unseen_remedy(minimum: int) -> str:
    """What can be done about a centre that did not train."""
    return (
        "Train with patients of it, or set unseen: pass_through (not adjusted, and marked) or unseen: adapt "
        f"(location and scale from {minimum} or more of its patients predicted together, without labels)."
    )


def treatments(rule: Rule, table: pd.DataFrame) -> np.ndarray | None:
    """What happens to each row's centre in any part of a rule, shape (rows,); ``None`` without ComBat."""
    order = (LEARNED, PASSED_THROUGH, ADAPTED)
    found = {
        (a.column, a.unseen, a.minimum, tuple(name for name, _, _ in a.centres)): a
        for a in rule.adjustments()
        if isinstance(a, CentreAdjustment)
    }
    if not found:
        return None
    ranks = [[order.index(t) for t in adjustment.treatment(table)] for adjustment in found.values()]
    return np.array(order, dtype=object)[np.max(ranks, axis=0)]
