"""Printed names of features, predictors and levels."""

from __future__ import annotations

from her2radiomics.manuscript.figures.inputs import StudyText


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
