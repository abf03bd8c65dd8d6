"""A table's cells as the file shows them, before headings are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Grid:
    """Rows of texts, with what a spreadsheet knows beside them.

    Attributes
    ----------
    rows
        Row as a spreadsheet numbers it, from 1, to its texts; rows without any text are left out.
    merged
        Blocks of merged cells: first and last row, first and last column (columns from 0).
    hidden
        Numbers of the rows that are hidden or filtered away.
    unfilled
        Cells with a formula whose value is not stored, as ``C7``.
    notes
        What was found out and is to be said.
    delimited
        Whether rows may have another length by mistake: those of a CSV or TSV file.
    """

    rows: dict[int, list[str]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    unfilled: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    delimited: bool = False


def letter(column: int) -> str:
    """The name that a spreadsheet gives a column, from 0: ``A``, …, ``Z``, ``AA``."""
    name = ""
    column += 1
    while column:
        column, place = divmod(column - 1, 26)
        name = chr(ord("A") + place) + name
    return name


def filled(rows: Mapping[int, Sequence[str]]) -> dict[int, list[str]]:
    """Rows without outer white space in their cells, and without those that are wholly empty."""
    stripped = {number: [cell.strip() for cell in cells] for number, cells in rows.items()}
    return {number: cells for number, cells in stripped.items() if any(cells)}
