"""Which files of a run a figure or table is made from, and which of them one job makes: from the kind's needs to paths."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import forms_of, path_of
from her2radiomics.core.settings import dump
from her2radiomics.manuscript import figures, tables
from her2radiomics.manuscript.kinds import Options
from her2radiomics.study.extraction_inputs import case_files
from her2radiomics.study.run import Run

CANDIDATES_PER_PARTITION = 3
#: What figures and tables wait for, and what is said of them: the last reads other tables.
STAGES = {"cohort": "of the cohort", "models": "of the models", "published": "with the paper's numbers"}

Item = TypeVar("Item", bound=Options)


def item_of(items: Sequence[Item], name: str) -> Item:
    """The figure or table of this name.

    Raises
    ------
    StudyError
        The protocol has none.
    """
    found = next((item for item in items if item.id == name), None)
    if found is None:
        known = ", ".join(item.id for item in items)
        raise StudyError(f"'{name}' is not in the protocol; it has {known}.")
    return found


def figure_inputs(run: Run, settings: figures.FigureOptions) -> dict[str, Any]:
    """Inputs of a figure: name of the need to a path, or to model → path."""
    return {
        need: _paths(run, need, model=settings.models_needed(need), partition=settings.partitions_used())
        for need in settings.needs()
        if need != "images"
    }


def table_inputs(run: Run, settings: tables.TableOptions) -> dict[str, Any]:
    """Inputs of a table: name of the need to a path, or to partition or model → path."""
    by_partition = {"participants": "partition_participants"}
    return {
        need: _paths(run, by_partition.get(need, need), model=settings.models_needed(need), partition=run.partitions)
        for need in settings.needs()
    }


def _paths(run: Run, name: str, **which: Iterable[str]) -> str | dict[str, str]:
    """Path of a contract's file, or, where there is one of each, model or partition to path."""
    for placeholder in contract(name).placeholders:
        return {value: path_of(name, run=run.id, **{placeholder: value}) for value in which[placeholder]}
    return run.path(name)


def paths_in(inputs: Mapping[str, Any]) -> list[str]:
    """All paths of such a mapping."""
    return [path for value in inputs.values() for path in (value.values() if isinstance(value, Mapping) else [value])]


def figure_files(run: Run, settings: figures.FigureOptions) -> list[str]:
    """Tables of the run, or the images of the example patients and the quality control that chooses among them."""
    images = [
        path
        for patients in example_patients(run, settings).values()
        for patient in patients
        for sequence in run.protocol.sequences
        for path in case_files(run.dataset, patient, sequence)
    ]
    return [*paths_in(figure_inputs(run, settings)), *images, *(run.files("qc") if images and run.extracted else [])]


def table_files(run: Run, settings: tables.TableOptions) -> list[str]:
    """What a table is made from."""
    return paths_in(table_inputs(run, settings))


def example_patients(run: Run, settings: figures.FigureOptions) -> dict[str, list[str]]:
    """Partition to the patients from whom the figure's example is taken: the first whose images can be read.

    The first positive patients by identifier, so that nobody chooses a pretty one.
    """
    if "images" not in settings.needs() or not run.extracted:
        return {}
    chosen = {}
    for name in run.partitions:
        members = run.labels[(run.partition == name) & (run.labels == 1)].index
        chosen[name] = sorted(members)[:CANDIDATES_PER_PARTITION]
    return chosen


def example_cases(run: Run, settings: figures.FigureOptions) -> dict[str, Any]:
    """For each partition, the manifest's rows of these patients: partition → patient → sequence → rows."""
    return {
        partition: {
            patient: {name: run.dataset.case_rows(patient, name) for name in run.protocol.sequences}
            for patient in patients
        }
        for partition, patients in example_patients(run, settings).items()
    }


def items_at(run: Run, form: str, stage: str) -> list[Any]:
    """Figures or tables that wait for the same: those that one job makes.

    Parameters
    ----------
    run
        The run.
    form
        ``figure`` or ``table``.
    stage
        One of :data:`STAGES`.
    """
    if run.request.until != "report":
        return []
    items = run.protocol.figures if form == "figure" else run.protocol.tables
    return [item for item in items if _stage(run, item) == stage]


def _stage(run: Run, item: Options) -> str:
    if "published" in item.needs():
        return "published"
    made = tuple(f"{run.folder}/{folder}/" for folder in ("models", "tables"))
    # without images and their quality control, which no job of the models makes
    return "models" if any(path.startswith(made) for path in paths_in(_by_need(run, item))) else "cohort"


def _by_need(run: Run, item: Any) -> dict[str, Any]:
    return figure_inputs(run, item) if isinstance(item, figures.FigureOptions) else table_inputs(run, item)


def files_of(run: Run, item: Any) -> list[str]:
    """What a figure or table is made from."""
    return figure_files(run, item) if isinstance(item, figures.FigureOptions) else table_files(run, item)


def inputs_of(run: Run, form: str, stage: str) -> list[str]:
    """Everything that a job's figures or tables are made from."""
    return list(dict.fromkeys(path for item in items_at(run, form, stage) for path in files_of(run, item)))


def outputs_of(run: Run, form: str, stage: str) -> dict[str, list[str]]:
    """What a job's figures or tables are written to: name to files, the last its record of the software."""
    return {
        item.id: [*forms_of(form, run=run.id, **{form: item.id}).values(), path_of("software", run=run.id, job=item.id)]
        for item in items_at(run, form, stage)
    }


def given_for(run: Run, item: Any) -> dict[str, Any]:
    """What a job is given for a figure or table: settings, inputs by need, files and example cases."""
    given = {"settings": dump(item), "files": files_of(run, item), "inputs": _by_need(run, item)}
    return given | ({"examples": example_cases(run, item)} if isinstance(item, figures.FigureOptions) else {})


def given_to(run: Run, form: str, stage: str) -> dict[str, dict[str, Any]]:
    """What a job is given for each of its figures or tables."""
    return {item.id: given_for(run, item) for item in items_at(run, form, stage)}


def fingerprint(*given: Any) -> str:
    """Changes when something that a job is given does; the engine keeps it beside every output instead of all this."""
    return sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:16]
