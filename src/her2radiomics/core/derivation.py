"""Columns that follow from other columns of the participants table by stated rules: shape by two of three, HER2 status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings, read_yaml

if TYPE_CHECKING:
    from her2radiomics.core.columns import Column

DEFINITIONS = Path(__file__).with_name("definitions")


class Condition(Settings):
    """What a column must hold; a missing value meets no condition. A bare text or list names levels."""

    levels: tuple[str, ...] = Field((), description="One of these levels.")
    at_least: float | None = Field(None, description="A number of at least this.")
    below: float | None = Field(None, description="A number below this.")

    @model_validator(mode="before")
    @classmethod
    def _bare_levels(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"levels": (value,)}
        return {"levels": tuple(value)} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _one_kind(self) -> Condition:
        numeric = self.at_least is not None or self.below is not None
        if bool(self.levels) == numeric:
            raise ValueError("expected levels, or at_least and below")
        return self

    def holds(self, values: pd.Series) -> pd.Series:
        """Whether each value meets the condition, for typed values (missing: ``None`` or NaN)."""
        if self.levels:
            return values.isin(list(self.levels))
        met = values.notna()
        if self.at_least is not None:
            met &= values >= self.at_least
        if self.below is not None:
            met &= values < self.below
        return met


class LevelRule(Settings):
    """When a derived column takes a level: enough groups of conditions hold, each with all its conditions."""

    level: str = Field(description="The level.")
    of: tuple[dict[str, Condition], ...] = Field(
        min_length=1, description="Groups of conditions: column to what it must hold."
    )
    at_least: int = Field(1, ge=1, description="How many of the groups must hold.")

    @model_validator(mode="after")
    def _enough(self) -> LevelRule:
        if self.at_least > len(self.of):
            raise ValueError(f"at_least: found {self.at_least} of {len(self.of)} groups of conditions")
        return self

    def holds(self, table: pd.DataFrame) -> pd.Series:
        """Whether each row of a typed table takes the level."""
        met = [
            np.logical_and.reduce([condition.holds(table[name]).to_numpy(bool) for name, condition in group.items()])
            for group in self.of
        ]
        return pd.Series(np.sum(met, axis=0) >= self.at_least, index=table.index)


def sources(column: Column) -> tuple[str, ...]:
    """Columns that a derived column is made from, each once; none of a column that is read."""
    return tuple(dict.fromkeys(name for rule in column.derived for group in rule.of for name in group))


def with_sources(names: Iterable[str], columns: Mapping[str, Column]) -> set[str]:
    """The columns of these names, and all that they are derived from."""
    found = list(names)
    for name in found:
        if name in columns:
            found += [source for source in sources(columns[name]) if source not in found]
    return set(found)


def derive(table: pd.DataFrame, column: Column) -> pd.Series:
    """The level of each row: that of the first rule that holds, missing where none does.

    Parameters
    ----------
    table
        Typed columns, among them the :func:`sources`.
    column
        A derived column.
    """
    made = np.full(len(table), None, dtype=object)
    for rule in reversed(column.derived):
        made[rule.holds(table).to_numpy()] = rule.level
    return pd.Series(made, index=table.index, dtype=object)


def with_definition(content: Mapping[str, Any]) -> dict[str, Any]:
    """A column's settings laid over those of the definition that it names (a file in ``core/definitions``).

    Raises
    ------
    SettingsError
        There is no such definition; the nearest is named.
    """
    base = _definition(str(content["definition"]))
    return {**base, **content}


@cache
def _definition(name: str) -> dict[str, Any]:
    return read_yaml(DEFINITIONS / f"{name}.yaml")
