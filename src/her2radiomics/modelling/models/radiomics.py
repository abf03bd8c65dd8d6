"""The radiomics model: selection steps, then an estimator whose log-odds are the Rad-score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import Training
from her2radiomics.modelling.chain import FittedChain, fit_chain
from her2radiomics.modelling.estimator_settings import LogisticSpec
from her2radiomics.modelling.estimators import (
    FitReport,
    StudyModel,
    coefficient_table,
    feature_columns,
    notes_on,
    selection_table,
)
from her2radiomics.modelling.final import FinalFit, fit_final
from her2radiomics.modelling.people import people_of
from her2radiomics.modelling.saved.forest import ForestRule
from her2radiomics.modelling.saved.rules import FeaturePredictor, LinearRule
from her2radiomics.modelling.settings import FeatureBlock, RadiomicsSpec

if TYPE_CHECKING:
    from her2radiomics.modelling.readers import SecondReader
    from her2radiomics.statistics.resampling import Refit


class RadiomicsModel(StudyModel):
    """Rad-score from image features.

    Parameters
    ----------
    name
        The model's name.
    spec
        Its settings.
    columns
        The protocol's participants columns: no features.
    second_reader
        The second reader's features, or ``None``.
    seed
        Seed of the folds.

    Fitted attributes
    -----------------
    pipeline_ : FittedChain
        The fitted steps.
    final_ : FinalFit
        The estimator on what they kept.
    """

    pipeline_: FittedChain
    final_: FinalFit

    def __init__(
        self,
        name: str,
        spec: RadiomicsSpec,
        columns: Mapping[str, Column],
        second_reader: SecondReader | None = None,
        seed: int = 0,
    ) -> None:
        """Keep the parameters."""
        self.name = name
        self.spec = spec
        self.columns = columns
        self.second_reader = second_reader
        self.seed = seed

    def _fit(self, X: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
        self.pipeline_, table = fit_features(
            X, labels, self.spec, self.columns, self.second_reader, seed=self.seed, name=self.name
        )
        fit = fit_final(table, labels, self.spec.estimator, seed=self.seed, name=self.name)
        self.final_ = fit
        kept = list(fit.columns)
        predictors = feature_predictors(self.pipeline_, table[kept], fit.coefficients)
        if fit.forest is not None:
            self.rule_ = ForestRule(self.name, predictors, fit.forest.trees)
            self.held_out_ = fit.forest.out_of_bag
            self.notes_.append(
                "the threshold is Youden's on out-of-bag probabilities; training rows are predicted by trees that saw "
                "them, so that their performance says little"
            )
        else:
            self.rule_ = LinearRule(self.name, fit.intercept, predictors)
        self.table_, self.labels_ = table[kept], labels
        self.notes_ += self.pipeline_.notes()
        if fit.separated:
            self.notes_.append("the selected features separate the training classes; Firth's method was used")
        return np.ones(len(labels), dtype=bool)

    def final_refit(self, X: pd.DataFrame, y: Any) -> Refit:
        """Refit of the estimator alone, on the features selected on all rows."""
        if isinstance(self.spec.estimator, LogisticSpec):
            return super().final_refit(X, y)

        labels = np.asarray(y)
        # contributions of coefficient 1 are the scaled values
        inputs = [replace(predictor, coefficient=1.0) for predictor in self.rule_.features()]
        table = pd.DataFrame({p.name: p.contribution(X) for p in inputs}, index=X.index)

        def refit(rows: np.ndarray) -> np.ndarray | None:
            fit = fit_final(
                table.iloc[rows], labels[rows], self.spec.estimator, seed=self.seed, name=self.name
            )
            return fit.probability(table) if fit.columns else None

        return refit

    def fit_report(self) -> FitReport:
        """Coefficients, selection, ``reproducibility`` and, with a LASSO, ``lasso_path`` and ``lasso_cv``."""
        fit = self.final_
        coefficients = coefficient_table(self.table_, self.labels_, self.rule_, fit.method, {})
        rows = self.pipeline_.selection_rows()
        rows.append(
            {
                "name": self.spec.estimator.kind,
                "features_in": rows[-1]["features_out"],
                "features_out": len(fit.columns),
                "note": fit.note,
            }
        )
        tables = self.pipeline_.tables()
        return FitReport(coefficients, selection_table(rows), tables, notes_on(self, coefficients))


def fit_features(
    X: pd.DataFrame,
    labels: np.ndarray,
    block: FeatureBlock,
    columns: Mapping[str, Column],
    second_reader: SecondReader | None,
    *,
    seed: int,
    name: str,
) -> tuple[FittedChain, pd.DataFrame]:
    """Fit the steps of a block of image features.

    Returns
    -------
    tuple
        The fitted steps, and the scaled features that it keeps, patients × features.

    Raises
    ------
    StudyError
        The table holds no such feature.
    """
    names = feature_columns(X, columns, block.sequences, block.regions, name=name)
    if not names:
        raise StudyError(
            f"model '{name}': found no feature column in the table; expected some. "
            "Give the extracted features, or remove the model."
        )
    # one memory layout, so that the last bit of a sum does not depend on how the table was put together
    values = np.array(X[names].to_numpy(dtype=float), order="C")
    raw = pd.DataFrame(values, index=X.index, columns=names)
    training = Training(seed, raw, second_reader, people_of(X, block.steps, columns), block.sequences)
    return fit_chain(block.steps, raw, labels, training)


def feature_predictors(
    pipeline: FittedChain, table: pd.DataFrame, coefficients: Mapping[str, float]
) -> tuple[FeaturePredictor, ...]:
    """Rules of the columns of ``table``, scaled as the steps do; coefficient 1 where none is given."""
    medians = pipeline.medians()
    return tuple(
        FeaturePredictor(
            name=f,
            coefficient=coefficients.get(f, 1.0),
            fill=medians[f],
            low=float(table[f].min()),
            high=float(table[f].max()),
            scalings=pipeline.scalings(f),
        )
        for f in map(str, table.columns)
    )
