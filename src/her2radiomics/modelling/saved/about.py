"""What a saved model is for: its classes, and the patients that it was made on."""

from __future__ import annotations

from pydantic import Field

from her2radiomics.core.settings import Settings


class About(Settings):
    """Whom a model was made for, and what it says."""

    study: str = Field(description="Title of the study.")
    question: str = Field(description="The question that the study answers.")
    label: str = Field(description="Printed name of the model.")
    positive: str = Field(description="Printed name of the positive class.")
    negative: str = Field(description="Printed name of the negative class.")
    outcome: str = Field(description="How the outcome was determined.")
    prediction_at: str = Field(description="When the prediction is made, in words.")
    inclusion: list[str] = Field(description="Inclusion criteria.")
    cohort: str = Field(description="Name of the training cohort.")
    centres: dict[str, str] = Field(description="Training centre to its printed name.")
    models: dict[str, str] = Field(description="Model whose score is a predictor to its printed name.")
    scores: dict[str, str] = Field(
        default_factory=dict, description="The same models to the printed names of their scores."
    )
