"""The mark of a run in its Word file: what was written, so that a copy that authors edited can be compared.

It is a custom XML part of the file, which Word and LibreOffice keep: the run, the printed number of every key, the cells of
every table and the hash of every figure as they were written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from her2radiomics.core.libraries import docx, lxml

if TYPE_CHECKING:
    from docx.document import Document

NAMESPACE = "urn:her2radiomics:manuscript"
_STORE = "{6C3F3B2E-0A3D-4E57-9B55-6A1B6D0C2E11}"
_DATASTORE = "http://schemas.openxmlformats.org/officeDocument/2006/customXml"


@dataclass(frozen=True)
class TableMark:
    """A table as written: cells by row, notes, and the number that it had."""

    number: str
    cells: list[list[str]]
    notes: list[str]


@dataclass(frozen=True)
class FigureMark:
    """A figure as written: SHA-256 of its picture, and the number that it had."""

    number: str
    sha256: str


@dataclass(frozen=True)
class Mark:
    """What a Word file says of the run that it was made from.

    Attributes
    ----------
    run
        Name of the run's folder.
    numbers
        Key to the printed number.
    authors
        Tag of a part that the author writes to its placeholder.
    anchors
        Hidden bookmark around a content control to its tag: some versions of LibreOffice (7.4) drop the tags.
    tables, figures
        By identifier.
    """

    run: str
    simulated: bool = False
    journal: str = ""
    abstract_words: int | None = None
    numbers: dict[str, str] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)
    anchors: dict[str, str] = field(default_factory=dict)
    tables: dict[str, TableMark] = field(default_factory=dict)
    figures: dict[str, FigureMark] = field(default_factory=dict)


def write_mark(mark: Mark) -> bytes:
    """The part's content."""
    root = lxml.etree.Element(f"{{{NAMESPACE}}}manuscript", nsmap={None: NAMESPACE})
    root.text = json.dumps(asdict(mark), ensure_ascii=False, sort_keys=True)
    return lxml.etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def read_mark(parts: Mapping[str, bytes]) -> Mark | None:
    """The mark among a document's parts; ``None`` where it has none."""
    for name, content in parts.items():
        if name.startswith("customXml/") and NAMESPACE.encode() in content:
            told = json.loads(lxml.etree.fromstring(content, parser=safe_parser()).text or "{}")
            tables = {key: TableMark(**value) for key, value in told.pop("tables").items()}
            figures = {key: FigureMark(**value) for key, value in told.pop("figures").items()}
            return Mark(**told, tables=tables, figures=figures)
    return None


def add_mark(document: Document, mark: Mark) -> None:
    """Put the mark into a document that python-docx writes."""
    opc: Any = docx.opc  # python-docx has no types for these
    package, kinds = document.part.package, opc.constants.RELATIONSHIP_TYPE
    named = opc.packuri.PackURI
    # the template has an item 1
    item = opc.part.Part(named("/customXml/item9.xml"), "application/xml", write_mark(mark), package)
    about = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="no"?><ds:datastoreItem ds:itemID="{_STORE}" '
        f'xmlns:ds="{_DATASTORE}"><ds:schemaRefs><ds:schemaRef ds:uri="{NAMESPACE}"/></ds:schemaRefs></ds:datastoreItem>'
    )
    kind = "application/vnd.openxmlformats-officedocument.customXmlProperties+xml"
    item.relate_to(
        opc.part.Part(named("/customXml/itemProps9.xml"), kind, about.encode(), package), kinds.CUSTOM_XML_PROPS
    )
    document.part.relate_to(item, kinds.CUSTOM_XML)


def safe_parser() -> lxml.etree.XMLParser:
    """A parser of files from elsewhere: no entity, no network, every blank kept."""
    return lxml.etree.XMLParser(resolve_entities=False, no_network=True)
