"""From a table of mixed columns to a numeric design: treatment coding with an explicit reference level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2radiomics.core.libraries import pd, scipy
from her2radiomics.statistics._check import FloatArray, distinct, public

Levels = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Coding:
    """How the columns of a table become terms: learnt once, applied to any table with the same columns.

    ``levels`` holds, for each categorical variable, its levels with the reference first; a variable that is
    not in it is numeric.
    """

    variables: tuple[str, ...]
    levels: Mapping[str, tuple[Any, ...]]

    @property
    def terms(self) -> list[str]:
        """Names of the design's columns: ``column`` or ``column[level]``."""
        return [term for variable in self.variables for term in self.terms_of(variable)]

    def terms_of(self, variable: str) -> list[str]:
        """Names of the terms of one variable."""
        if variable not in self.levels:
            return [variable]
        return [f"{variable}[{level}]" for level in self.levels[variable][1:]]

    def positions(self, variable: str) -> slice:
        """Columns of the variable's terms in the design."""
        before = 0
        for name in self.variables:
            width = len(self.terms_of(name))
            if name == variable:
                return slice(before, before + width)
            before += width
        raise KeyError(variable)

    def of(self, variables: Sequence[str]) -> Coding:
        """Return the coding of some of the variables, in their order."""
        return Coding(tuple(variables), {name: self.levels[name] for name in variables if name in self.levels})

    def matrix(self, table: pd.DataFrame) -> FloatArray:
        """Return the design, shape (rows, terms), without an intercept; see :meth:`blocks`."""
        return joined(self.blocks(table).values(), len(table))

    def blocks(self, table: pd.DataFrame, *, learnt: bool = False) -> dict[str, FloatArray]:
        """Return the columns of the design by variable, each of shape (rows, terms of the variable).

        ``learnt``: the coding was learnt from this table, so that no value is missing and no level new.

        Raises
        ------
        ValueError
            If a column is absent, a value is missing or infinite, or a level is not one of those learnt.
        """
        table = _named(table)
        absent = [name for name in self.variables if name not in table.columns]
        if absent:
            raise ValueError(
                f"table, column '{absent[0]}': found no such column, expected {', '.join(self.variables)}."
            )
        parts: dict[str, FloatArray] = {}
        for name in self.variables:
            column = table[name]
            if not learnt:
                _refuse_missing(column, name)
            if name not in self.levels:
                parts[name] = _numbers(column, name)[:, None]
                continue
            known = self.levels[name]
            cells = column.to_numpy(dtype=object)
            unseen = [] if learnt else [value for value in dict.fromkeys(cells) if value not in known]
            if unseen:
                raise ValueError(
                    f"table, column '{name}': found level '{unseen[0]}', expected one of {', '.join(map(str, known))}."
                )
            parts[name] = np.stack([(cells == level).astype(float) for level in known[1:]], axis=1)
        return parts


def joined(blocks: Iterable[FloatArray], rows: int) -> FloatArray:
    """The blocks of a design side by side, shape (rows, terms)."""
    parts = list(blocks)
    return np.concatenate(parts, axis=1) if parts else np.empty((rows, 0))


@public
def treatment_coding(table: pd.DataFrame, levels: Levels | None = None) -> Coding:
    """Learn the coding of a table.

    Parameters
    ----------
    table
        One row per patient. Numeric and boolean columns become one term; text and categorical columns, and
        every column named in ``levels``, one term a level but the reference.
    levels
        For a column, its levels with the reference first. Without it the reference is the first category of a
        categorical column, and the first of the sorted levels of a text column. Levels without rows are left
        out.

    Raises
    ------
    ValueError
        If ``levels`` names an absent column, a reference level without rows, or misses a level; if a column
        is constant or has missing values.
    """
    table, levels = _named(table), {str(name): listed for name, listed in (levels or {}).items()}
    for name in levels:
        if name not in table.columns:
            raise ValueError(f"levels: found '{name}', expected a column of the table.")
    coded: dict[str, tuple[Any, ...]] = {}
    for name in table.columns:
        column = table[name]
        _refuse_missing(column, name)
        present = column.unique()
        if len(present) < 2:
            raise ValueError(
                f"table, column '{name}': found one value ({present[0] if len(present) else 'none'}) in all "
                f"{len(column)} rows; expected a column that varies. Leave it out."
            )
        if name in levels:
            order = list(levels[name])
        elif isinstance(column.dtype, pd.CategoricalDtype):
            order = list(column.dtype.categories)
        elif pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            continue
        else:
            order = sorted(present, key=str)
        missed = [value for value in present if value not in order]
        if missed:
            raise ValueError(
                f"table, column '{name}': found level '{missed[0]}', expected one of {', '.join(map(str, order))}."
            )
        if order[0] not in present:
            raise ValueError(
                f"table, column '{name}': found no row with the reference level '{order[0]}'; expected some. "
                "Choose another reference level."
            )
        distinct(order, f"table, column '{name}', levels")
        coded[name] = tuple(level for level in order if level in present)
    coding = Coding(tuple(table.columns), coded)
    distinct(coding.terms, "table, terms")
    return coding


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its columns named by text."""
    if not hasattr(table, "columns"):
        raise ValueError(f"table: found {type(table).__name__}, expected a pandas DataFrame.")
    return table.set_axis(distinct(table.columns, "table, columns"), axis=1)


def refuse_aliased(design: FloatArray, terms: list[str], most: int) -> None:
    """Refuse a design without full rank, naming the terms that the others determine, or of more than ``most`` terms.

    Raises
    ------
    ValueError
        There is no term, or too many, or one is a combination of others.
    """
    if not terms:
        raise ValueError("table: found no column, expected at least one predictor.")
    if len(terms) > most:
        raise ValueError(
            f"table: found {len(terms)} terms for {len(design)} rows, expected at most {most}. Select variables first."
        )
    if len(terms) == 1:
        return
    standardised = (design - design.mean(axis=0)) / design.std(axis=0)
    triangle, order = scipy.linalg.qr(standardised, mode="r", pivoting=True)
    diagonal = np.abs(np.diag(triangle))
    aliased = [terms[i] for i in sorted(order[: diagonal.size][diagonal < 1e-10 * diagonal[0]])]
    if aliased:
        raise ValueError(
            f"table, term '{aliased[0]}': found a combination of the other terms, expected independent terms. "
            f"Leave out {', '.join(aliased)}."
        )


def _refuse_missing(column: pd.Series, name: str) -> None:
    missing = int(column.isna().sum())
    if missing:
        raise ValueError(
            f"table, column '{name}': found {missing} missing of {len(column)} values, expected none. "
            "Keep complete rows or impute on training rows first."
        )


def _numbers(column: pd.Series, name: str) -> FloatArray:
    try:
        values = column.to_numpy(dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"table, column '{name}': found {column.iloc[0]!r} …, expected numbers.") from None
    if not np.isfinite(values).all():
        raise ValueError(f"table, column '{name}': found an infinite value, expected finite numbers.")
    return values
