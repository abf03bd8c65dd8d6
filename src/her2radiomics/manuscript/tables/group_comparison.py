"""Markers by group: how many values, their summaries, the test of each, and stars."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.errors import SettingsError
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.stars import LEGEND, stars
from her2radiomics.manuscript.tables.grouping import (
    ComparedOptions,
    abbreviations,
    compare_columns,
    described,
    grouped,
    tests_footnote,
)
from her2radiomics.manuscript.tables.inputs import TableInputs
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import table
from her2radiomics.statistics import holm


class GroupComparisonTable(ComparedOptions):
    """Markers by group: numbers, summaries, the test of each, and stars."""

    kind: Literal["group_comparison"]
    columns: tuple[str, ...] = Field(min_length=1, description="Continuous participants columns, in order.")
    stars: bool = Field(False, description="Mark p < 0.05, 0.01 and 0.001 with stars.")
    adjusted: bool = Field(False, description="Print p values after Holm's correction over the rows, too.")


@table(
    GroupComparisonTable,
    needs=("participants",),
    example="""
        table_s3_markers: {kind: group_comparison, title: Markers by outcome, columns: [age, adc], adjusted: true}
    """,
)
def make(inputs: TableInputs, options: GroupComparisonTable) -> Table:
    """Compare continuous columns between groups, a row per column.

    A column is given as mean ± SD and tested by a t test where every group passes for normal (Shapiro–Wilk), else as
    median and quartiles and tested by ranks; missing values are left out column by column and counted.

    Raises
    ------
    SettingsError
        An unknown partition or column, a column with levels, or a single group.
    TableError
        A participants file that lacks a column or holds a value that it may not hold.
    """
    patients, groups = grouped(inputs, options)
    columns = {name: inputs.columns[name] for name in options.columns}
    for name, column in columns.items():
        if column.kind != "continuous":
            raise SettingsError(
                f"{options.id}: found '{name}', a column with levels; expected continuous ones. "
                "Put it into a baseline table."
            )
    if len(groups) < 2:
        found = ", ".join(group.label for group in groups) or "no group"
        raise SettingsError(f"{options.id}: found {found}; expected two groups or more to compare.")
    compared = compare_columns(patients, columns, groups, options)
    tests = list(dict.fromkeys(comparison.test for comparison in compared.values()))
    adjusted = holm(np.array([compared[name].p for name in columns]))
    rows = Rows()
    for (name, column), p_holm in zip(columns.items(), adjusted, strict=True):
        result, digits = compared[name], options.digits_of(name, patients[name])
        cells = {
            "characteristic": column.heading,
            "summary": result.summary,
            "p": result.marked_p(tests),
            "p_holm": fmt.p_value(float(p_holm)),
            "stars": stars(result.p),
            "test": result.test,
        }
        for group in groups:
            values = patients.loc[group.members, name]
            cells[f"{group.key}_n"] = str(int(values.notna().sum()))
            cells[f"{group.key}_missing"] = str(int(values.isna().sum()))
            cells[group.key] = described(values, mean=result.mean, digits=digits)
        rows.add(f"{column.heading}, {result.summary}", cells=cells)
    headings = [
        Heading(f"{group.key}{end}", label, group.label)
        for group in groups
        for end, label in (("_n", "n"), ("_missing", "Missing"), ("", "Value"))
    ]
    headings.append(Heading("p", "p"))
    headings += [Heading("p_holm", "p (Holm)")] if options.adjusted else []
    headings += [Heading("stars", "Significance")] if options.stars else []
    notes = abbreviations(compared[name].mean for name in columns)
    if set(options.columns) - set(options.summaries):
        notes.append(
            "Means and t tests are given where Shapiro–Wilk's test gives p > 0.05 in every group, medians and rank tests "
            "elsewhere."
        )
    notes += tests_footnote(tests)
    notes += [f"{LEGEND}."] if options.stars else []
    if options.adjusted:
        notes.append("Holm: corrected for the number of rows.")
    elif len(options.columns) > 1:
        notes.append(f"p values are not corrected for the {len(options.columns)} comparisons.")
    return options.table(inputs, rows, "Marker", headings, notes, first=["characteristic", "summary"], last=["test"])
