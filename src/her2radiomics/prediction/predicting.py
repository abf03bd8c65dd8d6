"""From features and clinical columns to what is said of each patient; a patient who fails costs nobody else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.saved import rules as r
from her2radiomics.modelling.saved.application import apply_model
from her2radiomics.modelling.saved.extrapolation import find_extrapolated
from her2radiomics.modelling.saved.reference import LEVEL
from her2radiomics.prediction.refitted import refitted
from her2radiomics.prediction.results import Beyond, Interval, Likeness, ModelCard, Patient, Prediction, Value
from her2radiomics.prediction.words import (
    feature_label,
    level_labels,
    meant_for,
    not_meant_for,
    number,
    predictor_label,
    trained_on,
    unit_of,
)

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel
    from her2radiomics.modelling.saved.refits import Refits

OLD = "the model's file is of format version 1, which keeps no covariance; train again"


def model_card(model: FittedModel, sha256: str) -> ModelCard:
    """The model, as every result names it."""
    content, (negative, positive) = model.content, model.classes
    return ModelCard(
        name=model.name,
        label=model.label,
        kind=model.kind,
        study=model.about.study if model.about else "",
        negative=negative,
        positive=positive,
        format_version=content["version"],
        software=content["versions"]["her2radiomics"],
        sha256=sha256,
        simulated=content["simulated"],
        trained_on=trained_on(model),
        meant_for=meant_for(model),
        not_meant_for=not_meant_for(model),
    )


def predict_patients(
    model: FittedModel,
    features: pd.DataFrame | None,
    people: pd.DataFrame,
    card: ModelCard,
    *,
    extraction: Mapping[str, str] | None = None,
    refits: Refits | None = None,
) -> list[Patient]:
    """Predict patients one by one, in the order of ``people``.

    Where the model adapts to a centre by its patients (ComBat), they are predicted together.

    Parameters
    ----------
    model
        A loaded model.
    features
        ``patient_id`` and features, of one reader; ``None`` for a model without image features.
    people
        ``patient_id`` and clinical columns, as text.
    card
        The model, as the results name it.
    extraction
        Sequence to the hash of its extraction, compared with training's.
    refits
        Refits of the model on resamples of its training patients.

    Raises
    ------
    StudyError
        The features were extracted with other settings.
    """
    model.check_extraction(extraction or None)
    names = [str(name) for name in people["patient_id"]]
    together = any(True for _ in model.rule.adjustments())
    found: list[Patient] = []
    for group in [names] if together and names else [[name] for name in names]:
        rows = people[people["patient_id"].astype(str).isin(group)]
        own = None if features is None else features[features["patient_id"].astype(str).isin(group)]
        try:
            found += _predict(model, own, rows, card, refits)
        except StudyError as error:
            found += [Patient(patient_id=name, status="failed", reason=str(error), model=card) for name in group]
    return found


def _predict(
    model: FittedModel, features: pd.DataFrame | None, people: pd.DataFrame, card: ModelCard, refits: Refits | None
) -> list[Patient]:
    """Predictions of patients; the first obstacle is raised."""
    told = apply_model(model, features, people)
    table = model.table_of(features, people, typed=False)
    beyond = find_extrapolated(model, features, people, typed=False)
    filled = set(
        model.imputed(features, people, typed=False)[["patient_id", "column"]].itertuples(index=False, name=None)
    )
    reference, rule = model.reference, model.rule
    bounds = None if reference is None else reference.interval(rule, table)
    near = [] if reference is None else reference.similarity(rule, table)
    drivers = [] if reference is None else reference.drivers(rule, table)
    again = [None] * len(people) if refits is None else refitted(model, refits, features, people)
    patients = []
    for place, row in enumerate(told.to_dict("records")):
        patient = str(row["patient_id"])
        one = table.iloc[[place]]
        moved = {(d.within, d.name): d.contribution for d in drivers[place]} if drivers else {}
        own = beyond[beyond["patient_id"] == patient].drop(columns="patient_id").to_dict("records")
        code = int(row["class"])
        prediction = Prediction(
            score=row["score"],
            probability=row["probability"],
            interval=None if bounds is None else _interval(model, bounds[place]),
            no_interval="" if bounds is not None else OLD if reference is None else reference.reason,
            predicted_class=1 if code else 0,
            class_name=model.classes[code],
            threshold=model.threshold,
            threshold_rule=model.content["threshold"]["rule"],
            total_points=row.get("points_total"),
            baseline=None if reference is None or not model.linear else reference.baseline(rule),
            values=_values(model, one, row, moved, {name for who, name in filled if who == patient}),
            outside=[_beyond(model, **item) for item in own],
            likeness=Likeness(distance=near[place].distance, share=near[place].share) if near else None,
            refitted=again[place],
        )
        patients.append(Patient(patient_id=patient, status="predicted", model=card, prediction=prediction))
    return patients


def _interval(model: FittedModel, bounds: np.ndarray) -> Interval:
    assert model.reference is not None
    low, high = (float(bound) for bound in bounds)
    return Interval(low=low, high=high, level=LEVEL, method=model.reference.reason)


def _beyond(model: FittedModel, column: str, value: float, low: float, high: float) -> Beyond:
    label = model.columns[column].label if column in model.columns else feature_label(column, model)
    return Beyond(predictor=column, label=label, value=value, low=low, high=high)


def _values(
    model: FittedModel,
    one: pd.DataFrame,
    row: Mapping[str, float],
    moved: Mapping[tuple[str, str], float],
    filled: set[str],
) -> list[Value]:
    """Every predictor's value, those inside a score after it."""
    found = []
    for predictor in model.rule.predictors:
        found.append(_value(model, predictor, one, moved, filled, points=row.get(f"points_{predictor.name}")))
        if isinstance(predictor, r.ScorePredictor):
            found += [
                _value(model, inner, one, moved, filled, within=predictor.name) for inner in predictor.rule.predictors
            ]
    return found


def _value(
    model: FittedModel,
    predictor: r.Predictor,
    one: pd.DataFrame,
    moved: Mapping[tuple[str, str], float],
    filled: set[str],
    *,
    within: str = "",
    points: float | None = None,
) -> Value:
    value: float | str
    if isinstance(predictor, r.LevelPredictor):
        (value,) = predictor.found(one)
        printed = level_labels(predictor, model).get(value, value)
    else:
        if isinstance(predictor, r.FeaturePredictor):
            value = float(predictor.numbers(one)[0])
            value = predictor.fill if math.isnan(value) else value
        else:
            value = float(predictor.scaled(one)[0])
        printed = f"{number(value)} {unit_of(predictor, model)}".strip()
    return Value(
        predictor=predictor.name,
        label=predictor_label(predictor, model),
        within=within,
        value=value,
        printed=printed,
        filled=predictor.name in filled,
        contribution=moved.get((within, predictor.name)),
        points=points,
    )


#: Columns of ``predictions.csv``.
COLUMNS = (
    *("patient_id", "status", "score", "probability", "low", "high", "class", "class_name", "points_total"),
    *("farther_than", "outside", "reason"),
)


def as_table(patients: list[Patient]) -> pd.DataFrame:
    """A row of :data:`COLUMNS` for each patient; ``farther_than`` is the share of training patients who are nearer."""
    rows = []
    for patient in patients:
        told = patient.prediction
        row: dict[str, object] = {"patient_id": patient.patient_id, "status": patient.status, "reason": patient.reason}
        if told is not None:
            row |= told.model_dump(include={"score", "probability", "class_name"})
            row |= told.interval.model_dump(include={"low", "high"}) if told.interval else {}
            row |= {"class": told.predicted_class, "points_total": told.total_points, "outside": len(told.outside)}
            row["farther_than"] = told.likeness.share if told.likeness else None
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"class": "Int64", "outside": "Int64"})
