"""What is said of one patient: the content of ``<patient>.json``, which the page shows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from her2radiomics.core.settings import Settings

#: Of the JSON files; a change of meaning raises it.
FORMAT, VERSION = "her2radiomics prediction", 1


class ModelCard(Settings):
    """The model that predicted."""

    name: str = Field(description="Name in the protocol.")
    label: str = Field(description="Printed name.")
    kind: str = Field(description="Kind of model.")
    study: str = Field(description="Title of the study; empty where the file does not say it.")
    negative: str = Field(description="Printed name of class 0.")
    positive: str = Field(description="Printed name of class 1.")
    format_version: int = Field(description="Version of the model's file.")
    software: str = Field(description="Version of her2radiomics that trained it.")
    sha256: str = Field(description="Hash of the model's file.")
    simulated: bool = Field(description="Whether it learned from simulated patients.")
    trained_on: str = Field(description="Training patients, in words.")
    meant_for: list[str] = Field(description="What it is for.")
    not_meant_for: list[str] = Field(description="What it is not for.")


class Interval(Settings):
    """Bounds of the probability."""

    low: float = Field(ge=0, le=1, description="Lower bound.")
    high: float = Field(ge=0, le=1, description="Upper bound.")
    level: float = Field(gt=0, lt=1, description="Level of confidence.")
    method: str = Field(description="How it was computed.")


class Value(Settings):
    """What one predictor holds, and how far it moved the score."""

    predictor: str = Field(description="Name in the model.")
    label: str = Field(description="Printed name.")
    within: str = Field(description="Name of the score that the predictor is part of; empty for the model's own.")
    value: float | str = Field(description="The number or level that was used.")
    printed: str = Field(description="As printed, with its unit.")
    filled: bool = Field(description="Whether it was missing and filled from training.")
    contribution: float | None = Field(
        description="Log-odds that it adds to those of the training mean; none in a forest, or a file of version 1."
    )
    points: float | None = Field(description="Points of the nomogram; none without one.")


class Beyond(Settings):
    """A value outside the range of training."""

    predictor: str = Field(description="Name in the model.")
    label: str = Field(description="Printed name.")
    value: float = Field(description="The patient's value.")
    low: float = Field(description="Smallest value in training.")
    high: float = Field(description="Largest value in training.")


class Likeness(Settings):
    """How near the patient is to those of training."""

    distance: float = Field(
        ge=0, description="Mahalanobis distance from the training mean, over the model's predictors."
    )
    share: float = Field(ge=0, le=1, description="Share of training patients who are no farther away.")


class Refitted(Settings):
    """What refits of the model on resamples of its training patients say."""

    low: float | None = Field(default=None, ge=0, le=1, description="Lower percentile of their probabilities.")
    high: float | None = Field(default=None, ge=0, le=1, description="Upper percentile.")
    level: float = Field(gt=0, lt=1, description="Share of the refits between the two.")
    refits: int = Field(description="Refits that the file beside the model keeps.")
    used: int = Field(description="Those that could predict the patient.")
    reason: str = Field(default="", description="Why there are no percentiles; empty where there are.")


class Prediction(Settings):
    """What the model says."""

    score: float = Field(description="Log-odds.")
    probability: float = Field(ge=0, le=1, description="Probability of class 1.")
    interval: Interval | None = Field(description="Its interval; none where the model allows none.")
    no_interval: str = Field(description="Why there is no interval; empty where there is one.")
    predicted_class: Literal[0, 1] = Field(description="Class at the threshold.")
    class_name: str = Field(description="Printed name of the class.")
    threshold: float = Field(description="Probability from which on the class is 1.")
    threshold_rule: str = Field(description="How the threshold was chosen.")
    total_points: float | None = Field(description="Total points of the nomogram; none without one.")
    baseline: float | None = Field(description="Score at the training mean of every predictor.")
    values: list[Value] = Field(description="Predictors, those inside a score after it.")
    outside: list[Beyond] = Field(description="Values outside the range of training.")
    likeness: Likeness | None = Field(description="Nearness to the training patients; none without predictors.")
    refitted: Refitted | None = Field(
        default=None, description="What refits of the model say; none where no file beside the model keeps any."
    )


class Patient(Settings):
    """One patient: what was predicted, or why nothing was."""

    format: str = FORMAT
    version: int = VERSION
    patient_id: str = Field(description="The patient.")
    status: Literal["predicted", "failed"] = Field(description="Whether there is a prediction.")
    reason: str = Field(default="", description="Why there is none.")
    model: ModelCard = Field(description="The model.")
    prediction: Prediction | None = Field(default=None, description="The prediction.")
    quality: list[dict[str, Any]] = Field(
        default_factory=list, description="Quality control of each region that was extracted, by column of `qc.csv`."
    )
    overlays: dict[str, str] = Field(
        default_factory=dict, description="Sequence to the picture of its regions, beside this file."
    )
    notes: list[str] = Field(default_factory=list, description="Remarks on the input.")
