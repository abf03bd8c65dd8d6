"""Styles, page, header and footer of the manuscript's Word file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from her2radiomics.article.journals import PAGES, Journal
from her2radiomics.core.libraries import docx
from her2radiomics.manuscript.tables.word_parts import add_table_styles, element, field, qualified, run, set_type

if TYPE_CHECKING:
    from docx.document import Document

#: Styles beside Word's own; that of the author's own numbers is for them to use.
FIGURE, BIBLIOGRAPHY, CITATION, FOR_AUTHOR, OWN_NUMBER = (
    "Figure",
    "Reference List",
    "Reference Number",
    "For Author",
    "Number of the Author",
)
SIMULATED = "Simulated patients"
#: Side margins, and those above and below, in mm: tables are made for this width.
MARGIN, MARGIN_TALL = 20.0, 25.0
_HEADINGS = {1: 13.0, 2: 11.5, 3: 11.0}
_NUMBERING = 90


def style_id(name: str) -> str:
    """Identifier of a style that python-docx made."""
    return name.replace(" ", "")


def set_up(document: Document, journal: Journal, *, simulated: bool, language: str) -> None:
    """Give an empty document the journal's styles and page."""
    _add_styles(document, journal)
    if journal.numbered_sections:
        _number_headings(document)
    for lang in document.styles.element.iter(qualified("w:lang")):
        lang.set(qualified("w:val"), language)
    section = document.sections[0]
    width, height = PAGES[journal.page]
    section.page_width, section.page_height = docx.shared.Mm(width), docx.shared.Mm(height)
    for side, size in (("left", MARGIN), ("right", MARGIN), ("top", MARGIN_TALL), ("bottom", MARGIN_TALL)):
        setattr(section, f"{side}_margin", docx.shared.Mm(size))
    if journal.line_numbers:
        numbers = element("w:lnNumType", countBy=1, restart="continuous")
        section._sectPr.find(qualified("w:pgMar")).addnext(numbers)
    centre = docx.enum.text.WD_ALIGN_PARAGRAPH.CENTER
    if simulated:
        header = section.header.paragraphs[0]
        header.alignment = centre
        header._p.append(run(SIMULATED, element("w:b")))
    footer = section.footer.paragraphs[0]
    footer.alignment = centre
    footer._p.extend(field("PAGE", "1"))


def _add_styles(document: Document, journal: Journal) -> None:
    styles, kinds, pt = document.styles, docx.enum.style.WD_STYLE_TYPE, docx.shared.Pt
    family, size = journal.font, journal.font_size
    set_type(styles["Normal"], family, size)
    styles["Normal"].paragraph_format.space_after = pt(0)
    add_table_styles(document, family, min(size, 10.0))
    title: Any = styles["Title"]
    set_type(title, family, 16.0, bold=True)
    for border in title.element.pPr.findall(qualified("w:pBdr")):
        title.element.pPr.remove(border)
    for level, points in _HEADINGS.items():
        style: Any = styles[f"Heading {level}"]
        set_type(style, family, points, bold=level < 3, italic=level == 3)
        style.paragraph_format.space_before, style.paragraph_format.space_after = pt(14 - 2 * level), pt(4)
    body: Any = styles["Body Text"]
    body.paragraph_format.line_spacing, body.paragraph_format.space_after = journal.line_spacing, pt(6)
    body.paragraph_format.widow_control = True
    for name, after in ((FIGURE, 2), (BIBLIOGRAPHY, 3)):
        made: Any = styles.add_style(name, kinds.PARAGRAPH)
        made.base_style = styles["Normal"]
        made.paragraph_format.space_after = pt(after)
    styles[FIGURE].paragraph_format.alignment = docx.enum.text.WD_ALIGN_PARAGRAPH.CENTER
    styles[FIGURE].paragraph_format.keep_with_next, styles[FIGURE].paragraph_format.space_before = True, pt(8)
    styles[FIGURE].element.get_or_add_pPr().insert_element_before(
        element("w:suppressLineNumbers"),
        "w:pBdr",
        "w:shd",
        "w:tabs",
        "w:suppressAutoHyphens",
        "w:spacing",
        "w:ind",
        "w:jc",
    )
    hanging = styles[BIBLIOGRAPHY].paragraph_format
    hanging.left_indent, hanging.first_line_indent = docx.shared.Cm(0.9), docx.shared.Cm(-0.9)
    hanging.line_spacing = journal.line_spacing
    for name in (CITATION, FOR_AUTHOR, OWN_NUMBER):
        mark: Any = styles.add_style(name, kinds.CHARACTER)
        mark.quick_style = True
    styles[FOR_AUTHOR].element.get_or_add_rPr().append(element("w:highlight", val="yellow"))


def _number_headings(document: Document) -> None:
    """Number headings 1 to 3 as Word does: 2, 2.4, 2.4.1."""
    numbering = document.part.numbering_part.element
    levels = [
        element(
            "w:lvl",
            element("w:start", val=1),
            element("w:numFmt", val="decimal"),
            element("w:pStyle", val=f"Heading{level}"),
            element("w:suff", val="space"),
            element("w:lvlText", val=".".join(f"%{n}" for n in range(1, level + 1))),
            element("w:pPr", element("w:ind", left=0, firstLine=0)),
            ilvl=level - 1,
        )
        for level in _HEADINGS
    ]
    made = element("w:abstractNum", element("w:multiLevelType", val="multilevel"), *levels, abstractNumId=_NUMBERING)
    # abstract definitions come before those that use them
    numbering.insert(0, made)
    numbering.append(element("w:num", element("w:abstractNumId", val=_NUMBERING), numId=_NUMBERING))
    for level in _HEADINGS:
        properties = document.styles[f"Heading {level}"].element.get_or_add_pPr()
        _number(properties, level - 1, _NUMBERING)


def unnumbered(paragraph: Any) -> None:
    """Take a heading out of the numbering of sections."""
    _number(paragraph._p.get_or_add_pPr(), 0, 0)


def _number(properties: Any, level: int, numbering: int) -> None:
    """Say in a paragraph's properties how it is numbered, in the place that the schema wants."""
    number = properties.get_or_add_numPr()
    number.get_or_add_ilvl().val, number.get_or_add_numId().val = level, numbering
