"""The audit of the paper and the reporting checklists on the page."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from her2radiomics.core.contracts import contract
from her2radiomics.core.layout import Layout
from her2radiomics.report.context import AuditGroup, AuditSummary, Checklists, Grid, Link

#: Verdicts in the order of the page, with their headings.
VERDICTS = {
    "inconsistent": "What does not add up",
    "cannot be checked": "What cannot be checked from print",
    "consistent": "What adds up",
}
#: Printed names of the checklists that come with the workflow.
NAMES = {"clear": "CLEAR", "metrics": "METRICS", "tripod_ai": "TRIPOD+AI", "rqs": "RQS", "ibsi": "IBSI reporting"}
_LABELS = {"html": "Page", "docx": "Word", "csv": "CSV"}


def audit_summary(folder: Path) -> AuditSummary | None:
    """Findings of ``tables/audit.csv``, the inconsistent ones first; ``None`` where the paper was not audited.

    Raises
    ------
    TableError
        The file lacks a column.
    """
    layout = Layout(folder)
    if not layout.path("audit").is_file():
        return None
    table = layout.read("audit")
    counts = Counter(table["verdict"])
    groups = []
    for verdict, heading in VERDICTS.items():
        rows = table[table["verdict"] == verdict]
        found = tuple(
            (row["claim"], row["place"], row["quote"], f"{row['arithmetic']} {row['note']}".strip())
            for _, row in rows.iterrows()
        )
        if found:
            groups.append(AuditGroup(verdict, heading, found))
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("consistent", "inconsistent")) + (
        f", {counts['cannot be checked']} that cannot be decided from the printed numbers"
        * (counts["cannot be checked"] > 0)
    )
    return AuditSummary(f"{len(table)} checks: {parts}", tuple(groups), _links(folder, "audit"))


def checklists(folder: Path) -> Checklists | None:
    """Items by status of every list in ``checklists.csv``; ``None`` where none was filled.

    Raises
    ------
    TableError
        The file lacks a column.
    """
    layout = Layout(folder)
    if not layout.path("checklists").is_file():
        return None
    table = layout.read("checklists")
    statuses = contract("checklists").column("status").values
    rows = []
    for name, items in table.groupby("checklist", sort=False):
        counts = Counter(items["status"])
        cells = (str(counts[status]) for status in statuses)
        rows.append((NAMES.get(str(name), str(name)), str(len(items)), *cells))
    headings = ("Checklist", "Items", *(status.capitalize() for status in statuses))
    return Checklists(Grid(headings, tuple(rows)), _links(folder, "checklists"))


def _links(folder: Path, name: str) -> tuple[Link, ...]:
    links = (Link(label, contract(name).below(end)) for end, label in _LABELS.items())
    return tuple(link for link in links if (folder / link.href).is_file())
