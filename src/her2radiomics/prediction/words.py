"""Printed names of a saved model's predictors and values, and what the model is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from her2radiomics.core.wording import listing
from her2radiomics.extraction.names import feature_words, region_label
from her2radiomics.modelling.saved import rules as r

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel

#: Why no interval can be smaller than it is printed.
GIVEN = (
    "It takes the chosen predictors, and the weights inside a Rad-score, as given; "
    "the uncertainty of choosing them comes on top."
)


def feature_label(name: str, model: FittedModel) -> str:
    """``T2 FS · tumour, largest slice · GLCM contrast``; a foreign name as it is."""
    parts = name.split("__", 2)
    if len(parts) < 3:
        return name.replace("_", " ")
    measuring = model.content.get("measuring") or {"sequences": {}}
    sequence = measuring["sequences"].get(parts[0], {}).get("label", parts[0])
    try:
        region = region_label(parts[1])
    except Exception:  # a region of another program
        region = parts[1].replace("_", " ")
    return " · ".join([sequence, region, feature_words(parts[2])])


def predictor_label(predictor: r.Predictor, model: FittedModel) -> str:
    """Printed name of a predictor."""
    if isinstance(predictor, r.FeaturePredictor):
        return feature_label(predictor.name, model)
    if isinstance(predictor, r.ScorePredictor):
        models, scores = (model.about.models, model.about.scores) if model.about else ({}, {})
        return scores.get(predictor.name) or f"{models.get(predictor.name, predictor.name)} score"
    return model.columns[predictor.name].label if predictor.name in model.columns else predictor.name


def unit_of(predictor: r.Predictor, model: FittedModel) -> str:
    """Unit of a clinical number; empty for others."""
    return model.columns[predictor.name].unit if isinstance(predictor, r.NumericPredictor) else ""


def level_labels(predictor: r.LevelPredictor, model: FittedModel) -> dict[str, str]:
    """Level to its printed name."""
    known: Mapping[str, str] = model.columns[predictor.name].levels if predictor.name in model.columns else {}
    return {level: known.get(level) or level for level, _ in predictor.weights}


def number(value: float) -> str:
    """A value as printed: four significant digits, in full up to a million, a true minus."""
    text = f"{value:.0f}" if 1e4 <= abs(value) < 1e6 else f"{value:.4g}"
    return text.replace("-", "−")


def percent(probability: float) -> str:
    """A probability in per cent: none is printed as 0 or 100."""
    return "> 99.9" if probability >= 0.9995 else "< 0.1" if probability < 0.0005 else f"{100 * probability:.1f}"


def trained_on(model: FittedModel) -> str:
    """Whom the model learned from, as a sentence."""
    training, about = model.content["training"], model.about
    positive = model.classes[1]
    who = "simulated patients" if model.content["simulated"] else "patients"
    names = about.centres if about else {}
    centres = [names.get(centre, centre) for centre in training["centres"]]
    text = f"{training['n']} {who}, {training['events']} of them {positive}"
    if about:
        text += f", of the cohort “{about.cohort}”"
    return f"{text}; {listing(centres)}." if centres else f"{text}."


def meant_for(model: FittedModel) -> list[str]:
    """What the model is for, in sentences."""
    about = model.about
    if about is None:
        return ["The file was written before models kept whom they are for; see the study's report."]
    said = [f"It estimates the probability of {about.positive} as against {about.negative}, {about.prediction_at}."]
    if about.outcome:
        said.append(f"The outcome: {about.outcome.rstrip('.')}.")
    if about.inclusion:
        said.append(f"Patients like those of the study: {'; '.join(about.inclusion)}.")
    return said


def not_meant_for(model: FittedModel) -> list[str]:
    """What the model is not for, in sentences."""
    said = ["It is for research. It is no medical device, and no decision on a patient may rest on it."]
    if model.content["simulated"]:
        said.append("It learned from simulated patients: its numbers mean nothing for a real one.")
    said.append(
        "Not for patients who would not have been included in the study, nor for other times of the prediction."
    )
    if model.sequences:
        said.append(
            "Not for features extracted with other settings, nor for other sequences or outlines than those of training."
        )
    said.append("Beyond the ranges of training it extrapolates, and nothing there was tested.")
    return said
