"""A manuscript's Word file that authors may have edited: its parts, and where numbers, tables and figures are in it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from her2radiomics.article.marks import NAMESPACE, Mark, read_mark, safe_parser
from her2radiomics.article.numbering import bookmark_of
from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import lxml
from her2radiomics.manuscript.tables.word_parts import live_texts, qualified, text_of

BODY = "word/document.xml"
#: Parts that hold text of the manuscript.
_TEXTS = re.compile(r"word/(document|footnotes|endnotes|header\d*|footer\d*)\.xml")
#: A document that decompresses to more bytes than this is none of ours.
_MOST_BYTES = 1_000_000_000
_OLD_WORD = b"\xd0\xcf\x11\xe0"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/%s}%s"
DOC_PROPERTIES = _DRAWING % ("wordprocessingDrawing", "docPr")
BLIP = _DRAWING % ("main", "blip")
GONE = ("w:del", "w:moveFrom")


class DocumentError(StudyError):
    """A Word file cannot be read as a manuscript of a run."""


@dataclass
class EditedDocument:
    """A Word file of a manuscript.

    Attributes
    ----------
    path
        The file.
    parts
        The zip's entries, as they are in the file.
    mark
        What was written into it.
    """

    path: Path
    parts: dict[str, bytes]
    mark: Mark

    @cached_property
    def trees(self) -> dict[str, Any]:
        """Parts that hold text, parsed; the main one first."""
        names = sorted(filter(_TEXTS.fullmatch, self.parts), key=lambda name: (name != BODY, name))
        return {name: _parse(self.path, name, self.parts[name]) for name in names}

    @property
    def body(self) -> Any:
        """The main text."""
        return self.trees[BODY]

    def controls(self) -> Iterator[tuple[str, Any]]:
        """Tag and element of every content control that no tracked deletion took away and that holds text."""
        for tree in self.trees.values():
            for control in tree.iter(qualified("w:sdt")):
                tag = self.tag(control)
                if tag and any(True for _ in live_texts(control)):
                    yield tag, control

    def tag(self, control: Any) -> str:
        """Tag of a content control, or that of the bookmark that begins before it; empty where it has none."""
        own = control.find(f"{qualified('w:sdtPr')}/{qualified('w:tag')}")
        if own is not None:
            return str(own.get(qualified("w:val"), ""))
        for before in (*control.iter(qualified("w:bookmarkStart")), *control.itersiblings(preceding=True)):
            anchor = self.mark.anchors.get(before.get(qualified("w:name"), ""))
            if anchor or before.tag in (qualified("w:r"), qualified("w:sdt")):
                return anchor or ""
        return ""

    def tables(self) -> dict[str, Any]:
        """Identifier to table, of the run's tables that the document still has."""
        found: dict[str, Any] = {}
        for table in self.body.iter(qualified("w:tbl")):
            name = table.find(f"{qualified('w:tblPr')}/{qualified('w:tblCaption')}")
            if name is not None and not _deleted(table):
                found.setdefault(name.get(qualified("w:val"), ""), table)
        # programs that drop a table's alternative text keep the bookmark of its caption
        for block in self.mark.tables:
            if block not in found and (table := self._below(bookmark_of(block))) is not None:
                found[block] = table
        return {block: found[block] for block in self.mark.tables if block in found}

    def figures(self) -> dict[str, list[Any]]:
        """Identifier to the properties of every drawing of the figure."""
        found: dict[str, list[Any]] = {}
        for drawing in self.body.iter(DOC_PROPERTIES):
            if drawing.get("name") in self.mark.figures and not _deleted(drawing):
                found.setdefault(drawing.get("name"), []).append(drawing)
        return found

    @cached_property
    def headings(self) -> dict[Any, str]:
        """Text of the last heading before every paragraph of the main text."""
        found, heading = {}, ""
        for paragraph in self.body.iter(qualified("w:p")):
            heading = text_of(paragraph) if self.style(paragraph).startswith("heading") else heading
            found[paragraph] = heading
        return found

    def heading_above(self, place: Any) -> str:
        """Text of the last heading before a paragraph or what it holds; empty where there is none."""
        inside = (above for above in (place, *place.iterancestors()) if above.tag == qualified("w:p"))
        return next((self.headings[above] for above in inside if above in self.headings), "")

    def style(self, paragraph: Any) -> str:
        """Name of a paragraph's style, in small letters."""
        found = paragraph.find(f"{qualified('w:pPr')}/{qualified('w:pStyle')}")
        identifier = "" if found is None else found.get(qualified("w:val"), "")
        return self.style_names.get(identifier, identifier).lower()

    @cached_property
    def style_names(self) -> dict[str, str]:
        """Identifier to name of every style: programs rename the identifiers."""
        if "word/styles.xml" not in self.parts:
            return {}
        tree = _parse(self.path, "word/styles.xml", self.parts["word/styles.xml"])
        named = ((style, style.find(qualified("w:name"))) for style in tree.iter(qualified("w:style")))
        return {
            style.get(qualified("w:styleId"), ""): name.get(qualified("w:val"), "")
            for style, name in named
            if name is not None
        }

    def _below(self, bookmark: str) -> Any:
        for start in self.body.iter(qualified("w:bookmarkStart")):
            if start.get(qualified("w:name")) == bookmark:
                paragraph = next(start.iterancestors(qualified("w:p")), None)
                following = None if paragraph is None else paragraph.getnext()
                return following if following is not None and following.tag == qualified("w:tbl") else None
        return None

    @property
    def mark_part(self) -> str:
        """Name of the part with the mark."""
        return next(
            n for n, content in self.parts.items() if n.startswith("customXml/") and NAMESPACE.encode() in content
        )


def read_document(path: str | Path) -> EditedDocument:
    """Read a manuscript's Word file.

    Raises
    ------
    DocumentError
        The file is missing, no Word file without macros, broken, or not made from a run.
    """
    path = Path(path)
    if not path.is_file():
        raise DocumentError(f"{path}: found no file; expected the Word file of a manuscript. Correct the path.")
    with path.open("rb") as stream:
        first = stream.read(4)
    if first == _OLD_WORD:
        raise DocumentError(
            f"{path}: found a file of old Word (.doc) or one with a password; expected a .docx. Open it in Word and save it "
            "as 'Word document (.docx)' without a password."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > _MOST_BYTES:
                raise DocumentError(
                    f"{path}: found {size} bytes of content, expected at most {_MOST_BYTES}. Is it a manuscript?"
                )
            parts = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise DocumentError(
            f"{path}: found no whole zip file ({error}); expected a .docx. Save it again in Word."
        ) from None
    if BODY not in parts or "[Content_Types].xml" not in parts:
        raise DocumentError(
            f"{path}: found a zip file without {BODY}; expected a .docx. Save the text as 'Word document (.docx)'."
        )
    if "word/vbaProject.bin" in parts or b"macroEnabled" in parts["[Content_Types].xml"]:
        raise DocumentError(
            f"{path}: found a Word file with macros; expected one without. Save it as 'Word document (.docx)'."
        )
    mark = read_mark(parts)
    if mark is None:
        raise DocumentError(
            f"{path}: found no mark of a run in the document; expected a copy of a run's manuscript.docx. Numbers of a text "
            "that was written elsewhere are bound to nothing: start from the run's manuscript.docx."
        )
    document = EditedDocument(path, parts, mark)
    assert document.trees  # broken parts are refused here
    return document


def read_runs_own(folder: str | Path) -> EditedDocument:
    """Read the manuscript that a run made.

    Raises
    ------
    DocumentError
        The folder is no run's, or its manuscript was not made.
    """
    path = Layout(Path(folder)).path("manuscript", "docx")
    if not Path(folder).is_dir():
        raise DocumentError(
            f"{folder}: found no such folder; expected the folder of a run, results/<run>. Correct the path."
        )
    if not path.is_file():
        raise DocumentError(f"{path}: found no manuscript of the run; expected one. Make it: snakemake {path}")
    return read_document(path)


def read_pair(path: str | Path, folder: str | Path, *, other_run: bool) -> tuple[EditedDocument, EditedDocument]:
    """An edited document and its run's own.

    Raises
    ------
    DocumentError
        The document belongs to another run and that was not asked for.
    """
    edited, own = read_document(path), read_runs_own(folder)
    if edited.mark.run != own.mark.run and not other_run:
        raise DocumentError(
            f"{path}: found a manuscript of the run '{edited.mark.run}', expected one of '{own.mark.run}' ({folder}). "
            "Name the other run's folder, or allow another run with --other-run."
        )
    return edited, own


def _parse(path: Path, name: str, content: bytes) -> Any:
    try:
        return lxml.etree.fromstring(content, parser=safe_parser())
    except lxml.etree.XMLSyntaxError as error:
        raise DocumentError(
            f"{path}: found a broken part {name} ({error}); expected XML. Open and save it in Word."
        ) from None


def _deleted(place: Any) -> bool:
    gone = {qualified(name) for name in GONE}
    return any(above.tag in gone for above in place.iterancestors())
