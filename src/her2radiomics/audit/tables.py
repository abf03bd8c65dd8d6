"""A table as a paper prints it, transcribed whole; every row becomes checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from pydantic import Field, model_validator

from her2radiomics.audit.base import NAME, Check, Finding, found, join
from her2radiomics.audit.counts import counts_add_up
from her2radiomics.audit.group_tests import chi_square, two_means
from her2radiomics.audit.means import MeanSdText, parse_mean_sd, whole_number_mean
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.printed import Printed, parse
from her2radiomics.core.settings import Settings

_CELL = re.compile(r"(?P<count>\d+)\s*(?:[(（]\s*(?P<percent>\d+(?:\.\d+)?)\s*%?\s*[)）])?")
_MEDIAN = re.compile(r"\s*([-−]?\d*\.?\d+)\s*[(\[（]\s*([-−]?\d*\.?\d+)\s*[-–—,;~～]\s*([-−]?\d*\.?\d+)\s*[)\]）]\s*")


def slug(text: str) -> str:
    """A printed name as part of a check's name: ``Local skin thickening`` is ``local_skin_thickening``."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


@dataclass(frozen=True)
class Cell:
    """A count, and its percentage as printed (empty where none is)."""

    count: int
    percent: str = ""


class PrintedRow(Settings):
    """A characteristic in each group: counts of its levels, a mean with its standard deviation, or a median."""

    name: str = Field(description="Characteristic, as printed.")
    levels: dict[str, list[str]] | None = Field(None, description="Level: one cell a group, as '54 (67.50%)' or '54'.")
    mean_sd: list[MeanSdText] | None = Field(None, description="One '50.56 ± 9.12' a group.")
    median: list[str] | None = Field(None, description="One '52 (45, 60)' a group: median and quartiles.")
    whole_numbers: bool = Field(
        False, description="The values are whole numbers (age in years), so that their means can be checked."
    )
    statistic: Printed | None = Field(None, description="Printed χ².")
    p: Printed | None = Field(None, description="Printed p.")

    @model_validator(mode="after")
    def _one_kind(self) -> PrintedRow:
        if sum(part is not None for part in (self.levels, self.mean_sd, self.median)) != 1:
            raise ValueError(f"row '{self.name}': expected one of levels, mean_sd and median")
        for text in self.median or []:
            if _MEDIAN.fullmatch(text) is None:
                raise ValueError(f"row '{self.name}': found {text!r}, expected '52 (45, 60)'")
        for level, cells in (self.levels or {}).items():
            for cell in cells:
                if _CELL.fullmatch(cell.strip()) is None:
                    raise ValueError(f"row '{self.name}', {level}: found {cell!r}, expected '54' or '54 (67.50%)'")
        return self


class PrintedTable(Settings):
    """A table of characteristics by group."""

    kind: Literal["characteristics"] = "characteristics"
    id: str = Field(pattern=NAME, description="Name by which checks refer to it.")
    place: str = Field(description="What the paper calls it, as 'Table 1'.")
    groups: dict[str, int] = Field(min_length=2, description="Group: its stated size, in the order of the columns.")
    ranks_possible: bool = Field(
        True, description="Means may have been compared by the Mann–Whitney test, which cannot be checked."
    )
    rows: list[PrintedRow] = Field(min_length=1, description="The rows, as printed.")

    @model_validator(mode="after")
    def _a_cell_a_group(self) -> PrintedTable:
        names = [row.name for row in self.rows]
        for row in self.rows:
            if names.count(row.name) > 1:
                raise ValueError(f"{self.place}: the row '{row.name}' is given twice")
            numbers = row.mean_sd or row.median or list(self.groups)
            for what, cells in [*(row.levels or {}).items(), ("mean_sd, median", numbers)]:
                if len(cells) != len(self.groups):
                    raise ValueError(
                        f"{self.place}, {row.name}, {what}: found {len(cells)} cells, "
                        f"expected {len(self.groups)}, one per group"
                    )
        return self

    @staticmethod
    def parse_cell(text: str) -> Cell:
        """Read ``54 (67.50%)``."""
        match = _CELL.fullmatch(text.strip())
        assert match is not None  # checked when the row was read
        return Cell(int(match["count"]), f"{match['percent']}%" if match["percent"] else "")

    def row(self, name: str) -> PrintedRow:
        """The row of a characteristic with levels.

        Raises
        ------
        SettingsError
            There is none.
        """
        for row in self.rows:
            if row.name == name and row.levels is not None:
                return row
        known = ", ".join(row.name for row in self.rows if row.levels is not None)
        raise SettingsError(f"{self.place}: no characteristic '{name}' with levels; it has {known}.")

    def levels(self, row: str) -> list[str]:
        """Names of a characteristic's levels."""
        return list(self.row(row).levels or {})

    def counts(self, row: str) -> list[list[int]]:
        """Counts of a characteristic, levels × groups."""
        return [[self.parse_cell(cell).count for cell in cells] for cells in (self.row(row).levels or {}).values()]

    def cell(self, row: str, level: str, group: str) -> Cell:
        """One cell.

        Raises
        ------
        SettingsError
            There is no such row, level or group.
        """
        levels = self.row(row).levels or {}
        if level not in levels or group not in self.groups:
            raise SettingsError(
                f"{self.place}, {row}: no cell {level}, {group}; levels are {', '.join(levels)}, groups "
                f"{', '.join(self.groups)}."
            )
        return self.parse_cell(levels[level][list(self.groups).index(group)])

    def checks(self) -> Iterator[TableCheck]:
        """Percentages, totals and tests of each row, and rows that are the same."""
        return _checks(self)


class TableCheck(Check):
    """A check that a transcribed row gives rise to; its finding is made when the table is read."""

    check: str
    verdict: Finding

    def examine(self, tables: Mapping) -> Finding:
        """The finding."""
        return self.verdict


def _checks(table: PrintedTable) -> Iterator[TableCheck]:
    sizes = list(table.groups.values())
    for row in table.rows:
        stem = f"{table.id}.{slug(row.name)}"
        printed = join([f"χ² {row.statistic}" if row.statistic else "", f"P {row.p}" if row.p else ""], ",")

        def made(
            kind: str, claim: str, finding: Finding, quote: str, stem: str = stem, name: str = row.name
        ) -> TableCheck:
            return TableCheck(
                id=f"{stem}.{kind}",
                check=kind,
                claim=f"{name}: {claim}",
                place=table.place,
                quote=quote,
                verdict=finding,
                note="",
            )

        if row.levels is not None:
            cells = "; ".join(f"{level} {', '.join(values)}" for level, values in row.levels.items())
            percentages = _percentages(table, row)
            if percentages is not None:
                yield made("percentages", "each percentage is its count of the group", percentages, cells)
            yield made("totals", "levels add up to the groups", _totals(table, row), cells)
            if row.p or row.statistic:
                tested = chi_square(
                    table.counts(row.name),
                    parse(row.statistic) if row.statistic else None,
                    parse(row.p) if row.p else None,
                )
                yield made("test", "test of the counts", tested, f"{cells}; {printed}")
        elif row.mean_sd is not None:
            groups = [parse_mean_sd(text, n) for text, n in zip(row.mean_sd, sizes, strict=True)]
            cells = ", ".join(row.mean_sd)
            if row.p and len(groups) == 2:
                tested = two_means(groups[0], groups[1], parse(row.p), table.ranks_possible)
                yield made("test", "test of the means", tested, f"{cells}; P {row.p}")
            if row.whole_numbers:
                for group, name in zip(groups, table.groups, strict=True):
                    kind = f"whole_numbers.{slug(name)}"
                    finding = whole_number_mean(group.mean, group.n)
                    if finding.verdict != "cannot be checked":
                        yield made(kind, f"mean of whole numbers, {name}", finding, cells)
        elif row.median is not None:
            ordered = _quartiles(row.median)
            yield made("quartiles", "quartiles around the median", ordered, ", ".join(row.median))
    yield from _twins(table)


def _quartiles(texts: list[str]) -> Finding:
    wrong = []
    for text in texts:
        match = _MEDIAN.fullmatch(text)
        assert match is not None  # checked when the row was read
        middle, low, high = (parse(part, counted=False).value for part in match.groups())
        if not low <= middle <= high:
            wrong.append(text)
    return found(not wrong, f"Not in order: {join(wrong)}." if wrong else "Each median lies between its quartiles.")


def _percentages(table: PrintedTable, row: PrintedRow) -> Finding | None:
    wrong, seen = [], 0
    for level, cells in (row.levels or {}).items():
        for text, (group, n) in zip(cells, table.groups.items(), strict=True):
            cell = table.parse_cell(text)
            if cell.percent:
                seen += 1
                printed = parse(cell.percent)
                if not printed.agrees(cell.count / n):
                    wrong.append(
                        f"{level}, {group}: {cell.count}/{n} is {printed.like(cell.count / n)}, printed {printed.text}"
                    )
    if not seen:
        return None
    return found(not wrong, f"{join(wrong)}." if wrong else f"All {seen} percentages are those of their counts.")


def _totals(table: PrintedTable, row: PrintedRow) -> Finding:
    counts = table.counts(row.name)
    findings = [
        (group, counts_add_up(dict(zip(table.levels(row.name), column, strict=True)), n))
        for (group, n), column in zip(table.groups.items(), zip(*counts, strict=True), strict=True)
    ]
    words = [f"{group}: {finding.arithmetic}" for group, finding in findings]
    return found(all(finding.verdict == "consistent" for _, finding in findings), *words)


def _twins(table: PrintedTable) -> Iterator[TableCheck]:
    """Characteristics whose counts are all the same: hardly by chance, where there are several cells of some size."""
    named = [row.name for row in table.rows if row.levels is not None]
    for first, second in combinations(named, 2):
        counts = table.counts(first)
        if counts == table.counts(second) and sum(table.groups.values()) >= 50:
            cells = sum(len(level) for level in counts)
            yield TableCheck(
                id=f"{table.id}.{slug(f'{first} {second}')}.same_numbers",
                check="same_numbers",
                claim=f"{first} and {second} are different characteristics",
                place=table.place,
                quote="; ".join(", ".join(cells_) for cells_ in (table.row(first).levels or {}).values()),
                verdict=found(False, f"The rows {first} and {second} are the same in all {cells} counts."),
                note="",
            )
