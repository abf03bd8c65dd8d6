"""The combined model: one logistic regression on Rad-scores and the predictors that a clinical model kept."""

from __future__ import annotations

import numpy as np

from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.modelling.estimators import (
    FitReport,
    StudyModel,
    coefficient_table,
    notes_on,
    selection_table,
)
from her2radiomics.modelling.logistic import LogisticFit, fit_logistic
from her2radiomics.modelling.models.clinical import ClinicalModel
from her2radiomics.modelling.models.radiomics import RadiomicsModel
from her2radiomics.modelling.saved.rules import LinearRule, Predictor, ScorePredictor
from her2radiomics.modelling.settings import CombinedSpec
from her2radiomics.modelling.variables import code_table, levels_of


class CombinedModel(StudyModel):
    """Refit on the scores and predictors of other models, which it holds and refits itself.

    Cloning, cross-validating or bootstrapping it therefore repeats everything that its parts learn. A part that kept
    nothing adds nothing.

    Parameters
    ----------
    name
        The model's name.
    spec
        Its settings.
    parts
        Unfitted models, in the order of the terms.

    Fitted attributes
    -----------------
    parts_ : list of RadiomicsModel or ClinicalModel
        The fitted parts.
    logistic_ : LogisticFit
    """

    parts_: list[RadiomicsModel | ClinicalModel]
    logistic_: LogisticFit

    def __init__(self, name: str, spec: CombinedSpec, parts: list[RadiomicsModel | ClinicalModel]) -> None:
        """Keep the parameters."""
        self.name = name
        self.spec = spec
        self.parts = parts

    def _fit(self, X: pd.DataFrame, labels: np.ndarray) -> np.ndarray:

        self.parts_ = [sklearn.base.clone(part).fit(X, labels) for part in self.parts]
        used = np.ones(len(X), dtype=bool)
        for part in self.parts_:
            used &= part.rule_.predictable(X)
        rows, outcome = X[used], labels[used]
        blocks: list[pd.DataFrame | pd.Series] = []
        levels: dict[str, tuple[str, ...]] = {}
        for part in self.parts_:
            if part.empty_:
                self.notes_.append(f"{part.name} kept nothing and adds nothing")
            elif isinstance(part, RadiomicsModel):
                blocks.append(pd.Series(part.decision_function(rows), index=rows.index, name=part.name))
            else:
                kept = {name: part.variables_[name] for name in part.selected_}
                blocks.append(code_table(rows, kept))
                levels.update(levels_of(kept))
        table = pd.concat(blocks, axis=1) if blocks else pd.DataFrame(index=rows.index)
        fit = fit_logistic(table, outcome, self.spec.method, levels, name=self.name)
        self.logistic_ = fit
        self.table_, self.labels_ = table[list(fit.columns)], outcome
        self.levels_ = {name: seen for name, seen in levels.items() if name in fit.columns}
        self.rule_ = LinearRule(self.name, fit.intercept, tuple(self._predictors()))
        for part in self.parts_:
            self.notes_ += [f"{part.name}: {note}" for note in part.notes_ if not part.empty_]
        if fit.separated:
            self.notes_.append("the terms separate the training classes; Firth's method was used")
        return used

    def _predictors(self) -> list[Predictor]:
        found: dict[str, Predictor] = {}
        for part in self.parts_:
            if isinstance(part, RadiomicsModel) and part.name in self.logistic_.coefficients:
                scores = self.table_[part.name]
                found[part.name] = ScorePredictor(
                    part.rule_,
                    self.logistic_.coefficients[part.name],
                    float(scores.min()),
                    float(scores.max()),
                )
            elif isinstance(part, ClinicalModel):
                for name in part.selected_:
                    if name in self.logistic_.columns:
                        found[name] = part.variables_[name].predictor(self.logistic_.coefficients)
        return [found[name] for name in self.logistic_.columns]

    def fit_report(self) -> FitReport:
        """Coefficients, selection of the parts and of the refit, and the parts' tables as ``<part>.<table>``."""
        fit = self.logistic_
        rows, tables = [], {}
        for part in self.parts_:
            report = part.fit_report()
            rows += [
                {**row, "name": f"{part.name}: {row['name']}"} for row in report.selection.to_dict("records")
            ]
            tables.update({f"{part.name}.{key}": table for key, table in report.tables.items()})
        offered = sum(
            0 if part.empty_ else 1 if isinstance(part, RadiomicsModel) else len(part.selected_)
            for part in self.parts_
        )
        rows.append(
            {
                "name": "combined",
                "features_in": offered,
                "features_out": len(fit.columns),
                "note": fit.note,
            }
        )
        missing = [part.missing_ for part in self.parts_ if isinstance(part, ClinicalModel)]
        if missing:
            tables["missing"] = missing[0]
        coefficients = coefficient_table(self.table_, self.labels_, self.rule_, fit.method, self.levels_)
        return FitReport(coefficients, selection_table(rows), tables, notes_on(self, coefficients))
