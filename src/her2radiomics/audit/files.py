"""Writes an audit's files."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.audit.paper import Audit, AuditRow
from her2radiomics.audit.render import to_csv, to_docx, to_html
from her2radiomics.core.files import write_whole
from her2radiomics.core.spreadsheets import for_people


def write(paper: Audit, rows: list[AuditRow], stem: Path) -> list[Path]:
    """Write ``<stem>.csv``, ``.html`` and ``.docx``, each under a temporary name first; the same audit, the same bytes.

    Returns
    -------
    list of Path
        The three files.
    """
    contents = {".csv": for_people(to_csv(rows)), ".html": to_html(paper, rows).encode(), ".docx": to_docx(paper, rows)}
    return write_whole(stem, contents)
