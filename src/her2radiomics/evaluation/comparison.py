"""Two models on the same patients: reclassification, discrimination improvement, difference of net benefit.

DeLong's test compares all pairs (:mod:`her2radiomics.evaluation.performance`); this is for the pairs that a
protocol names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.evaluation.predictions import by_partition, clusters_of, partition_rank
from her2radiomics.statistics import integrated_discrimination, net_benefit_difference, net_reclassification

if TYPE_CHECKING:
    from her2radiomics.evaluation.settings import EvaluationSettings
    from her2radiomics.statistics import Improvement


def comparison_rows(
    predictions: Mapping[str, pd.DataFrame],
    thresholds: Mapping[str, float],
    settings: EvaluationSettings,
    *,
    seed: int,
    persons: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Rows of ``performance_extra.csv`` for ``settings.comparisons``, under the second model of each pair.

    Parameters
    ----------
    predictions
        Checked predictions of each model.
    thresholds
        Each model's locked threshold.
    settings
        Pairs, level, thresholds of net benefit, resamples.
    seed
        Seed of the bootstrap of net benefit.
    persons
        Patient to person, of those who share one with another patient.

    Raises
    ------
    SettingsError
        A pair names an unknown model, or one model twice.
    """
    rows: list[dict[str, Any]] = []
    for reference, model in settings.comparisons:
        for name in (reference, model):
            if name not in predictions:
                raise SettingsError(
                    f"evaluation.comparisons: found '{name}'; expected one of {', '.join(predictions)}."
                )
        if reference == model:
            raise SettingsError(f"evaluation.comparisons: found '{model}' twice in a pair; expected two models.")
        theirs = by_partition(predictions[reference])
        for partition, mine in sorted(
            by_partition(predictions[model]).items(), key=lambda item: partition_rank(item[0])
        ):
            if partition not in theirs:
                continue
            both = theirs[partition].merge(mine[["patient_id", "probability"]], on="patient_id", suffixes=("_a", "_b"))
            classes = (thresholds[reference], thresholds[model])
            clusters = clusters_of(both, persons)
            found = _pair(both, classes, settings, seed, clusters, apparent=partition == TRAINING)
            rows += [
                {"model": model, "partition": partition, **row, "measure": f"{row['measure']}_vs_{reference}"}
                for row in found
            ]
    return rows


def _pair(
    both: pd.DataFrame,
    thresholds: tuple[float, float],
    settings: EvaluationSettings,
    seed: int,
    clusters: np.ndarray | None,
    *,
    apparent: bool,
) -> list[dict[str, Any]]:
    """Measures of B over A on one partition; none of reclassification with fewer than two rows of a class."""
    labels = both["label"].to_numpy()
    a, b = both["probability_a"].to_numpy(), both["probability_b"].to_numpy()
    where = "; apparent" if apparent else ""
    rows: list[dict[str, Any]] = []
    if np.bincount(labels, minlength=2).min() >= 2:
        # classes 0 and 1, each at its own model's threshold, parted at 0.5
        called = ((a >= thresholds[0]).astype(float), (b >= thresholds[1]).astype(float))
        words = f"classes at each model's locked threshold, {thresholds[0]:.4g} and {thresholds[1]:.4g}"
        for name, found, how in (
            ("nri_continuous", net_reclassification(labels, a, b, level=settings.level), "category-free"),
            ("nri_threshold", net_reclassification(labels, *called, [0.5], settings.level), words),
            ("idi", integrated_discrimination(labels, a, b, settings.level), "mean rise"),
        ):
            rows += _improvement(name, found, how + where)
    if settings.net_benefit_thresholds and len(both):
        table = net_benefit_difference(
            labels,
            a,
            b,
            settings.net_benefit_thresholds,
            level=settings.level,
            iterations=settings.bootstrap,
            seed=seed,
            clusters=clusters,
        )
        words = f"bootstrap of patients, {settings.bootstrap} resamples{where}"
        rows += [
            _row(f"net_benefit_difference_{item.threshold:g}", item.difference, item.low, item.high, words)
            for item in table.itertuples()
        ]
    return rows


def _improvement(name: str, found: Improvement, words: str) -> list[dict[str, Any]]:
    parts = f"{words}; events {found.events:.4f}, non-events {found.non_events:.4f}"
    nan = float("nan")
    return [
        _row(name, found.value, found.low, found.high, parts),
        _row(f"{name}_p", found.p, nan, nan, f"{words}; normal approximation, z = {found.z:.4g}"),
    ]


def _row(measure: str, value: float, low: float, high: float, method: str) -> dict[str, Any]:
    return {"measure": measure, "value": value, "low": low, "high": high, "method": method}
