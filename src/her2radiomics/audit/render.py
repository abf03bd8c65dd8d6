"""The audit as files: ``audit.csv``, a page in one file, and a Word table."""

from __future__ import annotations

from dataclasses import asdict

from her2radiomics.audit.base import VERDICTS, Verdict
from her2radiomics.audit.paper import Audit, AuditRow, tally
from her2radiomics.core.tables import as_text, assemble
from her2radiomics.core.templates import environment
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.word import to_docx as table_to_docx

HEADINGS = {
    "inconsistent": "What does not add up",
    "cannot be checked": "What cannot be checked from print",
    "consistent": "What adds up",
}


def headline(rows: list[AuditRow]) -> str:
    """``42 checks: 30 consistent, 9 inconsistent, 3 cannot be checked``."""
    counts = tally(rows)
    order: tuple[Verdict, ...] = ("consistent", "inconsistent", "cannot be checked")
    return f"{len(rows)} checks: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in order)


def to_csv(rows: list[AuditRow]) -> str:
    """A row a check, in the order of the file."""
    return as_text("audit", assemble("audit", [asdict(row) for row in rows]))


def to_fragment(paper: Audit, rows: list[AuditRow]) -> str:
    """Return the findings as HTML without style, ids or scripts, the inconsistent ones first."""
    groups = [(HEADINGS[v], v, [row for row in rows if row.verdict == v]) for v in VERDICTS]
    return (
        environment("audit")
        .get_template("fragment.html")
        .render(paper=paper, headline=headline(rows), groups=[group for group in groups if group[2]])
    )


def to_html(paper: Audit, rows: list[AuditRow]) -> str:
    """Return a page that holds the fragment and its style, and loads nothing."""
    return environment("audit").get_template("page.html").render(paper=paper, fragment=to_fragment(paper, rows))


def to_table(paper: Audit, rows: list[AuditRow]) -> Table:
    """Return the findings as a table for Word, under a heading for each verdict."""
    made = Rows()
    for verdict in VERDICTS:
        group = [row for row in rows if row.verdict == verdict]
        if group:
            made.add(f"{HEADINGS[verdict]} ({len(group)})", section=True)
        for row in group:
            arithmetic = " ".join(filter(None, [row.arithmetic, row.note]))
            made.add(row.claim, cells={"place": row.place, "quote": row.quote, "arithmetic": arithmetic})
    headings = (
        Heading("place", "Place", align="left"),
        Heading("quote", "As printed", align="left"),
        Heading("arithmetic", "Arithmetic", align="left"),
    )
    frame = made.frame([heading.key for heading in headings])
    notes = [f"{headline(rows)}.", paper.source, paper.citation, *paper.beyond_arithmetic]
    return Table(
        f"Reported-number audit: {paper.title}",
        frame,
        "Statement",
        tuple(made.labels),
        headings,
        tuple(filter(None, notes)),
    )


def to_docx(paper: Audit, rows: list[AuditRow]) -> bytes:
    """Return the findings as a Word document."""
    return table_to_docx(to_table(paper, rows), "A1")
