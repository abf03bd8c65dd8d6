"""From a configuration to what is to be made: runs, their data, and the targets. Pure; knows no Snakemake.

Everything that can be wrong with settings, participants or a manifest is found here, before any job starts.
"""

from __future__ import annotations

import difflib
import fnmatch
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from her2radiomics.cohort.manifest import BREAST, ManifestRow
from her2radiomics.cohort.outcome import labels_of, set_apart
from her2radiomics.cohort.partitions import assign
from her2radiomics.cohort.settings import Cohort, Readers
from her2radiomics.cohort.sources import CohortData, read_cohort
from her2radiomics.cohort.tables import check_participants, type_columns
from her2radiomics.core.columns import STAGES
from her2radiomics.core.contracts import MODEL_FILES, PARTITIONS, TRAINING, contract
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.layout import folder_of, forms_of, path_of
from her2radiomics.core.settings import overlay, read_yaml, validate
from her2radiomics.extraction.options import extraction_suffix
from her2radiomics.manuscript.published import PublishedNumber
from her2radiomics.modelling.centres import check_partitions
from her2radiomics.modelling.steps.combat import CombatStep
from her2radiomics.simulation import roster
from her2radiomics.study.config import Config, RunRequest
from her2radiomics.study.protocol import Protocol
from her2radiomics.study.protocol import Sequence as SequenceSettings
from her2radiomics.study.published import check_features, printed_numbers

#: Tables of a model that may hold what a paper prints.
OF_MODELS = ("coefficients", "univariate", "multivariate", "reproducibility", "predictions")


def batched(names: Sequence[str], size: int) -> list[list[str]]:
    """Consecutive names in lists of ``size``, the last perhaps shorter."""
    return [list(names[start : start + size]) for start in range(0, len(names), size)]


@dataclass(frozen=True)
class Dataset:
    """The data of one cohort, shared by the runs on it."""

    id: str
    cohort_id: str
    cohort: Cohort
    protocol: Protocol
    data: CohortData
    root: Path | None = None
    patients_per_job: int = 1

    def path(self, name: str) -> str:
        """Path of a contract's file."""
        return path_of(name, dataset=self.id)

    @property
    def folder(self) -> str:
        """Where its tables lie."""
        return folder_of("cohort", dataset=self.id)

    @property
    def patients(self) -> list[str]:
        """Included patients, sorted."""
        table = self.data.participants
        return sorted(table.loc[table["exclude_reason"] == "", "patient_id"])

    @cached_property
    def batches(self) -> dict[str, list[str]]:
        """Name of a batch to the patients whom one job extracts: the same for every run on these data."""
        found = batched(self.patients, self.patients_per_job)
        return {f"batch_{number:04d}": patients for number, patients in enumerate(found, start=1)}

    @property
    def simulated(self) -> bool:
        """Whether the patients are made, not real."""
        return self.cohort.kind == "simulated"

    @property
    def readers(self) -> Readers:
        """Whose outlines train, and whose are compared."""
        made = self.protocol.simulation.readers if self.simulated and self.protocol.simulation else None
        return self.cohort.readers if made is None else Readers(reference=made.reference)

    @property
    def image_root(self) -> str:
        """The folder that the manifest's paths are relative to."""
        return self.folder if self.root is None else str(self.root)

    def case_rows(self, patient: str, sequence: str) -> list[dict[str, str]]:
        """The manifest's rows of one patient's sequence (breast masks included).

        The reference reader's row comes first. A sequence that the manifest does not list gives one row without an
        image: the extraction records it as missing.
        """
        missing = ManifestRow(patient_id=patient, sequence=sequence, reader=self.readers.reference, image="")
        return self._rows.get((patient, sequence)) or [missing.model_dump()]

    @cached_property
    def manifest_fingerprint(self) -> str:
        """Changes when the manifest does."""
        return sha256(self.data.manifest.to_csv(index=False).encode()).hexdigest()[:16]

    @cached_property
    def _rows(self) -> dict[tuple[str, str], list[dict[str, str]]]:
        rows: dict[tuple[str, str], list[dict[str, str]]] = {}
        for row in self.data.manifest.to_dict("records"):
            rows.setdefault((row["patient_id"], row["sequence"]), []).append(row)
        reference = self.readers.reference
        return {
            case: sorted(found, key=lambda row: row["reader"] != reference) for case, found in rows.items()
        }


@dataclass(frozen=True)
class Run:
    """One study on one cohort."""

    id: str
    request: RunRequest
    protocol: Protocol
    dataset: Dataset
    participants: pd.DataFrame
    labels: pd.Series
    partition: pd.Series
    audited: bool = False
    published: Sequence[PublishedNumber] = ()

    @property
    def folder(self) -> str:
        """Where its results go."""
        return folder_of("run", run=self.id)

    def path(self, name: str) -> str:
        """Path of a contract's file that there is one of in a run."""
        return path_of(name, run=self.id)

    def files(self, *names: str) -> list[str]:
        """Paths of contracts' files in all their forms: those of every partition and model where there is one of each."""
        each = {"partition": self.partitions, "model": list(self.protocol.models)}
        found = []
        for name in names:
            open_ = contract(name).placeholders
            choices = [{key: value} for key in open_ for value in each[key]] if open_ else [{}]
            found += [path for which in choices for path in forms_of(name, run=self.id, **which).values()]
        return found

    @property
    def partitions(self) -> list[str]:
        """Partitions that hold a patient, in the order of the papers."""
        return [name for name in PARTITIONS if (self.partition == name).any()]

    @property
    def extracted(self) -> bool:
        """Whether features come from images (and not from a table that the user brought)."""
        return self.dataset.data.features is None

    @property
    def patients(self) -> list[str]:
        """Included patients, sorted."""
        return self.dataset.patients

    def extraction_parts(self, sequence: str) -> dict[str, str]:
        """Parameters, regions and preprocessing of an extraction, as its files' paths hold them."""
        settings = self.protocol.sequences[sequence]
        done = extraction_suffix(settings.preprocessing, settings.log_padding, settings.slice_of)
        return {
            "parameters": settings.parameters,
            "regions": "+".join(settings.regions),
            "preprocessing": f".{done}" if done else "",
        }

    def extraction_id(self, sequence: str) -> str:
        """Name of an extraction: runs with the same parameters, regions and preprocessing share it."""
        return "{parameters}.{regions}{preprocessing}".format(**self.extraction_parts(sequence))

    def cases(self) -> list[tuple[str, str]]:
        """Every patient and sequence that is to be extracted."""
        return [(patient, sequence) for patient in self.patients for sequence in self.protocol.sequences]

    def batches(self, name: str) -> list[str]:
        """Paths of a contract's file of the batches of every sequence; none where features were brought."""
        return [
            path_of(
                name,
                dataset=self.dataset.id,
                sequence=sequence,
                batch=batch,
                **self.extraction_parts(sequence),
            )
            for sequence in (self.protocol.sequences if self.extracted else ())
            for batch in self.dataset.batches
        ]

    def published_files(self) -> list[str]:
        """Files of the run that hold what the paper prints."""
        models = dict.fromkeys(n.model for n in self.published if n.model in self.protocol.models)
        tables = {item.id for item in self.protocol.tables} & {number.table for number in self.published}
        return [
            *self.files("performance", "performance_extra", "delong", "flow"),
            *(path_of("table", run=self.id, table=name) for name in sorted(tables)),
            *(path_of(name, run=self.id, model=model) for model in models for name in OF_MODELS),
            path_of("partition_features", run=self.id, partition=TRAINING),
        ]

    def quality_files(self) -> list[str]:
        """Quality control and standards: what the page shows of an extraction; none where features were brought."""
        return self.files("qc", "grey_levels", "ibsi") if self.extracted else []

    def declared_files(self) -> list[str]:
        """Every file that the run's rules make and that a checklist or the crate may name, sorted."""
        others = self.files("flow", "participants", "features_reproducibility", *MODEL_FILES)
        return sorted({*self.targets("all"), *others})

    def targets(self, kind: str) -> list[str]:
        """Files that a target asks for: ``extraction``, ``figures``, ``tables``, ``evidence``, ``report`` or ``all``."""
        extraction = [*self.files("features"), *self.quality_files()] if self.extracted else []
        if kind == "extraction" or self.request.until == "extraction":
            return extraction if kind in ("extraction", "all") else []
        figures = [
            path
            for f in self.protocol.figures
            for path in forms_of("figure", run=self.id, figure=f.id).values()
        ]
        tables = [
            path for t in self.protocol.tables for path in forms_of("table", run=self.id, table=t.id).values()
        ]
        tables += self.files("performance", "performance_extra", "delong", "published")
        report = self.files("report", "record")
        features = self.files("features_reproducibility")
        # audit of the paper, checklists and crate look at a run; nothing else is made from them
        evidence = [*(self.files("audit") if self.audited else []), *self.files("checklists", "crate")]
        return {
            "figures": figures,
            "tables": tables,
            "evidence": evidence,
            "report": [*report, *evidence],
            "all": [*extraction, *features, *figures, *tables, *report, *evidence],
        }[kind]


@dataclass(frozen=True)
class Extraction:
    """What is extracted from one sequence of a data set."""

    dataset: Dataset
    sequence: str
    settings: SequenceSettings

    @property
    def options(self) -> dict[str, Any]:
        """Preprocessing and padding as plain data; empty for the default."""
        if not extraction_suffix(self.settings.preprocessing, self.settings.log_padding):
            return {}
        return self.settings.model_dump(mode="json", include={"preprocessing", "log_padding"})

    def precontrast(self, patient: str) -> str:
        """The image that is subtracted from the patient's; empty where none is, or where the manifest lacks it."""
        subtracted = self.settings.preprocessing.subtract
        return self.dataset.case_rows(patient, subtracted)[0]["image"] if subtracted else ""

    def level_rows(self, patient: str) -> list[dict[str, str]]:
        """The manifest's rows of the sequence at whose level the patient's slices are taken; none without one."""
        return self.dataset.case_rows(patient, self.settings.slice_of) if self.settings.slice_of else []


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
        self.datasets: dict[str, Dataset] = {}
        self.runs: dict[str, Run] = {}
        for request in self.config.runs:
            self.runs[request.id] = self._run(request)
        used = {run.dataset.cohort_id for run in self.runs.values()}
        for name in set(self.config.data) - used:
            if not (workflow / "cohorts" / f"{name}.yaml").is_file():
                raise SettingsError(
                    f"config.yaml: data.{name}: there is no cohort file workflow/cohorts/{name}.yaml."
                )

    def extraction(self, dataset: str, name: str, sequence: str) -> Extraction | None:
        """What the runs ask of an extraction (:meth:`Run.extraction_id`); ``None`` where no run asks for it."""
        for run in self.runs.values():
            if run.dataset.id == dataset and run.extracted and sequence in run.protocol.sequences:
                if run.extraction_id(sequence) == name:
                    return Extraction(run.dataset, sequence, run.protocol.sequences[sequence])
        return None

    @property
    def base(self) -> Path:
        """Folder of the Snakefile."""
        return self.workflow.parent

    def columns_of(self, dataset: str) -> list[str]:
        """Columns of the participants table that a run on this data set names: no other is copied."""
        protocols = [run.protocol for run in self.runs.values() if run.dataset.id == dataset]
        return sorted({name for item in protocols for name in (*item.columns, item.label.column)})

    def targets(self, kind: str) -> list[str]:
        """Files of all runs that a target asks for."""
        files = [file for run in self.runs.values() for file in run.targets(kind)]
        pages = any(run.request.until == "report" for run in self.runs.values())
        return [*files, *([path_of("index")] if kind in ("all", "report") and pages else [])]

    def _run(self, request: RunRequest) -> Run:
        cohort = self._cohort(request.cohort)
        protocol = self._protocol(request, cohort)
        dataset = self._dataset(request, cohort, protocol)
        try:
            return self._checked(request, protocol, dataset)
        except TableError as error:  # the user's own tables know no study number
            raise dataset.data.by_identifier(error) from None

    def _checked(self, request: RunRequest, protocol: Protocol, dataset: Dataset) -> Run:
        data, file = dataset.data, dataset.data.source
        check_participants(data.participants, [], file)
        participants = data.participants
        if request.until != "extraction":
            participants = set_apart(participants, protocol.label, protocol.columns, file)
        included = participants[participants["exclude_reason"] == ""].reset_index(drop=True)
        if request.until == "extraction":
            labels = pd.Series(0, index=included["patient_id"])
            partition = pd.Series("", index=included["patient_id"], dtype=object)
        else:
            typed = type_columns(included, protocol.columns, file)
            labels = labels_of(included, protocol.label, protocol.columns, file)
            partition = assign(included, labels, protocol.partitions, seed=self.config.seed, file=file)
            centres = typed.assign(centre=included.set_index("patient_id")["centre"])
            _check_harmonisation(f"run {request.id}", protocol, centres, partition)
        audit = self.workflow / "audits" / f"{request.study}.yaml"
        published = printed_numbers(protocol, audit)
        run = Run(
            request.id,
            request,
            protocol,
            dataset,
            participants,
            labels,
            partition,
            audit.is_file(),
            published,
        )
        if run.extracted:
            self._check_extraction(run)
        else:
            self._refuse_late_features(run)
        return run

    def _refuse_late_features(self, run: Run) -> None:
        """Brought features carry the stage at which they are known; a model may not look ahead of its prediction."""
        source = run.dataset.cohort.features
        assert source is not None and run.dataset.data.features is not None
        at = run.protocol.prediction_at
        for feature in run.dataset.data.features.columns.drop(["patient_id", "reader"]):
            stage = next(
                (s for p, s in source.available_at.items() if fnmatch.fnmatchcase(feature, p)), STAGES[0]
            )
            if STAGES.index(stage) <= STAGES.index(at):
                continue
            for name, model in run.protocol.models.items():
                imaged = model.kind == "radiomics" or getattr(model, "features", None) is not None
                if imaged and not model.allow_unavailable:
                    raise SettingsError(
                        f"run {run.id}: models.{name} predicts {at}, but the feature '{feature}' is known only {stage}. "
                        "Drop it in the cohort file (features.drop), or say allow_unavailable: true, "
                        "which the report marks."
                    )

    def _check_extraction(self, run: Run) -> None:
        if not run.protocol.sequences:
            raise SettingsError(
                f"run {run.id}: the protocol names no sequence, and the cohort brings no features."
            )
        known = sorted(run.dataset.data.manifest["sequence"].unique())
        for name, settings in run.protocol.sequences.items():
            path = self.workflow / "extraction" / f"{settings.parameters}.yaml"
            if not path.is_file():
                raise SettingsError(f"run {run.id}: sequences.{name}.parameters: there is no file {path}.")
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f" Did you mean '{near[0]}'?" if near else ""
                raise SettingsError(
                    f"run {run.id}: the manifest of cohort {run.dataset.cohort_id} holds no sequence '{name}'; "
                    f"it holds {', '.join(known)}.{hint}"
                )
            self._check_preprocessing(run, name, path)
        _check_readers(run)
        check_features(run.protocol, run.published, self.workflow / "extraction")

    def _check_preprocessing(self, run: Run, name: str, parameters: Path) -> None:
        """Refuse what no patient's images could satisfy: a phase or breast mask that the whole manifest lacks."""
        settings = run.protocol.sequences[name].preprocessing
        manifest, where = run.dataset.data.manifest, f"run {run.id}: sequences.{name}.preprocessing"
        known = sorted(manifest.loc[manifest["image"] != "", "sequence"].unique())
        if settings.subtract is not None and settings.subtract not in known:
            near = difflib.get_close_matches(settings.subtract, known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            if run.dataset.simulated:
                hint += " A simulated cohort holds the sequences of the protocol's simulation.sequences."
            raise SettingsError(
                f"{where}.subtract: the manifest of cohort {run.dataset.cohort_id} holds no sequence "
                f"'{settings.subtract}'; it holds {', '.join(known)}.{hint}"
            )
        masked = (manifest["sequence"] == name) & (manifest["region"] == BREAST)
        if settings.needs_breast and not masked.any():
            raise SettingsError(
                f"{where} says within: breast, but the manifest of cohort {run.dataset.cohort_id} holds no breast "
                f"mask (region breast) of {name}. Add them, or say within: foreground or within: image."
            )
        if settings.normalise or settings.resample:
            settings.refuse_twice(read_yaml(parameters).get("setting") or {}, where)

    def _cohort(self, name: str) -> Cohort:
        content = self._cohort_content(name)
        return validate(Cohort, content, f"workflow/cohorts/{name}.yaml")

    def _cohort_content(self, name: str, seen: tuple[str, ...] = ()) -> dict[str, Any]:
        if name in seen:
            raise SettingsError(f"workflow/cohorts/{name}.yaml extends itself, by way of {', '.join(seen)}.")
        content = read_yaml(self.workflow / "cohorts" / f"{name}.yaml")
        base = content.pop("extends", None)
        return content if base is None else overlay(self._cohort_content(base, (*seen, name)), content)

    def _protocol(self, request: RunRequest, cohort: Cohort) -> Protocol:
        path = self.workflow / "studies" / f"{request.study}.yaml"
        content = read_yaml(path)
        source = f"workflow/studies/{request.study}.yaml"
        if request.variant != "default":
            variants = validate(Protocol, content, source).variants
            if request.variant not in variants:
                near = difflib.get_close_matches(request.variant, list(variants), n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(variants) or 'none'}."
                raise SettingsError(f"{source} has no variant '{request.variant}': {hint}")
            content = overlay(content, variants[request.variant].changes)
            source += f", variant {request.variant}"
        own = overlay(cohort.protocol, cohort.at_size.get(self.config.size, {}))
        if own or cohort.replaces:
            kept = {key: value for key, value in content.items() if key not in cohort.replaces}
            content = overlay(kept, own)
            source += f", laid over by workflow/cohorts/{request.cohort}.yaml"
        return validate(Protocol, content, source)

    def _dataset(self, request: RunRequest, cohort: Cohort, protocol: Protocol) -> Dataset:
        if cohort.kind != "simulated":
            name = request.cohort
            if name not in self.datasets:
                root = self._root(name, cohort)
                data = read_cohort(cohort, root)
                self.datasets[name] = Dataset(
                    name, name, cohort, protocol, data, root, self.config.patients_per_job
                )
            return self.datasets[name]
        name = f"{request.cohort}_{request.study}"
        if protocol.simulation is None:
            raise SettingsError(
                f"workflow/studies/{request.study}.yaml has no 'simulation' section to simulate from."
            )
        if name in self.datasets:
            if self.datasets[name].protocol.simulation != protocol.simulation:
                raise SettingsError(f"run {request.id}: a variant may not change the simulated cohort.")
            return self.datasets[name]

        made = roster(
            protocol.simulation, size=self.config.size, seed=self.config.seed, strength=self.config.strength
        )
        folder, source = folder_of("cohort", dataset=name), path_of("registered", dataset=name)
        manifest = made.manifest.astype(str)
        for column in ("image", "mask"):
            manifest[column] = [f"{folder}/{path}" if path else "" for path in manifest[column]]
        data = CohortData(made.participants.astype(str), manifest, source=source)
        self.datasets[name] = Dataset(
            name, request.cohort, cohort, protocol, data, None, self.config.patients_per_job
        )
        return self.datasets[name]

    def _root(self, name: str, cohort: Cohort) -> Path:
        root = self.config.data.get(name, cohort.root)
        if root is None:
            raise SettingsError(
                f"cohort {name}: where do its data lie? Say so in config.yaml, for example\n"
                f"  data:\n    {name}: /path/to/data"
            )
        expanded = Path(os.path.expandvars(root)).expanduser()
        if not expanded.is_dir():
            raise SettingsError(
                f"cohort {name}: there is no folder {expanded}. Correct data.{name} in config.yaml."
            )
        return expanded


def _check_readers(run: Run) -> None:
    """Refuse a reference reader, or a pair to compare, that outlined nobody."""
    manifest, readers = run.dataset.data.manifest, run.dataset.readers
    outlined = manifest[(manifest["region"] != "breast") & manifest["sequence"].isin(run.protocol.sequences)]
    known = sorted(set(outlined["reader"]))
    wanted = {"readers.reference": [readers.reference]}
    if len(known) > 1:
        wanted["readers.compared"] = list(readers.compared)
    for key, names in wanted.items():
        for name in names:
            if name not in known:
                raise SettingsError(
                    f"run {run.id}: the manifest of cohort {run.dataset.cohort_id} holds no outline of reader '{name}' "
                    f"({key}); it holds those of {', '.join(known)}. Correct the cohort file."
                )


def _check_harmonisation(run: str, protocol: Protocol, typed: pd.DataFrame, partition: pd.Series) -> None:
    """Refuse ComBat where the partitions leave nothing to learn, or ask for a centre that it cannot know."""
    for name, model in protocol.models.items():
        for step in model.feature_steps():
            if isinstance(step, CombatStep):
                check_partitions(step, typed[step.batch].dropna(), partition, f"{run}: models.{name}")
