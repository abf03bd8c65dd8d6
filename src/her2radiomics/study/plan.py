"""From a configuration to what is to be made: runs, their data, and the targets. Pure; does not import Snakemake.

Everything that can be wrong with settings, participants or a manifest is found here, before any job starts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from her2radiomics.article.journals import read_journal
from her2radiomics.cohort.outcome import labels_of, set_apart
from her2radiomics.cohort.partitions import assign, named_centres
from her2radiomics.cohort.settings import Cohort
from her2radiomics.cohort.sources import CohortData, read_cohort, refuse_shared_images
from her2radiomics.cohort.tables import check_centres, check_participants, column_notes, type_columns
from her2radiomics.core.errors import Problems, SettingsError, StudyError, TableError
from her2radiomics.core.layout import folder_of, path_of
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import overlay, read_yaml, validate
from her2radiomics.manuscript.published import PublishedNumber
from her2radiomics.simulation import roster
from her2radiomics.study.checks import check_features, check_harmonisation, sequence_problems
from her2radiomics.study.cohort_files import cohort_of, root_of
from her2radiomics.study.config import Config, RunRequest, for_extraction
from her2radiomics.study.files import check_files
from her2radiomics.study.measuring import Measuring, check_measured, measuring_of
from her2radiomics.study.protocol import Protocol
from her2radiomics.study.published import check_published_features, printed_numbers
from her2radiomics.study.run import Dataset, Extraction, Run
from her2radiomics.study.shadows import shadows_of


class Plan:
    """All runs of a configuration, with everything checked.

    Parameters
    ----------
    content
        The configuration as a mapping.
    workflow
        The folder that holds ``studies``, ``cohorts`` and ``extraction``.

    Raises
    ------
    SettingsError, TableError
        Whatever is wrong with a setting, a participants table or a manifest.
    """

    def __init__(self, content: Mapping[str, Any], workflow: Path) -> None:
        """Read and check the settings and tables of every run."""
        self.config = validate(Config, content, "config.yaml")
        self.workflow = workflow
        self.journal = read_journal(workflow / "journals" / f"{self.config.journal}.yaml")
        self.datasets: dict[str, Dataset] = {}
        self.runs: dict[str, Run] = {}
        self.refused: dict[str, StudyError] = {}
        for request in self.config.runs:
            try:
                self.runs[request.id] = self._run(request)
            except StudyError as error:
                self.refused[request.id] = _placed(error, request)
        self._go_on()
        used = {run.dataset.cohort_id for run in self.runs.values()}
        for name in set(self.config.data) - used:
            if not (workflow / "cohorts" / f"{name}.yaml").is_file():
                raise SettingsError(f"config.yaml: data.{name}: there is no cohort file workflow/cohorts/{name}.yaml.")

    @property
    def journal_files(self) -> tuple[str, ...]:
        """Profile and reference style of the manuscripts, below the project's folder."""
        return tuple(
            f"workflow/journals/{name}" for name in (f"{self.config.journal}.yaml", f"{self.journal.references}.csl")
        )

    @property
    def base(self) -> Path:
        """Folder of the Snakefile."""
        return self.workflow.parent

    def columns_of(self, dataset: str) -> list[str]:
        """Columns of the participants table that a run on this data set names: no other is copied."""
        runs = [run for run in self.runs.values() if run.dataset.id == dataset]
        protocols = [run.protocol for run in runs if run.request.until == "report"]
        return sorted({name for item in protocols for name in (*item.columns, item.label.column)})

    def extraction(self, dataset: str, name: str, sequence: str) -> Extraction | None:
        """What the runs ask of an extraction (:meth:`Run.extraction_id`); ``None`` where no run asks for it."""
        return self._extractions.get((dataset, name, sequence))

    @cached_property
    def _extractions(self) -> dict[tuple[str, str, str], Extraction]:
        """Every extraction by its data set, name and sequence."""
        found: dict[tuple[str, str, str], Extraction] = {}
        for run in (*self.runs.values(), *self.shadows.values()):
            for sequence, settings in run.protocol.sequences.items() if run.extracted else ():
                key = (run.dataset.id, run.extraction_id(sequence), sequence)
                found.setdefault(key, Extraction(run.dataset, sequence, settings))
        return found

    @property
    def shadows(self) -> dict[str, Run]:
        """What is extracted once more for the runs' evidence, by the names of the folders; of no other target."""
        return {shadow.id: shadow for run in self.runs.values() for shadow in run.shadows.values()}

    def check_files(self) -> None:
        """Look whether every image and mask is there; runs that could not end for those that are not are refused.

        Raises
        ------
        StudyError
            No run is left.
        """
        for name, run in list(self.runs.items()):
            try:
                check_files(run, self.config.failed_cases)
            except StudyError as error:
                self.refused[name] = error
                del self.runs[name]
        self.__dict__.pop("_extractions", None)
        self._go_on()

    def _go_on(self) -> None:
        """One bad run does not stop the others; where none is left, the errors are raised."""
        if self.runs or not self.refused:
            return
        first, *others = self.refused.values()
        if not others:
            raise first
        raise SettingsError("\n".join(map(str, self.refused.values())))

    @cached_property
    def measuring(self) -> dict[str, Measuring]:
        """What is measured for each run."""
        return {name: measuring_of(run) for name, run in self.runs.items()}

    def targets(self, kind: str) -> list[str]:
        """Files of all runs that a target asks for; of a refused run one that is never made."""
        files = [file for run in self.runs.values() for file in run.targets(kind)]
        files += [path_of("refused", run=name) for name in self.refused] if kind == "all" else []
        pages = any(run.request.until == "report" for run in self.runs.values())
        return [*files, *([path_of("index")] if kind in ("all", "report") and pages else [])]

    def _run(self, request: RunRequest) -> Run:
        cohort = cohort_of(self.workflow, request.cohort)
        protocol, printed = self._protocol(request, cohort)
        dataset = self._dataset(request, cohort, protocol)
        try:
            return self._checked(request, protocol, dataset, printed)
        except TableError as error:  # the user's own tables have no study number
            named = dataset.data.by_identifier(error)
            bare = Run(request, protocol, dataset, dataset.data.participants, pd.Series(), pd.Series(), pd.DataFrame())
            more = sequence_problems(bare, self.workflow / "extraction")
            if not more:
                raise named from None
            raise SettingsError("\n".join(map(str, [named, *more]))) from None  # all that is wrong, at once

    def _checked(
        self, request: RunRequest, protocol: Protocol, dataset: Dataset, published: list[PublishedNumber]
    ) -> Run:
        data, file, problems = dataset.data, dataset.data.places, Problems()
        notes = [*data.notes]
        with problems.collect():
            check_participants(data.participants, [], file)
        if request.until == "report" and dataset.root is not None:
            refuse_shared_images(data, dataset.cohort, dataset.root)
        problems.refuse()
        participants, typed = data.participants, pd.DataFrame()
        if request.until != "extraction":
            participants = set_apart(participants, protocol.label, protocol.columns, file)
        included = participants[participants["exclude_reason"] == ""].reset_index(drop=True)
        with problems.collect():
            check_centres(participants, [*protocol.centres, *named_centres(protocol.partitions)], file)
        if request.until == "extraction":
            problems.refuse()
            labels = pd.Series(0, index=included["patient_id"])
            partition = pd.Series("", index=included["patient_id"], dtype=object)
        else:
            labels = pd.Series(dtype=int)
            with problems.collect():
                typed = type_columns(included, protocol.columns, file)
            with problems.collect():
                labels = labels_of(included, protocol.label, protocol.columns, file)
            problems.refuse()
            notes += column_notes(typed, protocol.columns)
            partition = assign(included, labels, protocol.partitions, seed=self.config.seed, file=file)
            centres = typed.assign(centre=included.set_index("patient_id")["centre"])
            notes += check_harmonisation(request.id, protocol, centres, partition, labels)
        audit = self.workflow / "audits" / f"{request.study}.yaml"
        run = Run(
            request, protocol, dataset, participants, labels, partition, typed, audit.is_file(), published, tuple(notes)
        )
        run = replace(run, press=self.journal.figures.formats, journal_files=self.journal_files)
        found = check_features(run, self.workflow / "extraction")
        if request.until != "extraction":
            check_measured(run)
            run = replace(run, shadows=shadows_of(run, self.workflow / "extraction", self.config.seed))
        return replace(run, notes=(*notes, *found))

    def _protocol(self, request: RunRequest, cohort: Cohort) -> tuple[Protocol, list[PublishedNumber]]:
        """The protocol with variant and cohort laid over it, and what the paper prints, in the names of the study's own."""
        path = self.workflow / "studies" / f"{request.study}.yaml"
        content = own_content = read_yaml(path)
        source = f"workflow/studies/{request.study}.yaml"
        if request.variant != "default":
            whole = for_extraction(content) if request.until == "extraction" else content
            variants = validate(Protocol, whole, source).variants
            if request.variant not in variants:
                near = difflib.get_close_matches(request.variant, list(variants), n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(variants) or 'none'}."
                raise SettingsError(f"{source} has no variant '{request.variant}': {hint}")
            content = overlay(content, variants[request.variant].changes)
            source += f", variant {request.variant}"
        own = overlay(cohort.protocol, cohort.at_size.get(self.config.size, {}))
        kept = {key: value for key, value in content.items() if key not in cohort.replaces}
        laid = overlay(kept, own)
        if request.until == "extraction":
            content, laid = for_extraction(content), for_extraction(laid)
        over = f"{source}, laid over by workflow/cohorts/{request.cohort}.yaml"
        protocol = validate(Protocol, laid, source if laid == content else over)
        models = [name for said in (laid, content, own_content) for name in said.get("models") or {}]
        _check_orders(protocol, list(dict.fromkeys(models)), source if laid == content else over)
        printed = bool(protocol.published or protocol.published_tables)
        own_names = protocol if laid == content or not printed else validate(Protocol, content, source)
        numbers = printed_numbers(own_names, self.workflow / "audits" / f"{request.study}.yaml") if printed else []
        check_published_features(own_names, numbers, self.workflow / "extraction")
        return protocol, numbers

    def _dataset(self, request: RunRequest, cohort: Cohort, protocol: Protocol) -> Dataset:
        simulated = cohort.kind == "simulated"
        name = f"{request.cohort}_{request.study}" if simulated else request.cohort
        if name not in self.datasets:
            root = None if simulated else root_of(name, cohort, self.config.data)
            data = self._made(request, protocol, name) if root is None else read_cohort(cohort, root)
            _refuse_braces(data.files, request.cohort)
            self.datasets[name] = Dataset(
                name, request.cohort, cohort, protocol, data, root, self.config.patients_per_job
            )
        elif simulated and self.datasets[name].protocol.simulation != protocol.simulation:
            raise SettingsError(f"run {request.id}: a variant may not change the simulated cohort.")
        return self.datasets[name]

    def _made(self, request: RunRequest, protocol: Protocol, name: str) -> CohortData:
        """Tables of a simulated cohort: a function of the settings and the seed."""
        if protocol.simulation is None:
            raise SettingsError(f"workflow/studies/{request.study}.yaml has no 'simulation' section to simulate from.")
        config = self.config
        made = roster(protocol.simulation, size=config.size, seed=config.seed, strength=config.strength)
        folder, source = folder_of("cohort", dataset=name), path_of("registered", dataset=name)
        manifest = made.manifest.astype(str)
        for column in ("image", "mask"):
            manifest[column] = [f"{folder}/{path}" if path else "" for path in manifest[column]]
        return CohortData(made.participants.astype(str), manifest, source=source)


def _check_orders(protocol: Protocol, models: list[str], source: str) -> None:
    """The orders as published are those of models that the study, its variant or its cohort has."""
    for name in protocol.evidence.as_published:
        if name not in models:
            near = difflib.get_close_matches(name, models, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"its models: {', '.join(models)}."
            raise SettingsError(
                f"{source}, evidence.as_published: found the model '{name}', which it does not have; {hint}"
            )


def _placed(error: StudyError, request: RunRequest) -> StudyError:
    """The same error with the study's file where it names none."""
    if not isinstance(error, SettingsError) or re.search(r"\.yaml|\brun ", str(error)):
        return error
    return SettingsError(f"run {request.id} (workflow/studies/{request.study}.yaml): {error}")


def _refuse_braces(files: Iterable[Path], cohort: str) -> None:
    """Refuse tables whose path the engine would take for a pattern."""
    for file in map(str, files):
        found = re.search(r"\{\s*\w+[^{}]*\}", file)
        if found:
            raise SettingsError(
                f"cohort {cohort}: found braces in the path {file}; expected a path without '{found[0]}', which the "
                "engine takes for a placeholder. Rename the folder or file, or give config.yaml a path from this folder."
            )
