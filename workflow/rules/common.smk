# The plan (all settings and tables, checked), and look-ups from wildcards to it. What they look up is made in her2radiomics.study.
import os
import re
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from her2radiomics.core.contracts import (
    MODEL_FILES,
    PARTITIONS,
    TRAINED_FILES,
    TRAINING,
)
from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import forms_of, path_of, paths_of
from her2radiomics.core.settings import dump as settings_of
from her2radiomics.evidence.analyses import ANALYSES
from her2radiomics.study import (
    checklist_files,
    crate_files,
    descriptions,
    evidence_files,
)
from her2radiomics.study import manuscript_inputs as manuscript
from her2radiomics.study.extraction_inputs import (
    batch_cases,
    batch_files,
    batch_fingerprint,
    parameter_files,
    simulated_batches,
)
from her2radiomics.study.plan import Plan
from her2radiomics.study.summary import summary

try:
    PLAN = Plan(SETTINGS, Path(os.path.relpath(workflow.basedir), "workflow"))
    if workflow.is_main_process:
        PLAN.check_files()
except StudyError as error:
    raise WorkflowError(str(error)) from None

if workflow.is_main_process:
    for folder in FOREIGN:
        logger.info(
            f"{folder}: left out of PYTHONPATH; jobs use the study's own packages alone."
        )
    for run in PLAN.runs.values():
        logger.info(summary(run, workflow.cores))
    for name, error in PLAN.refused.items():
        logger.error(
            f"Run {name} is not carried out; the others are. {type(error).__name__}: {error}"
        )

RUNS = PLAN.runs
# what is extracted once more for the evidence of a run: of no rule but the extraction's
SHADOWS = PLAN.shadows
DATASETS = PLAN.datasets
PARAMETERS = PLAN.workflow / "extraction"
SEED = PLAN.config.seed


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
    analysis=one_of(ANALYSES),


def run_of(wildcards):
    return (RUNS | SHADOWS)[wildcards.run]


def protocol_of(wildcards):
    return run_of(wildcards).protocol


def model_of(wildcards):
    return RUNS[wildcards.run].protocol.models[wildcards.model]


def dataset_of(wildcards):
    return DATASETS[wildcards.dataset]


def figure_of(wildcards):
    return manuscript.item_of(protocol_of(wildcards).figures, wildcards.figure)


def extraction_of(wildcards):
    """What a run asks of the extraction whose folder and sequence these wildcards name."""
    w = wildcards
    name = f"{w.parameters}.{w.regions}{w.preprocessing}"
    found = PLAN.extraction(w.dataset, name, w.sequence)
    if found is None:
        raise WorkflowError(f"no run of config.yaml extracts {w.sequence} as '{name}'.")
    return found


def measuring_at(wildcards):
    """What runs measure in the folder that these wildcards name."""
    for found in PLAN.measuring.values():
        if (found.dataset.id, found.id) == (wildcards.dataset, wildcards.measures):
            return found
    raise WorkflowError(f"no run of config.yaml measures '{wildcards.measures}'.")


@cache
def study_text_of(name):
    """Names, counts and lines that the manuscript prints about a run."""
    return descriptions.study_text(RUNS[name], PARAMETERS)


@cache
def run_info(name):
    """A run in words, for its page."""
    return descriptions.run_info(RUNS[name], PLAN.config.seed)


def evidence_of(wildcards, name):
    """Files of a run's analyses: one contract, an analysis each."""
    made = evidence_files.made(run_of(wildcards), SEED)
    return [path_of(name, run=wildcards.run, analysis=item) for item in made]


def centres_of(run):
    """Patient to centre."""
    return dict(zip(run.participants["patient_id"], run.participants["centre"]))


def manuscript_jobs(form):
    """Runs, and what their figures or tables wait for."""
    return [
        (run, stage)
        for run in RUNS.values()
        for stage in manuscript.STAGES
        if manuscript.items_at(run, form, stage)
    ]


@cache
def given_to(name, form, stage):
    """What a job needs for its figures or tables."""
    return manuscript.given_to(RUNS[name], form, stage)


def given(run, form, stage):
    """The same as a parameter: too much to be kept by the engine beside each of them."""
    return lambda w, input: given_to(run.id, form, stage)


def fingerprint(run, form, stage):
    """Changes when what a job is given does."""
    protocol = run.protocol
    more = settings_of([protocol.columns, protocol.label]) if form == "table" else []
    return lambda w: manuscript.fingerprint(
        given_to(run.id, form, stage), study_text_of(run.id), more
    )
