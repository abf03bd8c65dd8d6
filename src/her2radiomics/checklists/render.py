"""Filled checklists as files: a page in one file, one CSV, and a Word document."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from her2radiomics.checklists.fill import STATUSES, FilledChecklist, FilledItem
from her2radiomics.core.tables import as_text, assemble
from her2radiomics.core.templates import environment
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.word import several_to_docx

if TYPE_CHECKING:
    from jinja2 import Environment


OWN_WORDS = "The items are worded by us in short; the publication has the full text."
SIMULATED = (
    "Simulated patients: filled items show what this workflow would report for real patients; they say nothing about the "
    "published study."
)


def summary(filled: FilledChecklist) -> str:
    """``30 filled, 20 for the author, 8 not done``: statuses that occur."""
    counts = [(filled.count(status), status) for status in STATUSES]
    return ", ".join(f"{count} {status}" for count, status in counts if count)


def score_words(filled: FilledChecklist) -> str:
    """The score's range in words, empty where the checklist has none."""
    if filled.score is None:
        return ""
    return (
        f"{filled.score}: the lower number counts only what the run shows; the higher one is reached if everything left "
        "to the author is fulfilled."
    )


def to_csv(checklists: Sequence[FilledChecklist], simulated: bool) -> str:
    """A row per item (a part, where an item has several), in the order of the lists."""
    rows = [
        {
            "checklist": filled.checklist.id,
            "number": item.number,
            "section": item.section,
            "item": item.text,
            "status": item.status,
            "statement": item.statement,
            "files": ";".join(item.files),
            "place": item.place,
            "paragraphs": ";".join(item.paragraphs),
            "points": f"{item.points:g}" if filled.score else "",
            "simulated": simulated,
        }
        for filled in checklists
        for item in filled.items
    ]
    return as_text("checklists", assemble("checklists", rows))


@cache
def _environment() -> Environment:
    made = environment("checklists").overlay()
    # Jinja's own groupby sorts; the order of the checklist is meant
    made.filters["groupby_section"] = _by_section
    made.filters["class_name"] = lambda status: status.replace(" ", "-")
    return made


def _by_section(items: Sequence[FilledItem]) -> list[tuple[str, list[FilledItem]]]:
    groups: dict[str, list[FilledItem]] = {}
    for item in items:
        groups.setdefault(item.section, []).append(item)
    return list(groups.items())


def to_html(title: str, checklists: Sequence[FilledChecklist], simulated: bool) -> str:
    """Return a page that loads nothing; its links lead to files beside it.

    Parameters
    ----------
    title
        Title of the study.
    checklists
        The filled lists.
    simulated
        Whether the patients are simulated.
    """
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            checklists=[(filled, summary(filled), score_words(filled)) for filled in checklists],
            simulated=SIMULATED if simulated else "",
            own_words=OWN_WORDS,
            statuses=[(s, n) for s in STATUSES if (n := sum(filled.count(s) for filled in checklists))],
        )
    )


def to_table(filled: FilledChecklist, simulated: bool) -> Table:
    """Return a filled checklist as a table for Word, with a heading for each section."""
    rows = Rows()
    section = ""
    for item in filled.items:
        if item.section != section:
            section = item.section
            rows.add(section, section=True)
        said = "\n".join(filter(None, [item.statement, f"Shown in: {', '.join(item.files)}" if item.files else ""]))
        rows.add(item.number, cells={"item": item.text, "status": item.status, "statement": said, "place": item.place})
    headings = (
        Heading("item", "Item", align="left"),
        Heading("status", "Status", align="left"),
        Heading("statement", "What the run says", align="left"),
        Heading("place", "In the manuscript", align="left"),
    )
    counts = f"{summary(filled)[:1].upper()}{summary(filled)[1:]}."
    return Table(
        f"{filled.checklist.name}, as far as the run can fill it",
        rows.frame([heading.key for heading in headings]),
        "No.",
        tuple(rows.labels),
        headings,
        (" ".join(filter(None, [counts, score_words(filled)])), filled.checklist.citation, OWN_WORDS),
        simulated,
    )


def to_docx(checklists: Sequence[FilledChecklist], simulated: bool) -> bytes:
    """Return the filled checklists as a Word document, a section for each."""
    tables = [(to_table(filled, simulated), f"C{number}") for number, filled in enumerate(checklists, start=1)]
    return several_to_docx(tables, "Reporting checklists, as far as the run can fill them")
