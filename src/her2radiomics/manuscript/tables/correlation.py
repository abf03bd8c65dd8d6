"""Rank correlation of markers with an outcome or with other columns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.fields import Partitions
from her2radiomics.manuscript.tables.grouping import OUTCOME
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen, read_participants
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import TableOptions, table
from her2radiomics.statistics import rank_correlation

FEWEST = 4  # pairs that an interval needs


class CorrelationTable(TableOptions):
    """Rank correlation of columns with an outcome or other columns."""

    kind: Literal["correlation"]
    columns: tuple[str, ...] = Field(min_length=1, description="Continuous or ordinal columns, a row each.")
    against: tuple[str, ...] = Field(
        (OUTCOME,), min_length=1, description="'label', or columns that are ordinal, continuous or have two levels."
    )
    partitions: Partitions = ()

    def columns_used(self) -> tuple[str, ...]:
        """Columns of rows and counterparts."""
        return tuple(dict.fromkeys(name for name in (*self.columns, *self.against) if name != OUTCOME))


@table(
    CorrelationTable,
    needs=("participants",),
    example="""
        table_s5_correlation:
          kind: correlation
          title: Markers and outcome
          columns: [age, adc]
          against: [label, stage]
    """,
)
def make(inputs: TableInputs, options: CorrelationTable) -> Table:
    """Give Spearman's ρ with its interval and p, a row per column and a group of columns a counterpart.

    Raises
    ------
    SettingsError
        An unknown partition or column, or a column with several levels without order.
    TableError
        A participants file that lacks a column.
    """
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    named = options.columns_used()
    patients = read_participants(inputs, partitions, named)
    numbers = pd.DataFrame({name: _ranked(patients, name, inputs, options.id) for name in (*named, OUTCOME)})
    rows = Rows()
    for name in options.columns:
        cells = {"characteristic": inputs.columns[name].heading}
        for other in options.against:
            pairs = numbers[[name, other]].dropna() if name != other else numbers[:0]
            if len(pairs) < FEWEST:
                continue
            found = rank_correlation(pairs[name], pairs[other], inputs.level)
            cells |= {
                f"{other}_rho": fmt.interval(found.value, found.low, found.high, 2),
                f"{other}_p": fmt.p_value(found.p),
                f"{other}_n": str(found.n),
            }
        rows.add(inputs.columns[name].heading, cells=cells)
    headings = [
        heading
        for other in options.against
        for heading in (
            Heading(f"{other}_rho", f"ρ ({fmt.level(inputs.level)} CI)", _label(other, inputs)),
            Heading(f"{other}_p", "p", _label(other, inputs)),
            Heading(f"{other}_n", "n", _label(other, inputs)),
        )
    ]
    note = (
        "ρ: Spearman's rank correlation; of two levels the second is coded higher. CI: confidence interval (Bonett and "
        f"Wright). p values are not corrected for the {len(options.columns) * len(options.against)} comparisons."
    )
    return options.table(inputs, rows, "Characteristic", headings, [note], first=["characteristic"])


def _label(name: str, inputs: TableInputs) -> str:
    if name == OUTCOME:
        return f"{inputs.outcome.positive} vs {inputs.outcome.negative}"
    column = inputs.columns[name]
    return f"{column.label} ({list(column.levels.values())[-1]})" if len(column.levels) == 2 else column.label


def _ranked(patients: pd.DataFrame, name: str, inputs: TableInputs, table: str) -> pd.Series:
    """Numbers as they are, levels in their order."""
    if name == OUTCOME:
        return patients[OUTCOME].astype(float)
    column = inputs.columns[name]
    if column.kind == "continuous":
        return patients[name]
    if column.kind == "categorical" and len(column.levels) > 2:
        raise SettingsError(
            f"{table}: found '{name}' with {len(column.levels)} levels without order; expected a number, an ordinal column, "
            "or two levels."
        )
    return patients[name].map({level: float(code) for code, level in enumerate(column.levels)})
