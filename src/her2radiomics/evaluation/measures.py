"""Measures of one model on one partition beside those of ``performance.csv``: rows of ``performance_extra.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.statistics import (
    brier_skill,
    calibration_errors,
    decision_curve,
    hosmer_lemeshow,
    net_benefit_difference,
    observed_expected,
    precision_recall,
)

if TYPE_CHECKING:
    from her2radiomics.evaluation.settings import EvaluationSettings

NAN = float("nan")


def measure(name: str, value: float = NAN, low: float = NAN, high: float = NAN, *, method: str) -> dict[str, Any]:
    """Return a row of ``performance_extra.csv`` without its model and partition."""
    return {"measure": name, "value": value, "low": low, "high": high, "method": method}


def further_measures(
    labels: np.ndarray,
    probability: np.ndarray,
    settings: EvaluationSettings,
    seed: int,
    *,
    fitted: bool,
    notes: dict[str, str],
    clusters: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Rare outcomes, calibration and net benefit; what cannot be computed leaves a note.

    Parameters
    ----------
    labels, probability
        Outcomes, 0 or 1, and predictions, shape (n,).
    settings
        Levels, resamples, groups and thresholds.
    seed
        Of the bootstrap.
    fitted
        Whether the model was fitted on these rows.
    notes
        Notes by name, to which this adds.
    clusters
        Who each row is of, where several are of one person.
    """
    rows, level = [], settings.level
    if np.unique(labels).size == 2:
        area = precision_recall(labels, probability, level)
        words = f"average precision, interval on the logit scale; without information {area.prevalence:.4f}"
        rows.append(measure("pr_auc", area.area, area.low, area.high, method=words))
        words = "1 − Brier score / that of the prevalence of these patients"
        rows.append(measure("brier_skill", brier_skill(labels, probability), method=words))
        if len(labels) >= 11 and np.unique(probability).size >= 3:
            errors = calibration_errors(
                labels, probability, bootstrap=settings.calibration_bootstrap, seed=seed, level=level, clusters=clusters
            )
            words = f"distance from the smooth calibration curve; bootstrap percentiles, {errors.used} resamples"
            rows += [
                measure(item.measure, item.value, item.low, item.high, method=words)
                for item in errors.table.itertuples()
            ]
        else:
            notes["smooth"] = "too few patients or distinct probabilities for a smooth curve: no ICI, E50 and E90"
    if probability.any():
        ratio = observed_expected(labels, probability, level)
        words = f"{ratio.observed} observed, {ratio.expected:.2f} expected; Clopper–Pearson"
        rows.append(measure("observed_expected", ratio.ratio, ratio.low, ratio.high, method=words))
    test = hosmer_lemeshow(labels, probability, settings.hosmer_lemeshow_groups, fitted=fitted)
    words = f"{test.groups} groups of risk, {test.df} degrees of freedom"
    rows.append(measure("hosmer_lemeshow", test.statistic, method=words))
    rows.append(measure("hosmer_lemeshow_p", test.p, method=words))
    if settings.net_benefit_thresholds:
        for item in decision_curve(labels, probability, settings.net_benefit_thresholds).table.itertuples():
            words = f"treat all {item.net_benefit_all:.4f}, treat none 0"
            rows.append(measure(f"net_benefit_{item.threshold:g}", item.net_benefit, method=words))
        rows += _over_default(labels, probability, settings, seed)
    return rows


def _over_default(
    labels: np.ndarray, probability: np.ndarray, settings: EvaluationSettings, seed: int
) -> Iterator[dict[str, Any]]:
    """Net benefit beyond treating all and treating none, with bootstrap intervals."""
    for name, default in (("all", np.ones(len(labels))), ("none", np.zeros(len(labels)))):
        differences = net_benefit_difference(
            labels,
            default,
            probability,
            [at for at in settings.net_benefit_thresholds if at > 0],
            level=settings.level,
            iterations=settings.bootstrap,
            seed=seed,
        )
        words = f"bootstrap of patients, {settings.bootstrap} resamples"
        for item in differences.itertuples():
            ends = (item.difference, item.low, item.high)
            yield measure(f"net_benefit_{item.threshold:g}_over_{name}", *ends, method=words)
