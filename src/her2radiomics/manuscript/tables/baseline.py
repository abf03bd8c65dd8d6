"""Characteristics of the patients by group, with the tests that journals ask for."""

from __future__ import annotations

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables.grouping import (
    OUTCOME,
    Group,
    any_of,
    compare_columns,
    described,
    groups_of,
    tests_footnote,
)
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen, read_participants
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import table
from her2radiomics.manuscript.tables.settings import AS_A_ROW, BaselineTable


@table("baseline", needs=("participants",))
def make(inputs: TableInputs, options: BaselineTable) -> Table:
    """Describe the patients by partition, outcome or another column.

    Continuous columns are given as mean ± SD where every group passes for normal, else as median and
    quartiles; columns with levels as counts and percentages of the patients whose value is known.

    Raises
    ------
    SettingsError
        An unknown partition or column, or a single group to compare.
    TableError
        A participants file that lacks a column or holds a value that it may not hold.
    """
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    extra = [] if options.by in ("partition", OUTCOME) else [options.by]
    named = [name for name in options.columns if name != AS_A_ROW]
    patients = read_participants(inputs, partitions, [*named, *extra])
    groups = groups_of(patients, inputs, options.by, partitions, options.id)
    if options.test and len(groups) < 2:
        raise SettingsError(
            f"{options.id}: found one group, {groups[0].label}; expected two or more. Say test: false."
        )
    order = [AS_A_ROW, *options.columns] if options.outcome else list(options.columns)
    known_columns = {**inputs.columns, OUTCOME: _outcome(inputs)}
    order = [OUTCOME if name == AS_A_ROW else name for name in order]
    columns = {name: known_columns[name] for name in order if not name == options.by == OUTCOME}
    patients[OUTCOME] = patients[OUTCOME].astype(str)
    compared = compare_columns(patients, columns, groups, options)
    tests = list(dict.fromkeys(comparison.test for comparison in compared.values() if comparison.test))
    printed = [*groups, Group("all", "All patients", any_of(groups))] if options.overall else groups
    rows = Rows()
    for name, column in columns.items():
        result = compared[name]
        cells = (
            {
                "statistic": fmt.fixed(result.statistic, 3),
                "p": fmt.p_value(result.p) + fmt.MARKS[tests.index(result.test)],
                "test": result.test,
            }
            if result.test
            else {}
        )
        if column.kind == "continuous":
            digits = options.digits.get(name, fmt.digits_for(patients[name].dropna().tolist()))
            _add_numbers(rows, column, patients[name], printed, result.mean, digits, cells)
        else:
            _add_levels(rows, column, patients[name], printed, cells)
    headings = [
        Heading(group.key, f"{group.label}, n\u00a0=\u00a0{int(group.members.sum())}") for group in printed
    ]
    name = "χ²" if all(test.startswith("χ²") for test in tests) else "Statistic"
    tests_printed = [Heading("statistic", name)] if options.statistic else []
    tests_printed = [*tests_printed, Heading("p", "p")] if options.test else []
    tested = [*(heading.key for heading in tests_printed), "test"] if options.test else []
    return Table(
        title=options.title,
        data=rows.frame(["characteristic", "level", *(heading.key for heading in headings), *tested]),
        stub="Characteristic",
        labels=tuple(rows.labels),
        headings=(*headings, *tests_printed),
        footnotes=(*_footnotes(rows, tests), *options.footnotes),
        simulated=inputs.simulated,
    )


def _outcome(inputs: TableInputs) -> Column:
    return Column.model_validate(
        {
            "label": inputs.outcome.label,
            "kind": "categorical",
            "levels": {"1": inputs.outcome.positive, "0": inputs.outcome.negative},
        }
    )


def _add_numbers(
    rows: Rows,
    column: Column,
    values: pd.Series,
    groups: list[Group],
    mean: bool,
    digits: int,
    tested: dict[str, str],
) -> None:
    text = f"{column.heading}, {'mean ± SD' if mean else 'median (Q1, Q3)'}"
    cells = {group.key: described(values[group.members], mean=mean, digits=digits) for group in groups}
    rows.add(text, cells={"characteristic": text, **cells, **tested})
    _add_missing(rows, text, values, groups)


def _add_levels(
    rows: Rows, column: Column, values: pd.Series, groups: list[Group], tested: dict[str, str]
) -> None:
    head = f"{column.label}, n (%)"
    rows.add(head, cells={"characteristic": head, **tested})
    for level, label in column.levels.items():
        cells = {}
        for group in groups:
            mine = values[group.members]
            cells[group.key] = fmt.count_percent(int((mine == level).sum()), int(mine.notna().sum()))
        rows.add(label, 1, cells={"characteristic": head, "level": label, **cells})
    _add_missing(rows, head, values, groups)


def _add_missing(rows: Rows, head: str, values: pd.Series, groups: list[Group]) -> None:
    counts = {group.key: str(int(values[group.members].isna().sum())) for group in groups}
    if any(count != "0" for count in counts.values()):
        rows.add("Missing, n", 1, cells={"characteristic": head, "level": "Missing", **counts})


def _footnotes(rows: Rows, tests: list[str]) -> list[str]:
    texts = [label.text for label in rows.labels]
    lines = []
    if any(text.endswith("mean ± SD") for text in texts):
        lines.append("SD: standard deviation.")
    if any(text.endswith("median (Q1, Q3)") for text in texts):
        lines.append("Q1, Q3: lower and upper quartile.")
    if "Missing, n" in texts:
        lines.append("Percentages and tests leave out patients whose value is missing.")
    lines += tests_footnote(tests)
    return lines
