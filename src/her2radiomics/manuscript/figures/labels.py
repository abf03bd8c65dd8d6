"""Printed names of features, predictors and levels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from her2radiomics.extraction.names import feature_words
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import FigureInputs, StudyText

LAST_NUMBER = re.compile(r" (?=\d$)")  # of a feature's name: it does not stand on a line alone
CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")
# mm at the usual size of type: a legend's line before its label, and between its columns
HANDLE, BETWEEN = 8.2, 3.2


def split_feature(term: str) -> tuple[str, str, str] | None:
    """Sequence, region and PyRadiomics name of a feature; nothing for any other term."""
    parts = term.split("__", 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def feature_label(term: str, study: StudyText, *, region: bool = False) -> str:
    """``DWI · wavelet LH, first-order 90th percentile``, with the region after the sequence where asked for."""
    found = split_feature(term)
    if found is None:
        return predictor_label(term, study)
    sequence, where, name = found
    parts = [study.sequences.get(sequence, sequence)]
    if region:
        parts.append(study.regions.get(where, where.replace("_", " ")))
    return " · ".join([*parts, feature_words(name)])


def predictor_label(term: str, study: StudyText) -> str:
    """Printed name of a column, or of the score of another model; the term itself otherwise."""
    if term in study.models and term not in study.columns:
        return study.scores.get(term, f"{study.models[term]} score")
    return study.columns.get(term, term.replace("_", " "))


def level_label(column: str, level: str, study: StudyText) -> str:
    """Printed name of a level of a column."""
    return study.levels.get(column, {}).get(level, level)


def legend_grid(labels: Sequence[str], width: float) -> tuple[int, int]:
    """Columns and rows of a legend that fits ``width`` mm: as many columns as its labels allow, filled from the left.

    As matplotlib lays it out: each column is as wide as its own longest label.
    """
    tall = sum(label.count("\n") + 1 for label in labels)
    if tall > len(labels):  # a label that needs two lines leaves no room beside it
        return 1, tall
    widths = [style.text_width(label, style.small()) + style.mm(HANDLE) for label in labels]
    for columns in range(len(labels), 1, -1):
        rows, longer = divmod(len(labels), columns)
        ends = [0, *accumulate(rows + (place < longer) for place in range(columns))]
        asked = sum(max(widths[start:end]) for start, end in pairwise(ends))
        if asked + style.mm(BETWEEN) * (columns - 1) <= width - 2.0:
            return columns, rows + (longer > 0)
    return 1, len(labels)


def legend_text(label: str, width: float) -> str:
    """``label`` in as many lines as it needs in a legend of ``width`` mm."""
    return "\n".join(style.wrap(label, width - 2.0 - style.mm(HANDLE), style.small()))


def legend_height(rows: int) -> float:
    """Height in mm of a legend of ``rows`` lines, its title among them, with the space around it."""
    return style.mm(3.35 * rows + 1.5)


def label_below(text: str, left: float, wide: float, width: float) -> tuple[str, float]:
    """A horizontal axis's label in lines that fit a figure ``width`` mm wide, and the height in mm of all but the first.

    The label stands in the middle of the frame, which begins ``left`` mm from the figure's edge and is ``wide`` mm wide.
    """
    middle = left + wide / 2
    lines = style.wrap(text, 2 * min(middle, width - middle), style.base())
    return "\n".join(lines), (len(lines) - 1) * style.line_height(style.base())


def below(left: float, wide: float, tall: float, width: float, more: float = 0.0) -> dict[str, Any]:
    """Where a legend stands under a frame, in the middle of a figure ``width`` mm wide.

    Below the axes, not in them: on unseen patients a poor curve runs where a legend would stand.

    Parameters
    ----------
    left, wide, tall
        Left edge and size of the frame in mm.
    width
        Width of the figure in mm.
    more
        Height in mm of the axis's label beyond one line.
    """
    return {"loc": "upper center", "bbox_to_anchor": ((width / 2 - left) / wide, -(style.mm(9.5) + more) / tall)}


def model_name(inputs: FigureInputs, model: str) -> str:
    """Printed name of a model."""
    return inputs.study.models.get(model, model)


def broken(label: str, width: float) -> list[str]:
    """Lines of a feature's name at most ``width`` mm wide: broken at spaces, and a longer word at its capitals."""
    lines: list[str] = []
    label = LAST_NUMBER.sub("\u00a0", label)
    for line in style.wrap(label, width, style.small()):
        part = ""
        for piece in CAPITALS.split(line) if style.text_width(line, style.small()) > width else [line]:
            if part and style.text_width(part + piece, style.small()) > width:
                lines.append(part)
                part = ""
            part += piece
        lines.append(part)
    return lines
