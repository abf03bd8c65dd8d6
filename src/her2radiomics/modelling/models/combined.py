"""The combined model: one logistic regression on Rad-scores and the predictors that a clinical model kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.core.wording import listing
from her2radiomics.modelling.estimator import Folds, Method
from her2radiomics.modelling.fit_report import selection_row
from her2radiomics.modelling.logistic import LogisticFit, fit_logistic
from her2radiomics.modelling.model import Fitted, Learning, ModelSpec, Names, model_kind
from her2radiomics.modelling.saved.rules import LinearRule


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedCombined(Fitted):
    """A fitted combined model: its parts, and ``logistic``, the regression on what they add."""

    logistic: LogisticFit

    def selection_rows(self) -> list[dict[str, Any]]:
        """Rows of the parts and of the regression."""
        offered = sum(len(part.terms) for part in self.parts)
        kept = len(self.logistic.columns)
        return [*self.part_rows(), selection_row("combined", offered, kept, self.logistic.note)]

    def tables(self) -> dict[str, pd.DataFrame]:
        """The parts' tables, and ``missing`` of a clinical part."""
        missing = [report.tables["missing"] for report in self.part_reports.values() if "missing" in report.tables]
        return super().tables() | ({"missing": missing[0]} if missing else {})


@model_kind(
    label="Combined", rows={"combined": "Logistic regression of the combination"}, made_of=("radiomics", "clinical")
)
class CombinedSpec(ModelSpec):
    """A logistic model on the Rad-scores and the kept clinical predictors of other models.

    Everything that its parts learn is learned again on the rows of a fit. A part that kept nothing adds nothing.
    """

    kind: Literal["combined"] = Field(description="A logistic refit on the scores and predictors of other models.")
    of: tuple[str, ...] = Field(min_length=1, description="Names of radiomics and clinical models, in this order.")
    method: Method = "auto"
    folds: Folds = 0
    allow_unavailable: bool = Field(False, description="Use columns that are not yet known when predicting.")

    def parts(self) -> tuple[str, ...]:
        """Models that are combined."""
        return self.of

    def sentence(self, who: str, names: Names) -> str:
        """Return the model in words."""
        parts = listing([names.model(part) for part in self.of])
        return f"{who} was a logistic regression that combined {parts}: their scores and kept predictors."

    def made_from(self, names: Names) -> list[str]:
        """Printed names of the parts."""
        return [names.label(part) for part in self.of]

    def several(self, parts: str, count: int) -> str:
        """Return models that differ in their parts alone, in words."""
        return (
            f"Each of {count} combined models was a logistic regression on the scores and kept predictors of other models: "
            f"{parts}."
        )

    def fit(self, X: pd.DataFrame, labels: np.ndarray, learning: Learning) -> FittedCombined:
        """Fit the parts, then the regression on the rows that all of them predict."""
        parts = tuple(learning.part(name, X, labels) for name in self.of)
        used = np.ones(len(X), dtype=bool)
        for part in parts:
            used &= part.rule.predictable(X)
        rows, outcome = X[used], labels[used]
        remarks = [f"{part.name} kept nothing and adds nothing" for part in parts if part.empty]
        adding = [part for part in parts if not part.empty]
        blocks = [part.table(rows) for part in adding]
        levels = {name: seen for part in adding for name, seen in part.levels().items()}
        table = pd.concat(blocks, axis=1) if blocks else pd.DataFrame(index=rows.index)
        fit = fit_logistic(table, outcome, self.method, levels, name=learning.name)
        table = table[list(fit.columns)]
        known = {name: rule for part in adding for name, rule in part.predictors(fit.coefficients, table).items()}
        remarks += [f"{part.name}: {note}" for part in adding for note in part.notes]
        if fit.separated:
            remarks.append("the terms separate the training classes; Firth's method was used")
        return FittedCombined(
            name=learning.name,
            rule=LinearRule(learning.name, fit.intercept, tuple(known[name] for name in fit.columns)),
            used=used,
            table=table,
            labels=outcome,
            levels={name: seen for name, seen in levels.items() if name in fit.columns},
            method=fit.method,
            remarks=tuple(remarks),
            parts=parts,
            logistic=fit,
        )
