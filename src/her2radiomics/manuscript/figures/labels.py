"""Printed names of features, predictors and levels."""

from __future__ import annotations

import re
from collections.abc import Sequence

from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import StudyText

CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def split_feature(term: str) -> tuple[str, str, str] | None:
    """Sequence, region and PyRadiomics name of a feature; nothing for any other term."""
    parts = term.split("__", 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def feature_label(term: str, study: StudyText, *, region: bool = False) -> str:
    """``DWI · wavelet-LH · firstorder 90Percentile``, with the region after the sequence where asked for."""
    found = split_feature(term)
    if found is None:
        return predictor_label(term, study)
    sequence, where, name = found
    parts = [study.sequences.get(sequence, sequence)]
    if region:
        parts.append(study.regions.get(where, where.replace("_", " ")))
    image_type, _, rest = name.partition("_")
    parts += [image_type, rest.replace("_", " ")] if rest else [image_type]
    return " · ".join(parts)


def predictor_label(term: str, study: StudyText) -> str:
    """Printed name of a column, or of the score of another model; the term itself otherwise."""
    if term in study.models and term not in study.columns:
        return f"{study.models[term]} score"
    return study.columns.get(term, term.replace("_", " "))


def level_label(column: str, level: str, study: StudyText) -> str:
    """Printed name of a level of a column."""
    return study.levels.get(column, {}).get(level, level)


def legend_grid(labels: Sequence[str], width: float) -> tuple[int, int]:
    """Columns and rows of a legend that fits ``width`` mm: as many columns as the longest label allows."""
    widest = max(style.text_width(label, style.small()) for label in labels) + style.mm(13.0)
    columns = max(1, min(len(labels), int((width - 2.0) // widest)))
    rows = -(-len(labels) // columns)
    return -(-len(labels) // rows), rows


def broken(label: str, width: float) -> list[str]:
    """Lines of a feature's name at most ``width`` mm wide: broken at spaces, and a longer word at its capitals."""
    lines: list[str] = []
    for line in style.wrap(label, width, style.small()):
        part = ""
        for piece in CAPITALS.split(line) if style.text_width(line, style.small()) > width else [line]:
            if part and style.text_width(part + piece, style.small()) > width:
                lines.append(part)
                part = ""
            part += piece
        lines.append(part)
    return lines
