"""The multivariate model: image features, Rad-scores and participants columns selected together, then one regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.modelling.chain import FittedChain
from her2radiomics.modelling.estimators import (
    FitReport,
    StudyModel,
    coefficient_table,
    notes_on,
    selection_table,
)
from her2radiomics.modelling.logistic import LogisticFit, fit_logistic
from her2radiomics.modelling.models.radiomics import (
    RadiomicsModel,
    feature_predictors,
    fit_features,
)
from her2radiomics.modelling.ranking import univariate_test
from her2radiomics.modelling.readers import SecondReader
from her2radiomics.modelling.saved.rules import LinearRule, Predictor, ScorePredictor
from her2radiomics.modelling.settings import LassoSelection, MultivariateSpec
from her2radiomics.modelling.steps.lasso import FittedPath
from her2radiomics.modelling.variables import (
    Variable,
    candidates,
    code_table,
    known_rows,
    learn_variable,
    levels_of,
    missing_notes,
    missing_table,
)
from her2radiomics.statistics import univariate_then_multivariate
from her2radiomics.statistics.design import treatment_coding

if TYPE_CHECKING:
    from her2radiomics.statistics import UnivariateThenMultivariate


class MultivariateModel(StudyModel):
    """One selection over all blocks of predictors, then a logistic regression of what it kept.

    A categorical column enters the LASSO as indicators and the regression as a whole, with all its levels, when any
    indicator was kept.

    Parameters
    ----------
    name
        The model's name.
    spec
        Its settings.
    columns
        The protocol's participants columns.
    parts
        Unfitted radiomics models whose Rad-scores are predictors; refitted on the same rows.
    second_reader
        The second reader's features, or ``None``.
    seed
        Seed of the folds.

    Fitted attributes
    -----------------
    pipeline_ : FittedChain or None
        The fitted steps of the image features.
    parts_ : list of RadiomicsModel
    variables_ : dict of str to Variable
    lasso_ : FittedPath or None
    choice_ : UnivariateThenMultivariate or None
    logistic_ : LogisticFit
    missing_ : DataFrame
    """

    pipeline_: FittedChain | None
    parts_: list[RadiomicsModel]
    variables_: dict[str, Variable]
    lasso_: FittedPath | None
    choice_: UnivariateThenMultivariate | None
    logistic_: LogisticFit
    missing_: pd.DataFrame

    def __init__(
        self,
        name: str,
        spec: MultivariateSpec,
        columns: Mapping[str, Column],
        parts: list[RadiomicsModel],
        second_reader: SecondReader | None = None,
        seed: int = 0,
    ) -> None:
        """Keep the parameters."""
        self.name = name
        self.spec = spec
        self.columns = columns
        self.parts = parts
        self.second_reader = second_reader
        self.seed = seed

    def _fit(self, X: pd.DataFrame, labels: np.ndarray) -> np.ndarray:

        raw = candidates(X, self.spec.candidates, self.columns, name=self.name)
        impute = self.spec.missing == "impute"
        used = known_rows(raw, labels, impute=impute, name=self.name)
        self.notes_ += missing_notes(raw, used, impute=impute)
        rows, outcome = X[used], labels[used]
        self.variables_ = {
            name: learn_variable(raw[name][used], self.columns[name], impute=impute) for name in raw.columns
        }
        self.missing_ = missing_table(raw, self.variables_, impute=impute)
        blocks = [self._features(rows, outcome), self._scores(rows, outcome)]
        clinical = code_table(raw[used], self.variables_)
        table = pd.concat([*(block for block in blocks if block is not None), clinical], axis=1)
        table = table.loc[:, table.nunique() > 1]
        levels = {name: seen for name, seen in levels_of(self.variables_).items() if name in table.columns}
        kept = self._select(table, outcome, levels)
        fit = fit_logistic(
            table[kept],
            outcome,
            self.spec.method,
            {name: seen for name, seen in levels.items() if name in kept},
            name=self.name,
        )
        self.logistic_ = fit
        columns = [name for name in table.columns if name in fit.columns]
        self.table_, self.labels_ = table[columns], outcome
        self.levels_ = {name: seen for name, seen in levels.items() if name in columns}
        self.rule_ = LinearRule(self.name, fit.intercept, self._predictors())
        if fit.separated:
            self.notes_.append("the terms separate the training classes; Firth's method was used")
        return used

    def _features(self, X: pd.DataFrame, labels: np.ndarray) -> pd.DataFrame | None:
        self.pipeline_ = None
        if self.spec.features is None:
            return None
        self.pipeline_, table = fit_features(
            X, labels, self.spec.features, self.columns, self.second_reader, seed=self.seed, name=self.name
        )
        self.notes_ += self.pipeline_.notes()
        return table

    def _scores(self, X: pd.DataFrame, labels: np.ndarray) -> pd.DataFrame:

        self.parts_ = [sklearn.base.clone(part).fit(X, labels) for part in self.parts]
        for part in self.parts_:
            if part.empty_:
                self.notes_.append(f"{part.name} kept nothing and adds nothing")
            self.notes_ += [f"{part.name}: {note}" for note in part.notes_ if not part.empty_]
        scores = {part.name: part.decision_function(X) for part in self.parts_ if not part.empty_}
        return pd.DataFrame(scores, index=X.index)

    def _select(
        self, table: pd.DataFrame, labels: np.ndarray, levels: Mapping[str, tuple[str, ...]]
    ) -> list[str]:
        """Columns of ``table`` that the selection keeps, the most important first."""
        self.lasso_, self.choice_ = None, None
        coding = treatment_coding(table, levels)
        owner = {term: name for name in coding.variables for term in coding.terms_of(name)}
        design = pd.DataFrame(coding.matrix(table), index=table.index, columns=coding.terms)
        if isinstance(self.spec.selection, LassoSelection):
            self.lasso_ = self.spec.selection.choose(design, labels, self.seed)
            kept = {owner[str(term)] for term in self.lasso_.names_out}
        else:
            kept = set(self._backward(table, labels, levels))
        statistic, p = univariate_test(design.to_numpy(dtype=float), labels, "f_classif")
        ranked = [owner[coding.terms[i]] for i in np.lexsort((np.arange(p.size), -statistic, p))]
        return [name for name in dict.fromkeys(ranked) if name in kept]

    def _backward(
        self, table: pd.DataFrame, labels: np.ndarray, levels: Mapping[str, tuple[str, ...]]
    ) -> tuple[str, ...]:

        how: Any = self.spec.selection
        try:
            self.choice_ = univariate_then_multivariate(
                table,
                labels,
                how.p_enter,
                "backward",
                p_keep=how.p_keep,
                method=self.spec.method,
                levels=levels,
            )
        except ValueError as error:
            raise StudyError(
                f"model '{self.name}': {error} Put selection steps before it, or select by lasso."
            ) from error
        return self.choice_.selected

    def _predictors(self) -> tuple[Predictor, ...]:
        beta = self.logistic_.coefficients
        known: dict[str, Predictor] = {}
        for part in self.parts_:
            if part.name in self.table_.columns:
                scores = self.table_[part.name]
                known[part.name] = ScorePredictor(
                    part.rule_, beta[part.name], float(scores.min()), float(scores.max())
                )
        for name, variable in self.variables_.items():
            if name in self.table_.columns:
                known[name] = variable.predictor(beta)
        features = [name for name in self.table_.columns if name not in known]
        if self.pipeline_ is not None:
            known |= {p.name: p for p in feature_predictors(self.pipeline_, self.table_[features], beta)}
        return tuple(known[name] for name in self.table_.columns)

    def fit_report(self) -> FitReport:
        """Coefficients, selection, the steps' tables, ``missing``, and those of the selection over all blocks."""
        fit = self.logistic_
        rows = [] if self.pipeline_ is None else self.pipeline_.selection_rows()
        tables = {} if self.pipeline_ is None else self.pipeline_.tables()
        for part in self.parts_:
            report = part.fit_report()
            rows += [
                {**row, "name": f"{part.name}: {row['name']}"} for row in report.selection.to_dict("records")
            ]
            tables.update({f"{part.name}.{key}": table for key, table in report.tables.items()})
        tables["missing"] = self.missing_
        if self.lasso_ is not None:
            rows += self.lasso_.selection_rows("lasso of all blocks")
            tables |= self.lasso_.tables()
        if self.choice_ is not None:
            choice = self.choice_
            tables |= {"univariate": choice.univariate, "multivariate": choice.multivariate}
            how: Any = self.spec.selection
            offered = choice.univariate["variable"].nunique()
            note = f"p < {how.p_enter:g}, then p < {how.p_keep:g}"
            rows.append(
                {
                    "name": "backward",
                    "features_in": offered,
                    "features_out": len(choice.selected),
                    "note": note,
                }
            )
        rows.append(
            {
                "name": "logistic",
                "features_in": rows[-1]["features_out"],
                "features_out": len(fit.columns),
                "note": fit.note,
            }
        )
        coefficients = coefficient_table(self.table_, self.labels_, self.rule_, fit.method, self.levels_)
        return FitReport(coefficients, selection_table(rows), tables, notes_on(self, coefficients))
