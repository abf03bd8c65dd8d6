"""What a protocol may say about its models: four kinds, and the selection steps of image features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import Settings, validate
from her2radiomics.modelling.chain import check_order
from her2radiomics.modelling.estimator_settings import Estimator, Folds, LogisticSpec, Method
from her2radiomics.modelling.steps import Step
from her2radiomics.modelling.steps.lasso import PenaltyPath


class FeatureBlock(Settings):
    """Image features, and the steps that scale and select them."""

    sequences: tuple[str, ...] = Field((), description="Sequences to use; empty: every feature column.")
    regions: tuple[str, ...] = Field((), description="Regions of interest to use; empty: every region.")
    steps: tuple[Step, ...] = Field((), description="Scaling and selection, in the order in which they run.")

    @model_validator(mode="after")
    def _steps_in_a_possible_order(self) -> Self:
        check_order(self.steps)
        return self


class RadiomicsSpec(FeatureBlock):
    """A model on image features: selection steps, then a Rad-score."""

    kind: Literal["radiomics"] = Field(description="A Rad-score from image features.")
    estimator: Estimator = Field(
        LogisticSpec(kind="logistic", method="auto"), description="What makes the Rad-score."
    )
    allow_unavailable: bool = Field(False, description="Use columns that are not yet known when predicting.")


class ClinicalSpec(Settings):
    """A logistic model on participants columns: univariate screening, then a multivariate model."""

    kind: Literal["clinical"] = Field(description="A logistic model on participants columns.")
    candidates: tuple[str, ...] = Field(min_length=1, description="Participants columns to screen.")
    p_enter: float = Field(0.05, gt=0, le=1, description="Level of the univariate test.")
    keep: Literal["enter", "significant", "backward", "all"] = Field(
        "enter",
        description="enter: all that pass the univariate test; significant: of these, those with p below p_keep in the "
        "multivariate model; backward: the least significant removed one by one until all are below p_keep; "
        "all: every candidate, without screening (for a model with published terms).",
    )
    p_keep: float = Field(
        0.05, gt=0, le=1, description="Level of the multivariate test of significant and backward."
    )
    fallback: Literal["intercept"] = Field(
        "intercept", description="When nothing passes: the intercept alone, marked as empty."
    )
    missing: Literal["complete_case", "impute"] = Field(
        "impute",
        description="impute: training median or most frequent level, reported; complete_case: such rows are left out.",
    )
    method: Method = Field(
        "auto", description="Maximum likelihood, Firth's penalised likelihood, or Firth only on separation."
    )
    folds: Folds = 0
    allow_unavailable: bool = Field(False, description="Use columns that are not yet known when predicting.")


class CombinedSpec(Settings):
    """A logistic model on the Rad-scores and the kept clinical predictors of other models."""

    kind: Literal["combined"] = Field(
        description="A logistic refit on the scores and predictors of other models."
    )
    of: tuple[str, ...] = Field(
        min_length=1, description="Names of radiomics and clinical models, in this order."
    )
    method: Method = Field(
        "auto", description="Maximum likelihood, Firth's penalised likelihood, or Firth only on separation."
    )
    folds: Folds = 0
    allow_unavailable: bool = Field(False, description="Use columns that are not yet known when predicting.")


class LassoSelection(PenaltyPath):
    """One cross-validated LASSO over all blocks together."""

    by: Literal["lasso"] = Field(description="LASSO with the penalty chosen by cross-validation.")
    family: Literal["gaussian", "binomial"] = Field(
        "binomial", description="gaussian: least squares on the 0/1 label; binomial: logistic."
    )


class BackwardSelection(Settings):
    """Univariate regressions, then backward elimination."""

    by: Literal["backward"] = Field(description="Univariate screening, then backward elimination.")
    p_enter: float = Field(0.05, gt=0, le=1, description="Level of the univariate test.")
    p_keep: float = Field(0.05, gt=0, le=1, description="Level of the multivariate test.")


class MultivariateSpec(Settings):
    """One logistic regression over image features, Rad-scores and participants columns, selected together."""

    kind: Literal["multivariate"] = Field(
        description="One selection and one logistic regression over all blocks of predictors."
    )
    features: FeatureBlock | None = Field(
        None, description="Image features, after steps of their own; empty: none."
    )
    of: tuple[str, ...] = Field((), description="Radiomics models whose Rad-scores are predictors.")
    candidates: tuple[str, ...] = Field((), description="Participants columns.")
    selection: Annotated[LassoSelection | BackwardSelection, Field(discriminator="by")] = Field(
        LassoSelection(by="lasso", family="binomial", folds=10, rule="min", n_lambdas=100),
        description="How predictors are selected, all blocks together.",
    )
    missing: Literal["complete_case", "impute"] = Field(
        "impute",
        description="impute: training median or most frequent level, reported; complete_case: such rows are left out.",
    )
    method: Method = Field(
        "auto", description="Maximum likelihood, Firth's penalised likelihood, or Firth only on separation."
    )
    folds: Folds = 0
    allow_unavailable: bool = Field(False, description="Use columns that are not yet known when predicting.")

    @model_validator(mode="after")
    def _has_predictors(self) -> Self:
        if self.features is None and not self.of and not self.candidates:
            raise ValueError("found no predictor; give 'features', 'of' or 'candidates'")
        return self


ModelSettings = Annotated[
    RadiomicsSpec | ClinicalSpec | CombinedSpec | MultivariateSpec, Field(discriminator="kind")
]


def feature_steps(model: ModelSettings) -> tuple[Step, ...]:
    """Steps on image features of a model of any kind."""
    block = model if isinstance(model, FeatureBlock) else getattr(model, "features", None)
    return block.steps if isinstance(block, FeatureBlock) else ()


def check_models(models: Mapping[str, ModelSettings], source: str = "models") -> None:
    """Check what one spec alone cannot: that combined models are made of models that exist.

    Raises
    ------
    SettingsError
        A combined model names an unknown model, itself, another combined model, or two clinical models.
    """
    for name, spec in models.items():
        if not isinstance(spec, CombinedSpec | MultivariateSpec):
            continue
        allowed = (RadiomicsSpec, ClinicalSpec) if isinstance(spec, CombinedSpec) else (RadiomicsSpec,)
        kinds = " and ".join("radiomics" if kind is RadiomicsSpec else "clinical" for kind in allowed)
        for part in spec.of:
            if part not in models:
                raise SettingsError(
                    f"{source}.{name}.of: found '{part}'; expected one of {', '.join(m for m in models if m != name)}."
                )
            if not isinstance(models[part], allowed):
                advice = (
                    "name its radiomics and clinical parts" if kinds != "radiomics" else "name Rad-scores"
                )
                raise SettingsError(
                    f"{source}.{name}.of: '{part}' is itself a {models[part].kind} model; a {spec.kind} model is made "
                    f"of {kinds} models: {advice}."
                )
        if len(set(spec.of)) < len(spec.of):
            raise SettingsError(f"{source}.{name}.of: a model is named twice.")
        if sum(isinstance(models[part], ClinicalSpec) for part in spec.of) > 1:
            raise SettingsError(f"{source}.{name}.of: two clinical models; put their candidates into one.")


class _Models(Settings):
    """Models by name."""

    models: dict[str, ModelSettings] = Field(description="Models, by name.")


def parse_models(content: Mapping[str, Any], source: str = "models") -> dict[str, ModelSettings]:
    """Check a ``models:`` mapping given as plain data.

    Raises
    ------
    SettingsError
        One line for every problem.
    """
    models = dict(validate(_Models, {"models": dict(content)}, source).models)
    check_models(models, source)
    return models
