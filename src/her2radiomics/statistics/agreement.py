"""Agreement between readers: intraclass correlation with its interval, for one or thousands of features.

References
----------
Shrout & Fleiss, Psychological Bulletin 86 (1979) 420–428.
McGraw & Wong, Psychological Methods 1 (1996) 30–46 (intervals); as ``psych::ICC(lmer = FALSE)`` of R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics._check import BoolArray, FloatArray, distinct, one_of, public
from her2radiomics.statistics._result import Result

IccForm = Literal["ICC1,1", "ICC2,1", "ICC3,1"]
_FORMS = ("ICC1,1", "ICC2,1", "ICC3,1")


@dataclass(frozen=True)
class IntraclassCorrelation(Result):
    """Intraclass correlation of single ratings."""

    form: str
    value: float
    low: float
    high: float
    n: int
    readers: int
    level: float


@public
def icc(ratings: ArrayLike, form: IccForm = "ICC2,1", level: float = 0.95) -> IntraclassCorrelation:
    """Intraclass correlation of single ratings.

    Parameters
    ----------
    ratings
        One row per subject, one column per reader, shape (n, k), n ≥ 2, k ≥ 2, complete.
    form
        ``ICC1,1``: one-way random; ``ICC2,1``: two-way random, absolute agreement; ``ICC3,1``: two-way mixed,
        consistency.
    level
        Level of the interval.

    Raises
    ------
    ValueError
        If a rating is missing, there are too few, or the subjects do not differ for any reader (then there is
        nothing to agree on).
    """
    try:
        values = np.asarray(ratings, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("ratings: found text or rows of unequal length, expected a table of numbers.") from None
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(f"ratings: found shape {values.shape}, expected at least 2 subjects × 2 readers.")
    if not np.isfinite(values).all():
        raise ValueError(
            f"ratings: found {int((~np.isfinite(values)).sum())} missing or infinite values, expected none. "
            "Keep only the subjects that every reader has read."
        )
    squares = MeanSquares.of(values.T[:, :, None])
    value, low, high = (float(x[0]) for x in (squares.value(form), *squares.interval(form, level)))
    if np.isnan(value):
        raise ValueError("ratings: found one value throughout for every reader, expected subjects that differ.")
    return IntraclassCorrelation(form, value, low, high, values.shape[0], values.shape[1], level)


@public
def icc_table(
    reader_1: pd.DataFrame, reader_2: pd.DataFrame, form: IccForm = "ICC2,1", level: float = 0.95
) -> pd.DataFrame:
    """Intraclass correlation of every column of two readers' tables.

    Parameters
    ----------
    reader_1, reader_2
        Same rows (subjects) and same numeric columns (features) in the same order, complete.
    form, level
        As for :func:`icc`.

    Returns
    -------
    pandas.DataFrame
        One row per feature: ``feature, icc, low, high, n, note``. A feature that is constant for both readers has no
        ICC: its value is NaN and ``note`` says *constant*, or *constant, readers differ*.

    Raises
    ------
    ValueError
        If rows or columns differ between the readers, or a value is missing: the feature and row are named.
    """
    names = distinct(reader_1.columns, "reader_1, columns")
    for what, one, two in (
        ("features", reader_1.columns, reader_2.columns),
        ("subjects", reader_1.index, reader_2.index),
    ):
        if not one.equals(two):
            odd = list(one.symmetric_difference(two))[:3] or "another order"
            raise ValueError(f"reader_2: the readers' {what} differ ({odd}); expected the same in the same order.")
    if len(reader_1) < 2 or not names:
        raise ValueError(
            f"reader_1: found {len(reader_1)} subjects read twice and {len(names)} features, expected 2 and 1 at least."
        )
    values = np.stack([_numbers(table, name) for table, name in ((reader_1, "reader_1"), (reader_2, "reader_2"))])
    wrong = np.argwhere(~np.isfinite(values))
    if wrong.size:
        reader, row, column = wrong[0]
        raise ValueError(
            f"reader_{reader + 1}: feature '{names[column]}', subject {reader_1.index[row]!r}, reader {reader + 1}: "
            f"found a missing or infinite value ({len(wrong)} in all), expected finite numbers."
        )
    squares = MeanSquares.of(values)
    value, (low, high) = squares.value(form), squares.interval(form, level)
    table = pd.DataFrame({"feature": reader_1.columns, "icc": value, "low": low, "high": high})
    table["n"] = len(reader_1)
    apart = (values[0, 0] != values[1, 0]) & np.isnan(value)
    table["note"] = np.where(np.isnan(value), np.where(apart, "constant, readers differ", "constant"), "")
    return table


def _numbers(table: pd.DataFrame, reader: str) -> FloatArray:
    try:
        return table.to_numpy(dtype=float)
    except (TypeError, ValueError):
        odd = next(i for i in range(table.shape[1]) if not pd.api.types.is_numeric_dtype(table.iloc[:, i]))
        raise ValueError(
            f"{reader}, feature '{table.columns[odd]}': found {table.iloc[0, odd]!r} …, expected numbers."
        ) from None


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares of subjects and readers, each of shape (features,): what all forms and their intervals are made of.

    Attributes
    ----------
    k, n
        Readers and subjects.
    between, within
        Between and within subjects.
    columns, residual
        Between readers, and what is left.
    perfect, constant
        Whether the readers agree to the last bit, and whether the subjects do not differ for any of them.
    """

    k: int
    n: int
    between: FloatArray
    within: FloatArray
    columns: FloatArray
    residual: FloatArray
    perfect: BoolArray
    constant: BoolArray

    @classmethod
    def of(cls, values: FloatArray) -> MeanSquares:
        """From ratings, shape (readers, subjects, features)."""
        k, n, _ = values.shape
        # neither scale nor origin matter to an ICC: squares neither overflow nor lose the digits of large features
        values = np.ldexp(values, -np.frexp(np.abs(values).max(axis=(0, 1)))[1])
        values = values - values[0, 0]
        subjects, readers, grand = values.mean(axis=0), values.mean(axis=1), values.mean(axis=(0, 1))
        between = k * np.square(subjects - grand).sum(axis=0) / (n - 1)
        within = np.square(values - subjects).sum(axis=(0, 1)) / (n * (k - 1))
        columns = n * np.square(readers - grand).sum(axis=0) / (k - 1)
        residual = np.square(values - subjects - readers[:, None] + grand).sum(axis=(0, 1)) / ((n - 1) * (k - 1))
        # readers a constant apart differ by rounding alone, which is no residual
        residual = np.where(residual <= 1e-28 * (between + columns), 0.0, residual)
        perfect, constant = np.ptp(values, axis=0).max(axis=0) == 0, np.ptp(values, axis=1).max(axis=0) == 0
        return cls(k, n, between, within, columns, residual, perfect, constant)

    def value(self, form: str) -> FloatArray:
        """ICC of each feature."""
        return self._settled(self._value(form))

    def interval(self, form: str, level: float) -> tuple[FloatArray, FloatArray]:
        """Bounds of the ICC of each feature."""
        k, n, between, columns, residual = self.k, self.n, self.between, self.columns, self.residual
        upper = 1 - (1 - level) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            if form == "ICC2,1":
                value = self._value(form)
                # Satterthwaite's degrees of freedom, multiplied through by the residual, which may be 0
                shift, free = k * value * columns, (n * (1 + (k - 1) * value) - k * value) * residual
                df = (k - 1) * (n - 1) * np.square(shift + free) / ((n - 1) * np.square(shift) + np.square(free))
                f_low, f_high = scipy.special.fdtri(n - 1, df, upper), scipy.special.fdtri(df, n - 1, upper)
                noise = k * columns + (k * n - k - n) * residual
                low = n * (between - f_low * residual) / (f_low * noise + n * between)
                high = n * (f_high * between - residual) / (noise + n * f_high * between)
            else:
                error, df_error = self._error(form)
                least = between / scipy.special.fdtri(n - 1, df_error, upper)
                most = between * scipy.special.fdtri(df_error, n - 1, upper)
                low, high = (least - error) / (least + (k - 1) * error), (most - error) / (most + (k - 1) * error)
        return self._settled(low), self._settled(high)

    def _value(self, form: str) -> FloatArray:
        one_of(form, _FORMS, "form")
        k, between = self.k, self.between
        with np.errstate(divide="ignore", invalid="ignore"):
            if form == "ICC2,1":
                spread = between + (k - 1) * self.residual + k * (self.columns - self.residual) / self.n
                return (between - self.residual) / spread
            error, _ = self._error(form)
            return (between - error) / (between + (k - 1) * error)

    def _error(self, form: str) -> tuple[FloatArray, int]:
        """Mean square of the error of a one-way or consistency form, and its degrees of freedom."""
        if form == "ICC1,1":
            return self.within, self.n * (self.k - 1)
        return self.residual, (self.n - 1) * (self.k - 1)

    def _settled(self, found: FloatArray) -> FloatArray:
        """1 where readers agree to the last bit; nothing where the subjects do not differ."""
        return np.where(self.constant, np.nan, np.where(self.perfect, 1.0, found))
