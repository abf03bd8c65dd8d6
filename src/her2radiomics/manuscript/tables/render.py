"""From a protocol's table to files: CSV, HTML, LaTeX and Word side by side."""

from __future__ import annotations

import importlib
from pathlib import Path

from her2radiomics.core.files import write_whole
from her2radiomics.manuscript.tables.html import to_html
from her2radiomics.manuscript.tables.inputs import TableInputs
from her2radiomics.manuscript.tables.model import Table
from her2radiomics.manuscript.tables.registry import KINDS, Kind
from her2radiomics.manuscript.tables.settings import RegressionTable, TableBase
from her2radiomics.manuscript.tables.text import to_csv, to_latex
from her2radiomics.manuscript.tables.word import to_docx

_KIND_MODULES = (
    *("baseline", "regression", "performance", "delong", "survival", "group_comparison"),
    *("cox", "correlation", "agreement", "collinearity", "published"),
)


def needs(settings: TableBase) -> tuple[str, ...]:
    """Name the inputs of a table, out of :data:`her2radiomics.manuscript.tables.registry.INPUTS`."""
    return _kind(settings).needs(settings)


def models_needed(settings: TableBase) -> tuple[str, ...]:
    """Models whose files the table reads, for the inputs that are one file a model."""
    return (settings.model,) if isinstance(settings, RegressionTable) else ()


def make(settings: TableBase, inputs: TableInputs) -> Table:
    """Make the table that a protocol asks for."""
    return _kind(settings).make(inputs, settings)


def render(settings: TableBase, inputs: TableInputs, stem: str | Path) -> list[Path]:
    """Make a table and write ``<stem>.csv``, ``.html``, ``.tex`` and ``.docx``.

    Each file is written under a temporary name and renamed, so that a file that exists is whole. The same
    inputs give the same bytes.

    Returns
    -------
    list of Path
        The four files.
    """
    table = make(settings, inputs)
    contents = {
        ".csv": to_csv(table).encode(),
        ".html": to_html(table, settings.number).encode(),
        ".tex": to_latex(table, settings.number, settings.id).encode(),
        ".docx": to_docx(table, settings.number),
    }
    return write_whole(stem, contents)


def _kind(settings: TableBase) -> Kind:
    for module in _KIND_MODULES:
        importlib.import_module(f"her2radiomics.manuscript.tables.{module}")
    return KINDS[str(settings.kind)]  # type: ignore[attr-defined]
