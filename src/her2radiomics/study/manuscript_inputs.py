"""Which files of a run a figure or table is made from: from the kind's needs to paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from her2radiomics.core.contracts import contract
from her2radiomics.core.layout import path_of
from her2radiomics.manuscript import figures, tables
from her2radiomics.study.plan import Run

CANDIDATES_PER_PARTITION = 3


def figure_inputs(run: Run, settings: figures.FigureOptions) -> dict[str, Any]:
    """Inputs of a figure: name of the need to a path, or to model → path."""
    return {
        need: _paths(run, need, model=figures.models_needed(settings, need))
        for need in figures.needs(settings)
        if need != "images"
    }


def table_inputs(run: Run, settings: tables.TableBase) -> dict[str, Any]:
    """Inputs of a table: name of the need to a path, or to partition or model → path."""
    by_partition = {"participants": "partition_participants"}
    models = tables.models_needed(settings) or run.protocol.models
    return {
        need: _paths(run, by_partition.get(need, need), model=models, partition=run.partitions)
        for need in tables.needs(settings)
    }


def _paths(run: Run, name: str, **which: Iterable[str]) -> str | dict[str, str]:
    """Path of a contract's file, or, where there is one of each, model or partition to path."""
    for placeholder in contract(name).placeholders:
        return {value: path_of(name, run=run.id, **{placeholder: value}) for value in which[placeholder]}
    return run.path(name)


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
