"""Sentences that a clinician reads first, and the printed names of measures and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2radiomics.cohort.partitions import REST, CentrePartition
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables.performance import fraction, performance_row
from her2radiomics.modelling.chain import NUMBERS, NUMBERS_LABEL
from her2radiomics.modelling.estimators import ESTIMATORS
from her2radiomics.modelling.models import MODELS
from her2radiomics.modelling.steps import STEPS
from her2radiomics.report.info import RunInfo

if TYPE_CHECKING:
    from pathlib import Path


STEP_LABELS = {
    NUMBERS: NUMBERS_LABEL,
    **{name: step.about.label for name, step in STEPS.items()},
    **{name: settings.about.label for name, settings in ESTIMATORS.items()},
    **{row: label for settings in MODELS.values() for row, label in settings.about.rows.items()},
}
MOST_NAMED = 5  # more models than these are summed up where a reader begins
_TITLES = {"training": "training", "testing": "test", "external": "external"}


def lower_first(text: str) -> str:
    """``text`` as it stands inside a sentence: ``Age`` becomes ``age``; ``ADC``, ``Ki-67`` and ``R3`` stay."""
    word = text.split(" ", 1)[0].split("-", 1)[0].rstrip(",;:")
    common = word in ("No", "In", "On", "At") or (len(word) > 2 and word[1:].isalpha() and word[1:].islower())
    return text[0].lower() + text[1:] if common else text


def upper_first(text: str) -> str:
    """``text`` as it stands at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def model_phrase(label: str) -> str:
    """``the nomogram``, ``the clinical model``, ``the R3 model``: a model's printed name inside a sentence."""
    name = lower_first(label)
    return f"the {name}" if "nomogram" in name or name.endswith("model") else f"the {name} model"


def partition_phrase(info: RunInfo, partition: str) -> str:
    """``the test centre``, ``the external test partition``: a partition inside a sentence."""
    settings = info.protocol.partitions
    centres = getattr(settings, partition) if isinstance(settings, CentrePartition) else []
    one = len(centres) == 1 and REST not in centres
    return f"the {_TITLES[partition]} {'centre' if one else 'centres' if centres else 'partition'}"


def headline(info: RunInfo, performance: pd.DataFrame, path: Path) -> str:
    """Return the primary model's result on held-out patients, in one sentence."""
    partition, protocol, label = info.headline_partition, info.protocol, info.protocol.label
    row = performance_row(performance, protocol.primary_model, partition, path)
    model = upper_first(model_phrase(protocol.model_label(protocol.primary_model)))
    where, n = partition_phrase(info, partition), f"n = {int(row['n'])}"
    if row["auc"] != row["auc"]:
        return f"{model} could not be judged: {where} holds one outcome only ({n})."
    low, high = float(row["auc_low"]), float(row["auc_high"])
    verb = "separated" if low > 0.5 else "did not reliably separate"
    bounds = fmt.auc(row, 2).partition("(")[2].removesuffix(")")
    notes = [f"{fmt.level(protocol.evaluation.level)} CI {bounds}", n]
    if low != low or high != high:
        notes, verb = notes[1:], "separated"
    if partition == "training":
        notes.append("apparent, on the patients it was fitted to")
    if info.simulated:
        notes.append("simulated data")
    text = f"{model} {verb} {label.positive} from {label.negative} in {where}"
    return f"{text} with an AUC of {fmt.fixed(row['auc'], 2)} ({', '.join(notes)})."


def findings(
    info: RunInfo, performance: pd.DataFrame, published: pd.DataFrame, path: Path
) -> tuple[str, ...]:
    """Return what the primary model found at its threshold, how others did, and the paper's own number."""
    protocol, partition = info.protocol, info.headline_partition
    primary, label = protocol.primary_model, protocol.label
    row = performance_row(performance, primary, partition, path)
    lines = []
    found, spared = fraction(row, "sensitivity", path), fraction(row, "specificity", path)
    if found and spared:
        where = partition_phrase(info, partition)
        how = "of these patients" if partition == "training" else "in training and kept"
        lines.append(
            f"At the threshold chosen {how}, it recognised {found[0]} of the {found[1]} {label.positive} "
            f"patients in {where} (sensitivity {_percent(found)}) and {spared[0]} of the {spared[1]} "
            f"{label.negative} patients (specificity {_percent(spared)})."
        )
    others = [name for name in protocol.models if name != primary]
    if others:
        lines.append(_others(info, performance, others, path))
    beside = published[
        (published["quantity"] == "auc")
        & (published["model"] == primary)
        & (published["partition"] == partition)
    ]
    lines += [f"The paper printed {text}." for text in beside["published_text"]]
    if info.simulated:
        lines.append(
            "The patients are simulated: agreement or disagreement with the paper says nothing about the paper."
        )
    return tuple(lines)


def _others(info: RunInfo, performance: pd.DataFrame, names: list[str], path: Path) -> str:
    """AUCs of the other models; of many only the range and the highest."""
    partition = info.headline_partition
    aucs = {name: float(performance_row(performance, name, partition, path)["auc"]) for name in names}
    known = {name: auc for name, auc in aucs.items() if auc == auc}
    if len(names) > MOST_NAMED and known:
        best = max(known, key=lambda name: known[name])
        return (
            f"AUC of the {len(names)} other models on the same patients: {fmt.fixed(min(known.values()), 2)} to "
            f"{fmt.fixed(known[best], 2)}, highest that of {model_phrase(info.protocol.model_label(best))}."
        )
    values = [
        f"{model_phrase(info.protocol.model_label(name))} {fmt.fixed(auc, 2)}" for name, auc in aucs.items()
    ]
    return f"AUC of the other models on the same patients: {fmt.listing(values)}."


def step_label(name: str, info: RunInfo) -> str:
    """Printed name of a step of ``selection.csv``, also of a part's: ``radiomics: lasso``."""
    part, _, step = name.rpartition(": ")
    part = info.protocol.model_label(part)
    plain = step.removesuffix("_after").rstrip("0123456789").rstrip("_")
    label = STEP_LABELS.get(plain, step.replace("_", " "))
    return f"{part}: {label}" if part else label


def _percent(part: tuple[int, int]) -> str:
    return f"{fmt.fixed(100 * part[0] / part[1], 0)} %"
