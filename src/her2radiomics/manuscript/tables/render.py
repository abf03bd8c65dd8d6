"""From a protocol's table to files: CSV, HTML, LaTeX and Word side by side."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.core.files import write_whole
from her2radiomics.manuscript.tables.html import to_html
from her2radiomics.manuscript.tables.inputs import TableInputs
from her2radiomics.manuscript.tables.model import Table
from her2radiomics.manuscript.tables.registry import TableOptions
from her2radiomics.manuscript.tables.text import to_csv, to_latex
from her2radiomics.manuscript.tables.word import to_docx


def render(settings: TableOptions, inputs: TableInputs, stem: str | Path) -> list[Path]:
    """Make a table and write ``<stem>.csv``, ``.html``, ``.tex`` and ``.docx``.

    Each file is written under a temporary name and renamed, so that a file that exists is whole. The same
    inputs give the same bytes.

    Returns
    -------
    list of Path
        The four files.
    """
    table: Table = settings.make(inputs)
    contents = {
        ".csv": to_csv(table).encode(),
        ".html": to_html(table, settings.number).encode(),
        ".tex": to_latex(table, settings.number, settings.id).encode(),
        ".docx": to_docx(table, settings.number),
    }
    return write_whole(stem, contents)
