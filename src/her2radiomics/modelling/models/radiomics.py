"""The radiomics model: selection steps, then an estimator whose log-odds are the Rad-score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
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
from her2radiomics.modelling.saved.forest import ForestRule
from her2radiomics.modelling.saved.rules import FeaturePredictor, LinearRule
from her2radiomics.modelling.settings import FeatureBlock, RadiomicsSpec
from her2radiomics.modelling.steps.chain import build_chain, flat_steps, scalings, selection_rows
from her2radiomics.modelling.steps.harmonisation import people_of
from her2radiomics.modelling.steps.scaling import NumericFeatures

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

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
    pipeline_ : sklearn.pipeline.Pipeline
        The fitted steps.
    final_ : FinalFit
        The estimator on what they kept.
    """

    pipeline_: Pipeline
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
        self.notes_ += feature_notes(self.pipeline_)
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
        rows = selection_rows(self.pipeline_)
        rows.append(
            {
                "name": self.spec.estimator.kind,
                "features_in": rows[-1]["features_out"],
                "features_out": len(fit.columns),
                "note": fit.note,
            }
        )
        tables = step_tables(self.pipeline_)
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
) -> tuple[Pipeline, pd.DataFrame]:
    """Fit the steps of a block of image features.

    Returns
    -------
    tuple
        The fitted pipeline, and the scaled features that it keeps, patients × features.

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
    people = people_of(X, block.steps, columns)
    pipeline = build_chain(block, first_reader=raw, second_reader=second_reader, people=people, seed=seed)
    return pipeline, pipeline.fit_transform(raw, labels)


def feature_predictors(
    pipeline: Pipeline, table: pd.DataFrame, coefficients: Mapping[str, float]
) -> tuple[FeaturePredictor, ...]:
    """Rules of the columns of ``table``, scaled as the pipeline does; coefficient 1 where none is given."""
    numbers = _numbers(pipeline)
    medians = dict(zip(numbers.names_out_, numbers.medians_.tolist(), strict=True))
    return tuple(
        FeaturePredictor(
            name=f,
            coefficient=coefficients.get(f, 1.0),
            fill=medians[f],
            low=float(table[f].min()),
            high=float(table[f].max()),
            scalings=scalings(pipeline, f),
        )
        for f in map(str, table.columns)
    )


def feature_notes(pipeline: Pipeline) -> list[str]:
    """Sentences on features that training dropped since they are not numbers, and on harmonisation."""
    return [note for step in flat_steps(pipeline) for note in step.notes()]


def step_tables(pipeline: Pipeline) -> dict[str, pd.DataFrame]:
    """What the steps of a fitted pipeline leave: ``reproducibility``, ``lasso_path`` and ``lasso_cv``, ``stability``."""
    return {name: table for step in flat_steps(pipeline) for name, table in step.tables().items()}


def _numbers(pipeline: Pipeline) -> NumericFeatures:
    return next(step for step in flat_steps(pipeline) if isinstance(step, NumericFeatures))
