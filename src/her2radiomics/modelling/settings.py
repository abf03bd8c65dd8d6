"""What a protocol may say about its models: four kinds, and the selection steps of image features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from her2radiomics.errors import SettingsError
from her2radiomics.modelling.estimator_settings import Estimator, Folds, LogisticSpec, Method
from her2radiomics.settings import Settings

IccForm = Literal["ICC1,1", "ICC2,1", "ICC3,1"]


class MinMaxStep(Settings):
    """Scale every feature to [0, 1] on the training rows; unseen rows are not clipped."""

    step: Literal["min_max"] = Field(description="Min-max scaling.")


class ZScoreStep(Settings):
    """Centre every feature at its training mean and divide by its training standard deviation."""

    step: Literal["z_score"] = Field(description="Standardisation.")


class IccFilterStep(Settings):
    """Keep the features that two readers agree on."""

    step: Literal["icc_filter"] = Field(description="Filter by the intraclass correlation of two readers.")
    form: IccForm = Field("ICC2,1", description="Form of the intraclass correlation (Shrout and Fleiss).")
    threshold: float = Field(
        0.75, gt=0, lt=1, description="Keep features whose coefficient is at least this."
    )
    minimum_patients: int = Field(
        10, ge=3, description="With fewer training patients read twice the filter passes all: not assessed."
    )


class VarianceStep(Settings):
    """Drop features that hardly vary, at this place of the chain (before or after scaling)."""

    step: Literal["variance"] = Field(description="Filter by variance.")
    threshold: float = Field(0.0, ge=0, description="Keep features whose population variance is above this.")


class UnivariateStep(Settings):
    """Keep the features related to the label one by one."""

    step: Literal["univariate"] = Field(description="Univariate test against the label.")
    test: Literal["f_classif", "mann_whitney"] = Field(
        "f_classif",
        description="One-way analysis of variance, or Mann–Whitney (normal approximation, ties and continuity corrected).",
    )
    p: float | None = Field(None, gt=0, le=1, description="Keep features with a p value below this.")
    k: int | None = Field(
        None, ge=1, description="Keep this many features, those with the smallest p values."
    )

    @model_validator(mode="after")
    def _one_rule(self) -> UnivariateStep:
        if (self.p is None) == (self.k is None):
            raise ValueError("give either 'p' (a level) or 'k' (a number of features), not both")
        return self


class RedundancyStep(Settings):
    """Of two correlated features keep the one more related to the label."""

    step: Literal["redundancy"] = Field(description="Filter of features correlated with one another.")
    method: Literal["pearson", "spearman"] = Field("pearson", description="Correlation coefficient.")
    threshold: float = Field(
        0.9, gt=0, le=1, description="Drop one of two features correlated above this (absolute)."
    )


class LassoStep(Settings):
    """Keep the features with a coefficient other than zero in a cross-validated LASSO."""

    step: Literal["lasso"] = Field(description="LASSO with the penalty chosen by cross-validation.")
    family: Literal["gaussian", "binomial"] = Field(
        "gaussian", description="gaussian: least squares on the 0/1 label; binomial: logistic."
    )
    folds: int = Field(10, ge=3, description="Folds of the cross-validation, stratified by label.")
    rule: Literal["min", "1se"] = Field(
        "min",
        description="min: the smallest error; 1se: the largest penalty within one standard error of it.",
    )
    n_lambdas: int = Field(100, ge=10, description="Penalties on the path.")


class ForcedRetentionStep(Settings):
    """Give every sequence that the LASSO emptied its best feature back."""

    step: Literal["forced_retention"] = Field(description="Forced retention; needs a lasso step before it.")
    by: Literal["sequence"] = Field("sequence", description="What must not be emptied.")
    ranking: Literal["f_classif", "mann_whitney"] = Field(
        "f_classif", description="Univariate test that ranks a sequence's features."
    )


class RecursiveEliminationStep(Settings):
    """Drop the feature with the smallest logistic weight until few are left."""

    step: Literal["recursive_elimination"] = Field(description="Recursive feature elimination.")
    k: int = Field(ge=1, description="Features to keep.")


Step = Annotated[
    MinMaxStep
    | ZScoreStep
    | IccFilterStep
    | VarianceStep
    | UnivariateStep
    | RedundancyStep
    | LassoStep
    | ForcedRetentionStep
    | RecursiveEliminationStep,
    Field(discriminator="step"),
]


class FeatureBlock(Settings):
    """Image features, and the steps that scale and select them."""

    sequences: tuple[str, ...] = Field((), description="Sequences to use; empty: every feature column.")
    regions: tuple[str, ...] = Field((), description="Regions of interest to use; empty: every region.")
    steps: tuple[Step, ...] = Field((), description="Scaling and selection, in the order in which they run.")

    @model_validator(mode="after")
    def _steps_in_a_possible_order(self) -> Self:
        names = [step.step for step in self.steps]
        for name in ("icc_filter", "lasso", "forced_retention"):
            if names.count(name) > 1:
                raise ValueError(f"the step '{name}' is given {names.count(name)} times; once is enough")
        if "forced_retention" in names:
            place = names.index("forced_retention")
            if "lasso" not in names[:place]:
                raise ValueError("'forced_retention' needs a 'lasso' step before it")
            if "icc_filter" in names[names.index("lasso") :]:
                raise ValueError("with 'forced_retention' the 'icc_filter' must come before the 'lasso'")
        return self


class RadiomicsSpec(FeatureBlock):
    """A model on image features: selection steps, then a Rad-score."""

    kind: Literal["radiomics"] = Field(description="A Rad-score from image features.")
    estimator: Estimator = Field(LogisticSpec(kind="logistic"), description="What makes the Rad-score.")
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


class LassoSelection(Settings):
    """One cross-validated LASSO over all blocks together."""

    by: Literal["lasso"] = Field(description="LASSO with the penalty chosen by cross-validation.")
    family: Literal["gaussian", "binomial"] = Field(
        "binomial", description="gaussian: least squares on the 0/1 label; binomial: logistic."
    )
    folds: int = Field(10, ge=3, description="Folds of the cross-validation, stratified by label.")
    rule: Literal["min", "1se"] = Field(
        "min",
        description="min: the smallest error; 1se: the largest penalty within one standard error of it.",
    )
    n_lambdas: int = Field(100, ge=10, description="Penalties on the path.")


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
        LassoSelection(by="lasso"), description="How predictors are selected, all blocks together."
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


def parse_models(content: Mapping[str, Any], source: str = "models") -> dict[str, ModelSettings]:
    """Check a ``models:`` mapping given as plain data.

    Raises
    ------
    SettingsError
        One line for every problem.
    """
    try:
        models: dict[str, ModelSettings] = TypeAdapter(dict[str, ModelSettings]).validate_python(
            dict(content)
        )
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, p['loc']))}: found {p['input']!r}; {p['msg']}" for p in error.errors()]
        raise SettingsError(f"{source}:\n" + "\n".join(f"  - {line}" for line in lines)) from None
    check_models(models, source)
    return models
