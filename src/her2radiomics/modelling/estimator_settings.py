"""What a protocol may say about the estimator at the end of a model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from her2radiomics.core.settings import Settings

Method = Literal["ml", "firth", "auto"]
Folds = Annotated[
    int,
    Field(
        ge=0,
        description="Folds of a cross-validation that is reported (AUC of the final estimator on the selected "
        "predictors, and of the whole pipeline); the model itself is fitted on all training rows. 0: none.",
    ),
]
InnerFolds = Annotated[int, Field(ge=3)]


class LogisticSpec(Settings):
    """The regression that turns selected features into a Rad-score (log-odds) and a probability."""

    kind: Literal["logistic"] = Field("logistic", description="Logistic regression.")
    method: Method = Field(
        "auto", description="Maximum likelihood, Firth's penalised likelihood, or Firth only on separation."
    )
    folds: Folds = 0


class RidgeSpec(Settings):
    """Ridge-penalised logistic regression: every selected feature stays, shrunken."""

    kind: Literal["ridge"] = Field(
        description="Logistic regression with a ridge penalty, as glmnet's alpha 0."
    )
    rule: Literal["min", "1se"] = Field(
        "min",
        description="Penalty with the smallest cross-validated deviance, or the largest within one standard error.",
    )
    inner_folds: InnerFolds = Field(10, description="Folds that choose the penalty, inside training.")
    n_lambdas: int = Field(100, ge=10, description="Penalties tried, on glmnet's grid.")
    folds: Folds = 0


class ElasticNetLogisticSpec(Settings):
    """Logistic regression with an elastic-net penalty: some selected features leave, the others are shrunken."""

    kind: Literal["elastic_net_logistic"] = Field(
        description="Logistic regression with an elastic-net penalty, as glmnet's."
    )
    alpha: float = Field(
        0.5,
        ge=0.001,
        le=1,
        description="Share of the LASSO in the penalty, glmnet's alpha; the rest is ridge.",
    )
    rule: Literal["min", "1se"] = Field(
        "min",
        description="Penalty with the smallest cross-validated deviance, or the largest within one standard error.",
    )
    inner_folds: InnerFolds = Field(10, description="Folds that choose the penalty, inside training.")
    n_lambdas: int = Field(100, ge=10, description="Penalties tried, on glmnet's grid.")
    folds: Folds = 0


class LinearSvmSpec(Settings):
    """Linear support vector machine with probabilities by Platt scaling."""

    kind: Literal["linear_svm"] = Field(description="Support vector machine with a linear kernel.")
    c: float = Field(1.0, gt=0, description="Cost of a margin violation, on standardised features.")
    inner_folds: InnerFolds = Field(
        10, description="Folds whose held-out decision values fit Platt's sigmoid, inside training."
    )
    folds: Folds = 0


class RandomForestSpec(Settings):
    """Random forest, saved as arrays."""

    kind: Literal["random_forest"] = Field(description="Random forest of classification trees.")
    trees: int = Field(500, ge=10, description="Number of trees.")
    max_depth: int | None = Field(None, ge=1, description="Greatest depth of a tree; empty: unlimited.")
    min_leaf: int = Field(3, ge=1, description="Fewest training rows in a leaf.")
    max_features: Literal["sqrt", "all"] = Field(
        "sqrt", description="Features tried at each split: the square root of their number, or all."
    )
    folds: Folds = 0


Estimator = Annotated[
    LogisticSpec | RidgeSpec | ElasticNetLogisticSpec | LinearSvmSpec | RandomForestSpec,
    Field(discriminator="kind"),
]
EstimatorSpec = LogisticSpec | RidgeSpec | ElasticNetLogisticSpec | LinearSvmSpec | RandomForestSpec
