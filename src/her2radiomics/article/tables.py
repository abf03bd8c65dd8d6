"""A run's table in an edited document: compared with the run's present one, and brought up to date cell by cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from her2radiomics.article.edited import EditedDocument
from her2radiomics.article.marks import TableMark
from her2radiomics.article.word import cells_of
from her2radiomics.article.writing import move_comments, set_text
from her2radiomics.manuscript.tables.word_parts import TABLE_NOTE, qualified, text_of

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def shape_of(cells: list[list[str]]) -> list[int]:
    """Number of cells of each row."""
    return [len(row) for row in cells]


def differing_cells(cells: list[list[str]], present: list[list[str]]) -> Iterator[tuple[int, int, str, str]]:
    """Row, column (from 1), text and present text of the cells whose numbers differ; words may be the author's."""
    for row, (line, now) in enumerate(zip(cells, present, strict=True), start=1):
        for column, (cell, value) in enumerate(zip(line, now, strict=True), start=1):
            if _NUMBER.findall(cell) != _NUMBER.findall(value):
                yield row, column, cell, value


def notes_below(document: EditedDocument, table: Any) -> list[Any]:
    """Paragraphs of notes that follow a table."""
    found = []
    for after in table.itersiblings():
        if after.tag != qualified("w:p") or document.style(after) != TABLE_NOTE.lower():
            break
        found.append(after)
    return found


def refresh_table(
    document: EditedDocument, block: str, table: Any, own: EditedDocument, written: TableMark, present: TableMark
) -> tuple[int, list[str]]:
    """Bring a table up to date: how many cells and notes changed, and what the author should read.

    A cell that the author did not change takes the run's text; one whose words the author changed keeps them while the
    run's own text is as it was, and is replaced, and named, where that changed too.
    """
    cells, name = cells_of(table), written.number
    if shape_of(cells) == shape_of(present.cells) == shape_of(written.cells):
        changed, said = _merge(table, own.tables()[block], written, present)
    elif shape_of(cells) == shape_of(written.cells):
        changed, said = _replace(table, own.tables()[block], cells, written)
        table = document.tables()[block]
    else:
        return 0, [
            f"{name} ({block}) has other rows or columns than the run wrote, and stays as it is: compare it by hand."
        ]
    more, notes = _refresh_notes(document, table, own, block, written, present)
    return changed + more, [f"{name}: {sentence}" for sentence in [*said, *notes]]


def _merge(table: Any, fresh: Any, written: TableMark, present: TableMark) -> tuple[int, list[str]]:
    changed, said = 0, []
    rows, lines = (list(found.iterchildren(qualified("w:tr"))) for found in (table, fresh))
    for at, (row, line) in enumerate(zip(rows, lines, strict=True)):
        found, new = (list(part.iterchildren(qualified("w:tc"))) for part in (row, line))
        for column, (cell, source) in enumerate(zip(found, new, strict=True)):
            text, before, now = text_of(cell), written.cells[at][column], present.cells[at][column]
            if text == now or (text != before and before == now and not _number_changed(text, now)):
                continue
            if text != before:
                said.append(f"row {at + 1}, column {column + 1}: '{text}' of the author was replaced by '{now}'.")
            changed += set_text(cell, list(source.iter(qualified("w:r"))))
    return changed, said


def _number_changed(text: str, now: str) -> bool:
    """Whether the author's text has other numbers than the run's."""
    return _NUMBER.findall(text) != _NUMBER.findall(now)


def _replace(table: Any, fresh: Any, cells: list[list[str]], written: TableMark) -> tuple[int, list[str]]:
    """The run's table has other rows or columns than before: it takes the old one's place, with its comments."""
    new = deepcopy(fresh)
    said = [
        f"row {row + 1}, column {column + 1}: '{cell}' of the author is no longer there, since the run's table has other "
        "rows or columns."
        for row, line in enumerate(cells)
        for column, cell in enumerate(line)
        if cell != written.cells[row][column]
    ]
    moved = move_comments(table, new)
    said += (
        [f"{moved} comments stand at its first cell now, since the run's table has other rows or columns."]
        if moved
        else []
    )
    table.addnext(new)
    table.getparent().remove(table)
    return sum(shape_of(cells_of(new))), said


def _refresh_notes(
    document: EditedDocument, table: Any, own: EditedDocument, block: str, written: TableMark, present: TableMark
) -> tuple[int, list[str]]:
    if written.notes == present.notes:
        return 0, []
    notes = notes_below(document, table)
    if [text_of(paragraph) for paragraph in notes] != written.notes:
        return 0, ["its notes were edited and changed in the run too; they stay as they are: compare them by hand."]
    fresh = notes_below(own, own.tables()[block])
    after = table
    for paragraph in fresh:
        new = deepcopy(paragraph)
        after.addnext(new)
        after = new
    for paragraph in notes:
        paragraph.getparent().remove(paragraph)
    return len(fresh), []
