"""What a participants column means: its kind, unit, levels, and when its value is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core import tables
from her2radiomics.core.brought.likeness import near_match, spelling_variants
from her2radiomics.core.brought.numbers import MISSING, number, why_no_number
from her2radiomics.core.brought.origins import Origins
from her2radiomics.core.derivation import LevelRule, derive, sources, with_definition
from her2radiomics.core.errors import Problems, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.measures import Measured
from her2radiomics.core.settings import Settings, validate

Stage = Literal["before_treatment", "during_treatment", "after_surgery", "follow_up"]
# in the order of time, and in words: a column may be used by a prediction made at its own stage or later
STAGES: dict[Stage, str] = {
    "before_treatment": "before treatment",
    "during_treatment": "during treatment",
    "after_surgery": "after surgery",
    "follow_up": "during follow-up",
}


class Column(Settings):
    """One clinical or imaging column of the participants table."""

    label: str = Field(description="Name as tables and figures print it.")
    kind: Literal["continuous", "categorical", "ordinal"] = Field(
        description="continuous: a number; categorical: levels without order; ordinal: levels entered as 0, 1, 2, …"
    )
    unit: str = Field("", description="Unit of a continuous column, as printed.")
    levels: dict[str, str] = Field(
        default_factory=dict,
        description="Levels in the table (key) and as printed (value); the first is the reference.",
    )
    cut: float | None = Field(
        None,
        description="Cut a number in the table into two levels: below the cut the first, from the cut on the second.",
    )
    optional: bool = Field(
        False, description="Whether a participants table may lack the column: all its values are then missing."
    )
    available_at: Stage = Field("before_treatment", description="When the value is known.")
    derived: tuple[LevelRule, ...] = Field(
        (),
        description="Make the column from others by rules: the first that holds gives the level, none a missing value.",
    )
    measured: Measured | None = Field(
        None,
        description="Measure the column from the patient's images; where they do not allow it, the table's own value stays.",
    )
    definition: str | None = Field(
        None,
        description="A definition that comes with the project, whose keys these are laid over: her2_asco_cap_2018 (from "
        "her2_ihc, fish_ratio and her2_copies).",
    )

    @model_validator(mode="before")
    @classmethod
    def _defined(cls, value: Any) -> Any:
        """What a named definition says, where the column does not say otherwise."""
        return with_definition(value) if isinstance(value, Mapping) and value.get("definition") else value

    missing: tuple[str | int | float, ...] = Field(
        (), description="Values that mean that nothing is known, such as 999 or unknown; empty cells and NA always do."
    )
    range: tuple[float, float] | None = Field(
        None, description="Smallest and largest number that the column may hold; a value beyond is refused."
    )

    @model_validator(mode="after")
    def _levels_fit_kind(self) -> Column:
        if self.kind == "continuous" and (self.levels or self.cut is not None):
            raise ValueError("a continuous column has neither levels nor a cut; to cut it, make it categorical")
        if self.kind != "continuous" and len(self.levels) < 2:
            raise ValueError(f"a {self.kind} column needs at least two levels, found {len(self.levels)}")
        if self.cut is not None and len(self.levels) != 2:
            raise ValueError(f"a cut makes two levels, found {len(self.levels)}")
        unknown = [rule.level for rule in self.derived if rule.level not in self.levels]
        if unknown:
            raise ValueError(f"derived: '{unknown[0]}' is no level; levels: {', '.join(self.levels) or 'none'}")
        if self.derived and self.cut is not None:
            raise ValueError("a derived column has no cut")
        if self.measured:
            self._check_measured(self.measured)
        if self.range is not None and ((self.levels and self.cut is None) or self.range[0] >= self.range[1]):
            raise ValueError("a range is the smallest and the largest number of a column of numbers")
        alike = next(spelling_variants(self.levels), None)
        if alike:
            raise ValueError(
                f"the levels '{alike[0]}' and '{alike[1]}' differ in spelling alone; recode one to the other"
            )
        return self

    def _check_measured(self, measured: Measured) -> None:
        name, unit = measured.measure, measured.about.unit
        if self.derived:
            raise ValueError("found derived and measured; expected one of the two")
        if name == "tic_type" and (len(self.levels) != 3 or self.cut is not None):
            raise ValueError(
                "measured: tic_type needs three levels: persistent, plateau and wash-out, as you name them"
            )
        if name != "tic_type" and self.kind != "continuous" and self.cut is None:
            raise ValueError(f"measured: {name} is a number; the column is continuous, or has a cut")
        if self.kind == "continuous" and self.unit != unit:
            raise ValueError(f"measured: {name} is in '{unit}', the column in '{self.unit}'; set unit: '{unit}'")

    @property
    def may_be_absent(self) -> bool:
        """Whether a participants table may lack the column without its being derived: it is optional, or measured."""
        return self.optional or self.measured is not None

    @property
    def heading(self) -> str:
        """Label with its unit, for an axis or a table row."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def columns_from(content: Mapping[str, Mapping[str, Any]]) -> dict[str, Column]:
    """Participants columns from a rule's parameter."""
    return {name: validate(Column, column, f"columns.{name}") for name, column in content.items()}


def type_column(values: pd.Series, column: Column, *, file: str | Origins) -> pd.Series:
    """Turn the text of a participants column into numbers or levels.

    Parameters
    ----------
    values
        Text, indexed by patient identifier.
    column
        What the column may hold.
    file
        The table's path, or where each of its cells stood in the user's files; named in errors.

    Returns
    -------
    pandas.Series
        ``float64`` for continuous columns (missing is NaN), the levels' keys as text otherwise (missing is ``None``).

    Raises
    ------
    TableError
        Values that are neither missing nor allowed, each with the patient, the column and what is allowed.
    """
    named = {str(value) for value in column.missing}
    # a declared level is a level, though it is called NA or None
    nothing = {*MISSING, *named} - {level for level in column.levels if level}
    cells = values.astype("string").str.strip().to_numpy(dtype=object, na_value=None)
    text = pd.Series([None if cell in nothing else cell for cell in cells], values.index, object, values.name)
    # our own tables hold the levels that a number was cut into; those are taken as they are
    cut_already = column.cut is not None and text.dropna().isin(list(column.levels)).all()
    if (column.kind == "continuous" or column.cut is not None) and not cut_already:
        numbers = pd.Series([None if cell is None else number(cell) for cell in text], text.index, dtype="float64")
        _refuse(values, text.notna() & numbers.isna(), "a number", file, column)
        codes = [value for value in map(number, named) if value is not None]
        numbers = numbers.mask(numbers.isin(codes)) if codes else numbers
        if column.range is not None:
            low, high = column.range
            _refuse(values, (numbers < low) | (numbers > high), f"a number from {low:g} to {high:g}", file, column)
        _refuse(values, numbers.abs() == float("inf"), "a number", file, column)
        if column.cut is None:
            return numbers
        below, above = column.levels
        cut = numbers.ge(column.cut).map({False: below, True: above}).astype(object)
        return cut.where(numbers.notna(), None)
    known = list(column.levels)
    _refuse(values, text.notna() & ~text.isin(known), f"one of {', '.join(known)}", file, column)
    return text


def type_table(text: pd.DataFrame, columns: Mapping[str, Column], *, file: str | Origins) -> pd.DataFrame:
    """Type every column that the table holds, and make the derived ones whose sources it holds.

    Where the rules give no level, the table's own value of a derived column stays: what readers decided.

    Parameters
    ----------
    text
        Participants, all text, indexed by patient identifier.
    columns
        What the columns may hold; a derived column comes after those that it is made from.
    file
        The table's path, named in errors.

    Returns
    -------
    pandas.DataFrame
        Typed as :func:`type_column` does, in the order of ``columns``; those that cannot be had are left out.

    Raises
    ------
    TableError
        As :func:`type_column`; a derived column that the table holds with another value than its rules give.
    """
    typed: dict[str, pd.Series] = {}
    problems = Problems()
    for name, column in columns.items():
        with problems.collect():
            found = text.get(name, pd.Series("", index=text.index) if column.may_be_absent else None)
            given = None if found is None else type_column(found, column, file=file)
            if not column.derived or any(source not in typed for source in sources(column)):
                made = given
            else:
                made = derive(pd.DataFrame(typed, index=text.index), column)
                if given is not None:
                    _refuse_other(given, made, column, file)
                    made = made.where(made.notna(), given)
            if made is not None:
                typed[name] = made.rename(name)
    problems.refuse()
    return pd.DataFrame(typed, index=text.index)


def _refuse_other(given: pd.Series, made: pd.Series, column: Column, file: str | Origins) -> None:
    """Refuse a table whose own value of a derived column is not what its rules give."""
    other = given.notna() & made.notna() & (given != made)
    problems = Problems()
    for patient in given.index[other.to_numpy(dtype=bool)]:
        problems.append(
            Origins.of(file).problem(
                patient=str(patient),
                column=str(given.name),
                found=f"'{given[patient]}'",
                expected=f"'{made[patient]}', which the column's rules make from {', '.join(sources(column))}",
                remedy="Correct one of the cells, or leave the column out of the table: it is derived.",
            )
        )
    problems.refuse()


def _refuse(values: pd.Series, wrong: pd.Series, expected: str, file: str | Origins, column: Column) -> None:
    """Refuse all wrong cells of a column at once."""
    problems = Problems()
    for place in np.flatnonzero(wrong.fillna(False).to_numpy(dtype=bool)):
        cell = str(values.iloc[place])
        near = near_match(cell, column.levels) or next((k for k, label in column.levels.items() if label == cell), "")
        advice = why_no_number(cell) if expected.startswith("a number") else ""
        if near:
            advice = f"Did you mean '{near}'? Correct the cell, or recode it in the cohort file."
        elif not advice:
            advice = (
                "Correct the cell, or name the value under 'missing' in the protocol's column."
                if expected.startswith("a number")
                else "Correct the cell, recode it in the cohort file, or declare the level in the protocol."
            )
        problems.append(
            Origins.of(file).problem(
                patient=str(values.index[place]),
                column=str(values.name),
                found=f"'{cell}'",
                expected=f"{expected} (or an empty cell)",
                remedy=advice,
            )
        )
    problems.refuse()


def read_participants(path: str | Path, columns: Mapping[str, Column]) -> pd.DataFrame:
    """Read the participants of a run or partition, with the protocol's columns as numbers and levels.

    Returns
    -------
    pandas.DataFrame
        ``patient_id``, ``centre`` and ``partition`` as text, ``label`` as ``int``, then the columns.

    Raises
    ------
    TableError
        A column is missing, or holds a value that it may not hold.
    """
    table = tables.read("participants", path).set_index("patient_id")
    typed = {name: type_column(_present(table, name, path), column, file=str(path)) for name, column in columns.items()}
    keys = table[["centre", "partition", "label"]]
    return keys.join(pd.DataFrame(typed, index=table.index)).reset_index()


def _present(table: pd.DataFrame, name: str, path: str | Path) -> pd.Series:
    """A column of the protocol."""
    if name not in table:
        raise TableError(
            file=path,
            column=name,
            found=f"the columns {', '.join(table.columns)}",
            expected=f"also {name}, which the protocol declares",
            remedy=tables.AGAIN,
        )
    return table[name]


def known_at(stage: Stage, prediction_at: Stage) -> bool:
    """Whether what is known from a stage on is known when the prediction is made."""
    order = list(STAGES)
    return order.index(stage) <= order.index(prediction_at)


def level_labels(columns: Mapping[str, Column]) -> dict[str, dict[str, str]]:
    """Printed names of the levels of every column that has levels."""
    return {name: dict(column.levels) for name, column in columns.items() if column.levels}
