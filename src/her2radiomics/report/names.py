"""Printed names of a run's identifiers, for its page."""

from __future__ import annotations

from her2radiomics.manuscript.names import Names
from her2radiomics.report.info import RunInfo


def names_of(info: RunInfo) -> Names:
    """Columns, models, sequences and partitions of the protocol."""
    protocol = info.protocol
    return Names(
        protocol.columns,
        {name: protocol.model_label(name) for name in protocol.models},
        {name: item.label for name, item in protocol.sequences.items()},
        {name: protocol.partition_label(name) for name in info.partitions},
        {name: protocol.score_label(name) for name in protocol.models},
    )


def term_label(term: str, info: RunInfo) -> str:
    """Printed name of a term: a feature by sequence, a level of a column, or another model's score."""
    return names_of(info).term(term)
