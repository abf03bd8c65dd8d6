"""Logistic regression with an elastic-net penalty."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.estimator import FinalFit, FoldedEstimator, Folds, InnerFolds, estimator, intercept_only
from her2radiomics.modelling.penalised.cross_validation import cross_validated_lasso


@estimator(label="Elastic-net logistic regression", references=("zou_2005", "friedman_2010"))
class ElasticNetLogisticSpec(FoldedEstimator):
    """Logistic regression with an elastic-net penalty: some selected features leave, the others are shrunken.

    glmnet's binomial elastic net at ``alpha``, the penalty chosen as for ridge; features with coefficient 0 leave.
    """

    kind: Literal["elastic_net_logistic"] = Field(
        description="Logistic regression with an elastic-net penalty, as glmnet's."
    )
    alpha: float = Field(
        0.5, ge=0.001, le=1, description="Share of the LASSO in the penalty, glmnet's alpha; the rest is ridge."
    )
    rule: Literal["min", "1se"] = Field(
        "min",
        description="Penalty with the smallest cross-validated deviance, or the largest within one standard error.",
    )
    inner_folds: InnerFolds = Field(10, description="Folds that choose the penalty, inside training.")
    n_lambdas: int = Field(100, ge=10, description="Penalties tried, on glmnet's grid.")
    folds: Folds = 0

    def phrase(self) -> str:
        """Return the estimator in words."""
        return "a logistic regression with an elastic-net penalty chosen by cross-validation inside the training set"

    def learn(self, table: pd.DataFrame, labels: np.ndarray, fold: np.ndarray) -> FinalFit:
        """Choose the penalty and fit."""
        found = cross_validated_lasso(
            table.to_numpy(dtype=float), labels, fold, family="binomial", n_lambdas=self.n_lambdas, alpha=self.alpha
        )
        if found is None:
            return intercept_only(labels, self.kind, "no feature varies with the label")
        place = found.index_min if self.rule == "min" else found.index_1se
        chosen = found.path.coefficients[:, place]
        beta = {str(f): float(b) for f, b in zip(table.columns, chosen, strict=True) if b != 0}
        penalty = f"lambda.{self.rule} = {found.path.lambdas[place]:.4g}"
        note = f"elastic net, alpha {self.alpha:g}, {penalty}, {found.folds} folds"
        return FinalFit(tuple(beta), float(found.path.intercepts[place]), beta, self.kind, note)
