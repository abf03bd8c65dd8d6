"""Headings and rows of a user's table: what may not be, found before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from her2radiomics.core.brought.grid import Grid, letter
from her2radiomics.core.brought.numbers import NUMBER
from her2radiomics.core.errors import Problems, TableError
from her2radiomics.core.libraries import pd


def column_names(grid: Grid, headed: Sequence[int], path: Path, problems: Problems) -> list[str]:
    """Headings, those of several rows joined; a heading merged over several columns belongs to none of them alone."""
    rows = {number: list(grid.rows[number]) for number in headed}
    for first, last, left, right in grid.merged:
        for number in set(range(first, last + 1)) & set(headed):
            source = grid.rows.get(first, [])
            text = source[left] if left < len(source) else ""
            if len(headed) > 1:
                cells = rows[number]
                cells += [""] * (right + 1 - len(cells))
                cells[left : right + 1] = [text] * (right + 1 - left)
            elif right > left:
                problems.add(
                    file=path,
                    row=number,
                    column=one_line(text),
                    found=f"a heading merged over the columns {letter(left)} to {letter(right)}",
                    expected="a heading for every column",
                    remedy="Unmerge it and give each column its own, or name all rows of headings: 'header: "
                    f"[{number}, {number + 1}]'.",
                )
    width = max(map(len, rows.values()))
    names = []
    for place in range(width):
        parts = [one_line(cells[place]) for cells in rows.values() if place < len(cells)]
        names.append(" ".join(dict.fromkeys(part for part in parts if part)))
    while names and not names[-1]:
        names.pop()
    return names


def check_rows(body: dict[int, list[str]], names: Sequence[str], grid: Grid, path: Path, problems: Problems) -> None:
    """Rows of another length, headings that are repeated below, merged cells."""
    for number, cells in body.items():
        found = ""
        if grid.delimited and len(cells) < len(names):
            found = f"{len(cells)} cells"
        elif grid.delimited and any(cells[len(names) :]):
            found = (
                f"{len(cells)} cells, '{next(cell for cell in cells[len(names) :] if cell)}' beyond the last heading"
            )
        if found:
            advice = "Correct the row; a separator within a text needs quotation marks around the text."
            problems.add(file=path, row=number, found=found, expected=f"{len(names)}, one a heading", remedy=advice)
        same = [name for name, cell in zip(names, cells, strict=False) if name and name == one_line(cell)]
        if len(same) > 1 and len(same) >= sum(map(bool, names)) / 2:
            found = "the headings once more"
            problems.add(
                file=path,
                row=number,
                found=found,
                expected="a patient",
                remedy="Remove the row, or name it under 'skip'.",
            )
    for first, last, left, right in grid.merged:
        row = next((number for number in range(first, last + 1) if number in body), None)
        if row is not None and left < len(names):
            problems.add(
                file=path,
                row=row,
                column=names[left],
                found=f"merged cells {letter(left)}{first} to {letter(right)}{last}",
                expected="a cell for each patient and column",
                remedy="Unmerge them and write the value into each cell.",
            )


def repeated_headings(headings: Sequence[str], path: Path) -> dict[str, TableError]:
    """Headings that stand over several columns, to why they may not be used."""
    return {
        name: TableError(
            file=path,
            column=name,
            found=f"the column twice ({' and '.join(letter(n) for n, other in enumerate(headings) if other == name)})",
            expected="every column once",
            remedy="Rename or remove one of them; where headings stand in two rows, name both: 'header: [1, 2]'.",
        )
        for name in dict.fromkeys(headings)
        if name and headings.count(name) > 1
    }


def has_unfilled(place: int, grid: Grid, rows: set[int]) -> bool:
    """Whether a column holds a formula without a stored value."""
    name = letter(place)
    return any(cell.rstrip("0123456789") == name and int(cell[len(name) :]) in rows for cell in grid.unfilled)


def no_value(name: str, grid: Grid, path: Path) -> TableError:
    """Why a column with such a formula may not be used."""
    return TableError(
        file=path,
        column=name,
        found=f"formulas without a stored value (the workbook's first is in {grid.unfilled[0]})",
        expected="values",
        remedy="Open the workbook in a spreadsheet program and save it: it then stores what it shows.",
    )


def without_subheadings(
    cells: pd.DataFrame, wanted: Sequence[str], path: Path, notes: list[str], problems: Problems
) -> pd.DataFrame:
    """Leave out lines of units or codes right below the headings; a later row without identifier is a mistake."""
    name = next((name for name in wanted if name in cells), None)
    if name is None:
        return cells
    below = list(cells.index)
    while below and cells.at[below[0], name] == "" and not any(map(NUMBER.fullmatch, cells.loc[below[0]])):
        notes.append(f"row {below.pop(0)} has no {name} and no number: a line of the headings, left out")
    cells = cells.loc[below]
    for row in cells.index[cells[name] == ""]:
        text = next(cell for cell in cells.loc[row] if cell) if any(cells.loc[row]) else ""
        problems.add(
            file=path,
            row=int(row),
            column=name,
            found=f"an empty cell in a row that is not empty ('{text}')",
            expected="the identifier",
            remedy="Fill it in, remove the row, or name it under 'skip' in the cohort file.",
        )
    return cells


def one_line(text: str) -> str:
    """A heading without line breaks and repeated spaces."""
    return " ".join(text.split())
