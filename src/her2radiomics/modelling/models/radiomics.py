"""The radiomics model: selection steps, then an estimator whose log-odds are the Rad-score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.core.wording import listing
from her2radiomics.modelling.chain import FittedChain
from her2radiomics.modelling.estimator import FinalFit
from her2radiomics.modelling.estimators import AnyEstimator
from her2radiomics.modelling.estimators.logistic import LogisticSpec
from her2radiomics.modelling.features import FeatureBlock, feature_predictors
from her2radiomics.modelling.fit_report import selection_row
from her2radiomics.modelling.model import Fitted, Learning, ModelSpec, Names, model_kind, step_references
from her2radiomics.modelling.people import by_person
from her2radiomics.modelling.saved.forest import ForestRule
from her2radiomics.modelling.saved.rules import LinearRule, Rule

if TYPE_CHECKING:
    from her2radiomics.statistics.resampling import Refit


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedRadiomics(Fitted):
    """A fitted radiomics model.

    Attributes
    ----------
    estimator, seed
        Settings of the estimator, and the seed of its fit.
    chain
        The fitted steps.
    final
        The estimator on what they kept.
    persons
        Patient to person, of those who share one with another patient.
    """

    estimator: AnyEstimator
    seed: int
    chain: FittedChain
    final: FinalFit
    persons: Mapping[str, str]

    def selection_rows(self) -> list[dict[str, Any]]:
        """Rows of the steps and of the estimator."""
        rows = self.chain.selection_rows()
        left, kept = rows[-1]["features_out"], len(self.final.columns)
        return [*rows, selection_row(self.estimator.kind, left, kept, self.final.note)]

    def tables(self) -> dict[str, pd.DataFrame]:
        """``reproducibility`` and, with a LASSO, ``lasso_path`` and ``lasso_cv``; ``stability``."""
        return self.chain.tables()

    def final_refit(self, X: pd.DataFrame, labels: np.ndarray, likelihood: str) -> Refit:
        """Refit of the estimator alone, on the features selected on all rows."""
        if isinstance(self.estimator, LogisticSpec):
            return super().final_refit(X, labels, likelihood)
        # contributions of coefficient 1 are the scaled values
        inputs = [replace(predictor, coefficient=1.0) for predictor in self.rule.features()]
        table = pd.DataFrame({p.name: p.contribution(X) for p in inputs}, index=X.index)
        drawn = by_person(table, self.persons)

        def refit(rows: np.ndarray) -> np.ndarray | None:
            fit = self.estimator.fit(drawn.iloc[rows], labels[rows], seed=self.seed, name=self.name)
            return fit.probability(table) if fit.columns else None

        return refit


@model_kind(label="Radiomics")
class RadiomicsSpec(FeatureBlock, ModelSpec):
    """A model on image features: selection steps, then a Rad-score."""

    kind: Literal["radiomics"] = Field(description="A Rad-score from image features.")
    estimator: AnyEstimator = Field(
        LogisticSpec.model_construct(kind="logistic", method="auto"), description="What makes the Rad-score."
    )
    allow_unavailable: bool = Field(False, description="Use columns that are not yet known when predicting.")

    @property
    def block(self) -> FeatureBlock:
        """Image features that the model selects among."""
        return self

    @property
    def likelihood(self) -> str:
        """Method of a logistic regression; empty for another estimator."""
        return self.estimator.method if isinstance(self.estimator, LogisticSpec) else ""

    @property
    def reported_folds(self) -> int:
        """Folds of the cross-validation that is reported."""
        return self.estimator.folds

    @property
    def final_label(self) -> str:
        """Printed name of the estimator."""
        return self.estimator.about.label

    def references_used(self) -> tuple[str, ...]:
        """Keys of the references of steps and estimator."""
        return (*step_references(self.steps), *self.estimator.references_used())

    def sentence(self, who: str, names: Names) -> str:
        """Return the model in words."""
        sequences = names.sequences(self.sequences)
        source = f"those of {listing(sequences)}" if sequences else "the image features"
        return (
            f"{who} was {self.estimator.phrase()} on features selected from {source}, with "
            f"{self.estimator.about.score} as the Rad-score."
        )

    def made_from(self, names: Names) -> list[str]:
        """Printed names of the sequences."""
        return names.sequences(self.sequences)

    def several(self, parts: str, count: int) -> str:
        """Return models that differ in their features alone, in words."""
        return (
            f"Each of {count} radiomics models was {self.estimator.phrase()} on features selected from those of its own "
            f"sequences, with {self.estimator.about.score} as its Rad-score: {parts}."
        )

    def fit(self, X: pd.DataFrame, labels: np.ndarray, learning: Learning) -> FittedRadiomics:
        """Fit the steps, then the estimator."""
        chain, table = self.select(X, labels, learning)
        together = by_person(table, learning.persons)
        fit = self.estimator.fit(together, labels, seed=learning.seed, name=learning.name)
        kept = list(fit.columns)
        predictors = feature_predictors(chain, table[kept], fit.coefficients)
        rule: Rule
        remarks = []
        if fit.forest is not None:
            rule = ForestRule(learning.name, predictors, fit.forest.trees)
            remarks.append(
                "the threshold is Youden's on out-of-bag probabilities; training rows are predicted by trees that saw "
                "them, so that their performance is optimistic"
            )
        else:
            rule = LinearRule(learning.name, fit.intercept, predictors)
        remarks += chain.notes()
        if fit.separated:
            remarks.append("the selected features separate the training classes; Firth's method was used")
        return FittedRadiomics(
            name=learning.name,
            rule=rule,
            used=np.ones(len(labels), dtype=bool),
            table=table[kept],
            labels=labels,
            method=fit.method,
            remarks=tuple(remarks),
            held_out=None if fit.forest is None else fit.forest.out_of_bag,
            estimator=self.estimator,
            seed=learning.seed,
            chain=chain,
            final=fit,
            persons=learning.persons,
        )
