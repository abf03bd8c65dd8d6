"""Agreement of two readers on descriptors: kappa, weighted kappa, intraclass correlation."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.fields import Partitions
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen, read_participants
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import TableOptions, table
from her2radiomics.statistics import icc, kappa

FEWEST = 2  # subjects read twice


class AgreementTable(TableOptions):
    """Agreement of two readers on what they described: kappa of levels, intraclass correlation of numbers."""

    kind: Literal["agreement"]
    readings: dict[str, str] = Field(
        min_length=1, description="Column of the first reader to the column of the second, of the same kind and levels."
    )
    weights: Literal["linear", "quadratic"] = Field("quadratic", description="Weights of kappa for ordinal columns.")
    partitions: Partitions = ()

    def columns_used(self) -> tuple[str, ...]:
        """Both readers' columns."""
        return tuple(name for pair in self.readings.items() for name in pair)


@table(
    AgreementTable,
    needs=("participants",),
    example="""
        table_s3_agreement:
          kind: agreement
          title: Agreement of two readers
          readings: {stage: stage_reader_2}
          weights: linear
    """,
)
def make(inputs: TableInputs, options: AgreementTable) -> Table:
    """Compare two readers, a row per characteristic; patients whom only one has read are left out.

    Raises
    ------
    SettingsError
        An unknown partition or column, or two columns of different kinds or levels.
    TableError
        A participants file that lacks a column.
    """
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    patients = read_participants(inputs, partitions, options.columns_used())
    rows = Rows()
    for first, second in options.readings.items():
        column, other = inputs.columns[first], inputs.columns[second]
        if (column.kind, column.levels) != (other.kind, other.levels):
            raise SettingsError(
                f"{options.id}: found '{first}' and '{second}' of different kinds or levels; expected two readings of one "
                "characteristic."
            )
        both = patients[[first, second]].dropna()
        cells = {"characteristic": column.heading, "n": str(len(both))}
        rows.add(column.heading, cells=cells | _agreement(both, column, options, inputs.level))
    level = fmt.level(inputs.level)
    headings = [
        Heading("n", "n"),
        Heading("observed", "Agreement, %"),
        Heading("kappa", f"κ ({level} CI)"),
        Heading("weighted", f"Weighted κ ({level} CI)"),
        Heading("icc", f"ICC ({level} CI)"),
    ]
    filled = [h for h in headings if any(record.get(h.key) for record in rows.records)]
    notes = _footnotes(options, [heading.key for heading in filled])
    return options.table(inputs, rows, "Characteristic", filled, notes, first=["characteristic"])


def _agreement(both: pd.DataFrame, column: Column, options: AgreementTable, level: float) -> dict[str, str]:
    if len(both) < FEWEST:
        return {}
    first, second = both.iloc[:, 0], both.iloc[:, 1]
    if column.kind == "continuous":
        values = both.to_numpy(dtype=float)
        if np.ptp(values) == 0:
            return {"icc": fmt.NOT_AVAILABLE}
        found = icc(values, "ICC2,1", level)
        return {"icc": fmt.interval(found.value, found.low, found.high, 2)}
    levels = list(column.levels)
    plain = kappa(first, second, levels, level=level)
    cells = {
        "observed": fmt.fixed(100 * plain.observed, 1),
        "kappa": fmt.interval(plain.value, plain.low, plain.high, 2),
    }
    if column.kind == "ordinal":
        weighted = kappa(first, second, levels, weights=options.weights, level=level)
        cells["weighted"] = fmt.interval(weighted.value, weighted.low, weighted.high, 2)
    return cells


def _footnotes(options: AgreementTable, keys: list[str]) -> list[str]:
    notes = []
    if "kappa" in keys:
        notes.append("κ: Cohen's kappa with the standard error of Fleiss, Cohen and Everitt; CI: confidence interval.")
    if "weighted" in keys:
        notes.append(f"Weighted κ of ordinal characteristics: {options.weights} weights.")
    if "icc" in keys:
        notes.append("ICC: intraclass correlation ICC(2,1), absolute agreement of single readings.")
    return notes
