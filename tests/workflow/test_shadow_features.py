"""Features extracted once more for a run's evidence, by Snakemake: the tables asked for, and nothing of the run itself."""

from __future__ import annotations

import pytest
from workflow_run import Project, small_cohort

from her2radiomics.core.layout import path_of
from her2radiomics.core.settings import overlay
from her2radiomics.core.tables import read

NAMES = ("shuffled_voxels", "grown")


@pytest.mark.workflow
def test_the_tables_asked_for_are_made_and_nothing_else(tmp_path):
    project = Project(tmp_path / "p", {"runs": [{"study": "nat_response"}], "patients_per_job": 8, "seed": 7})
    few = small_cohort(training=(2, 2), testing=(1, 1))
    project.change("studies/nat_response.yaml", overlay(few, {"evidence": {"extractions": {"grown": {"patients": 3}}}}))
    files = [path_of("features", run=f"nat_response/evidence/{name}") for name in (*NAMES,)]
    assert project.jobs(*files) == {"simulate_simulated_nat_response_0": 1, "extract": 6, "merge": 2}
    project.snakemake(*files)
    shuffled, grown = (read("features", project.folder / file) for file in files)
    assert len(grown) == 3 and set(grown["reader"]) == {"consensus"}
    assert set(grown["patient_id"]) < set(shuffled["patient_id"]) and shuffled["patient_id"].nunique() == 6
    assert set(shuffled["reader"]) > {"consensus"}
    assert list(shuffled.columns) == list(grown.columns) and len(grown.columns) == 2 + 3 * 1125
    made = {path.relative_to(project.folder / "results/nat_response").parts[:2] for path in
            (project.folder / "results/nat_response").rglob("*.*")}  # fmt: skip
    assert made == {("evidence", name) for name in NAMES}
    assert project.jobs(*files) == {}, "nothing is made again"
