"""Sentences that a clinician reads first, and the printed names of measures and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2radiomics.core.columns import STAGES
from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.evaluation.predictions import on_common_patients
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables.performance import fraction, performance_row
from her2radiomics.modelling.chain import NUMBERS, NUMBERS_LABEL
from her2radiomics.modelling.estimators import ESTIMATORS
from her2radiomics.modelling.models import MODELS
from her2radiomics.modelling.steps import STEPS
from her2radiomics.report.info import RunInfo
from her2radiomics.statistics import auc

if TYPE_CHECKING:
    from pathlib import Path


STEP_LABELS = {
    NUMBERS: NUMBERS_LABEL,
    **{name: step.about.label for name, step in STEPS.items()},
    **{name: settings.about.label for name, settings in ESTIMATORS.items()},
    **{row: label for settings in MODELS.values() for row, label in settings.about.rows.items()},
}
MOST_NAMED = 5  # more models than these are summed up where a reader begins
_SETS = ("set", "cohort", "group", "centre")
FEWEST = 10  # patients of a class, under which a set is too small to judge a model
TOO_FEW = "too few patients to judge"


def is_small(row: pd.Series) -> bool:
    """Whether a row of ``performance.csv`` is of a set with too few patients in one class to judge a model."""
    return min(int(row["events"]), int(row["n"]) - int(row["events"])) < FEWEST


def lower_first(text: str) -> str:
    """``text`` as inside a sentence: ``Age`` becomes ``age``; ``ADC``, ``Ki-67`` and ``R3`` stay."""
    word, _, after = text.split(" ", 1)[0].rstrip(",;:").partition("-")
    if after[:1].isupper():  # Miller-Payne
        return text
    common = (
        word in ("No", "In", "On", "At")
        or (word == "A" and text[2:3].islower())
        or (len(word) > 2 and word[1:].isalpha() and word[1:].islower())
    )
    return text[0].lower() + text[1:] if common else text


def upper_first(text: str) -> str:
    """``text`` as at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def model_phrase(label: str) -> str:
    """``the nomogram``, ``the clinical model``, ``the R3 model``: a model's printed name inside a sentence."""
    name = lower_first(label)
    return f"the {name}" if "nomogram" in name or name.endswith("model") else f"the {name} model"


def partition_phrase(info: RunInfo, partition: str) -> str:
    """``the test set (centre 2)``, ``the external test set``: a set of patients inside a sentence."""
    name, bracket, rest = lower_first(info.protocol.partition_label(partition)).partition(" (")
    return f"the {name}{'' if name.endswith(_SETS) else ' set'}{bracket}{rest}"


def headline(info: RunInfo, performance: pd.DataFrame, path: Path) -> str:
    """Return the primary model's AUC in every held-out set, in one or two sentences without a verdict."""
    protocol, label = info.protocol, info.protocol.label
    model = upper_first(model_phrase(protocol.model_label(protocol.primary_model)))
    held_out = [name for name in info.partitions if name != TRAINING] or [TRAINING]
    rows = {name: performance_row(performance, protocol.primary_model, name, path) for name in held_out}
    parts = []
    for name, row in rows.items():
        n, events = int(row["n"]), int(row["events"])
        who = f"in {n} patients ({events} {label.positive}) of {partition_phrase(info, name)}"
        if row["auc"] != row["auc"]:
            parts.append(f"no AUC {who}, because all had the same outcome")
            continue
        parts.append(f"AUC {_area(row, protocol.evaluation.level)} {who}")
    notes = []
    if held_out == [TRAINING]:
        notes.append("This is apparent performance, on the patients to whom the model was fitted.")
    elif small := [partition_phrase(info, name) for name, row in rows.items() if is_small(row)]:
        where = "" if len(small) == len(rows) else f" in {fmt.listing(small)}"
        notes.append(f"{upper_first(TOO_FEW)}{where}: fewer than {FEWEST} patients in one class.")
    if info.simulated:
        notes.append("Simulated data.")
    return " ".join([f"{model}: {fmt.listing(parts)}.", *notes])


def _area(row: pd.Series, level: float) -> str:
    """``0.73 (95% CI 0.53–0.93)``."""
    estimate, bracket, bounds = fmt.auc(row, 2).partition(" (")
    if not bracket:
        return estimate
    bounds = bounds if bounds.startswith("CI") else f"{fmt.level(level)} CI {bounds}"
    return f"{estimate} ({bounds}"


def findings(
    info: RunInfo, performance: pd.DataFrame, published: pd.DataFrame, layout: Layout, late: str
) -> tuple[str, ...]:
    """Return late predictors, rates at the threshold, how other models did, and the paper's own number.

    Parameters
    ----------
    info
        The run.
    performance, published
        ``performance.csv`` and ``published.csv``.
    layout
        The run's files, for the predictions of all models.
    late
        Predictors of the primary model that are not known in time; empty where there are none.
    """
    protocol, partition = info.protocol, info.headline_partition
    primary, label, path = protocol.primary_model, protocol.label, layout.path("performance")
    row = performance_row(performance, primary, partition, path)
    lines = []
    if late:
        lines.append(f"The model uses {late}, although it is to predict {STAGES[protocol.prediction_at]}.")
    found, spared = fraction(row, "sensitivity", path), fraction(row, "specificity", path)
    if found and spared:
        lines.append(
            f"At the training threshold, sensitivity was {fmt.percent_fraction(*found)} and specificity "
            f"{fmt.percent_fraction(*spared)} in {partition_phrase(info, partition)}."
        )
    extra = layout.read("performance_extra")
    if ((extra["model"] == primary) & (extra["measure"] == "note_constant")).any():
        lines.append("No predictor was kept: the model gives every patient the same probability.")
    if len(protocol.models) > 1:
        lines.append(_others(info, layout))
    beside = published[
        (published["quantity"] == "auc") & (published["model"] == primary) & (published["partition"] == partition)
    ]
    lines += [f"Published AUC: {text} ({label.positive} vs {label.negative})." for text in beside["published_text"]]
    if info.simulated:
        lines.append("Agreement or disagreement of simulated data with the paper says nothing about the paper.")
    return tuple(line for line in lines if line)


def _others(info: RunInfo, layout: Layout) -> str:
    """AUCs of all models on the patients whom all of them predict; of many models only the range and the highest."""
    protocol, partition = info.protocol, info.headline_partition
    frames = {name: layout.read("predictions", model=name) for name in protocol.models}
    both = on_common_patients(frames, partition)
    labels = both["label"].to_numpy()
    if not 0 < labels.sum() < len(labels):
        return ""
    areas = {name: auc(labels, both[name]) for name in protocol.models}
    where = f"In the {len(both)} patients of {partition_phrase(info, partition)} whom all models predict"
    printed = {name: model_phrase(protocol.model_label(name)) for name in areas}
    if len(areas) <= MOST_NAMED:
        values = [f"{fmt.fixed(area, 2)} for {printed[name]}" for name, area in areas.items()]
        return f"{where}, the AUC was {fmt.listing(values)}."
    own = areas.pop(protocol.primary_model)
    best = max(areas, key=lambda name: areas[name])
    return (
        f"{where}, the AUC was {fmt.fixed(own, 2)} for {printed[protocol.primary_model]} and "
        f"{fmt.fixed(min(areas.values()), 2)} to {fmt.fixed(areas[best], 2)} for the {len(areas)} other models "
        f"(highest: {printed[best]})."
    )


def step_label(name: str, info: RunInfo) -> str:
    """Printed name of a step of ``selection.csv``, also of a part's: ``radiomics: lasso``."""
    part, _, step = name.rpartition(": ")
    part = info.protocol.model_label(part)
    plain = step.removesuffix("_after").rstrip("0123456789").rstrip("_")
    label = STEP_LABELS.get(plain, step.replace("_", " "))
    return f"{part}: {label}" if part else label
