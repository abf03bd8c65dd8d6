"""A study on three nodes of Slurm has the bytes of a workstation, whatever happens to jobs, nodes and scheduler."""

from __future__ import annotations

import subprocess
import time
from collections import Counter

import pytest
from submitted import Submitted, attempts, kind, megabytes, results
from workflow_run import FEW_ROUNDS, Project, small_cohort

pytestmark = pytest.mark.cluster

CONFIG = {"seed": 7, "size": "demo", "runs": [{"study": "nat_response"}], "patients_per_job": 7}
# from images to predictions: simulation, extraction and the profile's first two groups; the whole study is tested below
ASKED = ("clinical", "nomogram")
TARGETS = [f"results/nat_response/models/{model}/predictions.csv" for model in ASKED]
FEATURES = "results/nat_response/features/cohort.parquet"
BATCHES = 2  # of 13 patients
SEQUENCES = 3
LIMIT = 1800  # seconds: far more than on an idle machine


def small_study(folder) -> Project:
    project = Project(folder, CONFIG)
    project.change("studies/nat_response.yaml", small_cohort(training=(5, 4), testing=(2, 2)) | FEW_ROUNDS)
    return project


@pytest.fixture(scope="module")
def workstation(slurm, tmp_path_factory) -> dict[str, str]:
    """Results of the same study on this machine without Slurm."""
    project = small_study(tmp_path_factory.mktemp("workstation") / "study")
    project.snakemake(*TARGETS)
    return results(project)


def assert_features_are(workstation, project) -> None:
    """What was made up to the cohort's features is what the whole study has there."""
    made = results(project)
    assert FEATURES.removeprefix("results/") in made
    assert made.items() <= workstation.items()
    extracted = [path for path in workstation if "/extraction/" in path]
    assert extracted and not set(extracted) - made.keys()


def test_a_killed_and_a_cancelled_job_are_retried_and_the_bytes_are_a_workstations(slurm, workstation, tmp_path):
    project = small_study(tmp_path / "study")
    with Submitted(project, slurm, *TARGETS) as run:
        killed = run.kill_script("extract")
        others = [job["id"] for job in run.wait_for_jobs(2, "RUNNING", "extract") if job["id"] != killed]
        subprocess.run(["scancel", others[0]], check=True)
        run.finish(LIMIT)
        jobs = run.jobs()
    assert results(project) == workstation
    assert project.jobs(*TARGETS) == {}  # nothing is left to do

    by_state = {state: [job for job in jobs if job["state"] == state] for state in Counter(j["state"] for j in jobs)}
    assert {job["id"] for job in by_state.pop("FAILED")} == {killed}
    assert {job["id"] for job in by_state.pop("CANCELLED")} == {others[0]}
    assert set(by_state) == {"COMPLETED"}
    # groups of two models bear one comment, so that only single jobs are separated by it
    extracted = [job for job in by_state["COMPLETED"] if kind(job) == "extract"]
    again = {job["comment"]: job for job in extracted if attempts(jobs)[job["comment"]] > 1}
    first = {job["comment"]: job for job in jobs if job["id"] in (killed, others[0])}
    assert len(again) == 2 and again.keys() == first.keys()
    for name, job in again.items():
        assert attempts(jobs)[name] == 2
        assert megabytes(job["memory"]) == 2 * megabytes(first[name]["memory"])

    # all nodes worked, and small jobs shared one
    assert {job["node"] for job in jobs} == {"n1", "n2", "n3"}
    counts = Counter(kind(job) for job in by_state["COMPLETED"])
    # a group asks for its largest member's core and memory, not for their sum
    assert {(job["cpus"], megabytes(job["memory"])) for job in jobs if kind(job) in ("cohort", "model")} == {
        ("1", 1500)
    }
    # images of two batches, and the roster
    assert counts.pop("simulate") == BATCHES + 1
    # a batch of patients is measured by one job; the nomogram is made of both other models; one job predicts with all three
    own = {"extract": BATCHES * SEQUENCES, "measure": BATCHES, "cohort": 1, "model": 3, "manuscript": 1}
    assert counts == own


@pytest.mark.cluster_slow
def test_the_whole_study_is_a_job_for_each_batch_and_model_and_two_for_the_rest(slurm, tmp_path):
    plain = small_study(tmp_path / "workstation")
    plain.snakemake()
    project = small_study(tmp_path / "study")
    with Submitted(project, slurm) as run:
        run.finish(LIMIT)
        jobs = run.jobs()
    assert results(project) == results(plain)
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    counts = Counter(kind(job) for job in jobs)
    assert counts == {"simulate": BATCHES + 1, "extract": BATCHES * SEQUENCES, "cohort": 1, "model": 3, "manuscript": 1}
    assert {job["cpus"] for job in jobs} == {"1"}


@pytest.mark.cluster_slow
def test_a_node_that_dies_costs_its_jobs_and_nothing_else(slurm, workstation, tmp_path):
    """slurmd and its job steps are killed; the jobs' processes run on as orphans and write beside their successors."""
    project = small_study(tmp_path / "study")
    with Submitted(project, slurm, FEATURES) as run:
        run.wait_for_script("extract")
        lost = [job for job in run.jobs("RUNNING", "extract") if job["node"] == "n2"]
        assert lost
        slurm.kill_node("n2")
        try:
            run.finish(LIMIT)
        finally:
            slurm.start_node("n2")
            slurm.wait_until_idle(120)
        jobs = run.jobs()
    assert_features_are(workstation, project)

    states = {job["id"]: job["state"] for job in jobs}
    assert {states[job["id"]] for job in lost} == {"NODE_FAIL"}
    submitted = attempts(jobs)
    assert {name for name, number in submitted.items() if number > 1} == {job["comment"] for job in lost}
    assert set(submitted.values()) <= {1, 2}


@pytest.mark.cluster_slow
def test_a_controller_that_dies_and_comes_back_loses_no_job(slurm, workstation, tmp_path):
    project = small_study(tmp_path / "study")
    with Submitted(project, slurm, FEATURES) as run:
        run.wait_for_script("extract")
        slurm.kill_controller()
        # long enough for several rounds of questions without an answer
        time.sleep(40)
        slurm.start_controller()
        run.finish(LIMIT)
        jobs = run.jobs()
    assert_features_are(workstation, project)
    # a job that asked for its step while nobody answered has failed, and was submitted again
    for name, number in attempts(jobs).items():
        ended = [job["state"] for job in jobs if job["comment"] == name]
        assert ended.count("COMPLETED") == 1, (name, ended)
        assert number <= 2
