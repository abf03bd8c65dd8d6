"""Numbers in an edited manuscript that are bound to no cell of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from her2radiomics.article.edited import GONE, EditedDocument
from her2radiomics.article.tables import notes_below
from her2radiomics.article.word_styles import CITATION, OWN_NUMBER
from her2radiomics.core.bound import NUMBER
from her2radiomics.manuscript.tables.word_parts import qualified, text_of

#: Stands for what is bound, cited or counted by Word, and for a superscript.
_MASK, _RAISED = "\x00", "⁰"
_LIST = r"S?\d+[a-z]?(?:\.\d+)*(?:\s*(?:,|and|to|[–-])\s*S?\d+[a-z]?(?:\.\d+)*)*"
#: Numbers that are names: of tables and sections, of citations, of years, of categories, of addresses.
_NAMES = re.compile(
    rf"\b(?:Tables?|Fig(?:ure)?s?\.?|Sections?|Eq(?:uation)?s?\.?|Appendix|Refs?\.?|References?|Items?|Boxe?s?)\s+{_LIST}"
    r"|\[\d+(?:\s*[,–-]\s*\d+)*\]"
    r"|(?:https?://|doi:\s?|10\.\d{4,}/)\S+"
    r"|\b(?:BI-RADS|IHC|[Ii]mmunohistochemistry|[Gg]rade|[Pp]hase|[Vv]ersion)\s+\d[\w.+]*"
    r"|\bICC\(\d,\s?\d\)"
    r"|(?<![\d.,])(?:19|20)\d\d(?![\d.,]*\d|\s*%)"
)
#: Styles of paragraphs whose numbers are no results.
_SKIPPED = ("reference list", "bibliography", "toc", "table of figures")
_CONTEXT = 30


def unbound_numbers(document: EditedDocument, known: set[str]) -> Iterator[tuple[Any, str, str]]:
    """Paragraph, number and the words around it, of every number of the text that is bound to nothing.

    Parameters
    ----------
    document
        The edited document.
    known
        Tags of controls that are bound or that the author fills in.
    """
    tables = document.tables().values()
    notes = {paragraph for table in tables for paragraph in notes_below(document, table)}
    written = {text for table in document.mark.tables.values() for text in table.notes}
    inside = {paragraph for table in tables for paragraph in table.iter(qualified("w:p"))}
    field = 0
    for name, tree in document.trees.items():
        if name.startswith(("word/header", "word/footer")):
            continue
        for paragraph in tree.iter(qualified("w:p")):
            text, field = _masked(document, paragraph, known, field)
            own_note = paragraph in notes and text_of(paragraph) in written
            if paragraph in inside or own_note or document.style(paragraph).startswith(_SKIPPED):
                continue
            bare = _NAMES.sub(lambda found: _MASK * len(found[0]), text)
            for found in NUMBER.finditer(bare):
                start, stop = max(0, found.start() - _CONTEXT), found.end() + _CONTEXT
                yield paragraph, found[0], text[start:stop].replace(_MASK, "").strip()


def _masked(document: EditedDocument, paragraph: Any, known: set[str], field: int) -> tuple[str, int]:
    """Text of a paragraph with a mask for each part that is bound, and how many fields are open behind it."""
    parts = []
    for part in paragraph.iter(qualified("w:t"), qualified("w:fldChar"), qualified("w:tab"), qualified("w:br")):
        if part.tag == qualified("w:fldChar"):
            field = max(0, field + {"begin": 1, "end": -1}.get(part.get(qualified("w:fldCharType")), 0))
        elif part.tag != qualified("w:t"):
            parts.append(" ")
        elif next(part.iterancestors(qualified("w:p"))) is paragraph:  # not that of a text box
            text = part.text or ""
            raised = part.getparent().find(f"{qualified('w:rPr')}/{qualified('w:vertAlign')}") is not None
            masked = field or _is_bound(document, part, known)
            parts.append(_MASK * len(text) if masked else _RAISED * len(text) if raised else text)
    return "".join(parts), field


def _is_bound(document: EditedDocument, part: Any, known: set[str]) -> bool:
    gone = {qualified(name) for name in GONE}
    for above in part.iterancestors():
        if above.tag in gone or above.tag == qualified("w:fldSimple"):
            return True
        if above.tag == qualified("w:sdt") and document.tag(above) in known:
            return True
        if above.tag == qualified("w:r"):
            style = above.find(f"{qualified('w:rPr')}/{qualified('w:rStyle')}")
            identifier = "" if style is None else style.get(qualified("w:val"), "")
            if document.style_names.get(identifier, identifier) in (CITATION, OWN_NUMBER):
                return True
    return False
