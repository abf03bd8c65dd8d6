"""Characteristics of the patients by group, with the tests that journals ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from her2radiomics.columns import Column
from her2radiomics.errors import SettingsError
from her2radiomics.manuscript.tables import formatting as fmt
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen, known, read_participants
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import table
from her2radiomics.manuscript.tables.settings import BaselineTable

if TYPE_CHECKING:
    import pandas as pd

OUTCOME = "label"


@dataclass(frozen=True)
class _Group:
    """A printed column of patients; ``members`` is a boolean array over all patients."""

    key: str
    label: str
    members: Any


@dataclass(frozen=True)
class _Comparison:
    """How one column is described, and what its test says."""

    mean: bool
    p: float
    test: str


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
    patients = read_participants(inputs, partitions, [*options.columns, *extra])
    groups = _groups(patients, inputs, options, partitions)
    if options.test and len(groups) < 2:
        raise SettingsError(
            f"{options.id}: found one group, {groups[0].label}; expected two or more. Say test: false."
        )
    columns = {name: inputs.columns[name] for name in options.columns}
    if options.outcome and options.by != OUTCOME:
        columns = {OUTCOME: _outcome(inputs), **columns}
        patients[OUTCOME] = patients[OUTCOME].astype(str)
    compared = _compare(patients, columns, groups, options)
    tests = list(dict.fromkeys(comparison.test for comparison in compared.values() if comparison.test))
    printed = [*groups, _Group("all", "All patients", _any(groups))] if options.overall else groups
    rows = Rows()
    for name, column in columns.items():
        result = compared[name]
        cells = (
            {"p": fmt.p_value(result.p) + fmt.MARKS[tests.index(result.test)], "test": result.test}
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
    tested = ["p", "test"] if options.test else []
    return Table(
        title=options.title,
        data=rows.frame(["characteristic", "level", *(heading.key for heading in headings), *tested]),
        stub="Characteristic",
        labels=tuple(rows.labels),
        headings=(*headings, *([Heading("p", "p")] if options.test else [])),
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


def _groups(
    patients: pd.DataFrame, inputs: TableInputs, options: BaselineTable, partitions: list[str]
) -> list[_Group]:
    """Groups that hold a patient, in the order of print; keys that no other column of the CSV has."""
    if options.by == "partition":
        labels, values = {name: inputs.partitions[name] for name in partitions}, patients["partition"]
    elif options.by == OUTCOME:
        labels = {"1": inputs.outcome.positive, "0": inputs.outcome.negative}
        values = patients[OUTCOME].astype(str)
    else:
        column = inputs.columns[known(options.by, inputs.columns, "participants column")]
        if not column.levels:
            raise SettingsError(
                f"{options.id}: found by: {options.by}, a continuous column; expected one with levels."
            )
        labels, values = dict(column.levels), patients[options.by]
    prefix = "" if options.by == "partition" else f"{options.by}_"
    groups = [
        _Group(f"{prefix}{key}", label, (values == key).to_numpy(dtype=bool)) for key, label in labels.items()
    ]
    return [group for group in groups if group.members.any()]


def _any(groups: list[_Group]) -> Any:
    import numpy as np

    return np.logical_or.reduce([group.members for group in groups])


def _compare(
    patients: pd.DataFrame, columns: dict[str, Column], groups: list[_Group], options: BaselineTable
) -> dict[str, _Comparison]:
    """Summary and test of every column; without tests, Shapiro–Wilk alone decides on the summary."""
    import pandas as pd

    from her2radiomics.statistics.group_tests import shapiro_p
    from her2radiomics.statistics.groups import compare_groups

    forced = {name: "normal" if how == "mean" else "skewed" for name, how in options.summaries.items()}
    kinds: dict[str, Any] = {name: forced.get(name, column.kind) for name, column in columns.items()}
    if not options.test:
        normal = dict.fromkeys(columns, False)
        for name, kind in kinds.items():
            if kind == "continuous":
                samples = [patients.loc[group.members, name].dropna().to_numpy() for group in groups]
                normal[name] = shapiro_p(samples) > 0.05
            elif kind == "normal":
                normal[name] = True
        return {name: _Comparison(mean, float("nan"), "") for name, mean in normal.items()}
    members = _any(groups)
    code = pd.Series(pd.Categorical([""] * len(patients), [f"group {i}" for i in range(len(groups))]))
    for position, group in enumerate(groups):
        code[group.members] = f"group {position}"
    result = compare_groups(
        patients.loc[members, list(columns)].reset_index(drop=True),
        code[members].reset_index(drop=True),
        kinds,
        levels={name: list(column.levels) for name, column in columns.items() if column.levels},
        variances=options.variances,
        yates=options.yates,
    )
    first = result.table.drop_duplicates("variable").set_index("variable")
    return {
        name: _Comparison(
            mean=result.summaries[name].startswith("mean"),
            p=float(first.loc[name, "p"]),
            # Levene's p differs from column to column; the choice of test is what the footnote names
            test=str(first.loc[name, "test"]).split(" (Levene")[0].replace("none:", "no test,"),
        )
        for name in columns
    }


def _add_numbers(
    rows: Rows,
    column: Column,
    values: pd.Series,
    groups: list[_Group],
    mean: bool,
    digits: int,
    tested: dict[str, str],
) -> None:
    """Quartiles interpolate linearly (type 7 of Hyndman and Fan, as R and pandas do)."""
    text = f"{column.heading}, {'mean ± SD' if mean else 'median (Q1, Q3)'}"
    cells = {}
    for group in groups:
        mine = values[group.members].dropna()
        if mine.empty:
            cells[group.key] = fmt.NOT_AVAILABLE
        elif mean:
            cells[group.key] = fmt.mean_sd(mine.mean(), mine.std(ddof=1), digits)
        else:
            q1, median, q3 = mine.quantile([0.25, 0.5, 0.75])
            cells[group.key] = fmt.median_quartiles(median, q1, q3, digits)
    rows.add(text, cells={"characteristic": text, **cells, **tested})
    _add_missing(rows, text, values, groups)


def _add_levels(
    rows: Rows, column: Column, values: pd.Series, groups: list[_Group], tested: dict[str, str]
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


def _add_missing(rows: Rows, head: str, values: pd.Series, groups: list[_Group]) -> None:
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
    if tests:
        lines.append("; ".join(f"{mark} {name}" for mark, name in zip(fmt.MARKS, tests, strict=False)) + ".")
    return lines
