"""The clinical model: univariate screening of participants columns, then one multivariate logistic regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.columns import Column
from her2radiomics.errors import StudyError, TableError
from her2radiomics.modelling.estimators import (
    FitReport,
    StudyModel,
    coefficient_table,
    notes_on,
    selection_table,
)
from her2radiomics.modelling.rule import ClinicalPredictor, LevelPredictor, LinearRule, NumericPredictor
from her2radiomics.modelling.settings import ClinicalSpec

if TYPE_CHECKING:
    import pandas as pd

    from her2radiomics.modelling.logistic import LogisticFit
    from her2radiomics.statistics import LogisticRegression, UnivariateThenMultivariate


@dataclass(frozen=True)
class Variable:
    """What training taught about one clinical column.

    ``levels`` are those seen in training, in the declared order, the reference first; ``fill`` is the median or the most
    frequent level, ``None`` where rows with missing values are left out; ``low`` and ``high`` are a number's range.
    """

    name: str
    kind: str
    levels: tuple[str, ...]
    declared: tuple[str, ...]
    fill: Any
    low: float
    high: float

    def code(self, values: pd.Series) -> pd.Series:
        """Numbers for continuous and ordinal columns, levels as text for categorical ones."""
        if self.fill is not None:
            values = values.astype(object).where(values.notna(), self.fill)
        if self.kind == "ordinal":
            return values.map({level: float(i) for i, level in enumerate(self.declared)}).astype(float)
        return values.astype(float if self.kind == "continuous" else object)

    def predictor(self, coefficients: Mapping[str, float]) -> ClinicalPredictor:
        """Rule of this variable, given the coefficients of its terms."""
        if self.kind == "continuous":
            return NumericPredictor(self.name, coefficients[self.name], self.low, self.high, self.fill)
        if self.kind == "ordinal":
            beta = coefficients[self.name]
            weights = [(level, beta * i) for i, level in enumerate(self.declared)]
        else:
            reference, *others = self.levels
            weights = [
                (reference, 0.0),
                *((level, coefficients[f"{self.name}[{level}]"]) for level in others),
            ]
        return LevelPredictor(self.name, tuple(weights), self.fill)


def learn_variable(values: pd.Series, column: Column, *, impute: bool) -> Variable:
    """Learn levels, range and filling value of a typed column (missing: NaN or ``None``) from training rows.

    Raises
    ------
    TableError
        A level that the protocol does not declare, or no value at all.
    """
    name, present = str(values.name), values.dropna()
    if present.empty:
        raise TableError(
            file="training rows",
            column=name,
            found="no value in training",
            expected="at least one",
            remedy="Remove the column from the model's candidates.",
        )
    if column.kind == "continuous":
        numbers = present.to_numpy(dtype=float)
        median = float(np.median(numbers)) if impute else None
        return Variable(name, column.kind, (), (), median, float(numbers.min()), float(numbers.max()))
    declared = tuple(column.levels)
    unknown = present[~present.isin(declared)]
    if len(unknown):
        raise TableError(
            file="training rows",
            patient=str(unknown.index[0]),
            column=name,
            found=f"'{unknown.iloc[0]}'",
            expected=f"one of {', '.join(declared)}",
            remedy="Declare the level in the protocol, or correct the cell.",
        )
    counts = {level: int((present == level).sum()) for level in declared}
    seen = tuple(level for level in declared if counts[level])
    most = max(seen, key=lambda level: (counts[level], -declared.index(level))) if impute else None
    return Variable(name, column.kind, seen, declared, most, float("nan"), float("nan"))


class ClinicalModel(StudyModel):
    """Logistic model on participants columns.

    Parameters
    ----------
    name
        The model's name.
    spec
        Its settings.
    columns
        The protocol's participants columns.

    Fitted attributes
    -----------------
    choice_ : UnivariateThenMultivariate
    variables_ : dict of str to Variable
        Every candidate as training showed it.
    selected_ : tuple of str
        Kept predictors.
    """

    choice_: UnivariateThenMultivariate
    variables_: dict[str, Variable]
    selected_: tuple[str, ...]

    def __init__(self, name: str, spec: ClinicalSpec, columns: Mapping[str, Column]) -> None:
        """Keep the parameters."""
        self.name = name
        self.spec = spec
        self.columns = columns

    def _fit(self, X: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
        from her2radiomics.statistics import univariate_then_multivariate
        from her2radiomics.statistics._check import as_labels

        raw = candidates(X, self.spec.candidates, self.columns, name=self.name)
        impute = self.spec.missing == "impute"
        used = np.ones(len(raw), dtype=bool) if impute else raw.notna().all(axis=1).to_numpy(dtype=bool)
        if not impute and len(np.unique(labels[used])) < 2:
            raise StudyError(
                f"model '{self.name}': found {int(used.sum())} complete rows without both labels; expected both. "
                "Say missing: impute, or name fewer candidates."
            )
        self._note_missing(raw, used, impute)
        raw, labels = raw[used], labels[used]
        as_labels(labels)
        self.variables_ = {
            name: learn_variable(raw[name], self.columns[name], impute=impute) for name in raw.columns
        }
        table = code_table(raw, self.variables_)
        try:
            self.choice_ = univariate_then_multivariate(
                table,
                labels,
                self.spec.p_enter,
                self.spec.keep,
                p_keep=self.spec.p_keep,
                method=self.spec.method,
                levels=levels_of(self.variables_),
            )
        except ValueError as error:
            raise StudyError(f"model '{self.name}': {error}") from error
        self.selected_ = self.choice_.selected
        self.table_, self.labels_ = table[list(self.selected_)], labels
        model = self.choice_.model
        if model is None:
            self.rule_ = LinearRule(self.name, float(np.log(labels.mean() / (1 - labels.mean()))))
        else:
            self.rule_ = LinearRule(self.name, model.intercept, clinical_predictors(model, self.variables_))
        return used

    def _note_missing(self, raw: pd.DataFrame, used: np.ndarray, impute: bool) -> None:
        for name, count in raw.isna().sum().items():
            if count and impute:
                self.notes_.append(f"{name}: {count} of {len(raw)} training values were missing and imputed")
        if not used.all():
            self.notes_.append(
                f"{int((~used).sum())} of {len(raw)} training rows were incomplete and left out"
            )

    def fit_report(self) -> FitReport:
        """Coefficients, selection, ``univariate`` and ``multivariate``."""
        choice, n = self.choice_, len(self.spec.candidates)
        coefficients = (
            choice.model.table
            if choice.model is not None
            else coefficient_table(self.table_, self.labels_, self.rule_, "ml", {})
        )
        rows = [
            {
                "name": "univariate",
                "features_in": n,
                "features_out": len(choice.entered),
                "note": f"p < {self.spec.p_enter:g}",
            },
            {
                "name": "multivariate",
                "features_in": len(choice.entered),
                "features_out": len(choice.selected),
                "note": f"{self.spec.keep}: {', '.join(choice.selected) or 'none kept'}",
            },
        ]
        tables = {"univariate": choice.univariate, "multivariate": choice.multivariate}
        return FitReport(coefficients, selection_table(rows), tables, notes_on(self, coefficients))


def candidates(
    X: pd.DataFrame, names: tuple[str, ...], columns: Mapping[str, Column], *, name: str
) -> pd.DataFrame:
    """Typed clinical columns of a table.

    Raises
    ------
    StudyError
        A column that the protocol does not declare.
    TableError
        A column that the table lacks.
    """
    for column in names:
        if column not in columns:
            raise StudyError(
                f"model '{name}': the candidate '{column}' is not among the protocol's columns "
                f"({', '.join(columns)})."
            )
        if column not in X.columns:
            raise TableError(
                file="training rows",
                column=column,
                found="no such column",
                expected=f"the candidates of model '{name}'",
                remedy="Add the column to the participants table, or remove it from the candidates.",
            )
    return X[list(names)]


def code_table(raw: pd.DataFrame, variables: Mapping[str, Variable]) -> pd.DataFrame:
    """Fill and code the columns of ``variables``: complete, ready for a regression."""
    import pandas as pd

    return pd.DataFrame(
        {name: variable.code(raw[name]) for name, variable in variables.items()}, index=raw.index
    )


def levels_of(variables: Mapping[str, Variable]) -> dict[str, tuple[str, ...]]:
    """Levels seen in training, the reference first, of the categorical variables."""
    return {name: v.levels for name, v in variables.items() if v.kind == "categorical"}


def clinical_predictors(
    model: LogisticRegression | LogisticFit, variables: Mapping[str, Variable]
) -> tuple[ClinicalPredictor, ...]:
    """Rules of the clinical variables of a regression, in its order."""
    names = [name for name in model.coding.variables if name in variables]
    return tuple(variables[name].predictor(model.coefficients) for name in names)
