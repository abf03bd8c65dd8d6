"""The LASSO as a selection step, and the path of penalties that it shares with the elastic net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings
from her2radiomics.core.tables import assemble
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, selection_step
from her2radiomics.modelling.penalised.cross_validation import CrossValidatedLasso, cross_validated_lasso, patient_folds
from her2radiomics.modelling.people import by_person

#: Families in the wording of a methods section.
FAMILIES = {"gaussian": "least squares on the binary outcome", "binomial": "logistic"}
RULES = {
    "min": "the smallest cross-validated error (lambda.min)",
    "1se": "one standard error above the smallest error (lambda.1se)",
}


@dataclass(frozen=True)
class FittedPath(FittedStep):
    """What a cross-validated LASSO or elastic net learned.

    Attributes
    ----------
    cv
        Path and cross-validation curve; ``None`` when nothing could be fitted.
    penalty
        The chosen penalty (NaN when nothing could be fitted).
    """

    cv: CrossValidatedLasso | None = None
    penalty: float = float("nan")

    def tables(self) -> dict[str, pd.DataFrame]:
        """``lasso_path`` and, where a penalty was chosen, ``lasso_cv``."""
        tables = {"lasso_path": self.path_table()}
        return tables if self.cv is None else {**tables, "lasso_cv": self.cv.curve()}

    def path_table(self) -> pd.DataFrame:
        """Return ``lambda, term, coefficient`` of every feature that ever joins the path."""
        if self.cv is None:
            return assemble("lasso_path")
        path = self.cv.path
        ever = np.flatnonzero((path.coefficients != 0).any(axis=1))
        names = np.asarray(self.names_in, dtype=object)[ever]
        return pd.DataFrame(
            {
                "lambda": np.tile(path.lambdas, ever.size),
                "term": np.repeat(names, path.lambdas.size),
                "coefficient": path.coefficients[ever].ravel(),
            }
        )


class PenaltyPath(Settings):
    """What the LASSO and the elastic net have in common: a path of penalties and its cross-validation."""

    family: Literal["gaussian", "binomial"] = Field(
        "gaussian", description="gaussian: least squares on the 0/1 label; binomial: logistic."
    )
    folds: int = Field(10, ge=3, description="Folds of the cross-validation, stratified by label.")
    rule: Literal["min", "1se"] = Field(
        "min", description="min: the smallest error; 1se: the largest penalty within one standard error of it."
    )
    n_lambdas: int = Field(100, ge=10, description="Penalties on the path.")

    def in_words(self, method: str) -> str:
        """Return the selection in the wording of a methods section."""
        return (
            f"features with non-zero coefficients in {method} were retained: {FAMILIES[self.family]}, penalty at "
            f"{RULES[self.rule]} in {self.folds}-fold cross-validation, features standardised inside each fold"
        )

    def choose(self, X: pd.DataFrame, y: np.ndarray, seed: int, alpha: float = 1.0) -> FittedPath:
        """Keep the features with non-zero coefficients at the cross-validated penalty.

        Parameters
        ----------
        X
            Patients (index) × features.
        y
            Labels, 0 or 1, in the order of the rows.
        seed
            Seed of the folds.
        alpha
            Share of the LASSO in the penalty: 1 is the LASSO, less an elastic net.
        """
        values, labels = X.to_numpy(dtype=float), np.asarray(y)
        nothing = np.zeros(X.shape[1], dtype=bool)
        fold = patient_folds(X.index.to_numpy(), labels, self.folds, seed)
        if fold.size == 0:
            return FittedPath.of(X, nothing, "kept nothing: too few patients in one class to cross-validate")
        cv = cross_validated_lasso(values, labels, fold, family=self.family, n_lambdas=self.n_lambdas, alpha=alpha)
        if cv is None:
            return FittedPath.of(X, nothing, "kept nothing: no feature varies with the label")
        place = cv.index_min if self.rule == "min" else cv.index_1se
        penalty = float(cv.path.lambdas[place])
        keep = cv.path.coefficients[:, place] != 0
        mix = "" if alpha == 1 else f"alpha {alpha:g}, "
        note = f"{self.family}, {mix}lambda.{self.rule} = {penalty:.4g}, {cv.folds} folds"
        return FittedPath.of(X, keep, note if keep.any() else f"kept nothing: {note}", cv=cv, penalty=penalty)


@selection_step(label="LASSO", role="reduction", references=("tibshirani_1996", "friedman_2010"))
class LassoStep(PenaltyPath, SelectionStep):
    """Keep the features with non-zero coefficients in a cross-validated LASSO.

    By glmnet's conventions: columns are standardised inside every fold, and all folds use one grid of penalties.
    """

    step: Literal["lasso"] = Field(description="LASSO with the penalty chosen by cross-validation.")

    def sentence(self, before: Sequence[SelectionStep] = ()) -> str:
        """Return the step in words."""
        return self.in_words("a LASSO regression")

    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedPath:
        """Choose the penalty."""
        return self.choose(by_person(X, training.persons), y, training.seed)
