"""Word (.docx) of a table: the journals' three rules, repeated headings, the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from her2radiomics.core.libraries import docx
from her2radiomics.manuscript.tables.model import Table
from her2radiomics.manuscript.tables.word_parts import (
    CAPTION,
    TABLE,
    TABLE_NOTE,
    TABLE_TEXT,
    add_table_styles,
    element,
    fix_properties,
    numbered,
    packed,
    qualified,
    runs,
    set_type,
)

if TYPE_CHECKING:
    from docx.document import Document
    from docx.section import Section
    from docx.table import _Cell

FONT, POINTS = "Times New Roman", 10.0
# centimetres: text width of the page upright and across; a character, wide enough for fonts that may replace
# Times; a digit; a cell's margins
_UPRIGHT, _LANDSCAPE, _CHARACTER, _DIGIT, _MARGIN = 17.0, 25.7, 0.22, 0.176, 0.45
_ALIGN = {"left": "LEFT", "centre": "CENTER", "right": "RIGHT"}
# characters: of a text that reads well in a column, of the longest that counts when columns share the page, and
# of a word (of the names of features) that may be broken
_PARAGRAPH, _LONGEST, _WORD = 34, 120, 26
#: A number at the start of a cell, its part before the decimal point and the rest of the cell.
_NUMBER = re.compile(r"([<>]?[-−]?\d[\d,]*)(.*)", re.DOTALL)


def to_docx(table: Table, number: str) -> bytes:
    """Return a document with caption, table and notes.

    Columns are as wide as their text asks for; a table that is wider than an upright page turns it to landscape. The
    caption is one that Word lists, the table and its texts have styles of their own, columns of numbers are aligned at
    the decimal point.
    """
    return several_to_docx([(table, number)], f"Table {number}. {table.printed_title}")


def several_to_docx(tables: Sequence[tuple[Table, str]], title: str) -> bytes:
    """Return a document of several tables with their numbers, each in a section of its own, laid out as alone."""
    document = docx.Document()
    fix_properties(document, title)
    set_type(document.styles["Normal"], FONT, POINTS)
    add_table_styles(document, FONT, POINTS)
    for place, (table, number) in enumerate(tables):
        section = document.add_section() if place else document.sections[0]
        _add_section(document, section, table, number)
    return packed(document)


def _add_section(document: Document, section: Section, table: Table, number: str) -> None:
    """Caption, table and notes on pages that are upright or landscape as the table asks for."""
    short, long = docx.shared.Cm(21.0), docx.shared.Cm(29.7)
    columns = [_share(heading, texts) for heading, texts in table.columns]
    asked = sum(min(column.most, _MARGIN + _CHARACTER * _PARAGRAPH) for column in columns)
    wide = asked > 1.12 * _UPRIGHT  # a little less than asked for still reads well
    section.orientation = getattr(docx.enum.section.WD_ORIENT, "LANDSCAPE" if wide else "PORTRAIT")
    section.page_width, section.page_height = (long, short) if wide else (short, long)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, docx.shared.Cm(2))
    title = document.add_paragraph(style=CAPTION)
    title.paragraph_format.keep_with_next = True
    label = [*numbered("Table", number), *runs(". ")]
    for part in label:
        part.get_or_add_rPr().insert(0, element("w:b"))
    title._p.extend([*label, *runs(table.printed_title)])
    _add_table(document, table, widths(columns, _LANDSCAPE if wide else _UPRIGHT))
    for note in table.printed_footnotes:
        document.add_paragraph(style=TABLE_NOTE)._p.extend(runs(note))


class Share(NamedTuple):
    """Centimetres of a column: its longest word, and its longest cell or its heading on two lines."""

    least: float
    most: float


def _share(heading: str, texts: list[str]) -> Share:
    """What a column asks for."""
    words = [
        1.2 * max((len(word) for word in heading.split()), default=0),  # bold
        # an indent stays on the line of its first word
        *(len(text) - len(text.lstrip()) + min(len(word), _WORD) for text in texts for word in text.split()),
    ]
    most = max([*map(len, texts), max(words), 1.2 * len(heading) / 2])
    return Share(*(_MARGIN + _CHARACTER * min(count, _LONGEST) for count in (max(words), most)))


def widths(columns: Sequence[Share], room: float) -> list[float]:
    """Widths that fit ``room`` cm: all that is asked for, or each column's longest word and a share of the rest.

    The shares are in proportion to what a column lacks, as browsers lay out tables (CSS 2.1, section 17.5.2.2).
    """
    least, most = (sum(sizes) for sizes in zip(*columns, strict=True))
    if most <= room:
        return [column.most for column in columns]
    if least >= room:
        return [column.least * room / least for column in columns]
    share = (room - least) / (most - least)
    return [column.least + share * (column.most - column.least) for column in columns]


def _add_table(document: Document, table: Table, widths: list[float]) -> None:
    heads = 2 if any(group for group, _ in table.spans) else 1
    grid = document.add_table(rows=heads + len(table.labels), cols=len(table.headings) + 1, style=TABLE)
    grid.autofit = False
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = docx.shared.Cm(width)
    # python-docx looks cells and styles up anew for every access, which is slow; read the grid and the style once
    style = document.styles[TABLE_TEXT].style_id
    cells = [list(row.cells) for row in grid.rows]
    for line in cells:
        for cell, width in zip(line, widths, strict=True):
            cell.width = docx.shared.Cm(width)
            cell.paragraphs[0]._p.style = style
    _write_heads(cells, table, heads)
    points = [_decimal_point(texts, width) for (_, texts), width in zip(table.columns[1:], widths[1:], strict=True)]
    for position, (row, values) in enumerate(zip(table.labels, table.cells, strict=True), start=heads):
        line = cells[position]
        if row.section:
            _write(line[0].merge(line[-1]), row.text, bold=True, align="left")
            continue
        _write(line[0], row.text, align="left", indent=row.indent)
        for cell, heading, value, point in zip(line[1:], table.headings, values, points, strict=True):
            at = point if heading.align == "centre" and _NUMBER.match(value) else None
            _write(cell, value, align=heading.align, point=at)
    for place, side, eighths in ((0, "top", 12), (heads - 1, "bottom", 6), (-1, "bottom", 12)):
        for cell in grid.rows[place].cells:
            _border(cell, side, eighths)
    for row in grid.rows:
        row._tr.get_or_add_trPr().append(element("w:cantSplit"))
    for row in grid.rows[:heads]:
        row._tr.get_or_add_trPr().append(element("w:tblHeader"))


def _write_heads(cells: list[list[_Cell]], table: Table, heads: int) -> None:
    """One row of headings, or two with spanning ones; a heading without one above it takes both rows."""
    for cell in (cell for line in cells[:heads] for cell in line):
        cell.vertical_alignment = docx.enum.table.WD_CELL_VERTICAL_ALIGNMENT.BOTTOM
    groups = ["", *(group for group, width in table.spans for _ in range(width))]
    for place, (group, label) in enumerate(zip(groups, [table.stub, *(h.label for h in table.headings)], strict=True)):
        cell = cells[0][place] if group or heads == 1 else cells[0][place].merge(cells[1][place])
        _write(cells[1][place] if group else cell, label, bold=True, align="centre" if place else "left")
    column = 1
    for group, width in table.spans if heads == 2 else []:
        if group:
            merged = cells[0][column].merge(cells[0][column + width - 1]) if width > 1 else cells[0][column]
            _write(merged, group, bold=True)
            _border(merged, "bottom", 4)
        column += width


def _decimal_point(texts: Sequence[str], width: float) -> float | None:
    """Where in a column the decimal points lie, cm from the cell's left edge; nowhere unless all cells are numbers.

    The numbers stand as a block in the middle of the column. Where they do not fit side by side they are centred.
    """
    numbers = [_NUMBER.match(text) for text in texts if any(character.isdigit() for character in text)]
    parts = [found.groups() for found in numbers if found]
    if not parts or len(parts) < len(numbers) or not any("." in rest or "," in rest for _, rest in parts):
        return None
    before, after = (max(len(part[side]) for part in parts) * _DIGIT for side in (0, 1))
    room = width - _MARGIN
    return (room - before - after) / 2 + before if before + after <= room else None


def _write(
    cell: _Cell, text: str, *, bold: bool = False, align: str = "centre", indent: int = 0, point: float | None = None
) -> None:
    """Write a cell; ``point`` is where its decimal point lies."""
    paragraph = cell.paragraphs[0]
    layout = paragraph.paragraph_format
    layout.alignment = getattr(docx.enum.text.WD_ALIGN_PARAGRAPH, _ALIGN["left" if point else align])
    if point:
        layout.tab_stops.add_tab_stop(docx.shared.Cm(point), docx.enum.text.WD_TAB_ALIGNMENT.DECIMAL)
    if indent:
        layout.left_indent = docx.shared.Cm(0.5 * indent)
    paragraph._p.extend(runs(text, bold=bold))


def _border(cell: _Cell, side: str, eighths: int) -> None:
    properties = cell._tc.get_or_add_tcPr()
    borders = properties.find(qualified("w:tcBorders"))
    if borders is None:
        borders = element("w:tcBorders")
        placed = properties.find(qualified("w:vAlign"))  # the schema wants it after the borders
        properties.append(borders) if placed is None else placed.addprevious(borders)
    edge = borders.find(qualified(f"w:{side}"))
    if edge is None:
        edge = element(f"w:{side}")
        # the schema wants top before bottom
        borders.insert(0, edge) if side == "top" else borders.append(edge)
    for name, value in (("val", "single"), ("sz", str(eighths)), ("space", "0"), ("color", "auto")):
        edge.set(qualified(f"w:{name}"), value)
