"""CSV and TSV files: encoding and separator from the bytes."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

from her2radiomics.core.brought.grid import Grid, filled
from her2radiomics.core.brought.options import ReadingOptions
from her2radiomics.core.errors import TableError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
#: Cells longer than this are no cells of a table.
LONGEST_CELL = 1_000_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_RUN = re.compile(rb"[\x80-\xff]+")
# letters of western Europe and the signs that stand in its clinical tables, in Windows-1252
_WESTERN = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿŠšŽžŒœŸ°µ²³±–—’‘“”€§\xa0·×")
# a run of foreign bytes is one or two letters in a western word, and at least a syllable in others
_LONGEST_RUN = 3


def read_delimited(content: bytes, path: Path, options: ReadingOptions, wanted: Collection[str]) -> Grid:
    """Cells of a CSV or TSV file.

    Parameters
    ----------
    content
        Its bytes.
    path
        Named in errors; its ending decides nothing.
    options
        Encoding and separator, where the user says them.
    wanted
        Columns one of which is in the heading row: they tell the separator.

    Raises
    ------
    TableError
        The bytes fit no encoding or several, no separator or several fit, or a quote is not closed.
    """
    text, notes = _decoded(content, path, options.encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        _refuse(path, "a binary file, which holds zero bytes", "a table", "Save it as CSV, TSV, XLSX, ODS or Parquet.")
    separator = options.separator
    if separator is None and text.startswith("sep=") and text[5:6] == "\n":  # Excel's own first line
        separator = text[4]  # type: ignore[assignment]
    if separator is None:
        separator = _separator(text, path, wanted, options)  # type: ignore[assignment]
    assert separator is not None
    rows = _records(text, separator, path)
    if text.startswith("sep="):
        rows.pop(1)
    if separator != ("\t" if path.name.lower().removesuffix(".gz").endswith((".tsv", ".txt")) else ","):
        notes.append(f"cells are separated by {SEPARATORS[separator]}")
    return Grid(filled(rows), notes=notes, delimited=True)


def _decoded(content: bytes, path: Path, named: str | None) -> tuple[str, list[str]]:
    if named is not None:
        try:
            return content.decode(named).removeprefix("\ufeff"), [f"read as {named}, as the cohort file says"]
        except (UnicodeDecodeError, LookupError) as error:
            _refuse(path, f"bytes that are not {named} ({error})", "the encoding that was named", "Correct 'encoding'.")
    mark = next((name for start, name in _MARKS if content.startswith(start)), None)
    try:
        if mark is not None:
            said = [] if mark == "utf-8-sig" else [f"read as {mark.upper()}"]
            return content.decode(mark), said
        wide = _wide(content)
        if wide:
            return content.decode(wide), [f"read as {wide.upper()}, which its zero bytes show"]
        return content.decode("utf-8"), []
    except UnicodeDecodeError as error:
        if mark is not None:
            _refuse(
                path,
                f"a file that begins as {mark.upper()} and goes on otherwise ({error.reason})",
                "one encoding",
                "Save it as UTF-8.",
            )
    fits = [name for name, fit in (("windows-1252", _is_western(content)), ("gb18030", _is_chinese(content))) if fit]
    if len(fits) == 1:
        return content.decode(fits[0]), [
            f"read as {fits[0].capitalize() if fits[0][0] == 'w' else 'GB18030'}, which its bytes fit"
        ]
    first = next(_RUN.finditer(content))
    line = content[: first.start()].count(b"\n") + 1
    shown = content[max(0, first.start() - 20) : first.end() + 20].decode("ascii", "replace").strip().splitlines()
    what = (
        "bytes that are not UTF-8 and fit Windows-1252 as well as GB18030"
        if fits
        else "bytes that are neither UTF-8, Windows-1252 nor GB18030"
    )
    _refuse(
        path,
        f"{what}, first in '{shown[0] if shown else ''}'",
        "an encoding that is certain",
        "Save it as UTF-8, or name the encoding: 'encoding: windows-1252' (or gb18030, windows-1250, …).",
        row=line,
    )


def _wide(content: bytes) -> str:
    """UTF-16 without a mark: nearly every second byte is zero; empty where it is not."""
    even, odd = content[:2000:2], content[1:2000:2]
    if len(content) % 2 or not odd:
        return ""
    if odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.05 * len(even):
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > 0.4 * len(even) and odd.count(0) < 0.05 * len(odd) else ""


def _is_western(content: bytes) -> bool:
    """Whether all foreign bytes are western letters or signs, few in a row, as in words of western Europe."""
    runs = {run[0] for run in _RUN.finditer(content)}
    try:
        return all(len(run) < _LONGEST_RUN and set(run.decode("cp1252")) <= _WESTERN for run in runs)
    except UnicodeDecodeError:
        return False


def _is_chinese(content: bytes) -> bool:
    """Whether the foreign bytes are Chinese characters, the common ones (first level of GB 2312) most of the time."""
    try:
        found = [char for char in content.decode("gb18030") if ord(char) > 127]
    except UnicodeDecodeError:
        return False
    common = [char for char in found if 0xB0A1 <= int.from_bytes(char.encode("gb18030")[:2]) <= 0xD7F9]
    return len(common) >= 0.75 * len(found)


def _separator(text: str, path: Path, wanted: Collection[str], options: ReadingOptions) -> str:
    """The one separator that leaves a wanted column in a heading row, and rows of one length."""
    last = max(options.header) if isinstance(options.header, list) else options.header or 0
    head = "\n".join(text.split("\n")[: max(40, last + 1)])
    fits, widths = [], {}
    csv.field_size_limit(max(LONGEST_CELL, len(head)))  # another separator leaves a wide heading row in one cell
    for separator in SEPARATORS:
        rows = list(csv.reader(io.StringIO(head), delimiter=separator))
        headed = [row for row in rows if {cell.strip() for cell in row} & set(wanted)]
        widths[separator] = max((len(row) for row in headed or rows[:1]), default=0)
        if headed and widths[separator] > 1:
            fits.append(separator)
    if len(fits) == 1:
        return fits[0]
    if fits:
        _refuse(
            path,
            f"a heading row that {' and '.join(SEPARATORS[name] for name in fits)} separate into cells alike",
            "one separator",
            "Name it: 'separator: \";\"'.",
        )
    # the identifier's column is not there: the message that says so shows the columns
    return max(SEPARATORS, key=lambda name: widths[name])


def _records(text: str, separator: str, path: Path) -> dict[int, list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    rows: dict[int, list[str]] = {}
    try:
        for number, row in enumerate(reader, start=1):
            rows[number] = row
            for cell in row:
                inner = cell.split("\n")[1:-1]
                if any(line.count(separator) == len(row) - 1 > 0 for line in inner):
                    _refuse(
                        path,
                        "a cell that holds whole rows, from a quotation mark to the next",
                        "a closing quotation mark in the same cell",
                        'Close the quotation mark in the cell, or write it twice ("").',
                        row=number,
                    )
    except csv.Error as error:
        _refuse(
            path,
            f"a quotation mark that is not closed as CSV asks for ({error})",
            "cells with quotation marks on both sides or none",
            'Close the quotation mark, or write it twice ("").',
            row=len(rows) + 1,
        )
    return rows


def _refuse(path: Path, found: str, expected: str, remedy: str, row: int | None = None) -> NoReturn:
    raise TableError(file=path, found=found, expected=expected, remedy=remedy, row=row)
