"""Random forest."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.modelling.estimator import Estimator, FinalFit, Folds, estimator, intercept_only, varying
from her2radiomics.modelling.people import PERSON
from her2radiomics.modelling.saved.forest import Forest, Tree


@estimator(label="Random forest", score="the log-odds of its smoothed share of votes", references=("breiman_2001",))
class RandomForestSpec(Estimator):
    """Random forest, saved as arrays.

    scikit-learn's forest, predicted by our own traversal, equal to the last bit. The probability is the mean over trees; the
    score is the log-odds of (T p + ½) / (T + 1), finite and in the same order. No coefficients, no formula, no nomogram.
    """

    kind: Literal["random_forest"] = Field(description="Random forest of classification trees.")
    trees: int = Field(500, ge=10, description="Number of trees.")
    max_depth: int | None = Field(None, ge=1, description="Greatest depth of a tree; empty: unlimited.")
    min_leaf: int = Field(3, ge=1, description="Fewest training rows in a leaf.")
    max_features: Literal["sqrt", "all"] = Field(
        "sqrt", description="Features tried at each split: the square root of their number, or all."
    )
    folds: Folds = 0

    def phrase(self) -> str:
        """Return the estimator in words."""
        return f"a random forest of {self.trees} trees"

    def fit(self, table: pd.DataFrame, labels: np.ndarray, *, seed: int, name: str) -> FinalFit:
        """Grow the trees on the columns that vary."""
        columns = varying(table)
        if columns.shape[1] == 0:
            return intercept_only(labels, self.kind)
        forest = sklearn.ensemble.RandomForestClassifier(
            n_estimators=self.trees,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_leaf,
            max_features="sqrt" if self.max_features == "sqrt" else None,
            oob_score=True,
            n_jobs=1,
            random_state=seed,
        )
        with warnings.catch_warnings():
            # with few trees a row may be in every bag; its out-of-bag share is NaN
            warnings.filterwarnings("ignore", message="Some inputs do not have OOB scores")
            warnings.filterwarnings("ignore", message="invalid value encountered in divide", category=RuntimeWarning)
            forest.fit(columns.to_numpy(dtype=float), labels)
        out_of_bag = np.asarray(forest.oob_decision_function_[:, 1], dtype=float)
        if table.index.name == PERSON:
            out_of_bag = _out_of_bag(forest, columns.to_numpy(dtype=float), table.index.to_numpy())
        grown = Forest(tuple(_tree(one.tree_) for one in forest.estimators_), out_of_bag)
        note = f"{self.trees} trees, at least {self.min_leaf} rows in a leaf"
        return FinalFit(tuple(columns.columns), 0.0, {}, self.kind, note, forest=grown)


def _out_of_bag(forest: Any, values: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Mean probability of each row over the trees that saw no row of its person; NaN where there is none."""
    total, count = np.zeros(len(values)), np.zeros(len(values))
    for tree, seen in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        outside = ~np.isin(persons, persons[seen])
        if outside.any():
            total[outside] += tree.predict_proba(values[outside])[:, 1]
            count += outside
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _tree(grown: Any) -> Tree:
    return Tree(
        np.asarray(grown.children_left, dtype=int),
        np.asarray(grown.children_right, dtype=int),
        np.asarray(grown.feature, dtype=int),
        np.asarray(grown.threshold, dtype=float),
        np.asarray(grown.value[:, 0, 1], dtype=float),
    )
