"""Characteristics of the patients by group, with the tests that journals ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.fields import By
from her2radiomics.manuscript.tables.grouping import (
    OUTCOME,
    ComparedOptions,
    Group,
    abbreviations,
    any_of,
    compare_columns,
    described,
    grouped,
    tests_footnote,
)
from her2radiomics.manuscript.tables.inputs import TableInputs, known
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import table

AS_A_ROW = "outcome"  # among the columns: the outcome itself
EVERY = "*"  # among the tests: all columns with levels


class BaselineTable(ComparedOptions):
    """Characteristics of the patients by partition, by outcome, or by another column."""

    kind: Literal["baseline"]
    columns: tuple[str, ...] = Field(
        min_length=1, description="Participants columns, in order; 'outcome' is the outcome itself."
    )
    outcome: bool = Field(False, description="Give the outcome itself as the first row.")
    by: By = "partition"
    overall: bool = Field(False, description="Add a column for all patients together.")
    test: bool = Field(True, description="Compare the groups; the tests used are named below the table.")
    statistic: bool = Field(False, description="Print the test's statistic (t, U, χ²) before its p.")
    tests: dict[str, Literal["chi2", "ranks", "pearson"]] = Field(
        default_factory=dict,
        description="Test of a column with levels, where the usual one is not wanted ('*' for all of them). chi2: χ², or "
        "Fisher's exact test where an expected count is below 5 (usual where levels have no order); pearson: χ² whatever "
        "the expected counts; ranks: Mann–Whitney or Kruskal–Wallis on the levels' order (usual where they have one).",
    )
    yates: bool = Field(False, description="Continuity correction of the χ² test of a 2 × 2 table.")

    def columns_used(self) -> tuple[str, ...]:
        """Participants columns; the outcome is none."""
        return tuple(name for name in super().columns_used() if name != AS_A_ROW)

    def kinds_tested(self, columns: Mapping[str, Column]) -> dict[str, str]:
        """Kinds as which columns are tested whose test is named.

        Raises
        ------
        SettingsError
            A column that the table does not have, or a continuous one.
        """
        wanted = dict(self.tests)
        if EVERY in wanted:
            wanted = dict.fromkeys((n for n, c in columns.items() if c.levels), wanted.pop(EVERY)) | wanted
        for name, test in wanted.items():
            known(name, columns, f"column of {self.id} (tests)")
            if not columns[name].levels:
                raise SettingsError(
                    f"{self.id}.tests: found {name}: {test}, but '{name}' is continuous; expected a column with levels. "
                    "For a continuous column say mean or median in summaries."
                )
        kinds = {"chi2": "categorical", "pearson": "chi2", "ranks": "ordinal"}
        return {name: kinds[test] for name, test in wanted.items()}


@table(
    BaselineTable,
    needs=("participants",),
    example="""
        table_1_baseline: {kind: baseline, title: Baseline characteristics, columns: [age, adc, ki67, stage]}
        table_s1_outcome:
          kind: baseline
          title: Patients by outcome
          columns: [age, tic]
          by: label
          overall: true
          summaries: {age: mean}
    """,
)
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
    patients, groups = grouped(inputs, options)
    if options.test and len(groups) < 2:
        raise SettingsError(f"{options.id}: found one group, {groups[0].label}; expected two or more. Set test: false.")
    order = [AS_A_ROW, *options.columns] if options.outcome else list(options.columns)
    declared = {**inputs.columns, AS_A_ROW: _outcome(inputs)}
    columns = {OUTCOME if name == AS_A_ROW else name: declared[name] for name in order}
    if options.by == OUTCOME:
        columns.pop(OUTCOME, None)
    else:
        patients[OUTCOME] = patients[OUTCOME].astype(str)
    compared = compare_columns(
        patients, columns, groups, options, kinds=options.kinds_tested(columns), test=options.test, yates=options.yates
    )
    tests = list(dict.fromkeys(comparison.test for comparison in compared.values() if comparison.test))
    printed = [*groups, Group("all", "All patients", any_of(groups))] if options.overall else groups
    rows, missing = Rows(), False
    for name, column in columns.items():
        result, values = compared[name], patients[name]
        tested = {"p": result.marked_p(tests), "test": result.test} if result.test else {}
        if options.statistic and result.test:
            tested["statistic"] = fmt.fixed(result.statistic, 3)
        continuous = column.kind == "continuous"
        head = f"{column.heading}, {result.summary}" if continuous else f"{column.label}, n (%)"
        cells = {"characteristic": head, **tested}
        if continuous:
            digits = options.digits_of(name, values)
            cells |= {g.key: described(values[g.members], mean=result.mean, digits=digits) for g in printed}
        rows.add(head, cells=cells)
        for level, label in {} if continuous else column.levels.items():
            counts = {group.key: _count(values[group.members], level) for group in printed}
            rows.add(label, 1, cells={"characteristic": head, "level": label, **counts})
        if any(values[group.members].isna().any() for group in printed):
            missing = True
            counts = {group.key: str(int(values[group.members].isna().sum())) for group in printed}
            rows.add("Missing, n", 1, cells={"characteristic": head, "level": "Missing", **counts})
    headings = [Heading(g.key, f"{g.label}, n\u00a0=\u00a0{int(g.members.sum())}") for g in printed]
    notes = abbreviations(compared[name].mean for name in columns if columns[name].kind == "continuous")
    if missing:
        notes.append("Percentages and tests leave out patients whose value is missing.")
    if options.test and options.statistic:
        of_counts = all(test.startswith("χ²") for test in tests)
        headings.append(Heading("statistic", "χ²" if of_counts else "Statistic"))
    return options.table(
        inputs,
        rows,
        "Characteristic",
        [*headings, *([Heading("p", "p")] if options.test else [])],
        [*notes, *tests_footnote(tests)],
        first=["characteristic", "level"],
        last=["test"] if options.test else [],
    )


def _count(values: pd.Series, level: str) -> str:
    return fmt.count_percent(int((values == level).sum()), int(values.notna().sum()))


def _outcome(inputs: TableInputs) -> Column:
    return Column.model_validate(
        {
            "label": inputs.outcome.label,
            "kind": "categorical",
            "levels": {"1": inputs.outcome.positive, "0": inputs.outcome.negative},
        }
    )
