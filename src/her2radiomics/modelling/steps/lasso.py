"""The LASSO as a selection step, and forced retention of what it emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.core.tables import assemble
from her2radiomics.modelling.base import FeatureStep
from her2radiomics.modelling.penalised.cross_validation import (
    CrossValidatedLasso,
    cross_validated_lasso,
    patient_folds,
)
from her2radiomics.modelling.steps.filters import univariate_test
from her2radiomics.modelling.tables import sequence_of

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


class LassoFilter(FeatureStep):
    """Keep the features with a coefficient other than zero at the cross-validated penalty of a LASSO or elastic net.

    Parameters
    ----------
    family, folds, rule, n_lambdas
        See :class:`~her2radiomics.modelling.steps.settings.ElasticNetStep`.
    seed
        Seed of the folds.
    alpha
        Share of the LASSO in the penalty: 1 is the LASSO, less an elastic net.

    Fitted attributes
    -----------------
    cv_ : CrossValidatedLasso or None
        Path and cross-validation curve; ``None`` when nothing could be fitted.
    coefficients_ : ndarray, shape (features_out_,)
        At the chosen penalty, on the scale of the step's input.
    lambda_ : float
        The chosen penalty (NaN when nothing could be fitted).
    """

    cv_: CrossValidatedLasso | None
    coefficients_: np.ndarray
    lambda_: float

    def __init__(
        self,
        family: str = "gaussian",
        folds: int = 10,
        rule: str = "min",
        n_lambdas: int = 100,
        seed: int = 0,
        alpha: float = 1.0,
    ) -> None:
        """Keep the parameters."""
        self.alpha = alpha
        self.family = family
        self.folds = folds
        self.rule = rule
        self.n_lambdas = n_lambdas
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: Any) -> LassoFilter:
        """Choose the penalty; ``X`` is indexed by patient."""
        values, labels = X.to_numpy(dtype=float), np.asarray(y)
        fold = patient_folds(X.index.to_numpy(), labels, self.folds, self.seed)
        self.cv_, self.lambda_, self.coefficients_ = None, float("nan"), np.empty(0)
        if fold.size == 0:
            return self._nothing(X, "kept nothing: too few patients of a class to cross-validate")
        self.cv_ = cross_validated_lasso(
            values, labels, fold, family=self.family, n_lambdas=self.n_lambdas, alpha=self.alpha
        )
        if self.cv_ is None:
            return self._nothing(X, "kept nothing: no feature varies with the label")
        place = self.cv_.index_min if self.rule == "min" else self.cv_.index_1se
        self.lambda_ = float(self.cv_.path.lambdas[place])
        chosen = self.cv_.path.coefficients[:, place]
        self.coefficients_ = chosen[chosen != 0]
        mix = "" if self.alpha == 1 else f"alpha {self.alpha:g}, "
        note = f"{self.family}, {mix}lambda.{self.rule} = {self.lambda_:.4g}, {self.cv_.folds} folds"
        self._record(X, chosen != 0, note if (chosen != 0).any() else f"kept nothing: {note}")
        return self

    def _nothing(self, X: pd.DataFrame, note: str) -> LassoFilter:
        self._record(X, np.zeros(X.shape[1], dtype=bool), note)
        return self

    def tables(self) -> dict[str, pd.DataFrame]:
        """``lasso_path`` and, where a penalty was chosen, ``lasso_cv``."""
        found = {"lasso_path": self.path_table()}
        return found if self.cv_ is None else {**found, "lasso_cv": self.cv_.curve()}

    def path_table(self) -> pd.DataFrame:
        """Return ``lambda, term, coefficient`` of every feature that ever joins the path."""
        if self.cv_ is None:
            return assemble("lasso_path")
        path = self.cv_.path
        ever = np.flatnonzero((path.coefficients != 0).any(axis=1))
        names = np.asarray(self.feature_names_in_, dtype=object)[ever]
        return pd.DataFrame(
            {
                "lambda": np.tile(path.lambdas, ever.size),
                "term": np.repeat(names, path.lambdas.size),
                "coefficient": path.coefficients[ever].ravel(),
            }
        )


class ForcedRetention(FeatureStep):
    """Run steps that end in a LASSO, then give every sequence that they emptied its best feature back.

    The best feature has the smallest univariate p value (then the largest statistic, then the first column) among
    the sequence's features that reached the LASSO; if none did, among those given to this step, that is after the
    reproducibility filter.

    Parameters
    ----------
    steps
        A pipeline of selection and scaling steps that holds a :class:`LassoFilter`.
    scalers
        The scaling steps of ``steps``, in their order: learned again on the kept features alone, so that a feature
        dropped before it was scaled is scaled as the others are (each column is scaled by itself).
    ranking
        ``f_classif`` or ``mann_whitney``.
    sequences
        Sequences that must not be empty; none: those among the features given to :meth:`fit`.
    """

    steps_: Pipeline
    scalers_: Pipeline
    restored_: list[str]

    def __init__(
        self,
        steps: Pipeline,
        scalers: Pipeline,
        ranking: str = "f_classif",
        sequences: tuple[str, ...] = (),
    ) -> None:
        """Keep the parameters."""
        self.steps = steps
        self.scalers = scalers
        self.ranking = ranking
        self.sequences = sequences

    def fit(self, X: pd.DataFrame, y: Any) -> ForcedRetention:
        """Fit the steps, then restore."""
        self.steps_ = sklearn.base.clone(self.steps).fit(X, y)
        kept = set(self.steps_.get_feature_names_out())
        reached = set(self._lasso().feature_names_in_)
        owner = {name: sequence_of(name) for name in X.columns}
        present = list(dict.fromkeys(s for s in owner.values() if s))
        self.restored_, notes = [], []
        for sequence in self.sequences or present:
            own = [name for name, s in owner.items() if s == sequence]
            if not own:
                notes.append(f"{sequence}: no feature left to restore")
            elif not kept.intersection(own):
                pool = [name for name in own if name in reached]
                best = self._best(X[pool or own], np.asarray(y))
                self.restored_.append(best)
                notes.append(f"{sequence}: {best}" + ("" if pool else " (none reached the LASSO)"))
        kept.update(self.restored_)
        keep = np.array([name in kept for name in X.columns], dtype=bool)
        self._record(X, keep, "restored " + "; ".join(notes) if notes else "no sequence was emptied")
        self.scalers_ = sklearn.base.clone(self.scalers).fit(X[self.names_out_])
        return self

    def _best(self, X: pd.DataFrame, labels: np.ndarray) -> str:
        statistic, p = univariate_test(X.to_numpy(dtype=float), labels, self.ranking)
        return str(X.columns[np.lexsort((np.arange(p.size), -statistic, p))[0]])

    def _lasso(self) -> LassoFilter:
        return next(step for _, step in self.steps_.steps if isinstance(step, LassoFilter))

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the kept and restored features, scaled by the inner scaling steps."""
        table: pd.DataFrame = self.scalers_.transform(X[self.names_out_])
        return table

    def scaling_steps(self) -> list[FeatureStep]:
        """Return the inner scaling steps as they were fitted on the kept features."""
        return [step for _, step in self.scalers_.steps if isinstance(step, FeatureStep)]

    def selection_rows(self, step: str) -> list[dict[str, Any]]:
        """Rows of the inner steps, then this step's own."""
        rows = [row for name, inner in self.steps_.steps for row in inner.selection_rows(name)]
        own = {
            "name": step,
            "features_in": rows[-1]["features_out"],
            "features_out": self.features_out_,
            "note": self.note_,
        }
        return [*rows, own]
