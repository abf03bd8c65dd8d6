"""Two models, or two ways to fit one, on the same patients: the difference of their AUCs, and patients drawn again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd, scipy
from her2radiomics.evidence.analysis import NAN, row, summary_row
from her2radiomics.evidence.areas import NOT_FITTED, area_row, enough_for_interval
from her2radiomics.evidence.resamples import FEWEST
from her2radiomics.evidence.study import EvidenceStudy, area
from her2radiomics.statistics import auc_interval, delong_test

#: Fewest repetitions with a central 95 %.
FEWEST_SPREAD = 20
#: What a rule says of a set with too few patients of an outcome.
HANDFUL = f"cannot be told with fewer than {FEWEST} patients of an outcome"
#: Bounds of an AUC's interval, as measures of a repetition.
AUC_LOW, AUC_HIGH = "auc_low", "auc_high"
#: The difference in AUC and the bounds of its paired interval, as measures of a repetition.
DIFFERENCE, LOW, HIGH = "difference", "difference_low", "difference_high"


def too_few(n: float, events: float) -> bool:
    """Whether a set has too few patients of the rarer outcome for a claim on its AUC."""
    return not min(events, n - events) >= FEWEST


def area_rows(
    study: EvidenceStudy, model: str, partition: str, outcome: np.ndarray, probability: np.ndarray, arm: str
) -> Iterator[dict[str, Any]]:
    """AUC over the patients who have a prediction, and DeLong's interval of it."""
    found = area_row(model, partition, outcome, probability, arm)
    yield found
    known = ~np.isnan(probability)
    if np.isfinite(found["value"]) and enough_for_interval(outcome[known]):
        bounds = auc_interval(outcome[known], probability[known], level=study.about.level)
        for measure, value in zip((AUC_LOW, AUC_HIGH), bounds, strict=True):
            yield row(measure, float(value), arm=arm, model=model, partition=partition)


def difference_rows(
    study: EvidenceStudy,
    model: str,
    first: np.ndarray,
    second: np.ndarray,
    *,
    outcome: np.ndarray,
    rows: np.ndarray,
    partition: str,
    arm: str = "",
    interval: bool = True,
) -> Iterator[dict[str, Any]]:
    """AUC of ``first`` minus that of ``second`` over rows that both predict, with DeLong's paired interval.

    Parameters
    ----------
    study, model, partition, arm
        What the numbers are of.
    first, second
        Probabilities of all rows of the study's table.
    outcome
        Labels of all rows.
    rows
        Row numbers; a row may be drawn more than once.
    interval
        Whether the interval is asked for.
    """
    known = rows[~np.isnan(first[rows]) & ~np.isnan(second[rows])]
    labels = outcome[known]
    where: dict[str, Any] = {"arm": arm, "model": model, "partition": partition}
    where |= {"n": len(known), "events": int(labels.sum())}
    if np.unique(labels).size < 2:
        yield row(DIFFERENCE, NAN, **where, note=NOT_FITTED)
        return
    if not enough_for_interval(labels):
        yield row(DIFFERENCE, area(labels, first[known]) - area(labels, second[known]), **where)
        return
    found = delong_test(labels, first[known], second[known], study.about.level)
    yield row(DIFFERENCE, found.difference, **where)
    if interval:
        yield row(LOW, found.low, **where)
        yield row(HIGH, found.high, **where)


def drawn_again(study: EvidenceStudy, random: np.random.Generator) -> np.ndarray:
    """Row numbers of a bootstrap resample of all patients, by person, within partition and outcome, sorted.

    A person who is in several partitions is drawn in each by itself.
    """
    found = []
    who = study.who
    for partition in (TRAINING, *study.tested):
        rows = study.rows(partition)
        persons = pd.Series(study.outcome[rows], index=who[rows]).groupby(level=0).max()
        own = pd.Series(rows, index=who[rows]).groupby(level=0).agg(list)
        for label in (0, 1):
            names = persons.index[persons == label].to_numpy()
            if len(names):
                drawn = names[random.integers(0, len(names), len(names))]
                found.append(np.concatenate([own[name] for name in drawn]))
    return np.sort(np.concatenate(found))


def mean_row(measure: str, values: Sequence[float] | np.ndarray, *, what: str, **where: Any) -> dict[str, Any]:
    """Mean over repetitions with its 95 % interval (Student's t) as a row of a summary."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    words = f"mean of {known.size} {what}"
    if known.size < 2:
        return summary_row(measure, float(known.mean()) if known.size else NAN, method=words, **where)
    half = float(scipy.stats.t.ppf(0.975, known.size - 1) * known.std(ddof=1) / np.sqrt(known.size))
    middle = float(known.mean())
    return summary_row(
        measure, middle, middle - half, middle + half, method=f"{words}, 95 % interval of the mean (t)", **where
    )


def spread_row(measure: str, values: Sequence[float] | np.ndarray, *, what: str, **where: Any) -> dict[str, Any]:
    """Median and central 95 % of repetitions as a row of a summary; of fewer than 20 the median alone."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not known.size:
        return summary_row(measure, method=f"no value among the {what}", **where)
    if known.size < FEWEST_SPREAD:
        words = f"median of {known.size} {what}, too few for a central 95 %"
        return summary_row(measure, float(np.median(known)), method=words, **where)
    low, middle, high = (float(value) for value in np.quantile(known, [0.025, 0.5, 0.975]))
    return summary_row(measure, middle, low, high, method=f"median and central 95 % of {known.size} {what}", **where)
