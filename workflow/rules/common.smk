# The plan (all settings and tables, checked), and look-ups from wildcards to it.
import json
import sys
from hashlib import sha256
from pathlib import Path

import yaml

sys.path.insert(0, f"{workflow.basedir}/src")

from her2radiomics.record import crate
from her2radiomics.study import descriptions as describe
from her2radiomics.engine import environment
from her2radiomics.engine.patches import scheduling
from her2radiomics.engine.patches import slurm
from her2radiomics.study import manuscript_inputs as wiring
from her2radiomics.study import checklist_files as checklist_wiring
from her2radiomics.core.contracts import (
    MODEL_FILES,
    PARTITIONS,
    TRAINED_FILES,
    TRAINING,
)
from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import forms_of, path_of, paths_of
from her2radiomics.study.plan import Plan, batched

environment.prepare(Path(workflow.basedir) / "src", cores=workflow.cores)
slurm.keep_unknown_jobs()
scheduling.one_timer()

try:
    PLAN = Plan(config, Path(workflow.basedir) / "workflow")
except StudyError as error:
    raise WorkflowError(str(error)) from None

RUNS = PLAN.runs
DATASETS = PLAN.datasets
STUDY_TEXTS = {}


def one_of(names):
    """A wildcard constraint that allows just these names."""
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


wildcard_constraints:
    run=one_of(RUNS),
    dataset=one_of(DATASETS),
    patient="[A-Za-z0-9][A-Za-z0-9_.-]*",
    sequence=one_of({name for run in RUNS.values() for name in run.protocol.sequences}),
    partition=one_of(PARTITIONS),
    model=one_of({name for run in RUNS.values() for name in run.protocol.models}),
    figure="figure_[A-Za-z0-9_]+",
    table="table_[A-Za-z0-9_]+",


def run_of(wildcards):
    return RUNS[wildcards.run]


def dataset_of(wildcards):
    return DATASETS[wildcards.dataset]


def settings_of(model):
    """Settings as plain data: what a rule hands to its script, and what a change of reruns it."""
    return model.model_dump(mode="json")


def settings_by_name(models):
    """As :func:`settings_of`, of a mapping."""
    return {name: settings_of(model) for name, model in models.items()}


def columns_of(dataset):
    """Columns of the participants table that a run on this data set names: no other is copied."""
    runs = [run for run in RUNS.values() if run.dataset.id == dataset]
    return sorted(
        {
            name
            for run in runs
            for name in (*run.protocol.columns, run.protocol.label.column)
        }
    )


def case_files(dataset, patient, sequence):
    """Image and masks of a case; a file that is not there is the extraction's to record, not a missing input."""
    paths = dict.fromkeys(
        row[name]
        for row in dataset.case_rows(patient, sequence)
        for name in ("image", "mask")
    )
    return [
        path for path in paths if path and (dataset.simulated or Path(path).exists())
    ]


def simulated_batches(dataset):
    """Images and masks of a simulated cohort, a list for each job that makes them."""
    files = {
        patient: sorted(
            {path for name in ("image", "mask") for path in rows[name] if path}
        )
        for patient, rows in dataset.data.manifest.groupby("patient_id")
    }
    return [
        [path for patient in batch for path in files[patient]]
        for batch in batched(sorted(files), PLAN.config.patients_per_job)
    ]


def extraction_of(wildcards):
    """What a run asks of the extraction whose folder and sequence these wildcards name."""
    w = wildcards
    name = f"{w.parameters}.{w.regions}{w.preprocessing}"
    found = PLAN.extraction(w.dataset, name, w.sequence)
    if found is None:
        raise WorkflowError(f"no run of config.yaml extracts {w.sequence} as '{name}'.")
    return found


def batch_files(dataset, batch, extraction):
    """Files of the batch's cases that other jobs make, and the pre-contrast images that are subtracted.

    Brought files are no inputs: the engine takes half a millisecond for each, and a cohort has ten thousands. The
    extraction's record names them with size and time, and planning compares (:mod:`her2radiomics.engine.file_records`).
    """
    files = []
    if not dataset.simulated:
        return files
    for patient in dataset.batches[batch]:
        files += case_files(dataset, patient, extraction.sequence)
        subtracted = extraction.precontrast(patient)
        if subtracted:
            files.append(subtracted)
    return list(dict.fromkeys(files))


def batch_cases(dataset, batch, extraction):
    """For each patient of the batch, the manifest's rows and the image to subtract."""
    return {
        patient: {
            "rows": dataset.case_rows(patient, extraction.sequence),
            "precontrast": extraction.precontrast(patient),
        }
        for patient in dataset.batches[batch]
    }


def batch_fingerprint(dataset, batch, extraction):
    """Changes when the manifest's rows of the batch do: what the engine keeps of them, for each of a job's files."""
    content = json.dumps(batch_cases(dataset, batch, extraction))
    return sha256(content.encode()).hexdigest()[:16]


def patients_in_words(names):
    """Who is in a batch, for the progress line."""
    return (
        f"patient {names[0]}"
        if len(names) == 1
        else f"patients {names[0]} to {names[-1]}"
    )


def parameter_files(run):
    """Parameter files of a run's extractions: part of what a model was trained on."""
    items = run.protocol.sequences.values() if run.extracted else []
    return sorted({f"workflow/extraction/{item.parameters}.yaml" for item in items})


def item_of(items, name):
    """The figure or table of this name."""
    found = [item for item in items if item.id == name]
    if not found:
        raise WorkflowError(
            f"'{name}' is not in the protocol; it has {', '.join(item.id for item in items)}."
        )
    return found[0]


def study_text_of(name):
    """Names, counts and lines that the manuscript prints about a run."""
    if name not in STUDY_TEXTS:
        STUDY_TEXTS[name] = describe.study_text(
            RUNS[name], Path(workflow.basedir) / "workflow/extraction"
        )
    return STUDY_TEXTS[name]


def figure_inputs(run, name):
    return wiring.figure_inputs(run, item_of(run.protocol.figures, name))


def figure_files(run, name):
    """What a figure is made from: tables of the run, or the images of its example patients."""
    settings = item_of(run.protocol.figures, name)
    patients = [
        patient
        for group in wiring.example_cases(run, settings).values()
        for patient in group
    ]
    images = [
        path
        for p in patients
        for s in run.protocol.sequences
        for path in case_files(run.dataset, p, s)
    ]
    return [
        *wiring.paths_in(wiring.figure_inputs(run, settings)),
        *images,
        *(run.files("qc") if images and run.extracted else []),
    ]


def centres_of(run):
    """Patient to centre."""
    table = run.participants
    return dict(zip(table["patient_id"], table["centre"]))


def example_cases(run, name):
    """For each partition, the manifest's rows of the candidates: partition -> patient -> sequence -> rows."""
    settings = item_of(run.protocol.figures, name)
    return {
        partition: {
            p: {s: run.dataset.case_rows(p, s) for s in run.protocol.sequences}
            for p in patients
        }
        for partition, patients in wiring.example_cases(run, settings).items()
    }


def table_inputs(run, name):
    return wiring.table_inputs(run, item_of(run.protocol.tables, name))


def table_files(run, name):
    return wiring.paths_in(table_inputs(run, name))


def run_description(name):
    """What was asked for, as the provenance and the pages say it."""
    run, config_ = RUNS[name], PLAN.config
    asked = settings_of(run.request) | {"id": name, "seed": config_.seed}
    if run.dataset.simulated:
        asked |= {"size": config_.size, "strength": strength_of(run)}
    return asked


def strength_of(run):
    """Strength of the planted signal."""
    return (
        PLAN.config.strength
        if PLAN.config.strength is not None
        else run.protocol.simulation.strength
    )


def run_info(name):
    """A run in words, for its page."""
    return describe.run_info(RUNS[name], PLAN.config.seed)


def evidence_inputs(run):
    """Files that the checklists point to: all targets but the evidence itself, the report and the record."""
    own = {*run.targets("evidence"), *run.files("report", "record")}
    return [file for file in run.targets("all") if file not in own]


def crate_outputs(run):
    """Files of a run that its crate describes."""
    return [file for file in run.declared_files() if file not in run.files("crate")]


def crate_copies(run):
    """Name in the crate to file: the workflow, the study, its cohort and parameters, and the lock file."""
    names = [
        *sorted(map(str, Path("workflow/rules").glob("*.smk"))),
        f"workflow/studies/{run.request.study}.yaml",
        *parameter_files(run),
    ]
    lock = Path(workflow.basedir) / "requirements.lock"
    found = {name: name for name in names} | {
        "Snakefile": f"{workflow.basedir}/Snakefile"
    }
    return found | ({"requirements.lock": str(lock)} if lock.exists() else {})


def crate_texts(run):
    """The protocol as run, with its variant and cohort laid over it, and the configuration without local paths."""
    settings = {
        "protocol.yaml": settings_of(run.protocol),
        # where the data lie on this machine is nobody else's business
        f"workflow/cohorts/{run.request.cohort}.yaml": run.dataset.cohort.model_dump(
            mode="json", exclude={"root", "linked_folders"}, exclude_unset=True
        ),
        "config.yaml": PLAN.config.model_dump(mode="json", exclude={"data"}),
    }
    return {
        name: yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        for name, content in settings.items()
    }


def crate_tables(run):
    """Tables that the run was made from; with a simulated cohort the images, which other jobs make."""
    if run.dataset.simulated:
        return crate_data(run)
    return sorted(map(str, run.dataset.data.files))


def crate_data(run):
    """Tables, images and masks that the run was made from."""
    manifest = run.dataset.data.manifest
    images = {path for name in ("image", "mask") for path in manifest[name] if path}
    tables = (
        [run.dataset.path("registered"), run.dataset.path("manifest")]
        if run.dataset.simulated
        else list(map(str, run.dataset.data.files))
    )
    return sorted({*images, *tables})
