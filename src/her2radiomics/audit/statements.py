"""What a paper says twice, or says in words about its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Literal

from pydantic import Field

from her2radiomics.audit.base import Check, Finding, found, join, unknown
from her2radiomics.audit.tables import PrintedTable
from her2radiomics.core.printed import Number, Printed, parse, percent


def same_value(values: Mapping[str, Number]) -> Finding:
    """Is one quantity printed alike everywhere, as far as the places' precision goes?"""
    apart = [(a, b) for a, b in combinations(values, 2) if not values[a].agrees(values[b].low, values[b].high)]
    listed = join([f"{number.text} ({place})" for place, number in values.items()])
    return found(not apart, f"Printed {listed}.")


class SameValue(Check):
    """One quantity that is printed in several places."""

    check: Literal["same_value"]
    values: dict[str, Printed] = Field(min_length=2, description="Place: the number there.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`same_value`."""
        return same_value({place: parse(text) for place, text in self.values.items()})


def monotone(values: Mapping[str, Number], order: str) -> Finding:
    """Do the values fall, rise, or have the first as the greatest or smallest, as the paper says?"""
    numbers = list(values.values())
    falling = order in ("falling", "greatest")
    if order in ("greatest", "smallest"):
        pairs = [(numbers[0], other) for other in numbers[1:]]
    else:
        pairs = list(pairwise(numbers))
    agrees = all((a.value > b.value) if falling else (a.value < b.value) for a, b in pairs)
    listed = ", ".join(f"{number.text} ({name})" for name, number in values.items())
    said = {
        "falling": "falling from first to last",
        "rising": "rising from first to last",
        "greatest": "the first is the greatest",
        "smallest": "the first is the smallest",
    }[order]
    return found(agrees, f"{listed}. Said: {said}; {'so it is' if agrees else 'it is not so'}.")


class Monotone(Check):
    """An order that the paper states in words."""

    check: Literal["monotone"]
    values: dict[str, Printed] = Field(min_length=2, description="Name: printed number, in the stated order.")
    order: Literal["falling", "rising", "greatest", "smallest"] = Field(
        description="falling or rising along the list; greatest or smallest: the first of it."
    )

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`monotone`."""
        return monotone({name: parse(text) for name, text in self.values.items()}, self.order)


class TextAgainstTable(Check):
    """A percentage or count that the text takes from a table."""

    check: Literal["text_against_table"]
    value: Printed = Field(description="The number in the text.")
    table: str = Field(description="Id of the transcribed table.")
    row: str = Field(description="Characteristic.")
    level: str = Field(description="Level.")
    group: str = Field(description="Group.")

    def examine(self, tables: Mapping[str, PrintedTable]) -> Finding:
        """Compare with the cell; where it differs, say which other cells hold the number.

        A percentage may be rounded from the count or from the printed percentage.
        """
        printed = parse(self.value)
        table = tables[self.table]
        cell = table.cell(self.row, self.level, self.group)
        shown = cell.percent or percent(cell.count / table.groups[self.group])
        if _is(printed, cell.count, cell.percent, table.groups[self.group]):
            return found(True, f"{table.place} prints {shown} ({cell.count}/{table.groups[self.group]}).")
        elsewhere = [
            f"{row.name}, {level}, {group}"
            for row in table.rows
            for level, cells in (row.levels or {}).items()
            for group, text in zip(table.groups, cells, strict=True)
            if _is(printed, (other := table.parse_cell(text)).count, other.percent, table.groups[group])
        ]
        return found(
            False,
            f"The text says {printed.text}; {table.place} prints {shown} ({cell.count}/{table.groups[self.group]}) for "
            f"{self.row}, {self.level}, {self.group}.",
            f"{printed.text} is printed there for {join(elsewhere, 'or')}."
            if elsewhere
            else "No cell of it has that value.",
        )


def _is(printed: Number, count: int, shown: str, n: int) -> bool:
    if not printed.text.endswith("%"):
        return printed.value == count
    second = parse(shown) if shown else None
    return printed.agrees(count / n) or (second is not None and printed.agrees(second.value))


class MoreFrequent(Check):
    """A direction that the text states: a level is more frequent in one group than in another."""

    check: Literal["more_frequent"]
    table: str = Field(description="Id of the transcribed table.")
    row: str = Field(description="Characteristic.")
    level: str = Field(description="Level.")
    more: str = Field(description="Group in which it is said to be more frequent.")
    less: str = Field(description="The other group.")

    def examine(self, tables: Mapping[str, PrintedTable]) -> Finding:
        """Compare the two cells."""
        table = tables[self.table]
        shares = {}
        for group in (self.more, self.less):
            count, n = table.cell(self.row, self.level, group).count, table.groups[group]
            shares[group] = (count / n, f"{count}/{n} ({percent(count / n)}) in {group}")
        return found(
            shares[self.more][0] > shares[self.less][0],
            f"{self.row}, {self.level}: {shares[self.more][1]}, {shares[self.less][1]}.",
        )


class SameNumbers(Check):
    """Rows of a table that are said to be different characteristics."""

    check: Literal["same_numbers"]
    table: str = Field(description="Id of the transcribed table.")
    rows: list[str] = Field(min_length=2, max_length=2, description="The two characteristics.")

    def examine(self, tables: Mapping[str, PrintedTable]) -> Finding:
        """Compare all counts of the two rows, whatever their levels are called."""
        table = tables[self.table]
        first, second = (table.counts(row) for row in self.rows)
        cells = sum(len(level) for level in first)
        if first != second:
            return found(True, f"The rows {join(self.rows)} differ.")
        return found(
            False, f"The rows {join(self.rows)} are the same in all {cells} counts, for different characteristics."
        )


class SameTotals(Check):
    """Two tables of the same patients: every level of a characteristic must have one total."""

    check: Literal["same_totals"]
    tables: list[str] = Field(min_length=2, max_length=2, description="Ids of the two transcribed tables.")
    row: str = Field(description="Characteristic, called alike in both.")

    def examine(self, tables: Mapping[str, PrintedTable]) -> Finding:
        """Compare the totals over groups, level by level."""
        first, second = (tables[name] for name in self.tables)
        totals = [
            {level: sum(row) for level, row in zip(t.levels(self.row), t.counts(self.row), strict=True)}
            for t in (first, second)
        ]
        shared = [level for level in totals[0] if level in totals[1]]
        if not shared:
            return unknown(f"No level is called alike: {join(list(totals[0]))}; {join(list(totals[1]))}.")
        pairs = [f"{level} {totals[0][level]} against {totals[1][level]}" for level in shared]
        return found(
            all(totals[0][level] == totals[1][level] for level in shared),
            f"The same patients in {first.place} and {second.place}: {'; '.join(pairs)}.",
        )
