"""Models judged on every partition: discrimination, rates at the locked threshold, calibration, DeLong.

Nothing is learnt here. The AUC is computed from probabilities, the interval from the same estimator as the
point, and whatever a reader must know (training rows, a threshold that separates nobody, one class) is a row
of its own in ``performance_extra.csv`` whose ``measure`` starts with ``note_``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics import statistics
from her2radiomics.core.contracts import TRAINING, contract
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble
from her2radiomics.evaluation.comparison import comparison_rows
from her2radiomics.evaluation.measures import NAN, further_measures, measure
from her2radiomics.evaluation.predictions import (
    by_partition,
    checked,
    clusters_of,
    in_order,
    partition_rank,
    refuse_contradictions,
)
from her2radiomics.evaluation.settings import INTERVALS, EvaluationSettings
from her2radiomics.statistics import auc, auc_interval, brier, calibration, delong_test, holm, operating_point

if TYPE_CHECKING:
    from her2radiomics.statistics import OperatingPoint
    from her2radiomics.statistics.resampling import Refit, Resampled


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The three tables of an evaluation.

    Attributes
    ----------
    performance
        One row per model and partition: the columns of ``performance.csv``.
    extra
        One row a measure: the columns of ``performance_extra.csv``.
    delong
        One row per partition and pair of models: the columns of ``delong.csv``.
    """

    performance: pd.DataFrame
    extra: pd.DataFrame
    delong: pd.DataFrame


def evaluate(
    predictions: Mapping[str, pd.DataFrame],
    thresholds: Mapping[str, float],
    settings: EvaluationSettings | None = None,
    *,
    seed: int,
    validation: Mapping[str, pd.DataFrame] | None = None,
    persons: Mapping[str, str] | None = None,
) -> Evaluation:
    """Judge models on every partition that they predicted.

    Parameters
    ----------
    predictions
        For each model, in the order of the tables: ``patient_id, partition, label`` (0/1), ``probability``,
        one row per patient; further columns are ignored.
    thresholds
        For each model, the probability at or above which a patient is called positive, fixed on training
        rows.
    settings
        How to judge.
    seed
        Seed of the bootstrap.
    validation
        For each model, ``measure, value, low, high, method`` of its resampling on training rows
        (:mod:`her2radiomics.evaluation.validation`): taken over into ``extra``.
    persons
        Patient to person, of those who share one with another patient: the bootstrap draws persons.

    Raises
    ------
    SettingsError
        A comparison names an unknown model.
    TableError
        If a column is missing, a patient occurs twice, a label is not 0 or 1, a probability is missing or not
        in [0, 1], a model has no threshold, or two models give a patient different labels or partitions.
    """
    settings = settings or EvaluationSettings()
    known = {name: checked(name, frame) for name, frame in predictions.items()}
    refuse_contradictions(known)
    performance: list[dict[str, Any]] = []
    extra: list[dict[str, Any]] = []
    for name, frame in known.items():
        threshold = thresholds.get(name, NAN)
        if not np.isfinite(threshold):
            raise TableError(
                file=f"thresholds of model '{name}'",
                found=str(thresholds.get(name, "none")),
                expected="a probability",
                remedy="Fit the model first; its threshold is fixed on training rows.",
            )
        for partition, rows in by_partition(frame).items():
            row, more = _judged(rows, float(threshold), partition, settings, seed, clusters_of(rows, persons))
            performance.append({"model": name, "partition": partition, **row})
            extra += [{"model": name, "partition": partition, **item} for item in more]
            if partition == TRAINING and validation is not None and name in validation:
                resampled = validation[name].to_dict("records")
                extra += [{"model": name, "partition": partition, **item} for item in resampled]
    extra += comparison_rows(known, thresholds, settings, seed=seed, persons=persons)
    return Evaluation(
        performance=assemble("performance", performance),
        extra=assemble("performance_extra", extra),
        delong=_all_pairs(known, settings.level),
    )


def calibration_rows(
    predictions: pd.DataFrame,
    settings: EvaluationSettings | None = None,
    *,
    seed: int,
    refit: Refit | None = None,
    patients: Sequence[str] | None = None,
    persons: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Calibration curves of one model on every partition.

    Parameters
    ----------
    predictions
        As for :func:`evaluate`.
    settings
        How to judge.
    seed
        Seed of the bootstrap.
    refit
        Refit of the whole model on a resample of the training rows: see
        :mod:`her2radiomics.statistics.resampling`. Without it the training curve is only apparent.
    patients
        Patients in the order of ``refit``'s rows (default: the order of ``predictions``).
    persons
        Patient to person, of those who share one with another patient.

    Returns
    -------
    pandas.DataFrame
        ``partition, curve, predicted, observed, low, high``. ``curve`` is ``apparent`` and ``bias_corrected``
        on training rows, ``observed`` with its bootstrap band elsewhere. A partition with one class, fewer
        than 11 patients or fewer than 3 distinct probabilities has no curve.
    """
    settings = settings or EvaluationSettings()
    parts = []
    for partition, rows in by_partition(checked("", predictions)).items():
        trained = partition == TRAINING
        if trained and patients is not None:
            rows = in_order(rows, patients)
        labels, probability = rows["label"].to_numpy(), rows["probability"].to_numpy()
        if len(rows) < 11 or np.unique(probability).size < 3 or np.unique(labels).size < 2:
            continue
        again = refit if trained else None
        found = statistics.calibration_curve(
            labels,
            probability,
            refit=again,
            bootstrap=0 if trained and again is None else settings.calibration_bootstrap,
            seed=seed,
            level=settings.level,
            clusters=clusters_of(rows, persons),
        )
        curve = found.table
        if again is not None and too_few_refits(found):
            curve = curve[curve["curve"] != "bias_corrected"]
        if trained:
            curve = curve.assign(curve=curve["curve"].replace("observed", "apparent"))
        parts.append(curve.assign(partition=partition))
    if not parts:
        return assemble("calibration")
    return pd.concat(parts, ignore_index=True)[list(contract("calibration").names)]


def too_few_refits(found: Resampled) -> bool:
    """Whether fewer than half of the resamples could be refitted: what is left of them is no correction."""
    return 2 * found.failed > found.iterations


def _judged(
    rows: pd.DataFrame,
    threshold: float,
    partition: str,
    settings: EvaluationSettings,
    seed: int,
    clusters: np.ndarray | None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Row of ``performance`` and rows of ``extra`` for one model on one partition."""
    labels, probability = rows["label"].to_numpy(), rows["probability"].to_numpy()
    notes = {}
    if partition == TRAINING:
        notes["apparent"] = "apparent: computed on the rows that the model was fitted on"
    if clusters is not None:
        notes["persons"] = (
            f"{len(rows)} rows of {np.unique(clusters).size} persons: bootstrap intervals draw persons, all others take the "
            "rows as independent and are too narrow"
        )
    both = np.unique(labels).size == 2
    if not both:
        notes["one_class"] = f"only label {labels[0]:g} in this partition: no AUC, no calibration"
    if np.ptp(probability) == 0:
        notes["constant"] = (
            f"constant probability {probability[0]:.3g} for every patient: the model does not discriminate"
        )
    area, intervals = (NAN, {}) if not both else _area(labels, probability, settings, seed, notes, clusters)
    point = operating_point(labels, probability, threshold, settings.level)
    if point.remark:
        notes["threshold"] = point.remark
    fit = calibration(labels, probability, settings.level) if both else None
    if fit is not None and fit.note and "constant" not in notes:
        notes["calibration"] = fit.note
    low, high = intervals.get(settings.ci_method, (NAN, NAN))
    row: dict[str, Any] = {
        "n": len(rows),
        "events": int(labels.sum()),
        "auc": area,
        "auc_low": low,
        "auc_high": high,
        "ci_method": settings.ci_method,
        "threshold": threshold,
        **{rate: point.value(rate) for rate in point.fractions},
        "brier": brier(labels, probability),
        "calibration_intercept": fit.intercept if fit else NAN,
        "calibration_slope": fit.slope if fit and np.isfinite(fit.slope) else NAN,
        **dict(zip(("auc_delong_low", "auc_delong_high"), intervals.get("delong", (NAN, NAN)), strict=True)),
    }
    extra = [measure(f"auc_{name}", area, *bounds, method=name) for name, bounds in intervals.items()]
    extra += _rates(point)
    extra.append(measure("brier", row["brier"], method="mean squared difference"))
    if fit is not None and np.isfinite(fit.slope_low):
        how = "logistic recalibration, Wald"
        intercept = (fit.intercept, fit.intercept_low, fit.intercept_high)
        extra.append(measure("calibration_intercept", *intercept, method=how))
        slope = (fit.slope, fit.slope_low, fit.slope_high)
        extra.append(measure("calibration_slope", *slope, method=how))
    fitted = partition == TRAINING
    extra += further_measures(labels, probability, settings, seed, fitted=fitted, notes=notes, clusters=clusters)
    extra += [measure(f"note_{name}", method=text) for name, text in notes.items()]
    return row, extra


def _area(
    labels: np.ndarray,
    probability: np.ndarray,
    settings: EvaluationSettings,
    seed: int,
    notes: dict[str, str],
    clusters: np.ndarray | None,
) -> tuple[float, dict[str, tuple[float, float]]]:
    """AUC with its interval by every method; DeLong's needs two rows of each class."""
    area, intervals = auc(labels, probability), dict[str, tuple[float, float]]()
    for method in INTERVALS:
        bounded = method == "delong_logit" and area in (0.0, 1.0)
        if method.startswith("delong") and np.bincount(labels).min() < 2 and not bounded:
            notes["interval"] = "one row of a class: no DeLong interval"
            intervals[method] = (NAN, NAN)
            continue
        intervals[method] = auc_interval(
            labels, probability, method, settings.level, seed=seed, iterations=settings.bootstrap, clusters=clusters
        )
    if area in (0.0, 1.0):
        notes["interval"] = (
            f"AUC = {area:.0f}: DeLong's and the bootstrap interval cannot be estimated; "
            "that on the logit scale is Hanley's bound"
        )
    return area, intervals


def _rates(point: OperatingPoint) -> list[dict[str, Any]]:
    """Rates at the locked threshold with exact intervals; the fraction is in ``method``."""
    return [
        measure(
            item.measure,
            item.value,
            item.low,
            item.high,
            method=f"Clopper–Pearson, {item.numerator} of {item.denominator}",
        )
        for item in point.to_frame().itertuples()
    ]


def _all_pairs(known: Mapping[str, pd.DataFrame], level: float) -> pd.DataFrame:
    """DeLong's test of every pair of models on the patients of a partition that both predicted."""
    tables = []
    partitions = dict.fromkeys(p for frame in known.values() for p in by_partition(frame))
    for partition in sorted(partitions, key=partition_rank):
        rows = []
        for a, b in combinations(known, 2):
            both = known[a][known[a]["partition"] == partition].merge(
                known[b][known[b]["partition"] == partition][["patient_id", "probability"]],
                on="patient_id",
                suffixes=("_a", "_b"),
            )
            row = {"partition": partition, "model_a": a, "model_b": b, "n": len(both)}
            if min((both["label"] == 0).sum(), (both["label"] == 1).sum()) >= 2:
                test = delong_test(both["label"], both["probability_a"], both["probability_b"], level)
                row |= {name: getattr(test, name) for name in ("auc_a", "auc_b", "difference")}
                if test.high > test.low:  # two AUCs of 1 have no variance: there is no test
                    row |= {"z": test.z, "p": test.p}
            rows.append(row)
        if rows:
            table = pd.DataFrame(rows, columns=list(contract("delong").names))
            tables.append(table.assign(p_holm=holm(table["p"].to_numpy(dtype=float))))
    return pd.concat(tables, ignore_index=True) if tables else assemble("delong")
