"""What rules hand to their jobs: files, manifest rows and settings, looked up in a plan."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from her2radiomics.core.errors import StudyError
from her2radiomics.core.settings import dump
from her2radiomics.study import crate_files, manuscript_inputs
from her2radiomics.study.checklist_files import checklist_inputs
from her2radiomics.study.descriptions import patients_in_words, run_description
from her2radiomics.study.extraction_inputs import (
    batch_cases,
    batch_files,
    batch_fingerprint,
    case_files,
    parameter_files,
    simulated_batches,
)
from her2radiomics.study.plan import Plan

SIMULATED = "results/cohorts/simulated_nat_response"


@pytest.fixture(scope="module")
def simulated(root) -> Plan:
    return Plan({"runs": [{"study": "nat_response"}], "patients_per_job": 5}, root / "workflow")


@pytest.fixture
def own(root, tmp_path) -> Plan:
    """Two patients of a user's own; one image is absent."""
    (tmp_path / "participants.tsv").write_text("patient_id\tcentre\tage\nP1\tours\t50\nP2\tours\t60\n")
    rows = [
        {
            "patient_id": patient,
            "sequence": sequence,
            "reader": "1",
            "image": f"{patient}_{sequence}.nii",
            "mask": f"{patient}_mask.nii",
        }
        for patient in ("P1", "P2")
        for sequence in ("T2FS", "DWI", "DCE2")
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "images.tsv", sep="\t", index=False)
    for row in rows:
        (tmp_path / row["mask"]).touch()
        if row["image"] != "P2_DWI.nii":
            (tmp_path / row["image"]).touch()
    run = {"study": "nat_response", "cohort": "my_hospital", "until": "extraction"}
    return Plan({"runs": [run], "data": {"my_hospital": str(tmp_path)}}, root / "workflow")


def run_of(plan):
    (run,) = plan.runs.values()
    return run


def extraction_of(plan, sequence="DWI"):
    run = run_of(plan)
    return plan.extraction(run.dataset.id, run.extraction_id(sequence), sequence)


class TestExtraction:
    def test_a_batch_of_simulated_patients_needs_their_files(self, simulated):
        extraction = extraction_of(simulated)
        patients = extraction.dataset.batches["batch_0002"]
        files = batch_files(extraction, "batch_0002")
        assert {Path(file).parent.name for file in files} == set(patients) and len(patients) == 5
        assert all(file.startswith(SIMULATED) and "_DWI" in file for file in files)
        assert len(set(files)) == len(files)

    def test_brought_files_are_no_inputs_and_absent_ones_no_case_files(self, own, tmp_path):
        extraction = extraction_of(own)
        assert batch_files(extraction, "batch_0001") == []
        present = case_files(extraction.dataset, "P1", "DWI")
        assert present == [str(tmp_path / "P1_DWI.nii"), str(tmp_path / "P1_mask.nii")]
        assert case_files(extraction.dataset, "P2", "DWI") == [str(tmp_path / "P2_mask.nii")]
        assert case_files(extraction.dataset, "P2", "not listed") == []

    def test_a_batchs_fingerprint_follows_its_rows_alone(self, own):
        extraction = extraction_of(own)
        cases = batch_cases(extraction, "batch_0001")
        assert list(cases) == ["P1", "P2"] and cases["P1"]["precontrast"] == ""
        assert [row["reader"] for row in cases["P1"]["rows"]] == ["1"]
        before = batch_fingerprint(extraction, "batch_0001")
        assert len(before) == 16 and before == batch_fingerprint(extraction, "batch_0001")
        assert before != batch_fingerprint(extraction_of(own, "T2FS"), "batch_0001")
        cases["P2"]["rows"][0]["mask"] = "another.nii"
        assert batch_fingerprint(extraction, "batch_0001") != before

    def test_every_simulated_file_is_made_by_one_job(self, simulated):
        dataset = run_of(simulated).dataset
        batches = simulated_batches(dataset)
        files = [file for batch in batches for file in batch]
        manifest = dataset.data.manifest
        assert sorted(files) == sorted({file for name in ("image", "mask") for file in manifest[name] if file})
        assert [len({Path(file).parent.name for file in batch}) for batch in batches][:-1] == [5] * (len(batches) - 1)

    def test_columns_that_no_run_names_are_not_copied(self, simulated):
        run = run_of(simulated)
        assert simulated.columns_of(run.dataset.id) == sorted({*run.protocol.columns, run.protocol.label.column})
        assert simulated.columns_of("another") == []


class TestManuscript:
    def test_an_unknown_figure_is_refused_with_the_known_ones(self, simulated):
        figures = run_of(simulated).protocol.figures
        assert manuscript_inputs.item_of(figures, figures[2].id) is figures[2]
        with pytest.raises(StudyError, match=r"'figure_9_x' is not in the protocol; it has figure_1_flow, "):
            manuscript_inputs.item_of(figures, "figure_9_x")

    def test_an_example_is_made_from_images_and_chosen_by_quality_control(self, simulated):
        run = run_of(simulated)
        kinds = {figure.kind: figure for figure in run.protocol.figures}
        example = next(f for f in run.protocol.figures if manuscript_inputs.example_cases(run, f))
        files = manuscript_inputs.figure_files(run, example)
        cases = manuscript_inputs.example_cases(run, example)
        assert list(cases) == ["training", "testing"]
        for partition, patients in cases.items():
            assert len(patients) == manuscript_inputs.CANDIDATES_PER_PARTITION
            assert set(run.partition[list(patients)]) == {partition}
            assert set(run.labels[list(patients)]) == {1}
            for rows in patients.values():
                assert list(rows) == ["T2FS", "DWI", "DCE2"]
                assert {row["image"] for sequence in rows.values() for row in sequence} <= set(files)
        assert files.count("results/nat_response/cohort/qc.csv") == 1
        flow = manuscript_inputs.figure_files(run, kinds["flow"])
        missed = "results/nat_response/models/nomogram/not_predicted.csv"
        assert flow == ["results/nat_response/cohort/flow.csv", missed]
        assert manuscript_inputs.example_cases(run, kinds["flow"]) == {}


class TestEvidence:
    def test_checklists_point_to_everything_but_themselves(self, simulated):
        run = run_of(simulated)
        apart = set(run.targets("all")) - set(checklist_inputs(run))
        assert {Path(file).name for file in apart} == {
            *("audit.csv", "audit.html", "audit.docx", "checklists.html", "checklists.csv", "checklists.docx"),
            *("ro-crate-metadata.json", "report.html", "run.json", "overlays", "figures.zip", "tables.zip"),
            *("training.parquet", "testing.parquet", "participants_training.csv", "participants_testing.csv"),
        }

    def test_the_crate_describes_what_is_declared_and_copies_what_was_run(self, simulated, root, monkeypatch):
        monkeypatch.chdir(root)
        run = run_of(simulated)
        outputs = crate_files.crate_outputs(run)
        assert set(run.declared_files()) - set(outputs) == {"results/nat_response/ro-crate-metadata.json"}
        copies = crate_files.crate_copies(run, simulated.base)
        assert parameter_files(run) == ["workflow/extraction/features_1125_2d.yaml"]
        assert {"Snakefile", "requirements.lock", "workflow/rules/common.smk"} <= set(copies)
        assert {"workflow/studies/nat_response.yaml", *parameter_files(run)} <= set(copies)
        assert all(Path(path).is_file() for path in copies.values())

    def test_the_crate_names_no_path_of_the_machine(self, own, tmp_path):
        texts = crate_files.crate_texts(run_of(own), own.config)
        assert set(texts) == {"protocol.yaml", "workflow/cohorts/my_hospital.yaml", "config.yaml"}
        assert not any(str(tmp_path) in text for text in texts.values())
        assert yaml.safe_load(texts["protocol.yaml"]) == dump(run_of(own).protocol)

    def test_data_are_the_users_tables_or_what_other_jobs_make(self, simulated, own, tmp_path):
        run = run_of(simulated)
        assert crate_files.crate_tables(run) == crate_files.crate_data(run)
        assert f"{SIMULATED}/participants.tsv" in crate_files.crate_data(run)
        tables = [str(tmp_path / name) for name in ("images.tsv", "participants.tsv")]
        assert crate_files.crate_tables(run_of(own)) == tables
        assert set(crate_files.crate_data(run_of(own))) - set(tables) == {
            str(path) for path in [*tmp_path.glob("*.nii"), tmp_path / "P2_DWI.nii"]
        }

    def test_what_was_asked_for(self, simulated, own, root):
        asked = run_description(run_of(simulated), simulated.config)
        about = crate_files.crate_about(run_of(simulated), simulated.config)
        assert about["run"] == asked and about["simulated"] is True
        assert (asked["id"], asked["size"], asked["variant"]) == ("nat_response", "demo", "default")
        assert asked["strength"] == run_of(simulated).protocol.simulation.strength
        null = Plan({"runs": [{"study": "nat_response"}], "strength": 0}, root / "workflow")
        assert run_description(run_of(null), null.config)["strength"] == 0
        assert "size" not in run_description(run_of(own), own.config)


def test_words_and_plain_data(simulated):
    assert patients_in_words(["P1"]) == "patient P1"
    assert patients_in_words(["P1", "P2", "P9"]) == "patients P1 to P9"
    columns = run_of(simulated).protocol.columns
    assert dump(columns) == {name: column.model_dump(mode="json") for name, column in columns.items()}
    assert dump([simulated.config.failed_cases, "text", 3]) == [{"count": 2, "share": 0.05}, "text", 3]
