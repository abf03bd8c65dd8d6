"""Whether a manuscript that authors edited still agrees with its run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from her2radiomics.article.edited import EditedDocument, read_pair
from her2radiomics.article.refresh import gone_notes, new_notes
from her2radiomics.article.tables import differing_cells, shape_of
from her2radiomics.article.unbound import unbound_numbers
from her2radiomics.article.word import ABSTRACT, cells_of
from her2radiomics.manuscript.tables.word_parts import qualified, text_of

Kind = Literal["number", "bound to nothing", "table", "figure", "for the author", "note"]
_WORDS = 40  # characters of a text that tell where something is


@dataclass(frozen=True)
class Finding:
    """One thing to correct, or, of the kind ``note``, to know.

    Attributes
    ----------
    kind
        What it is about.
    where
        Section and first words, or number in print.
    message
        What was found and what the run has.
    """

    kind: Kind
    where: str
    message: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.kind}: {self.where}: {self.message}" if self.where else f"{self.kind}: {self.message}"


def check(path: str | Path, run_folder: str | Path, *, other_run: bool = False) -> tuple[Finding, ...]:
    """Compare an edited manuscript with its run.

    Parameters
    ----------
    path
        The edited Word file.
    run_folder
        The run's folder, with its ``manuscript/manuscript.docx``.
    other_run
        Whether the document may be of another run.

    Returns
    -------
    tuple of Finding
        Numbers that no longer agree, numbers that are bound to nothing, tables and figures that are out of date, what the
        author has still to write; last, as notes, what the author took out and what the run has besides.

    Raises
    ------
    DocumentError
        The document or the run's manuscript cannot be read, or belongs to another run.
    """
    edited, own = read_pair(path, run_folder, other_run=other_run)
    there = {tag for tag, _ in edited.controls()}
    return (
        *_numbers(edited, own),
        *_unbound(edited, own),
        *_tables(edited, own),
        *_figures(edited, own),
        *_authors(edited),
        *_abstract(edited),
        *(Finding("note", "", text) for text in gone_notes("number", edited.mark.numbers, there)),
    )


def agrees(findings: tuple[Finding, ...]) -> bool:
    """Whether nothing is to be corrected."""
    return all(finding.kind == "note" for finding in findings)


def _where(document: EditedDocument, place: Any) -> str:
    paragraph = place if place.tag == qualified("w:p") else next(place.iterancestors(qualified("w:p")), place)
    heading, text = document.heading_above(paragraph), text_of(paragraph)
    words = text if len(text) <= _WORDS else text[:_WORDS].rsplit(" ", 1)[0] + " …"
    return f"{heading}, “{words}”" if heading and heading != text else f"“{words}”"


def _numbers(edited: EditedDocument, own: EditedDocument) -> Iterator[Finding]:
    for tag, control in edited.controls():
        if tag not in edited.mark.numbers and tag not in own.mark.numbers:
            continue
        printed, now = text_of(control), own.mark.numbers.get(tag)
        if now is None:
            yield Finding(
                "number", _where(edited, control), f"'{printed}' ({tag}) is a number that the run no longer has."
            )
        elif printed != now:
            yield Finding("number", _where(edited, control), f"found '{printed}', the run has '{now}' ({tag}).")


def _unbound(edited: EditedDocument, own: EditedDocument) -> Iterator[Finding]:
    known = {*edited.mark.numbers, *own.mark.numbers, *edited.mark.authors}
    for paragraph, number, around in unbound_numbers(edited, known):
        yield Finding("bound to nothing", _where(edited, paragraph), f"'{number}' in “{around}”")


def _tables(edited: EditedDocument, own: EditedDocument) -> Iterator[Finding]:
    found = edited.tables()
    for block, table in found.items():
        written, present, cells = edited.mark.tables[block], own.mark.tables.get(block), cells_of(table)
        if present is None:
            yield Finding("table", written.number, f"the run no longer has the table '{block}'.")
            continue
        if shape_of(cells) != shape_of(present.cells):
            yield Finding(
                "table",
                written.number,
                f"found {len(cells)} rows, the run's table has {len(present.cells)}, or they have other columns.",
            )
            continue
        differing = list(differing_cells(cells, present.cells))
        for row, column, text, now in differing:
            yield Finding(
                "table", f"{written.number}, row {row}, column {column}", f"found '{text}', the run has '{now}'."
            )
        if not differing and (written.cells, written.notes) != (present.cells, present.notes):
            yield Finding(
                "table", written.number, "words of the run's table or its notes changed since this one was written."
            )
    for text in [
        *gone_notes("table", edited.mark.tables, set(found)),
        *new_notes("table", own.mark.tables, edited.mark.tables),
    ]:
        yield Finding("note", "", text)


def _figures(edited: EditedDocument, own: EditedDocument) -> Iterator[Finding]:
    found = edited.figures()
    for block in found:
        written, present = edited.mark.figures[block], own.mark.figures.get(block)
        if present is None:
            yield Finding("figure", written.number, f"the run no longer has the figure '{block}'.")
        elif present.sha256 != written.sha256:
            yield Finding("figure", written.number, "the run's figure changed since this one was put in.")
    for text in [
        *gone_notes("figure", edited.mark.figures, set(found)),
        *new_notes("figure", own.mark.figures, edited.mark.figures),
    ]:
        yield Finding("note", "", text)


def _authors(edited: EditedDocument) -> Iterator[Finding]:
    for tag, control in edited.controls():
        if tag in edited.mark.authors and text_of(control).strip() == edited.mark.authors[tag]:
            yield Finding(
                "for the author", edited.heading_above(control), f"{text_of(control)} is still to be written."
            )


def _abstract(edited: EditedDocument) -> Iterator[Finding]:
    """The length of the abstract, where the journal limits it."""
    limit = edited.mark.abstract_words
    words, inside = 0, False
    for paragraph in edited.body.iter(qualified("w:p")):
        if edited.style(paragraph) == "heading 1":
            inside = text_of(paragraph).strip() == ABSTRACT
        elif inside:
            words += len(text_of(paragraph).split())
    if limit is not None and words > limit:
        yield Finding("note", ABSTRACT, f"found {words} words; {edited.mark.journal} allows {limit}.")
