"""The manuscript as a Word file: styles, captions and cross-references of Word's own, each number in a content control."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2radiomics.article.document import (
    Bound,
    Cite,
    CrossReference,
    FigureBlock,
    ForAuthor,
    Heading,
    Manuscript,
    Paragraph,
    Run,
    TableBlock,
    Words,
)
from her2radiomics.article.fitting import fit
from her2radiomics.article.journals import PAGES, Journal, label_of, plain_text, spaced
from her2radiomics.article.marks import FigureMark, Mark, TableMark, add_mark
from her2radiomics.article.numbering import Place, alias_of, bookmark_of, places, tag_of
from her2radiomics.article.pictures import picture
from her2radiomics.article.references import ReferenceList
from her2radiomics.article.word_styles import (
    BIBLIOGRAPHY,
    CITATION,
    FIGURE,
    FOR_AUTHOR,
    MARGIN,
    MARGIN_TALL,
    set_up,
    style_id,
    unnumbered,
)
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import file_hash
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import docx
from her2radiomics.manuscript.tables.word_parts import (
    CAPTION,
    TABLE_NOTE,
    bookmarked,
    control,
    element,
    field,
    fix_properties,
    numbered,
    packed,
    qualified,
    run,
    runs,
    styled,
    text_of,
)

if TYPE_CHECKING:
    from docx.document import Document

ABSTRACT, REFERENCES, SUPPLEMENT = "Abstract", "References", "Supplementary material"
#: Room in mm that a caption of several lines takes below a figure.
_CAPTION_MM = 35.0


def to_docx(manuscript: Manuscript, folder: str | Path, journal: Journal, references: ReferenceList) -> bytes:
    """Return the Word file of a manuscript; the same input gives the same bytes.

    Parameters
    ----------
    manuscript
        The text.
    folder
        The run's folder, whose Word tables and figures are taken over.
    journal
        The journal's profile.
    references
        The reference list in its style.

    Raises
    ------
    StudyError
        The run lacks a table or figure, or a cross-reference has no target.
    """
    writer = _Writer(manuscript, Layout(Path(folder)), journal, references)
    writer.write()
    fix_properties(writer.document, manuscript.title, manuscript.language)
    add_mark(writer.document, writer.mark)
    return packed(writer.document)


class _Writer:
    """One document while it is written."""

    def __init__(self, manuscript: Manuscript, layout: Layout, journal: Journal, references: ReferenceList) -> None:
        self.manuscript, self.layout, self.journal, self.references = manuscript, layout, journal, references
        self.places = places(manuscript, journal)
        self.document: Document = docx.Document()
        self.numbers = count(1)
        self.wide, self.across = False, False
        self.mark = Mark(manuscript.run, manuscript.simulated, journal.name, journal.abstract.words)
        set_up(self.document, journal, simulated=manuscript.simulated, language=manuscript.language)

    def write(self) -> None:
        """Title, abstract, body, references, supplement."""
        self.document.add_paragraph(self.manuscript.title, style="Title")
        self._own_heading(ABSTRACT)
        for block in self.manuscript.abstract:
            self._add(block)
        for part in self.manuscript.body:
            self._add(part)
        self._turn(False)
        if self.references.printed:
            self._own_heading(REFERENCES)
        for key, printed in self.references.printed.items():
            entry = [run(f"{self.references.number(key)}."), element("w:r", element("w:tab")), *runs(printed)]
            self.document.add_paragraph(style=BIBLIOGRAPHY)._p.extend(entry)
        first = next((part for part in self.manuscript.supplement if isinstance(part, TableBlock | FigureBlock)), None)
        # the supplement's first words stand with its first table
        self.across = isinstance(first, TableBlock) and self._read_table(first)[1]
        self._turn(self.across)
        before = len(self.document.paragraphs)
        if needs_heading(self.manuscript):
            self._own_heading(SUPPLEMENT)
        for part in self.manuscript.supplement:
            self._add(part)
        self._turn(False)
        for paragraph in self.document.paragraphs[before : before + 1]:
            paragraph.paragraph_format.page_break_before = True

    def _own_heading(self, text: str) -> None:
        paragraph = self.document.add_heading(text, 1)
        if self.journal.numbered_sections:
            unnumbered(paragraph)

    def _add(self, block: Heading | Paragraph | TableBlock | FigureBlock) -> None:
        match block:
            case Heading():
                self._turn(self.across)
                place = self.places[block.id]
                paragraph = self.document.add_paragraph(style=f"Heading {block.level}")
                paragraph._p.extend(bookmarked(bookmark_of(block.id), next(self.numbers), runs(place.heading)))
                if self.journal.numbered_sections and not place.number:
                    unnumbered(paragraph)
            case Paragraph():
                self._turn(self.across)
                label = label_of(block, self.journal)
                inside = [*(runs(f"{label} ", bold=True) if label else []), *self._runs(block.runs)]
                paragraph = self.document.add_paragraph(style="Body Text")
                paragraph._p.extend(bookmarked(f"_{bookmark_of(block.id)}"[:40], next(self.numbers), inside))
            case TableBlock():
                self._add_table(block)
            case FigureBlock():
                self._add_figure(block)

    def _runs(self, parts: Sequence[Run]) -> list[Any]:
        return [made for part in spaced(parts) for made in self._run(part)]

    def _run(self, part: Run) -> list[Any]:
        match part:
            case Words():
                return runs(part.text, **({} if part.style == "plain" else {part.style: True}))
            case Bound():
                tag = tag_of(part.key)
                made = self._control(tag, alias_of(part.source), runs(part.text))
                self.mark.numbers[tag] = "".join(map(text_of, made))
                return made
            case Cite():
                return [styled(self.references.citations[part.keys], style_id(CITATION))]
            case CrossReference():
                return self._reference(part.target, self.places[part.target])
            case ForAuthor():
                tag = f"author.{len(self.mark.authors) + 1}"
                text = part.text if part.text.startswith("[") else f"[{part.text}]"
                self.mark.authors[tag] = text
                marked = run(text, element("w:rStyle", val=style_id(FOR_AUTHOR)), element("w:highlight", val="yellow"))
                return self._control(tag, "For the author", [marked], placeholder=True)

    def _control(self, tag: str, alias: str, inside: list[Any], *, placeholder: bool = False) -> list[Any]:
        """A content control, and around it a hidden bookmark by which it is found where its tag was dropped."""
        number = next(self.numbers)
        anchor = f"_run{number}"
        self.mark.anchors[anchor] = tag
        return bookmarked(anchor, number, [control(tag, alias, number, inside, placeholder=placeholder)])

    def _reference(self, target: str, place: Place) -> list[Any]:
        """A cross-reference as a field with the text that it will have, so that it reads right before it is updated."""
        name = bookmark_of(target)
        if place.kind != "Section":
            return field(rf"REF {name} \h", place.shown)
        if place.number:
            return [run("Section "), *field(rf"REF {name} \r \h", place.number)]
        return [run("“"), *field(rf"REF {name} \h", place.heading), run("”")]

    def _caption(self, block: str, parts: Sequence[Run], *, above: bool) -> str:
        """Add a caption that Word can list and cross-references find; its text."""
        place = self.places[block]
        paragraph = self.document.add_paragraph(style=CAPTION)
        paragraph.paragraph_format.keep_with_next = above
        label = numbered(place.kind, place.number, counted=True)
        for part in (stop := [*label, run(". ")]):
            part.get_or_add_rPr().insert(0, element("w:b"))
        name = bookmarked(bookmark_of(block), next(self.numbers), label)
        paragraph._p.extend([*name, *stop[len(label) :], *self._runs(parts)])
        return f"{place.shown}. {plain_text(parts)}"

    def _read_table(self, block: TableBlock) -> tuple[Any, bool, list[Any]]:
        """The run's table, whether it needs a page across, and its notes."""
        path = self.layout.path("table", "docx", table=block.id)
        if not path.is_file():
            raise StudyError(f"{path}: found no table; expected one that the run made. Make it: snakemake {path}")
        made = docx.Document(str(path))
        if not made.tables:
            raise StudyError(f"{path}: found no table in the file, expected one. Delete it and run snakemake again.")
        table = deepcopy(made.tables[0]._tbl)
        room = round(docx.shared.Mm(PAGES[self.journal.page][0] - 2 * MARGIN).twips)
        notes = [paragraph._p for paragraph in made.paragraphs[1:] if paragraph.text.strip()]
        return table, not fit(table, room), notes

    def _add_table(self, block: TableBlock) -> None:
        table, wide, notes = self._read_table(block)
        self.across = False
        self._turn(wide)
        caption = self._caption(block.id, block.title, above=True)
        # what Word shows as the table's alternative text, by which a refreshed copy finds it
        table.tblPr.extend([element("w:tblCaption", val=block.id), element("w:tblDescription", val=caption)])
        body = self.document.element.body
        body.insert(len(body) - 1, table)
        for place, note in enumerate(notes):
            paragraph = self.document.add_paragraph(style=TABLE_NOTE)
            paragraph._p.extend(deepcopy(part) for part in note.r_lst)
            if place == len(notes) - 1:
                paragraph.paragraph_format.space_after = docx.shared.Pt(12)
        self.mark.tables[block.id] = TableMark(
            self.places[block.id].shown, cells_of(table), [text_of(note) for note in notes]
        )

    def _add_figure(self, block: FigureBlock) -> None:
        self.across = False
        self._turn(False)
        page = PAGES[self.journal.page]
        room = (page[0] - 2 * MARGIN, page[1] - 2 * MARGIN_TALL - _CAPTION_MM)
        shown = picture(self.layout.path("figure", "png", figure=block.id), self.journal, room)
        paragraph = self.document.add_paragraph(style=FIGURE)
        inline = paragraph.add_run().add_picture(str(shown.path), width=docx.shared.Mm(shown.width))
        caption = self._caption(block.id, block.caption, above=False)
        about = inline._inline.docPr
        about.set("name", block.id)
        about.set("descr", f"{shown.title}. {caption}" if shown.title else caption)
        self.mark.figures[block.id] = FigureMark(self.places[block.id].shown, file_hash(shown.path))

    def _turn(self, wide: bool) -> None:
        """Go on upright or across: a table that is wider than the page stands on a page across."""
        if wide == self.wide:
            return
        self.wide = wide
        section = self.document.add_section(docx.enum.section.WD_SECTION.NEW_PAGE)
        kinds = docx.enum.section.WD_ORIENT
        section.orientation = kinds.LANDSCAPE if wide else kinds.PORTRAIT
        section.page_width, section.page_height = section.page_height, section.page_width


def needs_heading(manuscript: Manuscript) -> bool:
    """Whether the supplement has no heading of its own."""
    return bool(manuscript.supplement) and not isinstance(manuscript.supplement[0], Heading)


def cells_of(table: Any) -> list[list[str]]:
    """Texts of a table's cells by row; a cell that spans columns counts once."""
    return [
        [text_of(cell) for cell in row.iterchildren(qualified("w:tc"))] for row in table.iterchildren(qualified("w:tr"))
    ]
