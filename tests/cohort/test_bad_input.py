"""What is wrong with config, protocol or tables is one clear error before any job starts."""

from __future__ import annotations

import pytest
import yaml
from workflow_run import Project

from her2radiomics.core.errors import StudyError
from her2radiomics.study.plan import Plan

BASE = {"runs": [{"study": "nat_response", "cohort": "mine"}], "data": {"mine": "data"}}
PARTICIPANTS = "patient_id\tcentre\tpcr\n" + "".join(f"P{i}\tcentre_{1 + i // 4}\t{i % 2}\n" for i in range(8))
MANIFEST = "patient_id\tsequence\timage\tmask\n" + "".join(
    f"P{i}\t{s}\t{s}{i}.nii.gz\tm{i}.nii.gz\n" for i in range(8) for s in ("T2FS", "DWI", "DCE2")
)
# a study of one's own data without clinical columns: what a user writes first
COHORT = {
    "title": "Mine",
    "kind": "tables",
    "replaces": ["columns", "figures", "tables", "published", "published_tables", "contradictions", "variants"],
    "protocol": {
        "models": {"clinical": None, "nomogram": None},
        "model_labels": {"clinical": None, "nomogram": None},
        "primary_model": "radiomics",
    },
}


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project(tmp_path / "p", BASE)
    made.change("cohorts/mine.yaml", COHORT)
    (made.folder / "data").mkdir()
    (made.folder / "data/participants.tsv").write_text(PARTICIPANTS, encoding="utf-8")
    (made.folder / "data/images.tsv").write_text(MANIFEST, encoding="utf-8")
    return made


@pytest.fixture(autouse=True)
def inside(project, monkeypatch):
    """Paths in a config are relative to the folder that Snakemake is called in."""
    monkeypatch.chdir(project.folder)


def plan(project: Project) -> Plan:
    """What the Snakefile does before it knows any job."""
    config = yaml.safe_load((project.folder / "config.yaml").read_text(encoding="utf-8"))
    return Plan(config, project.folder / "workflow")


def refused(project: Project, *said: str) -> None:
    with pytest.raises(StudyError) as caught:
        plan(project)
    for part in said:
        assert part in str(caught.value)


def test_a_good_cohort_is_planned(project):
    assert len(plan(project).runs["nat_response--default--mine"].cases()) == 24


@pytest.mark.workflow
def test_snakemake_says_the_same_without_a_traceback(project):
    project.configure({**BASE, "sead": 1})
    printed = project.snakemake("-n", ok=False)
    assert "unknown key 'sead': did you mean 'seed'?" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({**BASE, "sead": 1}, ["unknown key 'sead': did you mean 'seed'?"]),
        ({**BASE, "seed": "soon"}, ["'seed': found 'soon'"]),
        ({"runs": [{"study": "nat_respons"}]}, ["nat_respons.yaml: no such file. Did you mean 'nat_response'?"]),
        ({"runs": [{"study": "nat_response", "variant": "dce"}]}, ["no variant 'dce'", "dce_volume"]),
        ({"runs": [{"study": "nat_response", "cohort": "mine"}]}, ["of its data is not known", "mine: /path/to/data"]),
        ({**BASE, "data": {"mine": "nowhere"}}, ["there is no folder nowhere"]),
        ({"runs": [{"study": "nat_response"}, {"study": "nat_response"}]}, ["listed twice"]),
    ],
)
def test_config(project, config, said):
    project.configure(config)
    refused(project, *said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("P3\tcentre_1\t1\n", "P3\tcentre_1\t1\nP3\tcentre_1\t0\n", ["patient P3", "one row per patient"]),
        ("P3\tcentre_1\t1", "P3\tcentre_1\tG5", ["patient P3", "column 'pcr'", "expected 0 or 1"]),
        ("P3\tcentre_1", "P3\t", ["patient P3", "column 'centre'"]),
        ("pcr", "response", ["column 'pcr'"]),
        ("centre_2\t1", "centre_2\t0", ["one class only in the partition 'testing'"]),
        ("centre_1", "centre_7", ["no patient belongs to centre 'centre_1'"]),
    ],
)
def test_participants(project, old, new, said):
    path = project.folder / "data/participants.tsv"
    path.write_text(PARTICIPANTS.replace(old, new))
    refused(project, *said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("DCE2\t", "DCE3\t", ["holds no sequence 'DCE2'", "Did you mean 'DCE3'?"]),
        ("P7\tDWI", "P9\tDWI", ["patient P9", "not in the participants table"]),
        ("sequence", "sequenz", ["column 'sequence'", "Did you mean 'sequenz'?"]),
    ],
)
def test_manifest(project, old, new, said):
    (project.folder / "data/images.tsv").write_text(MANIFEST.replace(old, new))
    refused(project, *said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"titel": "x"}, ["unknown key 'titel': did you mean 'title'?"]),
        ({"models": {"radiomics": {"steps": [{"step": "laso"}]}}}, ["models.radiomics", "laso"]),
        ({"models": {"radiomics": {"sequences": ["T2SF"]}}}, ["'T2SF' is not declared; did you mean 'T2FS'?"]),
        ({"sequences": {"T2FS": {"parameters": "features_1125"}}}, ["there is no file", "features_1125.yaml"]),
        ({"sequences": {"T2FS": {"regions": ["tumor_slice"]}}}, ["sequences.T2FS.regions.0", "tumor_slice"]),
        ({"sequences": {"T2FS": {"features": "many"}}}, ["sequences.T2FS.features", "'many'"]),
    ],
)
def test_protocol(project, changes, said):
    project.change("studies/nat_response.yaml", changes)
    refused(project, *said)


def test_a_column_known_only_later_is_refused(project):
    project.configure({"runs": [{"study": "nat_response"}]})
    project.change("studies/nat_response.yaml", {"columns": {"ki67": {"available_at": "after_surgery"}}})
    refused(project, "models.clinical predicts before_treatment", "ki67 (after_surgery)", "allow_unavailable")
