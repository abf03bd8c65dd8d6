"""The radiomics model: selection steps, then a logistic regression whose linear predictor is the Rad-score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from her2radiomics.columns import Column
from her2radiomics.errors import StudyError
from her2radiomics.modelling.chain import build_chain, flat_steps, scalings, selection_rows
from her2radiomics.modelling.estimators import (
    FitReport,
    StudyModel,
    coefficient_table,
    feature_columns,
    notes_on,
    selection_table,
)
from her2radiomics.modelling.filters import IccFilter, univariate_test
from her2radiomics.modelling.lasso_step import LassoFilter
from her2radiomics.modelling.logistic import LogisticFit, fit_logistic
from her2radiomics.modelling.rule import FeaturePredictor, LinearRule
from her2radiomics.modelling.scaling import NumericFeatures
from her2radiomics.modelling.settings import RadiomicsSpec

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from her2radiomics.modelling.readers import SecondReader


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
    logistic_ : LogisticFit
        The regression on what they kept.
    """

    pipeline_: Pipeline
    logistic_: LogisticFit

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
        import pandas as pd

        names = feature_columns(X, self.columns, self.spec.sequences, self.spec.regions, name=self.name)
        if not names:
            raise StudyError(
                f"model '{self.name}': found no feature column in the table; expected some. "
                "Give the extracted features, or remove the model."
            )
        # one memory layout, so that the last bit of a sum does not depend on how the table was put together
        values = np.array(X[names].to_numpy(dtype=float), order="C")
        raw = pd.DataFrame(values, index=X.index, columns=names)
        self.pipeline_ = build_chain(
            self.spec, first_reader=raw, second_reader=self.second_reader, seed=self.seed
        )
        table = self.pipeline_.fit_transform(raw, labels)
        statistic, p = univariate_test(table.to_numpy(dtype=float), labels, "f_classif")
        important = [table.columns[i] for i in np.lexsort((np.arange(p.size), -statistic, p))]
        fit = fit_logistic(table[important], labels, self.spec.estimator.method, name=self.name)
        self.logistic_ = fit
        kept = [name for name in table.columns if name in fit.coefficients]
        numbers = self._step(NumericFeatures)
        medians = dict(zip(numbers.names_out_, numbers.medians_.tolist(), strict=True))
        self.rule_ = LinearRule(
            self.name,
            fit.intercept,
            tuple(
                FeaturePredictor(
                    name=f,
                    coefficient=fit.coefficients[f],
                    fill=medians[f],
                    low=float(table[f].min()),
                    high=float(table[f].max()),
                    scalings=scalings(self.pipeline_, f),
                )
                for f in kept
            ),
        )
        self.table_, self.labels_ = table[kept], labels
        if numbers.dropped_:
            self.notes_.append(
                f"{len(numbers.dropped_)} features were not a number in training and were dropped"
            )
        if fit.separated:
            self.notes_.append("the selected features separate the training classes; Firth's method was used")
        return np.ones(len(labels), dtype=bool)

    def _step(self, kind: type) -> NumericFeatures:
        return next(step for step in flat_steps(self.pipeline_) if isinstance(step, kind))

    def fit_report(self) -> FitReport:
        """Coefficients, selection, ``reproducibility`` and, with a LASSO, ``lasso_path`` and ``lasso_cv``."""
        fit = self.logistic_
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
        tables = {}
        for step in flat_steps(self.pipeline_):
            if isinstance(step, IccFilter):
                tables["reproducibility"] = step.reproducibility_
            if isinstance(step, LassoFilter):
                tables["lasso_path"] = step.path_table()
                if step.cv_ is not None:
                    tables["lasso_cv"] = step.cv_.curve()
        return FitReport(coefficients, selection_table(rows), tables, notes_on(self, coefficients))
