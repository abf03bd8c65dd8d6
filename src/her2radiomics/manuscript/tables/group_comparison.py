"""Markers by group: how many values, their summaries, the test of each, and stars."""

from __future__ import annotations

import numpy as np

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.stars import LEGEND, stars
from her2radiomics.manuscript.tables.grouping import (
    OUTCOME,
    compare_columns,
    described,
    groups_of,
    tests_footnote,
)
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen, read_participants
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import table
from her2radiomics.manuscript.tables.settings import GroupComparisonTable
from her2radiomics.statistics import holm


@table("group_comparison", needs=("participants",))
def make(inputs: TableInputs, options: GroupComparisonTable) -> Table:
    """Compare continuous columns between groups, a row a column.

    A column is given as mean ± SD and tested by a t test where every group passes for normal (Shapiro–Wilk), else as
    median and quartiles and tested by ranks; missing values are left out column by column and counted.

    Raises
    ------
    SettingsError
        An unknown partition or column, a column with levels, or a single group.
    TableError
        A participants file that lacks a column or holds a value that it may not hold.
    """
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    extra = [] if options.by in ("partition", OUTCOME) else [options.by]
    patients = read_participants(inputs, partitions, [*options.columns, *extra])
    columns = {name: inputs.columns[name] for name in options.columns}
    for name, column in columns.items():
        if column.kind != "continuous":
            raise SettingsError(
                f"{options.id}: found '{name}', a column with levels; expected continuous ones. "
                "Put it into a baseline table."
            )
    groups = groups_of(patients, inputs, options.by, partitions, options.id)
    if len(groups) < 2:
        found = ", ".join(group.label for group in groups) or "no group"
        raise SettingsError(f"{options.id}: found {found}; expected two groups or more to compare.")
    compared = compare_columns(patients, columns, groups, options)
    tests = list(dict.fromkeys(comparison.test for comparison in compared.values()))
    adjusted = dict(zip(columns, holm(np.array([compared[n].p for n in columns])), strict=True))
    rows = Rows()
    for name, column in columns.items():
        result, values = compared[name], patients[name]
        digits = options.digits.get(name, fmt.digits_for(values.dropna().tolist()))
        text = f"{column.heading}, {'mean ± SD' if result.mean else 'median (Q1, Q3)'}"
        cells = {
            "characteristic": column.heading,
            "summary": "mean ± SD" if result.mean else "median (Q1, Q3)",
        }
        for group in groups:
            cells |= _described(values[group.members], group.key, result.mean, digits)
        rows.add(
            text,
            cells=cells
            | {
                "p": fmt.p_value(result.p) + fmt.MARKS[tests.index(result.test)],
                "p_holm": fmt.p_value(float(adjusted[name])),
                "stars": stars(result.p),
                "test": result.test,
            },
        )
    headings = [
        heading
        for group in groups
        for heading in (
            Heading(f"{group.key}_n", "n", group.label),
            Heading(f"{group.key}_missing", "Missing", group.label),
            Heading(group.key, "Value", group.label),
        )
    ]
    tested = [Heading("p", "p")]
    tested += [Heading("p_holm", "p (Holm)")] if options.adjusted else []
    tested += [Heading("stars", "Significance")] if options.stars else []
    return Table(
        title=options.title,
        data=rows.frame(
            ["characteristic", "summary", *(h.key for h in headings), *(h.key for h in tested), "test"]
        ),
        stub="Marker",
        labels=tuple(rows.labels),
        headings=(*headings, *tested),
        footnotes=(*_footnotes(options, [compared[n].mean for n in columns], tests), *options.footnotes),
        simulated=inputs.simulated,
    )


def _described(values: pd.Series, key: str, mean: bool, digits: int) -> dict[str, str]:
    return {
        f"{key}_n": str(int(values.notna().sum())),
        f"{key}_missing": str(int(values.isna().sum())),
        key: described(values, mean=mean, digits=digits),
    }


def _footnotes(options: GroupComparisonTable, means: list[bool], tests: list[str]) -> list[str]:
    lines = []
    if any(means):
        lines.append("SD: standard deviation.")
    if not all(means):
        lines.append("Q1, Q3: lower and upper quartile.")
    undecided = [name for name in options.columns if name not in options.summaries]
    if undecided:
        lines.append(
            "Means and t tests stand where Shapiro–Wilk's test gives p > 0.05 in every group, medians and rank tests "
            "elsewhere."
        )
    lines += tests_footnote(tests)
    if options.stars:
        lines.append(f"{LEGEND}.")
    if options.adjusted:
        lines.append("Holm: corrected for the number of rows.")
    elif len(options.columns) > 1:
        lines.append(f"p values are not corrected for the {len(options.columns)} comparisons.")
    return lines
