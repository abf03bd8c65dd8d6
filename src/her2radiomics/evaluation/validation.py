"""A model resampled on its training rows: bootstrap and cross-validation, of its final estimator and of its whole pipeline.

The whole pipeline repeats scaling, filters, the choice of penalties and all regressions in every resample; that of the
final estimator keeps the selected terms, as the papers do, and is too kind by what the selection learnt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble
from her2radiomics.evaluation.performance import calibration_rows, too_few_refits
from her2radiomics.modelling import pipeline_refit
from her2radiomics.modelling.fit_report import ROWS_PER_TERM
from her2radiomics.modelling.penalised.cross_validation import patient_folds
from her2radiomics.modelling.people import by_person
from her2radiomics.statistics import auc, auc_interval, optimism_corrected, remembered
from her2radiomics.statistics.resampling import used_words

if TYPE_CHECKING:
    from her2radiomics.evaluation.settings import EvaluationSettings
    from her2radiomics.modelling import StudyModel
    from her2radiomics.modelling.parts import SharedFits
    from her2radiomics.statistics.resampling import Refit

WORDS = {"pipeline": "whole pipeline", "final": "final estimator, terms fixed"}
NOT_CORRECTED = "optimism could not be estimated: {} of {} bootstrap fits were usable"
NAN = float("nan")
RESAMPLED = ("calibration", "validation", "cross_validation", "held_out", "kept")


def resample(
    model: StudyModel,
    table: pd.DataFrame,
    labels: pd.Series,
    settings: EvaluationSettings,
    *,
    seed: int,
    keep: SharedFits | None = None,
) -> dict[str, pd.DataFrame]:
    """Tables ``calibration``, ``validation``, ``cross_validation``, ``held_out`` and ``kept`` of a model's training rows.

    ``calibration`` (``partition, curve, predicted, observed, low, high``): the training curve is corrected for optimism
    twice: ``bias_corrected`` refits the final estimator alone, as ``rms::calibrate`` does and papers print;
    ``pipeline_corrected`` refits the whole pipeline with its selection, which is the honest one. ``validation``
    (``measure, value, low, high, method``) holds AUC, Brier score, calibration intercept and slope corrected by the same
    refits, likelihood-ratio tests of a combined model against its parts, and the cross-validated AUC, whose folds are in
    ``cross_validation`` (``target, fold, n, events, auc, low, high``), and the predictions in ``held_out``. ``kept`` counts
    the bootstrap refits of the whole pipeline that kept a variable.

    Parameters
    ----------
    model
        The model, fitted on ``table`` and ``labels``.
    table, labels
        The training rows.
    settings
        How many resamples.
    seed
        Their seed.
    keep
        Takes every refit of the whole pipeline, for the models that are made of this one.
    """
    # a complete-case model neither learnt from nor predicts the others
    known = model.rule_.predictable(table)
    table, labels = table[known], labels[known]
    outcome, probability = labels.to_numpy(), model.predict_proba(table)[:, 1]
    if model.empty_:
        return {name: assemble(name) for name in RESAMPLED}
    predictions = pd.DataFrame(
        {
            "patient_id": [str(patient) for patient in table.index],
            "partition": TRAINING,
            "label": outcome,
            "probability": probability,
        }
    )
    refits = {"final": (remembered(model.final_refit(table, outcome)), settings.calibration_bootstrap)}
    chosen: list[list[str]] = []
    whole = remembered(pipeline_refit(model, table, outcome, keep=keep, chosen=chosen))
    if settings.pipeline_bootstrap:
        refits["pipeline"] = (whole, settings.pipeline_bootstrap)
    who = by_person(table, model.persons or {}).index.to_numpy()
    drawn, rows = [], likelihood_ratio_rows(model)
    for target, (refit, iterations) in refits.items():
        rows += optimism_rows(outcome, probability, target, refit, iterations, seed, who)
        fewer = settings.model_copy(update={"calibration_bootstrap": iterations})
        curves = calibration_rows(predictions, fewer, seed=seed, refit=refit, persons=model.persons)
        if target == "pipeline":
            curves = curves[curves["curve"] == "bias_corrected"].assign(curve="pipeline_corrected")
        drawn.append(curves)
    kept = kept_rows(chosen, [str(name) for name in model.fitted_.table.columns])
    folds = model.spec.reported_folds
    crossed, held_out = (
        cross_validate(model, table, outcome, folds, seed, whole)
        if folds
        else (assemble("cross_validation"), assemble("held_out"))
    )
    rows += _cross_validated(crossed)
    return {
        "calibration": pd.concat(drawn, ignore_index=True),
        "validation": assemble("validation", rows),
        "cross_validation": crossed,
        "held_out": held_out,
        "kept": kept,
    }


def kept_rows(chosen: Sequence[Sequence[str]], own: Sequence[str]) -> pd.DataFrame:
    """Table ``kept``: variables of the refits ``chosen`` and of the model's ``own``, the most frequent first."""
    counts = Counter(name for names in chosen for name in set(names))
    counts |= Counter({name: counts[name] for name in own})
    rows = [
        {"variable": name, "refits": len(chosen), "kept": counts[name], "in_model": "yes" if name in own else "no"}
        for name in sorted({*counts, *own}, key=lambda name: (-counts[name], name))
    ]
    return assemble("kept", rows if chosen else [])


def with_observed(
    training: pd.DataFrame,
    predictions: pd.DataFrame,
    settings: EvaluationSettings,
    *,
    seed: int,
    persons: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Add the observed curves of the other partitions to ``calibration`` of :func:`resample`.

    Parameters
    ----------
    training
        The training curves.
    predictions
        ``predictions.csv`` of the model.
    settings
        Resamples of the observed curves' band, and its level.
    seed
        Their seed.
    persons
        Patient to person, of those who share one with another patient.
    """
    others = predictions[predictions["partition"] != TRAINING]
    observed = calibration_rows(others, settings, seed=seed, persons=persons)
    last = training["curve"] == "pipeline_corrected"
    parts = [part for part in (training[~last], observed, training[last]) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else training


def optimism_rows(
    labels: np.ndarray,
    probability: np.ndarray,
    target: str,
    refit: Refit,
    iterations: int,
    seed: int,
    persons: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Rows ``<measure>_corrected`` (whole pipeline) or ``<measure>_corrected_final``; a note alone if under half worked.

    ``refits`` or ``refits_final`` say how many were used, and by which method.
    """
    if iterations == 0:
        return []
    ending = "_corrected" if target == "pipeline" else "_corrected_final"
    try:
        found = optimism_corrected(labels, probability, refit, iterations=iterations, seed=seed, clusters=persons)
    except ValueError:
        return [_row(f"note_optimism_{target}", method=NOT_CORRECTED.format(0, iterations))]
    used = used_words(iterations, found.methods)
    words = f"bootstrap of the {WORDS[target]}, {used}"
    count = _row(f"refits{ending.removeprefix('_corrected')}", iterations - found.failed, method=used)
    if too_few_refits(found):
        why = NOT_CORRECTED.format(iterations - found.failed, iterations)
        return [count, _row(f"note_optimism_{target}", method=why)]
    return [count] + [
        _row(f"{item.measure}{ending}", item.corrected, method=f"{words}; optimism {_signed(item.optimism)}")
        for item in found.table.itertuples()
    ]


def likelihood_ratio_rows(model: StudyModel) -> list[dict[str, Any]]:
    """Likelihood-ratio tests of nested models on training rows, apparent: of the model against none, and against its parts.

    The smaller model holds the intercept, or the part's terms, alone and is fitted on the same rows; after Firth's method
    the other terms are held at 0 under the penalty of the whole model. A regression with more than a term every
    :data:`ROWS_PER_TERM` rows has no such test after Firth's method.
    """
    fitted = model.fitted_
    table, method = fitted.table, fitted.method
    crowded = method == "firth" and table.shape[1] * ROWS_PER_TERM > len(table)
    if table.shape[1] == 0 or method not in ("ml", "firth") or crowded:
        return []
    try:
        regression = fitted.regression
    except ValueError:
        return []
    added = {"": list(table.columns)}
    for part in fitted.parts if model.spec.kind == "combined" else ():
        added[f"_vs_{part.name}"] = [name for name in table.columns if name not in part.terms]
    rows = []
    kind = "likelihood ratio" if regression.method == "ml" else "penalised likelihood ratio (Firth)"
    for ending, others in added.items():
        if others and (not ending or len(others) < table.shape[1]):
            statistic, df, p = regression.test_without(others)
            words = f"{kind}, df {df}: adds {', '.join(others)}; apparent: on the rows that were fitted"
            rows.append(_row(f"lr_test{ending}", statistic, method=words))
            rows.append(_row(f"lr_test_df{ending}", df, method=words))
            rows.append(_row(f"lr_test_p{ending}", p, method=words))
    return rows


def cross_validate(
    model: StudyModel, table: pd.DataFrame, labels: np.ndarray, folds: int, seed: int, pipeline: Refit | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """AUC fold by fold, and what each patient was predicted by the fit without the patient's fold.

    The AUCs come with their ``mean`` and ``sd``, and ``pooled`` over all held-out rows (DeLong's interval).

    Folds are stratified by label and drawn by patient and seed; every fold is predicted by a model fitted without it. A
    fold that cannot be predicted, or holds one class, has no AUC; pooled probabilities come from different fits.
    Returns ``cross_validation`` and ``held_out``. ``pipeline`` is the refit of the whole pipeline, if there is one already.
    """
    fold = patient_folds(by_person(table, model.persons or {}).index.to_numpy(), labels, folds, seed)
    rows: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    if fold.size == 0:
        return assemble("cross_validation"), assemble("held_out")
    for target, refit in (
        ("final", model.final_refit(table, labels)),
        ("pipeline", pipeline or pipeline_refit(model, table, labels)),
    ):
        held_out, areas = np.full(len(labels), NAN), []
        for number in np.unique(fold):
            test = fold == number
            found = refit(np.flatnonzero(~test))
            if found is not None:
                held_out[test] = np.asarray(found)[test]
            both = found is not None and np.unique(labels[test]).size == 2
            areas.append(auc(labels[test], held_out[test]) if both else NAN)
            rows.append(_fold(target, str(number + 1), labels[test], areas[-1]))
        held += [
            {"patient_id": str(patient), "target": target, "fold": int(number) + 1, "label": label, "probability": p}
            for patient, number, label, p in zip(table.index, fold, labels, held_out, strict=True)
        ]
        known = np.array(areas)[~np.isnan(areas)]
        rows.append(_fold(target, "mean", labels, float(known.mean()) if known.size else NAN))
        rows.append(_fold(target, "sd", labels, float(known.std(ddof=1)) if known.size > 1 else NAN))
        whole = ~np.isnan(held_out)
        if np.bincount(labels[whole], minlength=2).min() < 2:
            rows.append(_fold(target, "pooled", labels[whole], NAN))
            continue
        low, high = auc_interval(labels[whole], held_out[whole], "delong")
        rows.append(_fold(target, "pooled", labels[whole], auc(labels[whole], held_out[whole]), low, high))
    return assemble("cross_validation", rows), assemble("held_out", held)


def _fold(
    target: str, fold: str, labels: np.ndarray, area: float, low: float = NAN, high: float = NAN
) -> dict[str, Any]:
    return {
        "target": target,
        "fold": fold,
        "n": len(labels),
        "events": int(labels.sum()),
        "auc": area,
        "low": low,
        "high": high,
    }


def _cross_validated(crossed: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean, SD and pooled AUC as measures: ``auc_cross_validated``, and the same with ``_final``."""
    rows = []
    for target, words in WORDS.items():
        mine = crossed[crossed["target"] == target]
        folds = len(mine) - 3
        ending = "" if target == "pipeline" else "_final"
        for item in mine[mine["fold"].isin(["mean", "sd", "pooled"])].itertuples():
            method = f"{folds}-fold cross-validation of the {words}; {item.fold} "
            method += "over all held-out rows, DeLong" if item.fold == "pooled" else "over the folds"
            rows.append(_row(f"auc_cross_validated_{item.fold}{ending}", item.auc, item.low, item.high, method=method))
    return rows


def _row(measure: str, value: float = NAN, low: float = NAN, high: float = NAN, *, method: str) -> dict[str, Any]:
    return {"measure": measure, "value": value, "low": low, "high": high, "method": method}


def _signed(value: float) -> str:
    return f"{value:+.4f}" if np.isfinite(value) else "not estimable"
