"""Word (.docx) of a table: the journals' three rules, repeated headings, the same bytes every time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from her2radiomics.core.libraries import docx
from her2radiomics.manuscript.tables.model import Table
from her2radiomics.manuscript.tables.text import true_minus

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell

# a document must carry a date of making; a fixed one keeps the bytes the same
_DATE = datetime(2000, 1, 1)
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
# centimetres: text width of the page upright and across; a character, wide enough for fonts that may replace
# Times; a cell's margins
_UPRIGHT, _LANDSCAPE, _CHARACTER, _MARGIN = 17.0, 25.7, 0.22, 0.45
_ALIGN = {"left": "LEFT", "centre": "CENTER", "right": "RIGHT"}
# characters: of a text that reads well in a column, and of the longest that counts when columns share the page
_PARAGRAPH, _LONGEST = 34, 120


def to_docx(table: Table, number: str) -> bytes:
    """Return a document with title, table and notes.

    Columns are as wide as their text asks for; a table that is wider than an upright page turns it to landscape.
    """
    document = docx.Document()
    _fix_properties(document, f"Table {number}. {table.printed_title}")
    section = document.sections[0]
    short, long = docx.shared.Cm(21.0), docx.shared.Cm(29.7)
    columns = [_share(heading, texts) for heading, texts in table.columns]
    asked = sum(min(column.most, _MARGIN + _CHARACTER * _PARAGRAPH) for column in columns)
    wide = asked > 1.12 * _UPRIGHT  # a little less than asked for still reads well
    section.orientation = getattr(docx.enum.section.WD_ORIENT, "LANDSCAPE" if wide else "PORTRAIT")
    section.page_width, section.page_height = (long, short) if wide else (short, long)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, docx.shared.Cm(2))
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Times New Roman", docx.shared.Pt(10)
    spacing = normal.paragraph_format
    spacing.space_before, spacing.space_after = docx.shared.Pt(1), docx.shared.Pt(2)
    title = document.add_paragraph()
    title.paragraph_format.keep_with_next = True
    title.add_run(f"Table {number}. ").bold = True
    title.add_run(true_minus(table.printed_title))
    _add_table(document, table, widths(columns, _LANDSCAPE if wide else _UPRIGHT))
    for position, note in enumerate(table.printed_footnotes):
        paragraph = document.add_paragraph()
        if position == 0:
            paragraph.paragraph_format.space_before = docx.shared.Pt(4)
        paragraph.add_run(true_minus(note)).font.size = docx.shared.Pt(8.5)
    return _stable(document)


class Share(NamedTuple):
    """Centimetres of a column: its longest word, and its longest cell or its heading on two lines."""

    least: float
    most: float


def _share(heading: str, texts: list[str]) -> Share:
    """What a column asks for."""
    words = [
        1.2 * max((len(word) for word in heading.split()), default=0),  # bold
        # an indent stays on the line of its first word
        *(len(text) - len(text.lstrip()) + len(word) for text in texts for word in text.split()),
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
    spans = table.spans
    two_rows = any(group for group, _ in spans)
    heads = 2 if two_rows else 1
    grid = document.add_table(rows=heads + len(table.labels), cols=len(table.headings) + 1)
    grid.autofit = False
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = docx.shared.Cm(width)
    # python-docx looks cells up anew for every access, which is slow; read the grid once
    cells = [list(row.cells) for row in grid.rows]
    for line in cells:
        for cell, width in zip(line, widths, strict=True):
            cell.width = docx.shared.Cm(width)
    _write(cells[heads - 1][0], table.stub, bold=True, align="left")
    for cell, heading in zip(cells[heads - 1][1:], table.headings, strict=True):
        _write(cell, heading.label, bold=True)
    if two_rows:
        column = 1
        for group, width in spans:
            if group:
                merged = cells[0][column]
                if width > 1:
                    merged = merged.merge(cells[0][column + width - 1])
                _write(merged, group, bold=True, align="centre")
                _border(merged, "bottom", 4)
            column += width
    for position, (row, values) in enumerate(zip(table.labels, table.cells, strict=True), start=heads):
        line = cells[position]
        if row.section:
            _write(line[0].merge(line[-1]), row.text, bold=True, align="left")
            continue
        _write(line[0], row.text, align="left", indent=row.indent)
        for cell, heading, value in zip(line[1:], table.headings, values, strict=True):
            _write(cell, value, align=heading.align)
    for place, side, eighths in ((0, "top", 12), (heads - 1, "bottom", 6), (-1, "bottom", 12)):
        for cell in grid.rows[place].cells:
            _border(cell, side, eighths)
    for row in grid.rows[:heads]:
        _flag(row._tr.get_or_add_trPr(), "w:tblHeader")
    for row in grid.rows:
        _flag(row._tr.get_or_add_trPr(), "w:cantSplit")


def _write(cell: _Cell, text: str, *, bold: bool = False, align: str = "centre", indent: int = 0) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = getattr(docx.enum.text.WD_ALIGN_PARAGRAPH, _ALIGN[align])
    if indent:
        paragraph.paragraph_format.left_indent = docx.shared.Cm(0.5 * indent)
    paragraph.add_run(true_minus(text)).bold = bold or None


def _border(cell: _Cell, side: str, eighths: int) -> None:
    properties = cell._tc.get_or_add_tcPr()
    borders = properties.find(docx.oxml.ns.qn("w:tcBorders"))
    if borders is None:
        borders = docx.oxml.OxmlElement("w:tcBorders")
        properties.append(borders)
    edge = borders.find(docx.oxml.ns.qn(f"w:{side}"))
    if edge is None:
        edge = docx.oxml.OxmlElement(f"w:{side}")
        # the schema wants top before bottom
        borders.insert(0, edge) if side == "top" else borders.append(edge)
    for name, value in (("val", "single"), ("sz", str(eighths)), ("space", "0"), ("color", "auto")):
        edge.set(docx.oxml.ns.qn(f"w:{name}"), value)


def _flag(parent: Any, name: str) -> None:
    parent.append(docx.oxml.OxmlElement(name))


def _fix_properties(document: Document, title: str) -> None:
    properties = document.core_properties
    properties.author = properties.last_modified_by = "her2radiomics"
    # the core properties hold at most 255 characters
    properties.title = title[:255]
    properties.comments, properties.language, properties.revision = "", "en-GB", 1
    properties.created = properties.modified = _DATE


def _stable(document: Document) -> bytes:
    """Save, then pack again with sorted names and a fixed date: zip entries carry the time of saving."""
    buffer, packed = io.BytesIO(), io.BytesIO()
    document.save(buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        # readers expect the content types first
        names = sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            entry = zipfile.ZipInfo(name, date_time=_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            target.writestr(entry, source.read(name))
    return packed.getvalue()
