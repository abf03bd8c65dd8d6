"""AUC of fits in every partition and in cross-validation, as rows of a repetition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from her2radiomics.core.contracts import TRAINING
from her2radiomics.evidence.analysis import NAN, row
from her2radiomics.evidence.study import EvidenceStudy, area, probabilities
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.modelling.study_model import StudyModel

NOT_FITTED = "the model could not be fitted or predicts none of these patients"


def partition_areas(
    study: EvidenceStudy, model: str, fit: StudyModel | None, outcome: np.ndarray, arm: str = ""
) -> Iterator[dict[str, Any]]:
    """AUC of a fit in every partition, its training set among them."""
    probability = probabilities(fit, study.table)
    for partition in (TRAINING, *study.tested):
        rows = study.rows(partition)
        yield area_row(model, partition, outcome[rows], probability[rows], arm)


def area_row(model: str, partition: str, outcome: np.ndarray, probability: np.ndarray, arm: str = "") -> dict[str, Any]:
    """AUC over the patients who have a prediction."""
    known = ~np.isnan(probability)
    value = area(outcome, probability)
    return row(
        "auc",
        value,
        arm=arm,
        model=model,
        partition=partition,
        n=int(known.sum()),
        events=int(outcome[known].sum()),
        note=NOT_FITTED if np.isnan(value) else "",
    )


def cross_validated_area(
    study: EvidenceStudy,
    rows: np.ndarray,
    outcome: np.ndarray,
    folds: int,
    models: Iterable[str] = (),
    seed: int | None = None,
) -> dict[str, tuple[float, int, int]]:
    """Mean AUC over the folds of rows, each predicted by a fit of the whole pipeline without it; patients and events.

    Parameters
    ----------
    study
        The study.
    rows
        Rows that are divided into folds, by person and stratified by label.
    outcome
        Labels of all rows of the study's table.
    folds
        Number of folds.
    models
        Models; the study's main ones by default.
    seed
        Of the folds; the study's by default.
    """
    names = list(models) or study.main
    fold = patient_folds(study.who[rows], outcome[rows], folds, study.about.seed if seed is None else seed)
    held = {name: [] for name in names}  # type: dict[str, list[float]]
    for number in np.unique(fold):
        test = rows[fold == number]
        fits = study.fit(rows[fold != number], outcome, models=names)
        for name in names:
            held[name].append(area(outcome[test], probabilities(fits.get(name), study.table.iloc[test])))
    counted = (len(rows), int(outcome[rows].sum()))
    known = {name: [value for value in values if not np.isnan(value)] for name, values in held.items()}
    return {name: (float(np.mean(values)) if values else NAN, *counted) for name, values in known.items()}
