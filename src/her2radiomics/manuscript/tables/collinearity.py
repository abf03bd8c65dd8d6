"""Variance inflation of the columns that enter a regression together."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.fields import Partitions
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen, read_participants
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import TableOptions, table
from her2radiomics.statistics import variance_inflation


class CollinearityTable(TableOptions):
    """Variance inflation of columns that enter a regression together."""

    kind: Literal["collinearity"]
    columns: tuple[str, ...] = Field(min_length=2, description="Participants columns, in order.")
    partitions: Partitions = (TRAINING,)


@table(
    CollinearityTable,
    needs=("participants",),
    example="""
        table_s4_collinearity: {kind: collinearity, title: Collinearity of the predictors, columns: [age, adc, tic]}
    """,
)
def make(inputs: TableInputs, options: CollinearityTable) -> Table:
    """Give the generalised variance inflation factor of every column, on patients without missing values.

    Raises
    ------
    SettingsError
        An unknown partition or column.
    TableError
        A participants file that lacks a column.
    """
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    patients = read_participants(inputs, partitions, options.columns)
    complete = patients[list(options.columns)].dropna()
    coded, levels = coded_columns(complete, options.columns, inputs)
    rows = Rows()
    found = variance_inflation(coded, levels).set_index("variable") if coded.shape[1] > 1 else pd.DataFrame()
    for name in options.columns:
        label = inputs.columns[name].heading
        cells = {"characteristic": label, "df": fmt.NOT_AVAILABLE, "gvif": "one value", "adjusted": fmt.NOT_AVAILABLE}
        if name in found.index:
            row = found.loc[name]
            cells |= {"df": f"{row['df']:.0f}", "gvif": _factor(row["gvif"]), "adjusted": _factor(row["adjusted"])}
        rows.add(label, cells=cells)
    headings = [Heading("df", "df"), Heading("gvif", "VIF"), Heading("adjusted", "VIF^(1/(2 df))")]
    note = (
        "VIF: generalised variance inflation factor (Fox and Monette), 1/(1 − R²) for a column of one term; the last column "
        f"compares columns of different df. {len(complete)} patients without missing values."
    )
    return options.table(inputs, rows, "Characteristic", headings, [note], first=["characteristic"])


def coded_columns(
    patients: pd.DataFrame, names: tuple[str, ...], inputs: TableInputs
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Columns as a regression takes them: numbers, ordinal levels as 0, 1, 2, …, and levels with their reference first.

    Columns with one value are left out. The reference is the first declared level that is present.
    """
    coded, levels = {}, {}
    for name in names:
        column, values = inputs.columns[name], patients[name]
        if values.nunique() < 2:
            continue
        if column.kind == "ordinal":
            values = values.map({level: float(code) for code, level in enumerate(column.levels)})
        elif column.kind == "categorical":
            levels[name] = [level for level in column.levels if (values == level).any()]
        coded[name] = values
    return pd.DataFrame(coded, index=patients.index), levels


def _factor(value: float) -> str:
    return "∞" if math.isinf(value) else fmt.fixed(value, 2)
