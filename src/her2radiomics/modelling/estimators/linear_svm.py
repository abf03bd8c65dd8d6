"""Linear support vector machine."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.modelling.estimator import FinalFit, FoldedEstimator, Folds, InnerFolds, estimator, intercept_only
from her2radiomics.modelling.penalised.gaussian_path import standardise


@estimator(label="Linear support vector machine", references=("cortes_1995",))
class LinearSvmSpec(FoldedEstimator):
    """Linear support vector machine with probabilities by Platt scaling.

    scikit-learn's ``SVC`` on standardised features; Platt's sigmoid is fitted to decision values of machines that never saw
    the row, the machine to all rows. A sigmoid of a linear function is a line in log-odds. Where held-out decision values do
    not rise with the label the model is its intercept, and says so.
    """

    kind: Literal["linear_svm"] = Field(description="Support vector machine with a linear kernel.")
    c: float = Field(1.0, gt=0, description="Cost of a margin violation, on standardised features.")
    inner_folds: InnerFolds = Field(
        10, description="Folds whose held-out decision values fit Platt's sigmoid, inside training."
    )
    folds: Folds = 0

    def phrase(self) -> str:
        """Return the estimator in words."""
        return "a linear support vector machine, with probabilities by Platt scaling of held-out decision values,"

    def learn(self, table: pd.DataFrame, labels: np.ndarray, fold: np.ndarray) -> FinalFit:
        """Fit the machine and the sigmoid."""
        values = table.to_numpy(dtype=float)
        machine = sklearn.pipeline.make_pipeline(
            sklearn.preprocessing.StandardScaler(), sklearn.svm.SVC(kernel="linear", C=self.c, tol=1e-6)
        )
        splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
        scaled = sklearn.calibration.CalibratedClassifierCV(
            machine, method="sigmoid", cv=splits, ensemble=False, n_jobs=1
        )
        fitted = scaled.fit(values, labels).calibrated_classifiers_[0]
        sigmoid = fitted.calibrators[0]
        slope, shift = -float(sigmoid.a_), -float(sigmoid.b_)
        if slope <= 0:
            why = "held-out decision values do not rise with the label, so Platt's sigmoid has no slope"
            return intercept_only(labels, self.kind, why)
        # decision value w z + c on z = (x − mean) / SD, then log-odds slope × decision + shift
        _, mean, deviation = standardise(values)
        support = fitted.estimator[-1]
        beta = slope * support.coef_[0] / deviation
        intercept = slope * float(support.intercept_[0]) + shift - float(mean @ beta)
        folds = np.unique(fold).size
        note = f"linear support vector machine, C = {self.c:g}; Platt scaling, {folds} folds"
        weights = dict(zip(map(str, table.columns), beta.tolist(), strict=True))
        return FinalFit(tuple(weights), intercept, weights, self.kind, note)
