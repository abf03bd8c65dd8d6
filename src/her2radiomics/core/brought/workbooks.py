"""Workbooks (XLSX, ODS): cells as the spreadsheet program shows them."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

from her2radiomics.core.brought.grid import Grid, filled, letter
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import openpyxl

#: A workbook that unpacks to more than this is not one of patients.
MOST_BYTES = 1_000_000_000
#: A row of an ODS sheet that repeats an empty one a million times fills the sheet; data never repeats so often.
MOST_REPEATED = 10_000
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_PADDED = re.compile(r'((?:"[^"]*"|\\.)*)(0+)((?:"[^"]*"|\\.)*)')
_ODS = "urn:oasis:names:tc:opendocument:xmlns:"
_TABLE, _OFFICE, _TEXT = (f"{{{_ODS}{part}:1.0}}" for part in ("table", "office", "text"))


def read_workbook(content: bytes, path: Path) -> dict[str, Grid]:
    """Visible sheets of a workbook, by name.

    Raises
    ------
    TableError
        It is broken, protected by a password, too large, or of another kind.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            if sum(item.file_size for item in archive.infolist()) > MOST_BYTES:
                _refuse(path, f"a workbook that unpacks to more than {MOST_BYTES / 1e9:g} GB", "a table of patients")
            if "content.xml" in names:
                return _ods(archive.read("content.xml"))
        if "xl/workbook.xml" not in names:
            _refuse(path, "an archive that is no workbook", "an XLSX or ODS file")
        return _xlsx(content)
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, ValueError) as error:
        _refuse(path, f"a workbook that cannot be read ({error})", "an XLSX or ODS file")


def _xlsx(content: bytes) -> dict[str, Grid]:
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    # a second reading shows the formulas, which only few workbooks have
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        formulas = any(b"<f>" in data or b"<f " in data for data in map(archive.read, sheets))
    written = openpyxl.load_workbook(io.BytesIO(content)) if formulas else None
    grids = {}
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        rows = {
            number: [shown(cell.value, cell.number_format or "General") for cell in cells]
            for number, cells in enumerate(sheet.iter_rows(), start=sheet.min_row)
        }
        grid = Grid(filled(rows))
        grid.merged = [(m.min_row, m.max_row, m.min_col - 1, m.max_col - 1) for m in sheet.merged_cells.ranges]
        grid.hidden = {number for number, row in sheet.row_dimensions.items() if row.hidden}
        for cells in written[sheet.title].iter_rows() if written else ():
            grid.unfilled += [
                cell.coordinate for cell in cells if cell.data_type == "f" and sheet[cell.coordinate].value is None
            ]
        unseen = [name for name, column in sheet.column_dimensions.items() if column.hidden]
        if unseen:
            grid.notes.append(f"hidden columns are read as the others are (from column {min(unseen, key=len)} on)")
        grids[sheet.title] = grid
    return grids


def shown(value: Any, number_format: str) -> str:
    """A cell's value as a spreadsheet shows it; numbers keep all their digits.

    Dates are ISO dates, percentages have their sign, and numbers that a format fills up with zeros (``00123``) have them.
    A format that shows words, or thousands, in place of the number makes text that is no number.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, dt.datetime):
        timed = re.search(r"h", _LITERAL.sub("", number_format), re.IGNORECASE)
        return value.isoformat(" ", "seconds") if timed else value.date().isoformat()
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        return str(value)
    return _number(value, number_format) if isinstance(value, int | float) else str(value)


def _number(value: float, number_format: str) -> str:
    sections = number_format.split(";")
    part = sections[0]
    if value < 0 and len(sections) > 1:
        part = sections[1]
    elif value == 0 and len(sections) > 2:
        part = sections[2]
    bare = _LITERAL.sub("", part)
    if part not in ("General", "@", "") and not re.search(r"[0#?]|General", bare):
        return (
            f"{plain(value)} shown as '{part.strip()}'"
            if bare.strip() or part.strip()
            else f"{plain(value)} shown as nothing"
        )
    if part == "" and number_format:
        return f"{plain(value)} shown as nothing"
    if "%" in bare:
        return f"{plain(round(value * 100, 12))}%"
    if re.search(r"[0#?],+(?![0#?,])", bare):
        return f"{plain(value)} shown in thousands"
    padded = _PADDED.fullmatch(part)
    if padded and float(value).is_integer() and value >= 0 and (len(padded[2]) > 1 or padded[1] or padded[3]):
        before, after = (re.sub(r'"([^"]*)"|\\(.)', r"\1\2", text) for text in (padded[1], padded[3]))
        return f"{before}{int(value):0{len(padded[2])}d}{after}"
    return plain(value)


def plain(value: float) -> str:
    """A number with all its digits; whole numbers without a decimal sign."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def _ods(content: bytes) -> dict[str, Grid]:
    root = ElementTree.fromstring(content)
    styles = {
        style.get(f"{{{_ODS}style:1.0}}name"): properties.get(f"{_TABLE}display")
        for style in root.iter(f"{{{_ODS}style:1.0}}style")
        for properties in style.iter(f"{{{_ODS}style:1.0}}table-properties")
    }
    return {
        str(table.get(f"{_TABLE}name")): _ods_sheet(table)
        for table in root.iter(f"{_TABLE}table")
        if styles.get(table.get(f"{_TABLE}style-name")) != "false"
    }


def _ods_sheet(table: ElementTree.Element) -> Grid:
    grid, rows, number = Grid({}), {}, 0
    for row in table.iter(f"{_TABLE}table-row"):
        cells: list[str] = []
        for cell in row:
            if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                continue
            text, times = _ods_text(cell), int(cell.get(f"{_TABLE}number-columns-repeated", 1))
            down = int(cell.get(f"{_TABLE}number-rows-spanned", 1))
            across = int(cell.get(f"{_TABLE}number-columns-spanned", 1))
            if down * across > 1:
                place = len(cells)
                grid.merged.append((number + 1, number + down, place, place + across - 1))
            if cell.get(f"{_TABLE}formula") and not cell.get(f"{_OFFICE}value-type"):
                grid.unfilled.append(f"{letter(len(cells))}{number + 1}")
            cells += [text] * (times if text or times < MOST_REPEATED else 0)
        times = int(row.get(f"{_TABLE}number-rows-repeated", 1))
        for repeated in range(1, (times if any(cells) else 0) + 1):
            rows[number + repeated] = cells
        if row.get(f"{_TABLE}visibility") in ("collapse", "filter"):
            grid.hidden |= set(range(number + 1, number + min(times, MOST_REPEATED) + 1))
        number += times
    grid.rows = filled(rows)
    return grid


def _ods_text(cell: ElementTree.Element) -> str:
    kind = cell.get(f"{_OFFICE}value-type")
    if kind == "date":
        return str(cell.get(f"{_OFFICE}date-value")).replace("T", " ").removesuffix(" 00:00:00")
    printed = "\n".join("".join(_words(part)) for part in cell.iter(f"{_TEXT}p"))
    value = cell.get(f"{_OFFICE}value")
    if kind in ("float", "currency") and value is not None:
        # a text with zeros in front, or with words, is what the user sees
        digits = re.sub(r"\D", "", printed)
        return printed if re.fullmatch(r"\D*0\d+\D*", printed) and digits else plain(float(value))
    if kind == "percentage" and value is not None:
        return f"{plain(round(float(value) * 100, 12))}%"
    if kind == "boolean":
        return str(cell.get(f"{_OFFICE}boolean-value")).upper()
    return printed


def _words(part: ElementTree.Element) -> Iterator[str]:
    yield part.text or ""
    for child in part:
        if child.tag == f"{_TEXT}s":
            yield " " * int(child.get(f"{_TEXT}c", 1))
        yield from _words(child)
        yield child.tail or ""


def _refuse(path: Path, found: str, expected: str) -> NoReturn:
    remedy = "Open it in a spreadsheet program and save it as XLSX, ODS or CSV (UTF-8), without a password."
    raise TableError(file=path, found=found, expected=expected, remedy=remedy)
