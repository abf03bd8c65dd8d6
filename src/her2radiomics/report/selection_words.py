"""The selection of features in the wording of a methods section, with what each step left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from her2radiomics.core.libraries import pd
from her2radiomics.core.wording import listing
from her2radiomics.modelling.base import SelectionStep
from her2radiomics.modelling.steps import STEPS
from her2radiomics.modelling.steps.icc_filter import IccFilterStep
from her2radiomics.report.info import RunInfo
from her2radiomics.report.words import model_phrase


def chain(steps: Sequence[SelectionStep], counts: pd.DataFrame | None) -> str:
    """All steps in their order, each with the number of features that it left where there is a ``selection.csv``."""
    if not steps:
        return "All features entered the model; none was selected."
    left = _left(counts)
    parts = []
    for number, step in enumerate(steps, 1):
        text = step.sentence(steps[: number - 1])
        kept = left.get(step.about.name, [])
        if kept:
            text += f" ({kept.pop(0)} left)"
        parts.append(f"({number}) {text}")
    return f"In this order, {'; '.join(parts)}."


def _left(counts: pd.DataFrame | None) -> dict[str, list[int]]:
    """Features left by each step of a name, in order; scaling and harmonisation leave all and are not counted."""
    left: dict[str, list[int]] = {}
    if counts is None:
        return left
    for _, row in counts.iterrows():
        name = str(row["name"]).removesuffix("_after").rstrip("0123456789").rstrip("_")
        if name in STEPS and not STEPS[name].about.keeps_all:
            left.setdefault(name, []).append(int(row["features_out"]))
    return left


def reproducibility(info: RunInfo, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """How readers agreed, by model with an ICC step; or that it was not assessed."""
    texts: dict[str, list[str]] = {}
    reached: dict[tuple[str, int, float], list[tuple[str, int, int]]] = {}
    for name, model in info.protocol.models.items():
        steps = [step for step in model.feature_steps() if isinstance(step, IccFilterStep)]
        if not steps:
            continue
        table = tables.get(name)
        if table is None or (table["kept"].astype(str) == "not assessed").all():
            text = (
                f"Agreement between readers was not assessed, because fewer than {steps[0].minimum_patients} "
                "training patients were read twice; all features passed."
            )
            texts.setdefault(text, []).append(info.protocol.model_label(name))
            continue
        how = (steps[0].printed_form, int(table["n"].max()), steps[0].threshold)
        kept = int((table["kept"].astype(str) == "yes").sum())
        reached.setdefault(how, []).append((info.protocol.model_label(name), kept, len(table)))
    said = [_reached(*how, models) for how, models in reached.items()]
    for text, names in texts.items():
        only = said or len(texts) > 1
        said.append(f"{text[:-1]} (for {listing([model_phrase(name) for name in names])})." if only else text)
    return tuple(said)


def _reached(form: str, patients: int, threshold: float, models: Sequence[tuple[str, int, int]]) -> str:
    """Features that agreed well enough, by model where there are several numbers."""
    text = f"Agreement between readers was measured by {form} on {patients} training patients read twice; "
    counts = dict.fromkeys((kept, count) for _, kept, count in models)
    if len(counts) == 1:
        ((kept, count),) = counts
        return f"{text}{kept} of {count} features reached {threshold:g}."
    each = [f"{kept} of {count} ({name})" for name, kept, count in models]
    return f"{text}of the features, {listing(each)} reached {threshold:g}."
