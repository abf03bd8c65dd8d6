"""AUC of fits in every partition and in cross-validation, as rows of a repetition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.contracts import TRAINING
from her2radiomics.evidence.analysis import NAN, row
from her2radiomics.evidence.study import EvidenceStudy, area, probabilities
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.statistics import auc_interval, cross_validated_auc

if TYPE_CHECKING:
    from her2radiomics.modelling.study_model import StudyModel

#: DeLong's variance needs two patients of each class.
FEWEST_OF_A_CLASS = 2
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
    fold, held = held_out(study, rows, outcome, folds, list(models) or study.main, seed)
    counted = (len(rows), int(outcome[rows].sum()))
    known: dict[str, list[float]] = {}
    for name, probability in held.items():
        values = [area(outcome[rows][fold == number], probability[fold == number]) for number in np.unique(fold)]
        known[name] = [value for value in values if not np.isnan(value)]
    return {name: (float(np.mean(values)) if values else NAN, *counted) for name, values in known.items()}


@dataclass(frozen=True)
class Folded:
    """A model's cross-validated AUC, its standard error, and the patients who were predicted."""

    value: float
    error: float
    n: int
    events: int


def cross_validation(
    study: EvidenceStudy, rows: np.ndarray, folds: int, models: Iterable[str], seed: int
) -> dict[str, Folded]:
    """As :func:`cross_validated_area`, with the labels as they are, and with standard errors."""
    outcome = study.outcome
    fold, held = held_out(study, rows, outcome, folds, list(models), seed)
    found = {}
    for name, probability in held.items():
        known = ~np.isnan(probability)
        labels, counts = outcome[rows][known], (int(known.sum()), int(outcome[rows][known].sum()))
        if np.unique(labels).size < 2:
            found[name] = Folded(NAN, NAN, *counts)
            continue
        try:
            told = cross_validated_auc(labels, probability[known], fold[known])
            found[name] = Folded(told.value, told.error, *counts)
        except ValueError:  # every fold lost a class with its missing values
            found[name] = Folded(NAN, NAN, *counts)
    return found


def held_out(
    study: EvidenceStudy, rows: np.ndarray, outcome: np.ndarray, folds: int, models: list[str], seed: int | None = None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Fold of each row, and by model its probability by a fit of the whole pipeline without the fold."""
    fold = patient_folds(study.who[rows], outcome[rows], folds, study.about.seed if seed is None else seed)
    held = {name: np.full(len(rows), NAN) for name in models}
    for number in np.unique(fold):
        test = fold == number
        fits = study.fit(rows[~test], outcome, models=models)
        for name in models:
            held[name][test] = probabilities(fits.get(name), study.table.iloc[rows[test]])
    return fold, held


def interval_rows(
    study: EvidenceStudy, model: str, partition: str, probability: np.ndarray, arm: str = ""
) -> Iterator[dict[str, Any]]:
    """AUC in a partition and the bounds of its interval: ``auc``, ``auc_low`` and ``auc_high``."""
    rows = study.rows(partition)
    outcome, values = study.outcome[rows], probability[rows]
    found = area_row(model, partition, outcome, values, arm)
    yield found
    low, high = area_bounds(outcome, values, study.about.level)
    for bound, value in (("low", low), ("high", high)):
        yield {**found, "measure": f"auc_{bound}", "value": value}


def enough_for_interval(labels: np.ndarray) -> bool:
    """Whether DeLong's variance can be computed from these labels."""
    return min(int(labels.sum()), int((1 - labels).sum())) >= FEWEST_OF_A_CLASS


def area_bounds(outcome: np.ndarray, probability: np.ndarray, level: float) -> tuple[float, float]:
    """Interval of an AUC by DeLong on the logit scale.

    Not a number with fewer than two known patients of a class, or where the model says the same of everybody: there is
    then no variance.
    """
    known = ~np.isnan(probability)
    labels = outcome[known]
    if not enough_for_interval(labels) or np.ptp(probability[known]) == 0:
        return NAN, NAN
    return auc_interval(labels, probability[known], "delong_logit", level)
