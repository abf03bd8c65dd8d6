"""Bring a manuscript that authors edited up to date: a copy with the present run's numbers, tables and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from her2radiomics.article.edited import BLIP, DOC_PROPERTIES, DocumentError, EditedDocument, read_pair
from her2radiomics.article.marks import write_mark
from her2radiomics.article.tables import refresh_table
from her2radiomics.article.writing import filled, set_text, tagged
from her2radiomics.core.files import whole_file
from her2radiomics.core.libraries import lxml
from her2radiomics.manuscript.tables.word_parts import qualified, text_of, zipped

_RELATIONS = "word/_rels/document.xml.rels"
_TYPES = "[Content_Types].xml"
_IMAGE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"


@dataclass
class Refreshed:
    """What a refresh did.

    Attributes
    ----------
    path
        The copy.
    numbers
        Printed before, and now, of every number that changed.
    tables, figures
        Those that changed, by their number in print.
    notes
        What the author should know: controls that are gone, words that were replaced.
    """

    path: Path
    numbers: list[tuple[str, str]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def refresh(
    path: str | Path, run_folder: str | Path, to: str | Path | None = None, *, other_run: bool = False
) -> Refreshed:
    """Write a copy of an edited manuscript with the numbers, tables and figures of a run as it is now.

    The author's words, comments, tracked changes and formatting stay; numbers inside tracked insertions are brought up to
    date too, those that a tracked deletion took away are left alone.

    Parameters
    ----------
    path
        The edited Word file; it is only read.
    run_folder
        The run's folder, with its ``manuscript/manuscript.docx``.
    to
        The copy; beside the file, with ``.refreshed`` in its name, where none is given.
    other_run
        Whether the document may be of another run.

    Raises
    ------
    DocumentError
        The document or the run's manuscript cannot be read, belongs to another run, or the copy's file is there already.
    """
    path = Path(path)
    target = Path(to) if to is not None else path.with_name(f"{path.stem}.refreshed{path.suffix}")
    if target.exists():
        raise DocumentError(
            f"{target}: found a file there already; expected none, since nothing is overwritten. Name another."
        )
    edited, own = read_pair(path, run_folder, other_run=other_run)
    done = Refreshed(target)
    _numbers(edited, own, done)
    _tables(edited, own, done)
    _figures(edited, own, done)
    # what the run no longer has keeps its old mark, so that a check still names it
    mark = replace(
        own.mark,
        numbers={**edited.mark.numbers, **own.mark.numbers},
        authors={**own.mark.authors, **edited.mark.authors},
        tables={**edited.mark.tables, **own.mark.tables},
        figures={**edited.mark.figures, **own.mark.figures},
        anchors=edited.mark.anchors,
    )
    parts = edited.parts | {name: _as_bytes(tree) for name, tree in edited.trees.items()}
    with whole_file(target) as temporary:
        temporary.write_bytes(zipped(parts | {edited.mark_part: write_mark(mark)}))
    return done


def _as_bytes(tree: Any) -> bytes:
    return lxml.etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)


def _numbers(edited: EditedDocument, own: EditedDocument, done: Refreshed) -> None:
    there, present = set(), dict(own.controls())
    for tag, control in edited.controls():
        there.add(tag)
        if tag not in own.mark.numbers:
            if tag in edited.mark.numbers:
                done.notes.append(
                    f"'{text_of(control)}' ({tag}): the run has no such number any more; it stays as it is."
                )
            continue
        before = text_of(control)
        tagged(control, tag)
        if set_text(control.find(qualified("w:sdtContent")), list(present[tag].iter(qualified("w:r")))):
            filled(control)
            done.numbers.append((before, own.mark.numbers[tag]))
    done.notes += gone_notes("number", edited.mark.numbers, there)


def gone_notes(what: str, written: Mapping[str, Any], there: set[str]) -> list[str]:
    """A sentence for each of what was written that the document has no longer."""
    return [
        f"{name}: the author took this {what} out of the document, or its control."
        for name in written
        if name not in there
    ]


def _tables(edited: EditedDocument, own: EditedDocument, done: Refreshed) -> None:
    found = edited.tables()
    for block, table in found.items():
        written, present = edited.mark.tables[block], own.mark.tables.get(block)
        if present is None:
            done.notes.append(f"{written.number}: the run has no table '{block}' any more; it stays as it is.")
            continue
        changed, notes = refresh_table(edited, block, table, own, written, present)
        done.notes += notes
        done.tables += [f"{written.number}: {changed} cells and notes"] if changed else []
    done.notes += gone_notes("table", edited.mark.tables, set(found))
    done.notes += new_notes("table", own.mark.tables, edited.mark.tables)


def new_notes(what: str, present: Mapping[str, Any], written: Mapping[str, Any]) -> list[str]:
    """A sentence for each table or figure that the run has now and had not when the document was made."""
    return [
        f"{item.number} of the run ('{name}') is a {what} that this document does not have; copy it from the run's "
        "manuscript."
        for name, item in present.items()
        if name not in written
    ]


def _figures(edited: EditedDocument, own: EditedDocument, done: Refreshed) -> None:
    found, fresh = edited.figures(), own.figures()
    for block, drawings in found.items():
        written, present = edited.mark.figures[block], own.mark.figures.get(block)
        if present is None:
            done.notes.append(f"{written.number}: the run has no figure '{block}' any more; it stays as it is.")
        elif present.sha256 != written.sha256:
            picture = _media(own, fresh[block][0])
            for drawing in drawings:
                _exchange(edited, drawing, fresh[block][0], picture)
            done.figures.append(written.number)
    done.notes += gone_notes("figure", edited.mark.figures, set(found))
    done.notes += new_notes("figure", own.mark.figures, edited.mark.figures)


def _media(document: EditedDocument, drawing: Any) -> bytes:
    """The picture of a drawing."""
    name = _blip(drawing).get(qualified("r:embed"))
    relations = lxml.etree.fromstring(document.parts[_RELATIONS])
    target = next(found.get("Target") for found in relations if found.get("Id") == name)
    return document.parts[f"word/{target}"]


def _blip(drawing: Any) -> Any:
    return next(drawing.getparent().iter(BLIP))


def _exchange(document: EditedDocument, drawing: Any, fresh: Any, picture: bytes) -> None:
    """Put a new picture into a drawing: as wide as the author has it, as tall as its own shape asks for."""
    name = f"media/run_{sha256(picture).hexdigest()[:12]}.png"
    document.parts[f"word/{name}"] = picture
    relations = lxml.etree.fromstring(document.parts[_RELATIONS])
    used = next((found for found in relations if found.get("Target") == name), None)
    identifier = used.get("Id") if used is not None else f"rIdRun{len(relations) + 1}"
    if used is None:
        kind = f"{{{relations.nsmap[None]}}}Relationship"
        lxml.etree.SubElement(relations, kind, Id=identifier, Type=_IMAGE, Target=name)
        document.parts[_RELATIONS] = _as_bytes(relations)
        _allow_png(document)
    _blip(drawing).set(qualified("r:embed"), identifier)
    wide, tall = (int(_extents(fresh)[0].get(side)) for side in ("cx", "cy"))
    for extent in _extents(drawing):
        extent.set("cy", str(round(int(extent.get("cx")) * tall / wide)))
    drawing.set("descr", fresh.get("descr", ""))


def _extents(drawing: Any) -> list[Any]:
    """Sizes of a drawing: in the text, and of the picture itself."""
    inline = drawing.getparent()
    space = DOC_PROPERTIES.rsplit("}", 1)[0] + "}extent"
    transforms = [part for part in inline.iter(BLIP.rsplit("}", 1)[0] + "}ext") if part.get("cx")]
    return [*inline.findall(space), *transforms]


def _allow_png(document: EditedDocument) -> None:
    types = lxml.etree.fromstring(document.parts[_TYPES])
    default = f"{{{types.nsmap[None]}}}Default"
    if not any(found.get("Extension", "").lower() == "png" for found in types.iter(default)):
        types.insert(0, types.makeelement(default, Extension="png", ContentType="image/png"))
        document.parts[_TYPES] = _as_bytes(types)
