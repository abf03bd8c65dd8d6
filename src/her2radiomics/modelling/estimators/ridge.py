"""Ridge-penalised logistic regression."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.estimator import FinalFit, FoldedEstimator, Folds, InnerFolds, estimator, intercept_only
from her2radiomics.modelling.penalised.ridge import cross_validated_ridge


@estimator(label="Ridge-penalised logistic regression", references=("hoerl_1970",))
class RidgeSpec(FoldedEstimator):
    """Ridge-penalised logistic regression: every selected feature stays, shrunken.

    Minimises −log-likelihood / n + λ‖b‖² / 2 on standardised features (glmnet, alpha 0); λ by cross-validated deviance
    inside training. Coefficients and penalties equal ``cv.glmnet`` with the same ``lambda`` and ``foldid`` to 10⁻⁸.
    """

    kind: Literal["ridge"] = Field(description="Logistic regression with a ridge penalty, as glmnet's alpha 0.")
    rule: Literal["min", "1se"] = Field(
        "min",
        description="Penalty with the smallest cross-validated deviance, or the largest within one standard error.",
    )
    inner_folds: InnerFolds = Field(10, description="Folds that choose the penalty, inside training.")
    n_lambdas: int = Field(100, ge=10, description="Penalties tried, on glmnet's grid.")
    folds: Folds = 0

    def phrase(self) -> str:
        """Return the estimator in words."""
        return "a logistic regression with a ridge penalty chosen by cross-validation inside the training set"

    def learn(self, table: pd.DataFrame, labels: np.ndarray, fold: np.ndarray) -> FinalFit:
        """Choose the penalty and fit."""
        values = table.to_numpy(dtype=float)
        found = cross_validated_ridge(values, labels, fold, rule=self.rule, n_lambdas=self.n_lambdas)
        if found is None:
            return intercept_only(labels, self.kind, "no feature varies with the label")
        penalty, path = found
        beta = dict(zip(map(str, table.columns), path.coefficients[:, 0].tolist(), strict=True))
        note = f"ridge penalty lambda.{self.rule} = {penalty:.4g}, {np.unique(fold).size} folds"
        return FinalFit(tuple(beta), float(path.intercepts[0]), beta, self.kind, note)
