"""Bootstrap refits of the whole pipeline: one pass that several analyses read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.contracts import TRAINING
from her2radiomics.evidence.analysis import row
from her2radiomics.evidence.study import EvidenceStudy, Facts, area, probabilities
from her2radiomics.modelling.saved.refits import storable
from her2radiomics.modelling.saved.rule_json import rule_to_dict
from her2radiomics.modelling.saved.rules import ScorePredictor
from her2radiomics.modelling.settings import ModelSettings

if TYPE_CHECKING:
    from her2radiomics.modelling.study_model import StudyModel

#: AUC of a refit in its resample, in the training patients, and in those whom the resample left out.
RESAMPLE, ORIGINAL, OUT_OF_BAG = "auc_resample", "auc_original", "auc_out_of_bag"
AREAS = (RESAMPLE, ORIGINAL, OUT_OF_BAG)
#: A variable that a refit kept, and how many it kept.
KEPT, NUMBER_KEPT = "kept", "number_kept"
SELECTION = (KEPT, NUMBER_KEPT)
#: Of the primary model: a patient's probability, the threshold, and the refit's rule as JSON in the note.
PROBABILITY, THRESHOLD, RULE = "probability", "threshold", "rule"
FEWEST = 5


def too_few(facts: Facts) -> str:
    """Why the training set cannot be resampled; empty: it can."""
    n, events = facts.size(TRAINING)
    rarer = min(events, n - events)
    if rarer < FEWEST:
        return f"resamples of the training set need {FEWEST} or more patients of the rarer outcome; it has {rarer}."
    return ""


def resampled(study: EvidenceStudy, random: np.random.Generator) -> np.ndarray:
    """Rows of as many training persons as there are, drawn with replacement, all rows of a person together."""
    rows = study.rows(TRAINING)
    persons, member = np.unique(study.who[rows], return_inverse=True)
    own = np.split(rows[np.argsort(member, kind="stable")], np.cumsum(np.bincount(member))[:-1])
    return np.concatenate([own[number] for number in random.integers(0, persons.size, persons.size)])


def bootstrap(study: EvidenceStudy, rows: np.ndarray, fits: Mapping[str, StudyModel]) -> Iterator[dict[str, Any]]:
    """What fits of all models on drawn training rows reach and keep."""
    training = study.rows(TRAINING)
    for model, spec in study.about.models.items():
        fit, found = fits.get(model), np.full(len(study.table), np.nan)
        found[training] = probabilities(fit, study.table.iloc[training])
        for measure, where in zip(AREAS, (rows, training, np.setdiff1d(training, rows)), strict=True):
            outcome = study.outcome[where]
            counts: dict[str, Any] = {"n": len(where), "events": int(outcome.sum())}
            yield row(measure, area(outcome, found[where]), model=model, partition=TRAINING, **counts)
        if fit is not None and selects(spec):
            kept = own_variables(fit)
            yield row(NUMBER_KEPT, len(kept), model=model)
            for name in kept:
                yield row(KEPT, 1, arm=name, model=model)


def predictions(study: EvidenceStudy, model: str, fit: StudyModel | None) -> Iterator[dict[str, Any]]:
    """Probability of every patient by a fit, to six decimals."""
    for patient, partition, value in zip(
        study.table.index, study.patients["partition"], probabilities(fit, study.table).round(6), strict=True
    ):
        yield row(PROBABILITY, float(value), arm=str(patient), model=model, partition=str(partition))


def rule_row(model: str, fit: StudyModel) -> Iterator[dict[str, Any]]:
    """The rule of a refit, where it is small enough to be kept."""
    if storable(fit.rule_):
        yield row(RULE, model=model, note=json.dumps(rule_to_dict(fit.rule_), separators=(",", ":")))


def selects(spec: ModelSettings) -> bool:
    """Whether a model itself chooses among variables."""
    return spec.block is not None or bool(getattr(spec, "candidates", ()))


def own_variables(fit: StudyModel) -> list[str]:
    """Features and participants columns that a fit kept, without those inside another model's score."""
    return [predictor.name for predictor in fit.rule_.predictors if not isinstance(predictor, ScorePredictor)]
