"""Which files of a run a figure or table is made from: from the kind's needs to paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from her2radiomics.manuscript import figures, tables
from her2radiomics.study.plan import Run

COHORT_FILES = {"flow": "cohort/flow.csv", "participants": "cohort/participants.csv"}
TABLE_FILES = {"performance": "tables/performance.csv", "delong": "tables/delong.csv"}
CANDIDATES_PER_PARTITION = 3


def figure_inputs(run: Run, settings: figures.FigureOptions) -> dict[str, Any]:
    """Inputs of a figure: name of the need to a path, or to model → path."""
    inputs: dict[str, Any] = {}
    for need in figures.needs(settings):
        if need in COHORT_FILES | TABLE_FILES:
            inputs[need] = f"{run.folder}/{(COHORT_FILES | TABLE_FILES)[need]}"
        elif need != "images":
            models = figures.models_needed(settings, need)
            inputs[need] = {model: f"{run.folder}/models/{model}/{need}.csv" for model in models}
    return inputs


def table_inputs(run: Run, settings: tables.TableBase) -> dict[str, Any]:
    """Inputs of a table: name of the need to a path, or to partition or model → path."""
    inputs: dict[str, Any] = {}
    for need in tables.needs(settings):
        if need == "participants":
            inputs[need] = {name: f"{run.folder}/cohort/participants_{name}.csv" for name in run.partitions}
        elif need in TABLE_FILES:
            inputs[need] = f"{run.folder}/{TABLE_FILES[need]}"
        else:
            models = tables.models_needed(settings) or run.protocol.models
            inputs[need] = {model: f"{run.folder}/models/{model}/{need}.csv" for model in models}
    return inputs


def paths_in(inputs: Mapping[str, Any]) -> list[str]:
    """All paths of such a mapping."""
    return [
        path
        for value in inputs.values()
        for path in (value.values() if isinstance(value, Mapping) else [value])
    ]


def example_cases(run: Run, settings: figures.FigureOptions) -> dict[str, list[str]]:
    """Partition to the patients from whom the figure's example is taken: the first whose images can be read.

    The first positive patients by identifier, so that nobody chooses a pretty one.
    """
    if "images" not in figures.needs(settings):
        return {}
    chosen = {}
    for name in run.partitions:
        members = run.labels[(run.partition == name) & (run.labels == 1)].index
        chosen[name] = sorted(members)[:CANDIDATES_PER_PARTITION]
    return chosen
