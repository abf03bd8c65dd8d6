"""The one reader of tables that a user hands over."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from her2radiomics.core.brought.delimited import read_delimited
from her2radiomics.core.brought.grid import Grid, letter
from her2radiomics.core.brought.headings import (
    check_rows,
    column_names,
    has_unfilled,
    no_value,
    one_line,
    repeated_headings,
    without_subheadings,
)
from her2radiomics.core.brought.numbers import NUMBER, column_numbers, is_certain_comma
from her2radiomics.core.brought.options import ReadingOptions
from her2radiomics.core.brought.workbooks import plain, read_workbook
from her2radiomics.core.errors import Problems, TableError
from her2radiomics.core.libraries import pd

#: Rows in which the headings are looked for.
HEADING_ROWS = 30
#: A file that unpacks to more than this is not a table of patients.
MOST_BYTES = 2_000_000_000
NO_OPTIONS = ReadingOptions.model_construct()


@dataclass(frozen=True)
class BroughtTable:
    """A user's table.

    Attributes
    ----------
    file
        Where it lies.
    cells
        Texts without outer white space, as the file shows them, indexed by the row as a spreadsheet numbers it; only
        columns with a heading of their own. Rows without any text are left out.
    refused
        Headings that may not be used, to the reason: those that stand twice, and those with formulas without values.
    notes
        What was found out about the file, in words.
    decimal
        The decimal sign that the user names.
    """

    file: Path
    cells: pd.DataFrame
    refused: dict[str, TableError] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    decimal: str | None = None

    def column(self, name: str) -> pd.Series:
        """A column with its numbers as we write them; every other text as it is.

        Raises
        ------
        TableError
            A number in it can be read in two ways.
        """
        cells = self.cells[name]
        changed, uncertain = column_numbers(
            cells.unique(), self.decimal, commas_elsewhere=self._certain_commas - {name} != set()
        )
        if uncertain:
            row = cells.index[[uncertain in cell for cell in cells]][0]
            raise TableError(
                file=self.file,
                row=int(row),
                column=name,
                found=f"'{uncertain}', which is one number with a decimal sign and another with a thousands separator",
                expected="numbers that can be read in one way",
                remedy="Say which sign is the decimal one in the cohort file, 'decimal: \",\"' or 'decimal: \".\"'.",
            )
        return cells.map(lambda cell: changed.get(cell, cell)) if changed else cells

    @cached_property
    def _certain_commas(self) -> set[str]:
        return {
            str(name)
            for name in self.cells
            if any("," in cell and is_certain_comma(cell.removesuffix("%")) for cell in self.cells[name])
            and all(NUMBER.fullmatch(c.replace(",", ".", 1).removesuffix("%")) for c in self.cells[name] if c)
        }


def read_brought(path: Path, wanted: Sequence[str], options: ReadingOptions = NO_OPTIONS) -> BroughtTable:
    """Read a table that a user hands over; what it is decides its content, not the ending of its name.

    Parameters
    ----------
    path
        CSV, TSV, XLSX, ODS or Parquet, plain or compressed by gzip.
    wanted
        Headings by which the heading row, the sheet and the separator are found, the identifier's first.
    options
        What the user says where the bytes do not.

    Raises
    ------
    TableError
        Whatever is wrong with the file as a whole; mistakes of rows are listed together.
    """
    content = _content(path)
    if content.startswith(b"PAR1"):
        return _parquet(path, content)
    if content.startswith(b"PK\x03\x04"):
        grid, said = _sheet(read_workbook(content, path), path, wanted, options)
        grid.notes += said
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        _refuse(
            path,
            "a workbook of an old kind (XLS), or one with a password",
            "XLSX, ODS or CSV",
            "Open it in a spreadsheet program and save it as XLSX without a password.",
        )
    else:
        grid = read_delimited(content, path, options, wanted)
    if not grid.rows:
        _refuse(path, "no row with text", "a table with a heading row", "Check that it is the right file.")
    return _table(grid, path, wanted, options)


def _content(path: Path) -> bytes:
    if not path.is_file():
        _refuse(path, "no such file", "a table", "Check the path in the cohort file and the folder in config.yaml.")
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(content)) as stream:
                content = stream.read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            _refuse(path, f"a broken gzip file ({error})", "a whole one", "Copy it again from where it came.")
    if len(content) > MOST_BYTES:
        _refuse(path, f"more than {MOST_BYTES / 1e9:g} GB", "a table of patients", "Check that it is the right file.")
    if not content.strip():
        _refuse(path, "an empty file", "a table with a heading row", "Check that it is the right file.")
    return content


def _parquet(path: Path, content: bytes) -> BroughtTable:
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except (ValueError, OSError) as error:
        _refuse(path, f"a broken Parquet file ({error})", "a whole one", "Write it again.")
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    texts = {str(name).strip(): [_text(value) for value in frame[name]] for name in frame}
    # a spreadsheet would show the first row below the headings
    return BroughtTable(path, pd.DataFrame(texts, index=pd.RangeIndex(2, len(frame) + 2), dtype=object))


def _text(value: object) -> str:
    if value is None or value is pd.NaT or value != value:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return str(value).upper()
    if isinstance(value, pd.Timestamp):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    if isinstance(value, float):
        return plain(value) if abs(value) != float("inf") else str(value)
    return str(value).strip()


def _sheet(
    sheets: dict[str, Grid], path: Path, wanted: Sequence[str], options: ReadingOptions
) -> tuple[Grid, list[str]]:
    """The sheet that is named, or the only one with the identifier's column."""
    if options.sheet is not None:
        if options.sheet not in sheets:
            _refuse(
                path,
                f"no visible sheet '{options.sheet}', but {_listed(sheets)}",
                "the sheet that is named",
                "Correct 'sheet'.",
            )
        return sheets[options.sheet], []
    full = {name: grid for name, grid in sheets.items() if grid.rows}
    fits = [name for name, grid in full.items() if _headings(grid, wanted, options)]
    if len(fits) == 1 or len(full) == 1:
        name = (fits or list(full))[0]
        return full[name], [f"sheet '{name}' of {len(full)} is read"] * (len(full) > 1)
    if not full:
        _refuse(path, "no sheet with text", "a table with a heading row", "Check that it is the right file.")
    found = (
        f"a column '{wanted[0]}' in the sheets {_listed(fits)}"
        if fits
        else f"no column '{wanted[0]}' in the sheets {_listed(full)}"
    )
    _refuse(path, found, "one sheet with the identifier's column", "Name it in the cohort file: 'sheet: …'.")


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _headings(grid: Grid, wanted: Sequence[str], options: ReadingOptions) -> list[int]:
    """Numbers of the heading rows; none where no row holds a wanted heading."""
    if options.header is not None:
        rows = options.header if isinstance(options.header, list) else [options.header]
        return [row for row in rows if row in grid.rows]
    for name in wanted:
        for number in list(grid.rows)[:HEADING_ROWS]:
            if name in map(one_line, grid.rows[number]):
                return [number]
    return []


def _table(grid: Grid, path: Path, wanted: Sequence[str], options: ReadingOptions) -> BroughtTable:
    headed = _headings(grid, wanted, options) or [next(iter(grid.rows))]
    problems, notes = Problems(), grid.notes
    names = column_names(grid, headed, path, problems)
    if headed[-1] != 1 and options.header is None:
        notes.append(f"the headings are in row {headed[-1]}; what stands above is left out")
    body = {n: cells for n, cells in grid.rows.items() if n > headed[-1] and n not in options.skip}
    body = _without_hidden(body, grid, path, options)
    check_rows(body, names, grid, path, problems)
    problems.refuse()
    width = max([len(names), *map(len, body.values())])
    rows = [cells + [""] * (width - len(cells)) for cells in body.values()]
    headings = [*names, *[""] * (width - len(names))]
    columns = {place: [row[place] for row in rows] for place in range(width)}
    refused = repeated_headings(headings, path)
    for name in (headings[place] for place in range(width) if has_unfilled(place, grid, set(body))):
        refused.setdefault(name, no_value(name, grid, path))
    unnamed = [letter(place) for place, name in enumerate(headings) if not name and any(columns[place])]
    if unnamed:
        notes.append(f"column {', '.join(unnamed)} has no heading and is left out (other programs call it Unnamed)")
    once = {name: columns[place] for place, name in enumerate(headings) if name and headings.count(name) == 1}
    cells = pd.DataFrame(once, index=list(body), dtype=object)
    cells = without_subheadings(cells, wanted, path, notes, problems)
    problems.refuse()
    return BroughtTable(path, cells, refused, notes, options.decimal)


def _without_hidden(
    body: dict[int, list[str]], grid: Grid, path: Path, options: ReadingOptions
) -> dict[int, list[str]]:
    hidden = sorted(set(body) & grid.hidden)
    if not hidden or options.hidden == "read":
        return body
    words = f"{len(hidden)} rows that are hidden or filtered away (the first is row {hidden[0]})"
    if options.hidden == "refuse":
        _refuse(
            path,
            words,
            "a sheet that shows all its rows",
            "Show all rows or delete those; or say in the cohort file what becomes of them: 'hidden: read' or "
            "'hidden: leave_out'.",
        )
    grid.notes.append(f"{words} are left out")
    return {number: cells for number, cells in body.items() if number not in grid.hidden}


def _refuse(path: Path, found: str, expected: str, remedy: str) -> NoReturn:
    raise TableError(file=path, found=found, expected=expected, remedy=remedy)
