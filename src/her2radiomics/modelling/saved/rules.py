"""What a fitted model predicts with: an intercept and predictors, each adding to the log-odds.

Estimators and loaded models predict through the same :class:`LinearRule`, term by term in a fixed order, so that a
saved model gives the same numbers to the last bit, for one patient as for a thousand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd, scipy

TABLE = "table to predict"
OBSTACLES = ("patient_id", "column", "found", "expected")


class Adjustment(Protocol):
    """What may come between two scalings of a feature: the adjustment of the patient's centre (ComBat)."""

    @property
    def column(self) -> str:
        """Column that holds the centre."""

    @property
    def expected(self) -> LinearRule:
        """What the covariates let expect of the feature."""

    def adjust(self, values: np.ndarray, table: pd.DataFrame, known: np.ndarray) -> np.ndarray:
        """Adjust the feature's values, shape (rows,)."""

    def to_dict(self, rule: Any) -> dict[str, Any]:
        """Plain data; ``rule`` turns a rule into plain data."""


@dataclass(frozen=True)
class FeaturePredictor:
    """An image feature: missing values filled, scaled step by step as ``(x - shift) / scale``, then weighted.

    Between the scalings may come the adjustment of the patient's centre (ComBat).
    ``fill`` is the training median of the unscaled feature; ``low`` and ``high`` are the range of the scaled one, and
    ``values`` its values where they are at most 10 (a nomogram is drawn at these).
    """

    name: str
    coefficient: float
    fill: float
    low: float
    high: float
    scalings: tuple[tuple[float, float] | Adjustment, ...] = ()
    values: tuple[float, ...] = ()

    def numbers(self, table: pd.DataFrame) -> np.ndarray:
        """Unscaled values as they are, shape (rows,); missing and infinite ones are NaN."""
        values = _column(table, self.name)
        try:
            numbers = values.to_numpy(dtype=float)
        except (TypeError, ValueError):
            patient, value = next((p, v) for p, v in values.items() if not _is_number(v))
            raise TableError(
                file=TABLE,
                patient=str(patient),
                column=self.name,
                found=f"'{value}'",
                expected="a number",
                remedy="Give the feature table as it was extracted.",
            ) from None
        return np.where(np.isfinite(numbers), numbers, np.nan)

    def contribution(self, table: pd.DataFrame) -> np.ndarray:
        """What the predictor adds to the log-odds, shape (rows,)."""
        return self.coefficient * self.scaled(table)

    def scaled(self, table: pd.DataFrame) -> np.ndarray:
        """Values as the steps scale them, missing ones filled, shape (rows,)."""
        values = self.numbers(table)
        known = ~np.isnan(values)
        values = np.where(known, values, self.fill)
        for scaling in self.scalings:
            if isinstance(scaling, tuple):
                shift, scale = scaling
                values = (values - shift) / scale
            else:
                values = scaling.adjust(values, table, known)
        return values


@dataclass(frozen=True)
class NumericPredictor:
    """A continuous clinical column with its range in training; ``fill`` is its training median, if it may be missing."""

    name: str
    coefficient: float
    low: float
    high: float
    fill: float | None = None
    values: tuple[float, ...] = ()

    @property
    def expected(self) -> str:
        """What a value must be."""
        return "a number"

    def obstacle(self, table: pd.DataFrame) -> np.ndarray:
        """Mark the rows that miss a value which nothing fills, shape (rows,)."""
        missing = _column(table, self.name).isna().to_numpy(dtype=bool)
        return missing if self.fill is None else np.zeros_like(missing)

    def contribution(self, table: pd.DataFrame) -> np.ndarray:
        """What the predictor adds to the log-odds, shape (rows,)."""
        return self.coefficient * self.scaled(table)

    def scaled(self, table: pd.DataFrame) -> np.ndarray:
        """Values, missing ones filled, shape (rows,)."""
        values = _column(table, self.name)
        try:
            numbers = values.to_numpy(dtype=float, na_value=np.nan)
        except (TypeError, ValueError):
            raise TableError(
                file=TABLE,
                column=self.name,
                found=f"'{values.dropna().iloc[0]}' …",
                expected="numbers",
                remedy="Type the participants table by the protocol's columns first.",
            ) from None
        missing = np.isnan(numbers)
        if missing.any() and self.fill is None:
            raise _missing(table, self.name, missing)
        if np.isinf(numbers).any():
            raise TableError(
                file=TABLE,
                patient=str(table.index[np.isinf(numbers)][0]),
                column=self.name,
                found="an infinite value",
                expected="a finite number",
                remedy="Correct the cell.",
            )
        return np.where(missing, self.fill if self.fill is not None else np.nan, numbers)


@dataclass(frozen=True)
class LevelPredictor:
    """A categorical or ordinal clinical column: what each level adds to the log-odds.

    ``weights`` holds the levels that the model knows, the reference (0) first; ``fill`` is the most frequent level in
    training, if the column may be missing.
    """

    name: str
    weights: tuple[tuple[str, float], ...]
    fill: str | None = None

    @property
    def expected(self) -> str:
        """What a value must be."""
        return f"one of the levels in training: {', '.join(level for level, _ in self.weights)}"

    def obstacle(self, table: pd.DataFrame) -> np.ndarray:
        """Mark the rows that miss a value which nothing fills, or whose level training never saw, shape (rows,)."""
        values = _column(table, self.name)
        missing = values.isna().to_numpy(dtype=bool)
        unseen = ~values.isin([level for level, _ in self.weights]).to_numpy(dtype=bool) & ~missing
        return unseen | missing if self.fill is None else unseen

    def contribution(self, table: pd.DataFrame) -> np.ndarray:
        """What the predictor adds to the log-odds, shape (rows,)."""
        weights = dict(self.weights)
        return np.array([weights[level] for level in self.found(table)], dtype=float)

    def found(self, table: pd.DataFrame) -> list[str]:
        """Level of each row, missing ones filled."""
        values = _column(table, self.name)
        missing = values.isna().to_numpy(dtype=bool)
        if missing.any() and self.fill is None:
            raise _missing(table, self.name, missing)
        weights = dict(self.weights)
        if self.fill is not None:
            values = values.astype(object).where(~missing, self.fill)
        for patient, value in zip(table.index, values, strict=True):
            if value not in weights:
                raise TableError(
                    file=TABLE,
                    patient=str(patient),
                    column=self.name,
                    found=f"'{value}'",
                    expected=self.expected,
                    remedy="The model cannot predict a category that it never saw; leave the patient out "
                    "(incomplete: omit).",
                )
        return [str(value) for value in values]


@dataclass(frozen=True)
class ScorePredictor:
    """The score of another rule (a Rad-score), with its range in training."""

    rule: Rule
    coefficient: float
    low: float
    high: float
    values: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """Name of the other rule."""
        return self.rule.name

    def contribution(self, table: pd.DataFrame) -> np.ndarray:
        """What the predictor adds to the log-odds, shape (rows,)."""
        return self.coefficient * self.scaled(table)

    def scaled(self, table: pd.DataFrame) -> np.ndarray:
        """The other rule's score, shape (rows,)."""
        return self.rule.score(table)


Predictor = FeaturePredictor | NumericPredictor | LevelPredictor | ScorePredictor
ClinicalPredictor = NumericPredictor | LevelPredictor


class Rule(ABC):
    """What a model predicts with: predictors, and how they make a score (log-odds) and a probability."""

    name: str
    predictors: tuple[Predictor, ...]

    @abstractmethod
    def score(self, table: pd.DataFrame) -> np.ndarray:
        """Log-odds of the rows of a table indexed by patient, shape (rows,).

        Raises
        ------
        TableError
            A column is absent, a category was never seen in training, or a value is missing and nothing fills it.
        """

    def probability(self, table: pd.DataFrame) -> np.ndarray:
        """Probability of label 1, shape (rows,)."""
        return probability(self.score(table))

    def features(self) -> Iterator[FeaturePredictor]:
        """Yield the image features, those of inner scores included."""
        for predictor in self.predictors:
            if isinstance(predictor, ScorePredictor):
                yield from predictor.rule.features()
            elif isinstance(predictor, FeaturePredictor):
                yield predictor

    def clinical(self) -> Iterator[ClinicalPredictor]:
        """Yield the clinical columns, those of inner scores included."""
        for predictor in self.predictors:
            if isinstance(predictor, ScorePredictor):
                yield from predictor.rule.clinical()
            elif not isinstance(predictor, FeaturePredictor):
                yield predictor

    def adjustments(self) -> Iterator[Adjustment]:
        """Yield the adjustments to centres of all image features."""
        for predictor in self.features():
            for scaling in predictor.scalings:
                if not isinstance(scaling, tuple):
                    yield scaling

    def covariates(self) -> list[ClinicalPredictor]:
        """Clinical columns that adjustments to centres need, each once."""
        found = {p.name: p for adjustment in self.adjustments() for p in adjustment.expected.clinical()}
        return list(found.values())

    def predictable(self, table: pd.DataFrame) -> np.ndarray:
        """Mark the rows without an obstacle (:meth:`obstacles`), shape (rows,)."""
        known = np.ones(len(table), dtype=bool)
        for predictor in self.clinical():
            known &= ~predictor.obstacle(table)
        return known

    def obstacles(self, table: pd.DataFrame) -> pd.DataFrame:
        """Clinical values that keep rows from being predicted: ``patient_id, column, found, expected``.

        A missing value that nothing fills (``found`` is empty), or a category that training never saw.
        """
        rows = []
        for predictor in {p.name: p for p in self.clinical()}.values():
            values = _column(table, predictor.name)[predictor.obstacle(table)]
            expected = predictor.expected
            found = values.astype(object).where(values.notna(), "")
            rows += [(str(patient), predictor.name, str(value), expected) for patient, value in found.items()]
        return pd.DataFrame(rows, columns=list(OBSTACLES))

    def imputed(self, table: pd.DataFrame) -> pd.DataFrame:
        """Values that were missing and are filled: ``patient_id, column, filled_with``."""
        rows = []
        clinical = list(self.clinical())
        clinical += [p for p in self.covariates() if p.name not in {known.name for known in clinical}]
        for predictor in [*self.features(), *clinical]:
            if isinstance(predictor, FeaturePredictor):
                missing = np.isnan(predictor.numbers(table))
            else:
                missing = _column(table, predictor.name).isna().to_numpy(dtype=bool)
            if predictor.fill is not None:
                rows += [(str(patient), predictor.name, predictor.fill) for patient in table.index[missing]]
        return pd.DataFrame(rows, columns=["patient_id", "column", "filled_with"])


@dataclass(frozen=True)
class LinearRule(Rule):
    """An intercept and predictors on the logit scale; without predictors the model is empty."""

    name: str
    intercept: float
    predictors: tuple[Predictor, ...] = ()

    def score(self, table: pd.DataFrame) -> np.ndarray:
        """Log-odds: the intercept and what each predictor adds, shape (rows,)."""
        total = np.full(len(table), self.intercept)
        for predictor in self.predictors:
            total = total + predictor.contribution(table)
        return total


def probability(score: np.ndarray) -> np.ndarray:
    """Probability of a log-odds score."""
    return np.asarray(scipy.special.expit(score), dtype=float)


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return value is None
    return True


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table.columns:
        raise TableError(
            file=TABLE,
            column=name,
            found="no such column",
            expected="every column that the model was trained on",
            remedy="Extract the features with the model's settings, or add the column to the participants table.",
        )
    return table[name]


def _missing(table: pd.DataFrame, name: str, missing: np.ndarray) -> TableError:
    return TableError(
        file=TABLE,
        patient=str(table.index[missing][0]),
        column=name,
        found=f"no value ({int(missing.sum())} of {len(table)} rows)",
        expected="a value, since the model was fitted on complete cases",
        remedy="Leave the patient out, or train with 'missing: impute'.",
    )
