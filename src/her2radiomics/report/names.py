"""Printed names of the terms of a model."""

from __future__ import annotations

from her2radiomics.manuscript.tables.regression import INTERCEPT
from her2radiomics.report.info import RunInfo


def term_label(term: str, info: RunInfo) -> str:
    """Printed name of a term: a feature by sequence, a level of a column, or another model's score."""
    protocol, parts = info.protocol, term.split("__", 2)
    if len(parts) == 3:
        image, _, rest = parts[2].partition("_")
        return " · ".join(
            [protocol.sequence_label(parts[0]), parts[1].replace("_", " "), image, rest.replace("_", " ")]
        )
    column, _, level = term.removesuffix("]").partition("[")
    if level:
        return f"{protocol.column_label(column)}: {protocol.level_label(column, level)}"
    if term in protocol.models:
        return f"{protocol.model_label(term)} score"
    return "Intercept" if term.lower() in INTERCEPT else protocol.column_label(term)
