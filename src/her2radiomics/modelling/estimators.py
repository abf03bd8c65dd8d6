"""What the three kinds of model share: checks, the locked threshold, prediction through one rule."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd, threadpoolctl
from her2radiomics.modelling.saved.rules import LevelPredictor, LinearRule, Rule
from her2radiomics.statistics import logistic_refit, logistic_regression, youden_threshold
from her2radiomics.statistics._check import as_labels

if TYPE_CHECKING:
    from her2radiomics.statistics import YoudenThreshold
    from her2radiomics.statistics.resampling import Refit

# columns of participants and feature tables that are never predictors
RESERVED = (
    "patient_id", "reader", "centre", "partition", "label", "mri_date", "exclude_reason",
    "time", "event",
)  # fmt: skip


ROWS_PER_TERM = 4


@dataclass
class FitReport:
    """Tables that a fitted model leaves behind.

    Attributes
    ----------
    coefficients
        ``term, beta, se, wald, odds_ratio, ci_low, ci_high, p``; ``term, beta`` for an empty model.
    selection
        ``step, name, features_in, features_out, note``.
    tables
        What the kind adds: ``reproducibility``, ``lasso_path``, ``lasso_cv``, ``univariate``, ``multivariate``. A combined
        model's tables are named ``<part>.<table>``.
    notes
        Sentences for the report: an empty model, separation, values imputed, patients left out.
    """

    coefficients: pd.DataFrame
    selection: pd.DataFrame
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class StudyModel(ClassifierMixin, BaseEstimator):
    """Base of the models: fit on training rows, predict log-odds and probabilities.

    ``X`` is indexed by patient and holds feature columns and typed clinical columns; ``y`` is 0 or 1. The fit does
    not depend on the order of the rows or columns.

    Fitted attributes
    -----------------
    rule_ : Rule
        All that prediction needs.
    table_, labels_ : DataFrame and ndarray
        What the final estimator was fitted on: rows used × predictors.
    threshold_ : YoudenThreshold
        Chosen on the training rows' probabilities, and locked.
    held_out_ : ndarray or None
        Out-of-bag probabilities of the training rows, where the estimator has some: the threshold is chosen on them.
    n_, events_ : int
        Training rows used, and those with label 1.
    empty_ : bool
        Whether the model is its intercept alone.
    """

    name: str
    rule_: Rule
    held_out_: np.ndarray | None
    table_: pd.DataFrame
    labels_: np.ndarray
    threshold_: YoudenThreshold
    linear_range_: tuple[float, float]
    classes_: np.ndarray
    notes_: list[str]
    n_: int
    events_: int

    def fit(self, X: pd.DataFrame, y: Any) -> StudyModel:
        """Fit every step on these rows.

        Parameters
        ----------
        X
            Patients × columns.
        y
            Labels, 0 or 1, in the order of the rows.
        """
        if len(X) != len(y):
            raise StudyError(
                f"model '{self.name}': found {len(X)} rows and {len(y)} labels, expected one a row."
            )
        labels = as_labels(np.asarray(y)).astype(int)
        # sorted by patient, so that neither folds nor rounding depend on the order in which rows come
        order = np.argsort(X.index.to_numpy().astype(str), kind="stable")
        X, labels = X.iloc[order], labels[order]
        self.classes_ = np.array([0, 1])
        self.notes_ = []
        self.held_out_ = None
        with _one_thread():
            used = self._fit(X, labels)
        X, labels = X[used], labels[used]
        score = self.rule_.score(X)
        self.n_, self.events_ = len(labels), int(labels.sum())
        self.linear_range_ = (float(score.min()), float(score.max()))
        judged = self.rule_.probability(X)
        if self.held_out_ is not None:
            judged = np.where(np.isnan(self.held_out_), judged, self.held_out_)
        self.threshold_ = youden_threshold(labels, judged)
        if self.empty_:
            self.notes_.append("nothing was selected: the model is its intercept, AUC 0.5")
        return self

    @abstractmethod
    def _fit(self, X: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
        """Fit on sorted rows; set ``rule_`` and return which rows were used, shape (rows,)."""

    @property
    def empty_(self) -> bool:
        """Whether nothing was selected."""
        return not self.rule_.predictors

    def decision_function(self, X: pd.DataFrame) -> np.ndarray:
        """Score (log-odds) of new rows, shape (rows,)."""
        return self.rule_.score(X)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Probabilities of label 0 and 1, shape (rows, 2)."""
        positive = self.rule_.probability(X)
        return np.column_stack([1 - positive, positive])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Class at the locked threshold, shape (rows,)."""
        return (self.predict_proba(X)[:, 1] >= self.threshold_.threshold).astype(int)

    @abstractmethod
    def fit_report(self) -> FitReport:
        """Tables of the fit."""

    def final_refit(self, X: pd.DataFrame, y: Any) -> Refit:
        """Refit of the final regression alone on resampled training rows, its terms and their scaling fixed.

        Parameters
        ----------
        X, y
            Training rows and labels, in any order; all of them predictable.

        Returns
        -------
        callable
            Row numbers → probabilities of all rows of ``X``, or ``None`` where the resample cannot be fitted.
        """
        return logistic_refit(self.design(X), np.asarray(y))

    def design(self, X: pd.DataFrame) -> pd.DataFrame:
        """Predictors of the final regression: one column each, levels as text."""
        columns = {}
        for predictor in self.rule_.predictors:
            if isinstance(predictor, LevelPredictor):
                levels = X[predictor.name].astype(object)
                columns[predictor.name] = levels if predictor.fill is None else levels.fillna(predictor.fill)
            else:
                columns[predictor.name] = pd.Series(predictor.contribution(X), index=X.index)
        return pd.DataFrame(columns, index=X.index)


def coefficient_table(
    table: pd.DataFrame, labels: np.ndarray, rule: Rule, method: str, levels: Mapping[str, tuple]
) -> pd.DataFrame:
    """``term, beta, se, …`` of the regression that a model used.

    ``term, beta`` when it is empty or penalised (ridge, support vector machine); no row for a forest, which has no
    coefficients. ``term, beta``, too, when Firth's method was used with more than a term every
    :data:`ROWS_PER_TERM` rows: so close to saturation its profile intervals say nothing and may not exist.
    """
    if not isinstance(rule, LinearRule):
        return pd.DataFrame(columns=["term", "beta"])
    if table.shape[1] == 0:
        return pd.DataFrame({"term": ["(Intercept)"], "beta": [rule.intercept]})
    try:
        if method not in ("ml", "firth"):
            raise ArithmeticError
        if method == "firth" and table.shape[1] * ROWS_PER_TERM > len(table):
            raise ArithmeticError
        fit = logistic_regression(table, labels, method, levels)  # type: ignore[arg-type]
        fit.table.attrs["wald_terms"] = fit.wald_terms
        return fit.table
    except (ArithmeticError, np.linalg.LinAlgError):
        terms = [(p.name, p.coefficient) for p in rule.predictors if not isinstance(p, LevelPredictor)]
        terms += [
            (f"{p.name}[{level}]", weight)
            for p in rule.predictors
            if isinstance(p, LevelPredictor)
            for level, weight in p.weights[1:]
        ]
        return pd.DataFrame([("(Intercept)", rule.intercept), *terms], columns=["term", "beta"])


def notes_on(model: StudyModel, coefficients: pd.DataFrame) -> list[str]:
    """Return the model's notes, and why a coefficient table has no standard errors or another intercept."""
    notes = list(model.notes_)
    if model.empty_ or not isinstance(model.rule_, LinearRule):
        return notes
    if (estimator := getattr(model.spec, "estimator", None)) is not None and estimator.kind != "logistic":
        return [*notes, "a penalised estimator has no standard errors"]
    if "se" not in coefficients:
        terms = len(coefficients) - 1
        notes.append(
            f"no standard errors: {terms} terms for {model.n_} rows are too many for Firth's intervals"
        )
        return notes
    if coefficients.attrs.get("wald_terms"):
        notes.append(
            "Wald's interval and p in place of Firth's profile, which has no bound: "
            + ", ".join(coefficients.attrs["wald_terms"])
        )
    if abs(coefficients["beta"].iloc[0] - model.rule_.intercept) > 1e-6:
        notes.append(
            f"predictions use the intercept {model.rule_.intercept:.4f}, at which the mean probability is the "
            "prevalence (FLIC), not Firth's in the table"
        )
    return notes


def selection_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Number the rows of a selection report."""
    table = pd.DataFrame(rows, columns=["name", "features_in", "features_out", "note"])
    table.insert(0, "step", np.arange(1, len(table) + 1))
    return table


def feature_columns(
    X: pd.DataFrame,
    columns: Mapping[str, Column],
    sequences: tuple[str, ...] = (),
    regions: tuple[str, ...] = (),
    *,
    name: str,
) -> list[str]:
    """Feature columns of a table, sorted by name: all but clinical and reserved ones, of the named sequences and regions.

    Raises
    ------
    StudyError
        A named sequence or region has no column.
    TableError
        A feature column does not hold numbers, or stands twice.
    """
    known = set(columns).union(RESERVED)
    features = sorted(str(c) for c in X.columns if c not in known)
    for what, place, wanted in (("sequence", 0, sequences), ("region", 1, regions)):
        if not wanted:
            continue
        parts = {f: f.split("__") for f in features}
        found = {p[place] for p in parts.values() if len(p) >= 3}
        for item in wanted:
            if item not in found:
                raise StudyError(
                    f"model '{name}': found no feature of the {what} '{item}'; expected columns named "
                    f"<sequence>__<region>__<feature>; {what}s in the table: {', '.join(sorted(found)) or 'none'}."
                )
        features = [f for f in features if len(parts[f]) >= 3 and parts[f][place] in wanted]
    if len(set(features)) < len(features):
        twice = next(f for f, g in itertools.pairwise(features) if f == g)
        raise TableError(
            file="feature table",
            column=twice,
            found="the column twice",
            expected="once",
            remedy="Drop one of them.",
        )
    for feature, kind in zip(features, X.dtypes.loc[features], strict=True):
        if not pd.api.types.is_numeric_dtype(kind):
            raise TableError(
                file="feature table",
                column=feature,
                found=f"{kind}",
                expected="numbers, or a column declared in the protocol",
                remedy="Declare the column in the protocol, or remove it from the table.",
            )
    return features


def _one_thread() -> Any:
    """Hold the linear-algebra libraries to one thread: the last bit of a sum must not depend on the machine's cores."""
    return threadpoolctl.threadpool_limits(limits=1)
