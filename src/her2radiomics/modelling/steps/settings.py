"""What a protocol may say about selection steps: scaling, filters, selections, harmonisation between centres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from her2radiomics.core.settings import Settings

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
    """Drop features that hardly vary: of the measured values before a scaling step, of the scaled ones after it."""

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


class PenaltyPath(Settings):
    """What the LASSO and the elastic net have in common: a path of penalties and its cross-validation."""

    family: Literal["gaussian", "binomial"] = Field(
        "gaussian", description="gaussian: least squares on the 0/1 label; binomial: logistic."
    )
    folds: int = Field(10, ge=3, description="Folds of the cross-validation, stratified by label.")
    rule: Literal["min", "1se"] = Field(
        "min",
        description="min: the smallest error; 1se: the largest penalty within one standard error of it.",
    )
    n_lambdas: int = Field(100, ge=10, description="Penalties on the path.")


class LassoStep(PenaltyPath):
    """Keep the features with a coefficient other than zero in a cross-validated LASSO."""

    step: Literal["lasso"] = Field(description="LASSO with the penalty chosen by cross-validation.")


class ElasticNetStep(PenaltyPath):
    """Keep the features with a coefficient other than zero in a cross-validated elastic net."""

    step: Literal["elastic_net"] = Field(
        description="Elastic net with the penalty chosen by cross-validation."
    )
    alpha: float = Field(
        0.5,
        ge=0.001,
        le=1,
        description="Share of the LASSO in the penalty, glmnet's alpha: 1 is the LASSO; the rest is ridge.",
    )


class ForcedRetentionStep(Settings):
    """Give every sequence that the LASSO or elastic net emptied its best feature back."""

    step: Literal["forced_retention"] = Field(
        description="Forced retention; needs a lasso or elastic_net step before it."
    )
    by: Literal["sequence"] = Field("sequence", description="What must not be emptied.")
    ranking: Literal["f_classif", "mann_whitney"] = Field(
        "f_classif", description="Univariate test that ranks a sequence's features."
    )


class RecursiveEliminationStep(Settings):
    """Drop the feature with the smallest logistic weight until few are left."""

    step: Literal["recursive_elimination"] = Field(description="Recursive feature elimination.")
    k: int = Field(ge=1, description="Features to keep.")


class MrmrStep(Settings):
    """Minimum redundancy, maximum relevance: features related to the label, and little to one another."""

    step: Literal["mrmr"] = Field(description="Minimum redundancy, maximum relevance.")
    k: int = Field(ge=1, description="Features to keep.")
    relevance: Literal["f_classif", "mutual_information"] = Field(
        "f_classif",
        description="Relation to the label: F of the analysis of variance, or mutual information of three states "
        "(cut at mean ± SD / 2).",
    )
    redundancy: Literal["correlation", "mutual_information"] = Field(
        "correlation",
        description="Mean relation to the features taken before: absolute Pearson correlation, or mutual information.",
    )
    scheme: Literal["difference", "quotient"] = Field(
        "quotient", description="relevance − redundancy, or relevance / redundancy."
    )


class StabilityStep(Settings):
    """Keep the features that a LASSO or elastic net takes on most random halves of the training patients."""

    step: Literal["stability_selection"] = Field(description="Stability selection.")
    q: int | None = Field(
        None, ge=1, description="On each half the first q features to enter the path are taken."
    )
    penalty: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="On each half the features at this penalty are taken, a share of the largest of all training rows.",
    )
    threshold: float = Field(
        0.75, gt=0.5, le=1, description="Keep features taken on at least this share of the halves."
    )
    samples: int = Field(100, ge=20, multiple_of=2, description="Halves, drawn in complementary pairs.")
    family: Literal["gaussian", "binomial"] = Field(
        "gaussian", description="gaussian: least squares on the 0/1 label; binomial: logistic."
    )
    alpha: float = Field(
        1.0,
        ge=0.001,
        le=1,
        description="Share of the LASSO in the penalty: 1 is the LASSO, less an elastic net.",
    )

    @model_validator(mode="after")
    def _one_rule(self) -> StabilityStep:
        if (self.q is None) == (self.penalty is None):
            raise ValueError("give either 'q' (features a half) or 'penalty' (a share), not both")
        return self


class CombatStep(Settings):
    """ComBat: take location and scale of each centre out of the features, learned on training rows."""

    step: Literal["combat"] = Field(description="Harmonisation between centres by ComBat.")
    batch: str = Field(
        "centre", description="What is harmonised: centre, or a categorical column such as the scanner."
    )
    unseen: Literal["refuse", "pass_through", "adapt"] = Field(
        "refuse",
        description="A centre that did not train. refuse: an error; pass_through: its values are left as they are, and "
        "marked; adapt: its location and scale come from the rows predicted together, without labels, and are marked.",
    )
    minimum: int = Field(
        20, ge=20, description="Patients of an unseen centre that adapt needs among those predicted together."
    )
    covariates: tuple[str, ...] = Field(
        (), description="Participants columns whose effect on the features is kept; known when predicting."
    )
    preserve_label: bool = Field(
        False,
        description="Estimate the centres' effects beside that of the label, in training; not with adapt.",
    )
    parametric: bool = Field(
        True, description="Normal and inverse gamma priors; false: the features' own estimates are the prior."
    )
    mean_only: bool = Field(False, description="Adjust locations alone, not scales.")
    reference: str | None = Field(
        None, description="A training centre that the others are brought to; empty: their average."
    )

    @model_validator(mode="after")
    def _is_possible(self) -> CombatStep:
        if self.preserve_label and self.unseen == "adapt":
            raise ValueError(
                "preserve_label cannot go with 'unseen: adapt': the labels of the centre to adapt to are unknown"
            )
        if self.batch in self.covariates:
            raise ValueError(f"'{self.batch}' is what is harmonised; it cannot be kept as a covariate")
        if len(set(self.covariates)) < len(self.covariates):
            raise ValueError("a covariate is named twice")
        return self


Step = Annotated[
    MinMaxStep
    | ZScoreStep
    | IccFilterStep
    | VarianceStep
    | UnivariateStep
    | RedundancyStep
    | MrmrStep
    | LassoStep
    | ElasticNetStep
    | StabilityStep
    | ForcedRetentionStep
    | RecursiveEliminationStep
    | CombatStep,
    Field(discriminator="step"),
]

SCALERS = ("min_max", "z_score")
PATHS = ("lasso", "elastic_net")
ONCE = ("icc_filter", "forced_retention", "stability_selection", "combat")


def check_order(steps: Sequence[Step]) -> None:
    """Refuse a chain that cannot run.

    Raises
    ------
    ValueError
        A step that may stand once stands twice, or forced retention without what it needs before it.
    """
    names: list[str] = [step.step for step in steps]
    for name in ONCE:
        if names.count(name) > 1:
            raise ValueError(f"the step '{name}' is given {names.count(name)} times; once is enough")
    paths = [place for place, name in enumerate(names) if name in PATHS]
    if len(paths) > 1:
        raise ValueError(
            f"the steps {' and '.join(repr(name) for name in PATHS)} are given {len(paths)} times; one of them is enough"
        )
    if "forced_retention" not in names:
        return
    place = names.index("forced_retention")
    if not paths or paths[0] > place:
        raise ValueError("'forced_retention' needs a 'lasso' or 'elastic_net' step before it")
    for name in ("icc_filter", "combat"):
        if name in names[paths[0] :]:
            raise ValueError(f"with 'forced_retention' the '{name}' must come before the '{names[paths[0]]}'")
