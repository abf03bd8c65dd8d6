"""Filters: reproducibility between readers, variance, a univariate test, redundancy, recursive elimination."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.libraries import pd, scipy, sklearn
from her2radiomics.modelling.base import FeatureStep, is_constant
from her2radiomics.modelling.tables import sequence_of
from her2radiomics.statistics.agreement import icc_table

if TYPE_CHECKING:
    from her2radiomics.modelling.readers import SecondReader


class IccFilter(FeatureStep):
    """Keep the features whose intraclass correlation between two readers is at least a threshold.

    Only training patients read twice are used; with fewer than ``minimum_patients`` of them everything passes, *not
    assessed*. A pair with a value that is not a number is left out for that feature; a feature with too few pairs of
    its own, or constant in all of them, is dropped.

    The coefficients are computed on unscaled values, whatever the scaling before this step: shifting and scaling a
    feature by the same numbers for both readers (min-max and z-score do) changes no form of the coefficient.

    Parameters
    ----------
    form, threshold, minimum_patients
        See :class:`~her2radiomics.modelling.steps.settings.IccFilterStep`.
    second_reader
        Holder of the second reader's unscaled features, or ``None``.
    first_reader
        Reader 1's unscaled features of the training rows; ``None``: those given to :meth:`fit`, which must then be
        unscaled.

    Fitted attributes
    -----------------
    reproducibility_ : pandas.DataFrame
        The table of this contract; ``kept`` is *yes*, *no* or *not assessed*.
    """

    reproducibility_: pd.DataFrame

    def __init__(
        self,
        form: str = "ICC2,1",
        threshold: float = 0.75,
        minimum_patients: int = 10,
        second_reader: SecondReader | None = None,
        first_reader: pd.DataFrame | None = None,
    ) -> None:
        """Keep the parameters."""
        self.form = form
        self.threshold = threshold
        self.minimum_patients = minimum_patients
        self.second_reader = second_reader
        self.first_reader = first_reader

    def fit(self, X: pd.DataFrame, y: object = None) -> IccFilter:
        """Compute the coefficients of the features in ``X`` on the patients of ``X`` who were read twice."""
        names = list(X.columns)
        pairs = None
        if self.second_reader is not None and names:
            raw = X if self.first_reader is None else self.first_reader[names]
            pairs = self.second_reader.pairs(raw)
        n = 0 if pairs is None else len(pairs[0])
        if pairs is None or n < self.minimum_patients:
            what = "no second reader" if self.second_reader is None else f"{n} training patients read twice"
            self.reproducibility_ = self._table(names, np.full((3, len(names)), np.nan), n, "not assessed")
            self._record(X, None, f"not assessed: {what}")
            return self
        values, counts = self._coefficients(*pairs)
        keep = np.nan_to_num(values[0], nan=-np.inf) >= self.threshold
        self.reproducibility_ = self._table(names, values, counts, np.where(keep, "yes", "no"))
        self._record(X, keep, f"{self.form} ≥ {self.threshold:g} in {n} training patients read twice")
        return self

    def tables(self) -> dict[str, pd.DataFrame]:
        """``reproducibility``."""
        return {"reproducibility": self.reproducibility_}

    def _coefficients(self, one: pd.DataFrame, two: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """ICC with its interval, shape (3, features), and the number of pairs of each feature."""
        finite = np.isfinite(one.to_numpy(dtype=float)) & np.isfinite(two.to_numpy(dtype=float))
        counts = finite.sum(axis=0)
        values = np.full((3, one.shape[1]), np.nan)
        whole = counts == len(one)
        columns = ["icc", "low", "high"]
        if whole.any():
            table = icc_table(one.loc[:, whole], two.loc[:, whole], self.form)  # type: ignore[arg-type]
            values[:, whole] = table[columns].to_numpy(dtype=float).T
        for place in np.flatnonzero(~whole & (counts >= self.minimum_patients)):
            rows = finite[:, place]
            table = icc_table(one.iloc[rows, [place]], two.iloc[rows, [place]], self.form)  # type: ignore[arg-type]
            values[:, place] = table[columns].to_numpy(dtype=float)[0]
        return values, counts

    def _table(self, names: list[str], values: np.ndarray, n: Any, kept: Any) -> pd.DataFrame:

        table = pd.DataFrame({"feature": names, "sequence": [sequence_of(name) for name in names]})
        table["form"] = self.form
        table["icc"], table["low"], table["high"] = values
        table["n"], table["kept"] = n, kept
        return table


class VarianceFilter(FeatureStep):
    """Keep the features whose population variance is above a threshold (scikit-learn's ``VarianceThreshold``).

    The variance is of the values that reach this step: put the step before the scaling to filter measured variances.

    Parameters
    ----------
    threshold
        See :class:`~her2radiomics.modelling.steps.settings.VarianceStep`.
    scaled_by
        Scaling steps before this one, for the note; none: the values are as measured.
    """

    def __init__(self, threshold: float = 0.0, scaled_by: tuple[str, ...] = ()) -> None:
        """Keep the parameters."""
        self.threshold = threshold
        self.scaled_by = scaled_by

    def fit(self, X: pd.DataFrame, y: object = None) -> VarianceFilter:
        """Learn the variances."""
        values = X.to_numpy(dtype=float)
        constant = is_constant(values)
        variance = np.where(constant, 0.0, values.var(axis=0))
        of = f"values scaled by {', then '.join(self.scaled_by)}" if self.scaled_by else "measured values"
        note = f"variance of {of} > {self.threshold:g}"
        if (~constant).any() and np.allclose(variance[~constant], 1.0, rtol=0, atol=1e-9):
            note += "; after z-scoring every variance is 1, so this step says nothing"
        self._record(X, variance > self.threshold, note)
        return self


class UnivariateFilter(FeatureStep):
    """Keep the features related to the label one by one: by p value, or the best k.

    Ties of p are broken by the order of the columns. Constant features have p = 1.
    """

    pvalues_: np.ndarray

    def __init__(self, test: str = "f_classif", p: float | None = 0.05, k: int | None = None) -> None:
        """Keep the parameters."""
        self.test = test
        self.p = p
        self.k = k

    def fit(self, X: pd.DataFrame, y: Any) -> UnivariateFilter:
        """Test every feature against the label."""
        _, self.pvalues_ = univariate_test(X.to_numpy(dtype=float), np.asarray(y), self.test)
        name = {"f_classif": "ANOVA F", "mann_whitney": "Mann–Whitney"}[self.test]
        if self.k is None:
            keep = self.pvalues_ < float(self.p or 0)
            note = f"{name}, p < {self.p:g}"
        else:
            keep = np.zeros(X.shape[1], dtype=bool)
            keep[np.argsort(self.pvalues_, kind="stable")[: self.k]] = True
            note = f"{name}, the best {self.k}"
        self._record(X, keep, note)
        return self


def univariate_test(values: np.ndarray, labels: np.ndarray, test: str) -> tuple[np.ndarray, np.ndarray]:
    """Statistic and p of every column against a 0/1 label.

    Parameters
    ----------
    values
        Finite numbers, shape (rows, features).
    labels
        0 or 1, shape (rows,).
    test
        ``f_classif``: one-way analysis of variance (scikit-learn's). ``mann_whitney``: two-sided, normal
        approximation with corrections for ties and continuity (scipy's ``asymptotic``).

    Returns
    -------
    statistic, p
        Each of shape (features,). The statistic grows with the relation: F, or |U − n₀n₁/2|. A constant column has
        statistic 0 and p 1.
    """
    statistic, p = np.zeros(values.shape[1]), np.ones(values.shape[1])
    varies = ~is_constant(values)
    if not varies.any():
        return statistic, p
    if test == "f_classif":
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a perfect feature has F = inf, p = 0
            statistic[varies], p[varies] = sklearn.feature_selection.f_classif(values[:, varies], labels)
        return statistic, p

    one, zero = values[labels == 1][:, varies], values[labels == 0][:, varies]
    result = scipy.stats.mannwhitneyu(
        one, zero, alternative="two-sided", method="asymptotic", use_continuity=True, axis=0
    )
    statistic[varies] = np.abs(result.statistic - len(one) * len(zero) / 2)
    p[varies] = result.pvalue
    return statistic, p


class RedundancyFilter(FeatureStep):
    """Of two features correlated above a threshold keep the one more related to the label.

    Features are visited from the most to the least related to the label (absolute correlation of the same kind with
    the 0/1 label; ties in the order of the columns); a feature is dropped when it is correlated above the threshold
    with one already kept. Constant features are dropped.
    """

    def __init__(self, method: str = "pearson", threshold: float = 0.9) -> None:
        """Keep the parameters."""
        self.method = method
        self.threshold = threshold

    def fit(self, X: pd.DataFrame, y: Any) -> RedundancyFilter:
        """Visit the features."""
        values, labels = X.to_numpy(dtype=float), np.asarray(y, dtype=float)
        constant = is_constant(values)
        if self.method == "spearman":
            values, labels = scipy.stats.rankdata(values, axis=0), scipy.stats.rankdata(labels)
        values, labels = values - values.mean(axis=0), labels - labels.mean()
        length = np.sqrt(np.square(values).sum(axis=0))
        unit = values / np.where(constant, 1.0, length)
        # rounding must not decide between copies of a feature, nor reverse a tie
        relation = np.round(np.abs(labels @ unit) / np.sqrt(labels @ labels), 12)
        left, keep = ~constant, np.zeros(X.shape[1], dtype=bool)
        for place in np.argsort(-relation, kind="stable"):
            if not left[place]:
                continue
            keep[place] = True
            left &= np.abs(unit[:, place] @ unit) <= self.threshold + 1e-12
            left[place] = False
        self._record(X, keep, f"{self.method.capitalize()} |r| ≤ {self.threshold:g} with every feature kept")
        return self


class RecursiveElimination(FeatureStep):
    """Drop the feature with the smallest weight of a logistic regression, again and again, until k are left.

    The weights are those of a ridge-penalised logistic regression (scikit-learn's C = 1) on standardised features,
    so that they can be compared, and exist when there are more features than rows.
    """

    def __init__(self, k: int = 10) -> None:
        """Keep the parameter."""
        self.k = k

    def fit(self, X: pd.DataFrame, y: Any) -> RecursiveElimination:
        """Eliminate features one by one."""
        values = X.to_numpy(dtype=float)
        varies = ~is_constant(values)
        keep = varies.copy()
        if int(varies.sum()) > self.k:
            part = values[:, varies]
            part = (part - part.mean(axis=0)) / part.std(axis=0)
            ridge = sklearn.linear_model.LogisticRegression(
                C=1.0, l1_ratio=0.0, solver="lbfgs", tol=1e-8, max_iter=10_000
            )
            keep[
                np.flatnonzero(varies)[
                    ~sklearn.feature_selection.RFE(ridge, n_features_to_select=self.k).fit(part, y).support_
                ]
            ] = False
        self._record(X, keep, f"recursive elimination to {self.k}")
        return self
