"""Participants columns as predictors: what training taught about each, filled and coded for a regression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble
from her2radiomics.modelling.saved.rules import ClinicalPredictor, LevelPredictor, NumericPredictor
from her2radiomics.statistics.nomogram_scale import few_values

if TYPE_CHECKING:
    from her2radiomics.modelling.logistic import LogisticFit
    from her2radiomics.statistics import LogisticRegression

MissingValues = Annotated[
    Literal["complete_case", "impute"],
    Field(
        description="impute: training median or most frequent level, reported; complete_case: such rows are left out."
    ),
]


@dataclass(frozen=True)
class Variable:
    """What training taught about one clinical column.

    ``levels`` are those seen in training, in the declared order, the reference first; ``fill`` is the median or the most
    frequent level, ``None`` where rows with missing values are left out; ``low`` and ``high`` are a number's range,
    ``values`` its values where they are at most 10.
    """

    name: str
    kind: str
    levels: tuple[str, ...]
    declared: tuple[str, ...]
    fill: Any
    low: float
    high: float
    values: tuple[float, ...] = ()

    def code(self, values: pd.Series) -> pd.Series:
        """Numbers for continuous and ordinal columns, levels as text for categorical ones."""
        if self.fill is not None and (missing := values.isna()).any():
            values = values.astype(object).mask(missing, self.fill)
        if self.kind == "ordinal":
            return values.map({level: float(i) for i, level in enumerate(self.declared)}).astype(float)
        return values.astype(float if self.kind == "continuous" else object)

    def predictor(self, coefficients: Mapping[str, float]) -> ClinicalPredictor:
        """Rule of this variable, given the coefficients of its terms."""
        if self.kind == "continuous":
            beta = coefficients[self.name]
            return NumericPredictor(self.name, beta, self.low, self.high, self.fill, self.values)
        if self.kind == "ordinal":
            beta = coefficients[self.name]
            weights = [(level, beta * i) for i, level in enumerate(self.declared)]
        else:
            reference, *others = self.levels
            weights = [(reference, 0.0), *((level, coefficients[f"{self.name}[{level}]"]) for level in others)]
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
        ends = float(numbers.min()), float(numbers.max())
        return Variable(name, column.kind, (), (), median, *ends, few_values(numbers))
    declared = tuple(column.levels)
    if not set(present).issubset(declared):
        unknown = present[~present.isin(declared)]
        raise TableError(
            file="training rows",
            patient=str(unknown.index[0]),
            column=name,
            found=f"'{unknown.iloc[0]}'",
            expected=f"one of {', '.join(declared)}",
            remedy="Declare the level in the protocol, or correct the cell.",
        )
    counts = Counter(present)
    seen = tuple(level for level in declared if counts[level])
    most = max(seen, key=lambda level: (counts[level], -declared.index(level))) if impute else None
    return Variable(name, column.kind, seen, declared, most, float("nan"), float("nan"))


def candidates(X: pd.DataFrame, names: tuple[str, ...], columns: Mapping[str, Column], *, name: str) -> pd.DataFrame:
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
                f"model '{name}': the candidate '{column}' is not among the protocol's columns ({', '.join(columns)})."
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
    return pd.DataFrame({name: variable.code(raw[name]) for name, variable in variables.items()}, index=raw.index)


def levels_of(variables: Mapping[str, Variable]) -> dict[str, tuple[str, ...]]:
    """Levels seen in training, the reference first, of the categorical variables."""
    return {name: v.levels for name, v in variables.items() if v.kind == "categorical"}


def clinical_predictors(
    model: LogisticRegression | LogisticFit, variables: Mapping[str, Variable]
) -> tuple[ClinicalPredictor, ...]:
    """Rules of the clinical variables of a regression, in its order."""
    names = [name for name in model.coding.variables if name in variables]
    return tuple(variables[name].predictor(model.coefficients) for name in names)


@dataclass(frozen=True)
class LearnedColumns:
    """What training taught about the candidates of a model.

    Attributes
    ----------
    raw
        The candidates as typed, all rows.
    used
        Rows that the model is fitted on, shape (rows,): all of them, or the complete ones.
    variables
        The candidates as the rows used showed them.
    gaps
        How many training values of each candidate were missing.
    impute
        Whether they were filled.
    """

    raw: pd.DataFrame
    used: np.ndarray
    variables: dict[str, Variable]
    gaps: dict[str, int]
    impute: bool

    @property
    def missing(self) -> pd.DataFrame:
        """Missing training values and what was done: ``column, rows, missing, handling, filled_with``."""
        rows = [
            {
                "column": name,
                "rows": len(self.raw),
                "missing": count,
                "handling": "imputed" if self.impute else "left out",
                "filled_with": self.variables[name].fill if self.impute else None,
            }
            for name, count in self.gaps.items()
        ]
        return assemble("missing", rows)

    @property
    def notes(self) -> list[str]:
        """Sentences on missing training values: one per column, and how many rows were left out."""
        total, done = len(self.raw), " and imputed" if self.impute else ""
        notes = [
            f"{name}: {count} of {total} training values were missing{done}"
            for name, count in self.gaps.items()
            if count
        ]
        if not self.used.all():
            notes.append(f"{int((~self.used).sum())} of {total} training rows were incomplete and left out")
        return notes


def learn_columns(
    X: pd.DataFrame,
    labels: np.ndarray,
    names: tuple[str, ...],
    columns: Mapping[str, Column],
    missing: str,
    *,
    name: str,
) -> LearnedColumns:
    """Learn levels, ranges and filling values of a model's candidates from training rows.

    Parameters
    ----------
    X, labels
        Training rows.
    names
        The candidates.
    columns
        The protocol's participants columns.
    missing
        ``impute`` or ``complete_case``.
    name
        The model's name, for errors.

    Raises
    ------
    StudyError
        A column that the protocol does not declare, or complete rows that lack a class.
    TableError
        A column that the table lacks, an unknown level, or a column without a value.
    """
    raw, impute = candidates(X, names, columns, name=name), missing == "impute"
    absent = np.column_stack([raw[column].isna() for column in raw]) if names else np.empty((len(raw), 0), dtype=bool)
    used = np.ones(len(raw), dtype=bool) if impute else np.logical_not(absent.any(axis=1))
    if not impute and len(np.unique(labels[used])) < 2:
        raise StudyError(
            f"model '{name}': found {int(used.sum())} complete rows without both labels; expected both. "
            "Set missing: impute, or name fewer candidates."
        )
    variables = {column: learn_variable(raw[column][used], columns[column], impute=impute) for column in raw}
    gaps = dict(zip(raw, absent.sum(axis=0).tolist(), strict=True))
    return LearnedColumns(raw, used, variables, gaps, impute)
