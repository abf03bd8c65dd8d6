"""The estimator at the end of a radiomics model: from selected features to a rule that predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.libraries import pd, scipy, sklearn
from her2radiomics.modelling import estimator_settings as s
from her2radiomics.modelling.base import is_constant
from her2radiomics.modelling.logistic import fit_logistic
from her2radiomics.modelling.penalised.cross_validation import cross_validated_lasso, patient_folds
from her2radiomics.modelling.penalised.gaussian_path import standardise
from her2radiomics.modelling.penalised.ridge import cross_validated_ridge
from her2radiomics.modelling.ranking import univariate_test
from her2radiomics.modelling.saved.forest import GrownForest, grow_forest


@dataclass(frozen=True)
class FinalFit:
    """What an estimator learnt from a table of selected features.

    Attributes
    ----------
    columns
        Features that the estimator uses, in the order of the table.
    intercept, coefficients
        Of a linear estimator: log-odds, on the scale of the table.
    method
        ``ml``, ``firth``, ``ridge``, ``elastic_net_logistic``, ``linear_svm`` or ``random_forest``.
    note
        What was fitted, in words.
    separated
        Whether Firth's method was used since the data are separated.
    forest
        Of a random forest: its trees.
    """

    columns: tuple[str, ...]
    intercept: float
    coefficients: Mapping[str, float]
    method: str
    note: str
    separated: bool = False
    forest: GrownForest | None = None

    def probability(self, table: pd.DataFrame) -> np.ndarray:
        """Probability of label 1 in the rows of a table scaled as the one fitted on, shape (rows,)."""
        values = table[list(self.columns)].to_numpy(dtype=float)
        if self.forest is not None:
            rounded = values.astype(np.float32)
            return np.asarray(np.mean([tree.predict(rounded) for tree in self.forest.trees], axis=0))
        beta = np.array([self.coefficients[column] for column in self.columns])
        return np.asarray(scipy.special.expit(self.intercept + values @ beta), dtype=float)


def fit_final(
    table: pd.DataFrame, labels: np.ndarray, spec: s.EstimatorSpec, *, seed: int, name: str
) -> FinalFit:
    """Fit an estimator on every column of a table.

    Parameters
    ----------
    table
        Complete numbers, indexed by patient, columns in their final order.
    labels
        0 or 1, both present, shape (rows,).
    spec
        Which estimator.
    seed
        Seed of inner folds and of a forest.
    name
        The model's name, for errors.

    Raises
    ------
    StudyError
        The regression that was asked for does not exist.
    """
    if isinstance(spec, s.LogisticSpec):
        return _logistic(table, labels, spec, name)
    varying = table.loc[:, ~is_constant(table.to_numpy(dtype=float))]
    if varying.shape[1] == 0:
        return _nothing(labels, spec.kind, "intercept only")
    if isinstance(spec, s.RandomForestSpec):
        forest = grow_forest(varying.to_numpy(dtype=float), labels, spec, seed)
        note = f"{spec.trees} trees, at least {spec.min_leaf} rows in a leaf"
        return FinalFit(tuple(varying.columns), 0.0, {}, spec.kind, note, forest=forest)
    fold = patient_folds(table.index.to_numpy(), labels, spec.inner_folds, seed)
    if fold.size == 0:
        return _nothing(labels, spec.kind, "intercept only: too few patients of a class to cross-validate")
    if isinstance(spec, s.RidgeSpec):
        return _ridge(varying, labels, fold, spec)
    if isinstance(spec, s.ElasticNetLogisticSpec):
        return _elastic_net(varying, labels, fold, spec)
    return _linear_svm(varying, labels, fold, spec)


def _nothing(labels: np.ndarray, method: str, note: str) -> FinalFit:
    share = float(np.mean(labels))
    return FinalFit((), float(np.log(share / (1 - share))), {}, method, note)


def _logistic(table: pd.DataFrame, labels: np.ndarray, spec: s.LogisticSpec, name: str) -> FinalFit:

    statistic, p = univariate_test(table.to_numpy(dtype=float), labels, "f_classif")
    important = [table.columns[i] for i in np.lexsort((np.arange(p.size), -statistic, p))]
    fit = fit_logistic(table[important], labels, spec.method, name=name)
    kept = tuple(str(feature) for feature in table.columns if feature in fit.coefficients)
    return FinalFit(kept, fit.intercept, fit.coefficients, fit.method, fit.note, fit.separated)


def _ridge(table: pd.DataFrame, labels: np.ndarray, fold: np.ndarray, spec: s.RidgeSpec) -> FinalFit:
    values = table.to_numpy(dtype=float)
    found = cross_validated_ridge(values, labels, fold, rule=spec.rule, n_lambdas=spec.n_lambdas)
    if found is None:
        return _nothing(labels, spec.kind, "intercept only: no feature varies with the label")
    penalty, path = found
    beta = dict(zip(map(str, table.columns), path.coefficients[:, 0].tolist(), strict=True))
    note = f"ridge penalty lambda.{spec.rule} = {penalty:.4g}, {np.unique(fold).size} folds"
    return FinalFit(tuple(beta), float(path.intercepts[0]), beta, spec.kind, note)


def _elastic_net(
    table: pd.DataFrame, labels: np.ndarray, fold: np.ndarray, spec: s.ElasticNetLogisticSpec
) -> FinalFit:
    found = cross_validated_lasso(
        table.to_numpy(dtype=float),
        labels,
        fold,
        family="binomial",
        n_lambdas=spec.n_lambdas,
        alpha=spec.alpha,
    )
    if found is None:
        return _nothing(labels, spec.kind, "intercept only: no feature varies with the label")
    place = found.index_min if spec.rule == "min" else found.index_1se
    chosen = found.path.coefficients[:, place]
    beta = {str(f): float(b) for f, b in zip(table.columns, chosen, strict=True) if b != 0}
    note = f"elastic net, alpha {spec.alpha:g}, lambda.{spec.rule} = {found.path.lambdas[place]:.4g}, {found.folds} folds"
    return FinalFit(tuple(beta), float(found.path.intercepts[place]), beta, spec.kind, note)


def _linear_svm(table: pd.DataFrame, labels: np.ndarray, fold: np.ndarray, spec: s.LinearSvmSpec) -> FinalFit:
    """Platt: the sigmoid is fitted to decision values of machines that never saw the row, the machine on all rows."""
    values = table.to_numpy(dtype=float)
    machine = sklearn.pipeline.make_pipeline(
        sklearn.preprocessing.StandardScaler(), sklearn.svm.SVC(kernel="linear", C=spec.c, tol=1e-6)
    )
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
    scaled = sklearn.calibration.CalibratedClassifierCV(
        machine, method="sigmoid", cv=splits, ensemble=False, n_jobs=1
    )
    fitted = scaled.fit(values, labels).calibrated_classifiers_[0]
    sigmoid = fitted.calibrators[0]
    slope, shift = -float(sigmoid.a_), -float(sigmoid.b_)
    if slope <= 0:
        return _nothing(
            labels,
            spec.kind,
            "intercept only: held-out decision values do not rise with the label, so Platt's sigmoid has no slope",
        )
    # decision value w z + c on z = (x − mean) / SD, then log-odds slope × decision + shift
    _, mean, deviation = standardise(values)
    support = fitted.estimator[-1]
    beta = slope * support.coef_[0] / deviation
    intercept = slope * float(support.intercept_[0]) + shift - float(mean @ beta)
    note = f"linear support vector machine, C = {spec.c:g}; Platt scaling, {np.unique(fold).size} folds"
    weights = dict(zip(map(str, table.columns), beta.tolist(), strict=True))
    return FinalFit(tuple(weights), intercept, weights, spec.kind, note)
