"""One study on one cohort, and the data that runs share: which patients, which files, which targets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from her2radiomics.cohort.manifest import BREAST, ManifestRow
from her2radiomics.cohort.partitions import persons
from her2radiomics.cohort.readers import Readers
from her2radiomics.cohort.settings import Cohort
from her2radiomics.cohort.sources import CohortData
from her2radiomics.core.contracts import MODEL_FILES, PARTITIONS, TRAINING, contract
from her2radiomics.core.layout import folder_of, forms_of, path_of
from her2radiomics.core.libraries import pd
from her2radiomics.evidence.extractions import Reextraction
from her2radiomics.extraction.options import extraction_suffix
from her2radiomics.manuscript.published import PublishedNumber
from her2radiomics.study.config import RunRequest
from her2radiomics.study.protocol import Protocol
from her2radiomics.study.protocol import Sequence as SequenceSettings

#: Files of the manuscript.
MANUSCRIPT = ("manuscript", "numbers", "references", "journal_notes", "manuscript_settings", "manuscript_places")
#: Tables of a model that may hold what a paper prints.
OF_MODELS = ("coefficients", "univariate", "multivariate", "reproducibility", "predictions")


def batched(names: Sequence[str], size: int) -> list[list[str]]:
    """Consecutive names in lists of ``size``, the last perhaps shorter."""
    return [list(names[start : start + size]) for start in range(0, len(names), size)]


@dataclass(frozen=True)
class Part:
    """Some patients or readers of a data set: of what is extracted once more, and not of everybody.

    Attributes
    ----------
    patients
        Who; none: all.
    reference
        Whether the reference reader's outlines alone count.
    name
        What tells the part from others, as plain data: a part of an extraction's name.
    """

    patients: frozenset[str]
    reference: bool
    name: Mapping[str, Any]


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
    part: Part | None = None

    def path(self, name: str) -> str:
        """Path of a contract's file."""
        return path_of(name, dataset=self.id)

    @property
    def folder(self) -> str:
        """Where its tables lie."""
        return folder_of("cohort", dataset=self.id)

    @cached_property
    def patients(self) -> list[str]:
        """Included patients, sorted; of a part its own."""
        table = self.data.participants
        included = table.loc[table["exclude_reason"] == "", "patient_id"]
        return sorted(included[included.isin(self.part.patients)] if self.part and self.part.patients else included)

    @cached_property
    def batches(self) -> dict[str, list[str]]:
        """Name of a batch to the patients whom one job extracts: the same for every run on these data."""
        found = batched(self.patients, self.patients_per_job)
        return {f"batch_{number:04d}": patients for number, patients in enumerate(found, start=1)}

    @property
    def simulated(self) -> bool:
        """Whether the patients are made, not real."""
        return self.cohort.kind == "simulated"

    @cached_property
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
        found = self._rows.get((patient, sequence))
        if found:
            return found
        missing = ManifestRow.of({"patient_id": patient, "sequence": sequence, "reader": self.readers.reference})
        return [missing.model_dump()]

    @cached_property
    def manifest_fingerprint(self) -> str:
        """Changes when the manifest does."""
        return sha256(self.data.manifest.to_csv(index=False).encode()).hexdigest()[:16]

    @cached_property
    def _rows(self) -> dict[tuple[str, str], list[dict[str, str]]]:
        rows: dict[tuple[str, str], list[dict[str, str]]] = {}
        reference = self.readers.reference
        for row in self.data.manifest.to_dict("records"):
            if not (self.part and self.part.reference) or row["reader"] == reference or row["region"] == BREAST:
                rows.setdefault((row["patient_id"], row["sequence"]), []).append(row)
        return {case: sorted(found, key=lambda row: row["reader"] != reference) for case, found in rows.items()}


@dataclass(frozen=True)
class Run:
    """One study on one cohort."""

    request: RunRequest
    protocol: Protocol
    dataset: Dataset
    participants: pd.DataFrame
    labels: pd.Series
    partition: pd.Series
    typed: pd.DataFrame  # the protocol's columns of the included patients
    audited: bool = False
    published: Sequence[PublishedNumber] = ()
    notes: tuple[str, ...] = ()  # what planning and report say of the data
    journal_files: tuple[str, ...] = ()  # profile and reference style of the manuscript
    press: tuple[str, ...] = ()  # endings of the figures' files that the journal asks for
    shadow: str = ""  # of a run that only extracts once more, for the evidence of another: its name there
    reextraction: Reextraction | None = None  # and what is changed there
    shadows: Mapping[str, Run] = field(default_factory=dict)  # those of this run, by name

    @property
    def id(self) -> str:
        """Name of its folder in ``results``."""
        return f"{self.request.id}/evidence/{self.shadow}" if self.shadow else self.request.id

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

    @cached_property
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

    @cached_property
    def shared_persons(self) -> dict[str, str]:
        """Patient to person, of the included who share one with another patient: drawn together, whatever is drawn."""
        person = persons(self.participants.set_index("patient_id"))
        person = person.loc[sorted(self.labels.index)]
        # called by the first of the identifiers: the person's own name may tell who it is
        first = dict(reversed([(name, str(patient)) for patient, name in person.items()]))
        return {str(patient): first[name] for patient, name in person[person.duplicated(keep=False)].items()}

    def extraction_parts(self, sequence: str) -> dict[str, str]:
        """Parameters, regions and preprocessing of an extraction, as its files' paths hold them."""
        return self._parts[sequence]

    @cached_property
    def _parts(self) -> dict[str, dict[str, str]]:
        return {name: self._parts_of(settings) for name, settings in self.protocol.sequences.items()}

    def _parts_of(self, settings: SequenceSettings) -> dict[str, str]:
        altered = settings.altered() | dict(self.dataset.part.name if self.dataset.part else {})
        done = extraction_suffix(settings.preprocessing, settings.log_padding, settings.slice_of, altered)
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
            path_of(name, dataset=self.dataset.id, sequence=sequence, batch=batch, **self.extraction_parts(sequence))
            for sequence in (self.protocol.sequences if self.extracted else ())
            for batch in self.dataset.batches
        ]

    def shadow_features(self) -> dict[str, str]:
        """Name of each other extraction from the run's images to its feature table; none where features were brought."""
        return {name: shadow.path("features") for name, shadow in self.shadows.items()}

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

    def press_figures(self) -> list[str]:
        """Figures as the journal asks for them, beside those that every run makes."""
        usual = contract("figure").endings
        return [
            path_of("figure", ending, run=self.id, figure=figure.id)
            for figure in self.protocol.figures
            for ending in self.press
            if ending not in usual
        ]

    def quality_files(self) -> list[str]:
        """Quality control and standards: what the page shows of an extraction; none where features were brought."""
        return self.files("qc", "grey_levels", "ibsi") if self.extracted else []

    def software_records(self) -> list[str]:
        """Records of the distributions that the run's jobs used: of those that compute numbers or draw."""
        jobs = ["cohort", "evaluate", *(["grey_levels"] if self.extracted else [])]
        jobs += [f"{job}_{model}" for model in self.protocol.models for job in ("train", "predict")]
        jobs += [item.id for item in (*self.protocol.figures, *self.protocol.tables)]
        return [*self.batches("batch_software"), *(path_of("software", run=self.id, job=job) for job in jobs)]

    def declared_files(self) -> list[str]:
        """Every file that the run's rules make and that a checklist or the crate may name, sorted."""
        unnamed = self.files("overlays", "partition_participants", "partition_features") + self.press_figures()
        unnamed += [] if self.extracted else self.files("features")
        return sorted({*self.targets("all")}.difference(unnamed))

    def targets(self, kind: str) -> list[str]:
        """Files that a target asks for.

        ``kind`` is ``extraction``, ``figures``, ``tables``, ``manuscript``, ``records``, ``evidence``, ``report`` or
        ``all``.
        """
        return list(self._targets[kind])

    @cached_property
    def _targets(self) -> dict[str, list[str]]:
        extraction = [*self.files("features"), *self.quality_files()] if self.extracted else []
        if self.request.until == "extraction":
            extraction += self.files("extracted", "extraction_page", "overlays")
            return defaultdict(list, {"extraction": extraction, "all": extraction})
        figures = [
            path for f in self.protocol.figures for path in forms_of("figure", run=self.id, figure=f.id).values()
        ]
        tables = [path for t in self.protocol.tables for path in forms_of("table", run=self.id, table=t.id).values()]
        tables += self.files("performance", "performance_extra", "delong", "published")
        manuscript = [*self.files(*MANUSCRIPT), *self.press_figures()]
        report = self.files("report", "record", "all_figures", "all_tables")
        # what the page links to and a prediction needs: a file that was deleted is made again
        needed = self.files("features", "flow", "participants", "measured", *MODEL_FILES)
        needed += self.files("partition_participants", "partition_features")
        needed += self.files("overlays") if self.extracted else []
        features = self.files("features_reproducibility")
        # audit of the paper, checklists and crate look at a run; nothing else is made from them
        records = [*(self.files("audit") if self.audited else []), *self.files("checklists", "crate")]
        return {
            "extraction": extraction,
            "figures": figures,
            "tables": tables,
            "manuscript": manuscript,
            "records": records,
            "evidence": self.files("evidence_page"),
            "report": [*report, *records, *needed],
            "all": [
                *dict.fromkeys([*extraction, *features, *figures, *tables, *manuscript, *report, *records, *needed])
            ],
        }


@dataclass(frozen=True)
class Extraction:
    """What is extracted from one sequence of a data set."""

    dataset: Dataset
    sequence: str
    settings: SequenceSettings

    @property
    def options(self) -> dict[str, Any]:
        """Preprocessing, padding and what is altered as plain data; empty for the default."""
        altered = self.settings.altered()
        if not extraction_suffix(self.settings.preprocessing, self.settings.log_padding, altered=altered):
            return {}
        return self.settings.model_dump(mode="json", include={"preprocessing", "log_padding"}) | altered

    def precontrast(self, patient: str) -> str:
        """The image that is subtracted from the patient's; empty where none is, or where the manifest lacks it."""
        subtracted = self.settings.preprocessing.subtract
        return self.dataset.case_rows(patient, subtracted)[0]["image"] if subtracted else ""

    def level_rows(self, patient: str) -> list[dict[str, str]]:
        """The manifest's rows of the sequence at whose level the patient's slices are taken; none without one."""
        return self.dataset.case_rows(patient, self.settings.slice_of) if self.settings.slice_of else []
