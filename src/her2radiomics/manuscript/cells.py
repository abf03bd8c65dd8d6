"""Cells of a run's files as bound numbers, and a bound number printed again from its cell.

Steps of rounding, in the order in which they are applied:

``sum``, ``count``, ``smallest``, ``largest``
    of the column over all rows that have the values; only first.
``difference``, ``quotient``, ``smaller class``, ``total``, ``half width``,
``less one``
    of several cells: first less second, first over second, the smaller of first and second less first, their sum, half
    the distance of first and second, a number less one; only first.
``times <n>``, ``size``
    the product with a number; without its sign.
``format <spec>``
    Python's format, as ``format g``.
``fixed <digits>``, ``percent``, ``p value``, ``p equals``, ``ratio``
    those of :mod:`her2radiomics.manuscript.formatting`.
``printed p``
    a p value in a printed table, without the mark of its footnote.
``words``, ``region``
    the feature in a term in words, as :func:`her2radiomics.extraction.names.feature_words`; the region in it.
``number <k>``, ``digits``
    the k-th number of the cell's text; its first digits, also where they are joined to letters.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from her2radiomics.core.bound import NUMBER, BoundFloat, BoundInt, BoundNumber, Source, bind_text, marked
from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import StudyError
from her2radiomics.extraction.names import feature_words, region_label
from her2radiomics.manuscript import formatting as fmt

OVER_ROWS: dict[str, Callable[[list[float]], float]] = {"sum": sum, "count": len, "smallest": min, "largest": max}
OVER_CELLS: dict[str, Callable[..., float]] = {
    "difference": lambda first, second: first - second,
    "quotient": lambda first, second: first / second,
    "smaller class": lambda events, n: min(events, n - events),
    "total": lambda *values: sum(values),
    "less one": lambda count: count - 1,
    "half width": lambda low, high: (high - low) / 2,
}
PRINTED: dict[str, Callable[..., str]] = {
    "p value": fmt.p_value,
    "p equals": fmt.p_equals,
    "ratio": fmt.ratio,
    "percent": lambda value: fmt.fixed(100 * value, 0),
    "fixed": lambda value, digits: fmt.fixed(value, digits).replace("-", "−"),
}
Row = dict[str, str]


def read_rows(path: Path) -> list[Row]:
    """Rows of a CSV, all cells as text.

    Raises
    ------
    StudyError
        The file is missing.
    """
    if not path.is_file():
        raise StudyError(
            f"{path}: no such file; expected a table that the manuscript's numbers come from. Make it first."
        )
    stamp = path.stat()
    return _rows(path.absolute(), stamp.st_ino, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=64)
def _rows(path: Path, *stamp: int) -> list[Row]:
    """Rows of a file, read once as long as it is the same: hundreds of numbers come from it."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def matching(rows: Iterable[Row], wanted: Iterable[tuple[str, str]]) -> list[Row]:
    """Rows whose columns have these values."""
    found = list(rows)
    for column, value in wanted:
        found = [row for row in found if row.get(column) == value]
    return found


def number_of(text: str) -> float:
    """A cell as a number: NaN where it is empty or none."""
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return math.nan


def printed_p(cell: str) -> str:
    """``p = 0.012`` of a printed table's cell, whose footnote has a mark; empty where the cell holds none."""
    found = re.search(r"([<>]?)(\d(?:\.\d+)?)", cell)
    return f"p {found[1] or '='} {found[2]}" if found else ""


def term_words(term: str) -> str:
    """The feature in a term, in words; another term as it is."""
    parts = term.split("__", 2)
    return feature_words(parts[2]) if len(parts) == 3 else term


def bound(value: float, source: Source) -> BoundNumber:
    """A number with its source; a whole one is an integer."""
    return BoundInt(value, source) if isinstance(value, int) else BoundFloat(value, source)


def combined(how: str, *parts: BoundNumber) -> BoundNumber:
    """A number made of several bound numbers by one of :data:`OVER_CELLS`."""
    sources = tuple(part.source for part in parts)
    plain = [int(part) if isinstance(part, int) else float(part) for part in parts]
    first = sources[0]
    return bound(OVER_CELLS[how](*plain), Source(first.file, first.row, first.column, rounding=how, of=sources))


def shown(value: BoundNumber, how: str, *arguments: int) -> str:
    """A bound number printed by one of :data:`PRINTED`, with its marks; plain text where it is not bound."""
    text = PRINTED[how](float(value), *arguments)
    source = getattr(value, "source", None)
    return text if source is None else marked(text, source.step(" ".join([how, *map(str, arguments)])))


@dataclass
class Cells:
    """The tables of a run's folder, each read once."""

    folder: Path
    _tables: dict[str, list[Row]] = field(default_factory=dict)

    def rows(self, name: str, which: dict[str, str] | None = None, /, **row: str) -> list[Row]:
        """Rows of a contract's table that have these values."""
        file = contract(name).below(**(which or {}))
        if file not in self._tables:
            self._tables[file] = read_rows(self.folder / file)
        return matching(self._tables[file], row.items())

    def cell(self, name: str, column: str, which: dict[str, str] | None = None, /, **row: str) -> BoundNumber:
        """The number in a cell; NaN where there is no such row."""
        found = self.rows(name, which, **row)
        value = number_of(found[0].get(column, "")) if found else math.nan
        return bound(value, self._source(name, column, which, row))

    def over(self, how: str, name: str, column: str, which: dict[str, str] | None = None, /, **row: str) -> BoundNumber:
        """Sum, count, smallest or largest of a column over the rows that have these values."""
        values = [number_of(found[column]) for found in self.rows(name, which, **row)]
        value = OVER_ROWS[how](values) if values or how in ("sum", "count") else math.nan
        return bound(value, self._source(name, column, which, row).step(how))

    def text(self, name: str, column: str, which: dict[str, str] | None = None, /, **row: str) -> str:
        """The text in a cell, its numbers marked."""
        found = self.rows(name, which, **row)
        return bind_text(found[0][column], self._source(name, column, which, row)) if found else ""

    def _source(self, name: str, column: str, which: dict[str, str] | None, row: dict[str, str]) -> Source:
        return Source(contract(name).below(**(which or {})), tuple(row.items()), column)


def reprint(folder: Path, source: Source) -> str:
    """Read a source's cells again and print them as its rounding says.

    Raises
    ------
    StudyError
        File, row or column is missing.
    """
    steps = source.rounding.split("; ")
    if source.of:
        return _printed(OVER_CELLS[steps[0]](*(_value(folder, part) for part in source.of)), steps[1:])
    cells = list(_raw(folder, source))
    if steps[0] in OVER_ROWS:
        return _printed(OVER_ROWS[steps[0]]([_number(cell) for cell in cells]), steps[1:])
    if not cells:
        return _printed(math.nan, steps)
    return _printed(cells[0], steps)


def _value(folder: Path, source: Source) -> float:
    """The value of a part of a number, before it is printed."""
    how = source.rounding
    if source.of:
        return OVER_CELLS[how](*(_value(folder, part) for part in source.of))
    cells = [_number(cell) for cell in _raw(folder, source)]
    return OVER_ROWS[how](cells) if how in OVER_ROWS else cells[0]


def _number(cell: Any) -> float:
    return number_of(cell) if isinstance(cell, str) else cell


def _raw(folder: Path, source: Source) -> Iterator[Any]:
    path = folder / source.file
    if path.suffix == ".json":
        value = json.loads(path.read_text(encoding="utf-8"))
        parts = source.column.split(".")
        while parts:
            # a key may itself hold dots: the longest that fits
            for length in range(len(parts), 0, -1):
                key = ".".join(parts[:length])
                if isinstance(value, list):
                    value, parts = value[int(parts[0])], parts[1:]
                    break
                if key in value:
                    value, parts = value[key], parts[length:]
                    break
            else:
                raise StudyError(f"{path}: found no key '{source.column}'. Make the manuscript again.")
        yield value
        return
    rows = read_rows(path)
    if rows and source.column not in rows[0]:
        raise StudyError(f"{path}: found no column '{source.column}'; it has {', '.join(rows[0])}.")
    for row in matching(rows, source.row):
        yield row[source.column]


def _printed(value: Any, steps: Sequence[str]) -> str:
    for step in steps:
        name, _, argument = step.partition(" ")
        if step in ("p value", "p equals"):
            return PRINTED[step](_number(value))
        if name == "number":
            return NUMBER.findall(str(value))[int(argument) - 1]
        if step == "printed p":
            return printed_p(str(value))
        if name == "words":
            value = term_words(str(value))
            continue
        if name == "region":
            value = region_label(str(value).split("__")[1])
            continue
        if name == "digits":
            value = float(re.findall(r"\d+(?:\.\d+)?", str(value))[0])
            continue
        if name == "format":
            value = _number(value)
            if isinstance(value, float) and value.is_integer() and not argument:
                value = int(value)
            return format(value, argument).removesuffix("%")
        if name == "times":
            value = _number(value) * float(argument)
        elif name == "size":
            value = abs(_number(value))
        else:
            return PRINTED[name](_number(value), *map(int, filter(None, argument.split())))
    return str(value)
