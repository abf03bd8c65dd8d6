"""Resampling of a whole model: every resample repeats scaling, filters, the choice of λ and all regressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd, sklearn
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.modelling.people import by_person
from her2radiomics.statistics.resampling import Refitted

if TYPE_CHECKING:
    from her2radiomics.modelling.parts import SharedFits
    from her2radiomics.modelling.study_model import StudyModel

Refit = Callable[[NDArray[np.intp]], "np.ndarray | None"]


def pipeline_refit(
    model: StudyModel,
    X: pd.DataFrame,
    y: ArrayLike,
    *,
    scores: bool = False,
    keep: SharedFits | None = None,
    chosen: list[list[str]] | None = None,
) -> Refit:
    """Return the ``refit`` that ``calibration_curve`` and ``optimism_corrected_auc`` of the statistics take.

    Parameters
    ----------
    model
        A model, fitted or not: clones of it are fitted.
    X, y
        The training rows, as for ``fit``. The rows must all be predictable: with ``missing: complete_case`` give
        the complete ones.
    scores
        Return log-odds instead of probabilities.
    keep
        Takes every fit, for the models that are made of this one.
    chosen
        Takes the variables of every fit.

    Returns
    -------
    callable
        Row numbers of a resample → probabilities of all rows of ``X`` by the model fitted on the resample; ``None``
        where it cannot be fitted or cannot predict (a class or a category that the resample lost).

    Notes
    -----
    The refits' choice of folds has the model's own seed. Copies of a patient in a resample share a fold and make one
    pair of readings, so that no fold is validated on patients that it was trained on.
    """
    labels = np.asarray(y)

    def refit(rows: NDArray[np.intp]) -> np.ndarray | None:
        again = sklearn.base.clone(model)
        try:
            again.fit(X.iloc[rows], labels[rows])
            if keep is not None:
                keep.keep(again.fitted_.part(), X.index[rows], labels[rows])
            if chosen is not None:
                chosen.append([str(name) for name in again.fitted_.table.columns])
            if scores:
                return again.decision_function(X)
            return Refitted.by(again.fitted_.method, again.predict_proba(X)[:, 1])
        except (StudyError, ValueError):
            return None

    return refit


def cross_validated_scores(
    model: StudyModel, X: pd.DataFrame, y: ArrayLike, *, folds: int = 10, seed: int
) -> np.ndarray:
    """Log-odds of every row from a model fitted without its fold, shape (rows,).

    Folds are stratified by label, drawn by patient and seed; see
    :func:`~her2radiomics.modelling.penalised.cross_validation.patient_folds`. Scores of different folds come from different
    fits.

    Raises
    ------
    StudyError
        There are too few patients in one class, or a fold cannot be predicted.
    """
    labels = np.asarray(y)
    fold = patient_folds(by_person(X, model.persons or {}).index.to_numpy(), labels, folds, seed)
    if fold.size == 0:
        raise StudyError(f"model '{model.name}': found too few patients in one class for cross-validation.")
    scores = np.empty(len(labels))
    for number in np.unique(fold):
        test = fold == number
        scores[test] = sklearn.base.clone(model).fit(X[~test], labels[~test]).decision_function(X[test])
    return scores
