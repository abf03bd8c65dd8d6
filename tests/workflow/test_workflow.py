"""The whole DAG, from images to report, on a small simulated cohort: results, determinism, reruns, failures."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys

import pytest
from workflow_run import FEW_ROUNDS, Project, small_cohort

from her2radiomics.core.settings import read_yaml

CONFIG = {"seed": 7, "size": "demo", "runs": [{"study": "nat_response"}], "patients_per_job": 6}
CHANGES = small_cohort(training=(7, 5), testing=(3, 2)) | FEW_ROUNDS
RUN = "results/nat_response"
COHORT = "results/cohorts/simulated_nat_response"


def rows(path):
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Project:
    """The study, run once with two cores."""
    project = Project(tmp_path_factory.mktemp("study") / "two", CONFIG)
    project.change("studies/nat_response.yaml", CHANGES)
    project.printed = project.snakemake()
    return project


@pytest.mark.workflow
class TestStudy:
    def test_the_contract_of_results_is_kept(self, finished):
        folder = finished.folder / RUN
        expected = {
            "cohort/participants.csv": ["patient_id", "centre", "partition", "label", "age"],
            "cohort/flow.csv": ["step", "reason", "partition", "excluded", "remaining"],
            "cohort/qc.csv": ["patient_id", "sequence", "reader", "region"],
            "features/reproducibility.csv": ["model", "feature"],
            "features/ibsi.csv": ["parameters", "feature", "image", "kind", "name", "code"],
            "cohort/grey_levels.csv": ["patient_id"],
            "models/nomogram/coefficients.csv": ["term", "beta"],
            "models/radiomics/selection.csv": ["step", "name", "features_in", "features_out", "note"],
            "models/clinical/predictions.csv": ["patient_id", "partition", "label", "score", "probability"],
            "tables/performance.csv": [
                *("model", "partition", "n", "events", "auc", "auc_low", "auc_high", "ci_method", "threshold"),
                *("sensitivity", "specificity", "ppv", "npv", "accuracy", "brier"),
                *("calibration_intercept", "calibration_slope"),
            ],
            "tables/delong.csv": [
                *("partition", "model_a", "model_b", "n", "auc_a", "auc_b", "difference", "z", "p", "p_holm")
            ],
            "tables/published.csv": ["quantity", "model", "partition", "published"],
        }
        for name, columns in expected.items():
            with (folder / name).open(encoding="utf-8-sig") as stream:
                assert next(csv.reader(stream))[: len(columns)] == columns, name
        assert (finished.folder / "results/index.html").stat().st_size > 1000
        assert (folder / "report.html").stat().st_size > 10_000

    def test_the_page_names_the_libraries_that_the_runs_own_jobs_used(self, finished):
        """Wavelet features were made, and no survival was analysed; nothing is named for being installed."""
        page = (finished.folder / RUN / "report.html").read_text(encoding="utf-8")
        (sentence,) = re.findall(r"Analyses were performed with (.*?)\. All random", page)
        for used in ("PyRadiomics (pyradiomics-bhklab)", "PyWavelets", "scikit-image", "scikit-learn", "NumPy"):
            assert used in sentence, used
        for other in ("lifelines", "dcurves", "pydantic"):
            assert other not in page, other
        extraction = finished.folder / COHORT / "extraction"
        batches = [json.loads(path.read_text()) for path in extraction.rglob("*.software.json")]
        assert batches and all("PyWavelets" in names for names in batches)
        training = json.loads((finished.folder / RUN / "provenance/software/train_clinical.json").read_text())
        assert "scipy" in training and not {"PyWavelets", "matplotlib"} & set(training)

    def test_every_figure_and_table_of_the_paper_is_there(self, finished):
        figures = set(read_yaml(finished.folder / "workflow/studies/nat_response.yaml")["figures"])
        papers = {"1", "2", "3", "4", "5", "5a", "5b", "5c", "5d", "5e", "5f", "5g"}
        assert papers == {name.split("_")[1] for name in figures if not name.startswith("figure_s")}
        for ending in ("svg", "pdf", "png", "csv"):
            assert {path.stem for path in (finished.folder / RUN / "figures").glob(f"*.{ending}")} == figures
        for ending in ("csv", "html", "tex", "docx"):
            assert len(list((finished.folder / RUN / "tables").glob(f"table_?_*.{ending}"))) == 4

    def test_everything_made_from_it_says_simulated(self, finished):
        folder = finished.folder / RUN
        # the audit speaks of the paper, the standards of the features' definitions: neither of patients
        apart = {folder / "tables/audit.csv", folder / "tables/audit.html", folder / "features/ibsi.csv"}
        for path in sorted({*folder.rglob("*.csv")} - apart):
            if path.stat().st_size:
                header = path.read_text(encoding="utf-8").splitlines()[0]
                assert "simulated" in header.lower(), path
        pages = {*folder.glob("figures/*.svg"), *folder.glob("tables/*.html"), folder / "report.html"}
        for path in sorted(pages - apart):
            assert "simulated" in path.read_text(encoding="utf-8").lower(), path
        assert json.loads((folder / "models/nomogram/model.json").read_text(encoding="utf-8"))["simulated"] is True

    def test_features_are_the_papers_number(self, finished):
        import pyarrow.parquet as parquet

        names = parquet.read_schema(finished.folder / RUN / "features/training.parquet").names
        assert len(names) == 2 + 3375
        assert names[:2] == ["patient_id", "reader"]

    def test_features_carry_what_was_planted(self, finished):
        """The truth beside the data: size is measured as area, texture as the homogeneity of DWI."""
        import pandas as pd

        truth = pd.read_csv(finished.folder / COHORT / "truth.tsv", sep="\t", index_col="patient_id")
        features = pd.read_parquet(finished.folder / RUN / "features/cohort.parquet")
        read = features[features["reader"] == "1"].set_index("patient_id")
        truth = truth.loc[read.index]
        area = read["T2FS__tumour_slice__original_shape2D_MeshSurface"]
        homogeneity = read["DWI__tumour_slice__exponential_glcm_Idm"]
        assert area.corr(truth["radius_mm"], method="spearman") > 0.8
        assert abs(homogeneity.corr(truth["texture_amplitude"], method="spearman")) > 0.6
        assert abs(area.corr(truth["texture_amplitude"], method="spearman")) < 0.6

    def test_training_jobs_see_training_rows_only(self, finished):
        import pandas as pd

        folder = finished.folder / RUN
        partition = {row["patient_id"]: row["partition"] for row in rows(folder / "cohort/participants.csv")}
        seen = pd.read_parquet(folder / "features/training.parquet", columns=["patient_id"])["patient_id"]
        assert {partition[patient] for patient in seen} == {"training"}
        # nor does any job on the way from the patients to the model name another partition's file
        for model in ("radiomics", "nomogram"):
            planned = finished.snakemake("--detailed-summary", f"{RUN}/models/{model}/model.json")
            assert f"{RUN}/features/training.parquet" in planned
            assert "testing" not in "".join(line for line in planned.splitlines() if "\t" in line)
        assert f"{RUN}/models/radiomics/refits.json" in planned  # made from the same rows

    def test_progress_tells_how_far_which_patient_and_how_long(self, finished):
        lines = [line for line in finished.printed.splitlines() if "features: patients C1-" in line]
        assert lines and all(" % " in line and "gone" in line for line in lines)
        assert any("left" in line for line in lines)

    def test_nothing_changed_nothing_runs(self, finished):
        assert finished.jobs() == {}

    def test_another_strength_of_the_signal_needs_no_new_image(self, finished):
        jobs = finished.jobs("--config", "strength=0")
        assert jobs["simulate_tables"] == 1
        assert not {"extract", "merge"} & set(jobs)
        assert not [name for name in jobs if name.startswith("simulate_simulated")]

    def test_own_patients_in_two_tables_give_the_same_features(self, finished, tmp_path):
        """The simulated cohort's folder is a cohort in our own form: read as a user's data, it gives the same numbers."""
        import pandas as pd

        mine = tmp_path / "my_hospital"
        shutil.copytree(finished.folder / COHORT, mine, ignore=shutil.ignore_patterns("extraction"))
        chosen = ["C1-001", "C2-002"]
        for name in ("participants.tsv", "images.tsv"):
            table = pd.read_csv(mine / name, sep="\t", dtype=str, keep_default_na=False)
            table[table["patient_id"].isin(chosen)].to_csv(mine / name, sep="\t", index=False)
        run = {"study": "nat_response", "cohort": "my_hospital", "until": "extraction"}
        project = Project(tmp_path / "own", {"runs": [run], "data": {"my_hospital": str(mine)}})
        project.snakemake()
        table = project.folder / "results/nat_response--default--my_hospital/features/cohort.parquet"
        simulated = pd.read_parquet(finished.folder / RUN / "features/cohort.parquet")
        expected = simulated[simulated["patient_id"].isin(chosen)].reset_index(drop=True)
        pd.testing.assert_frame_equal(pd.read_parquet(table), expected, check_exact=True)
        qc = rows(project.folder / "results/nat_response--default--my_hospital/cohort/qc.csv")
        assert "simulated" not in qc[0]

    def test_one_core_gives_the_same_bytes(self, finished, tmp_path):
        other = Project(tmp_path / "one", CONFIG)
        other.change("studies/nat_response.yaml", CHANGES)
        other.snakemake(cores=1)
        assert other.hashes() == finished.hashes()

    def test_a_replaced_mask_runs_that_patient_and_what_follows(self, finished, tmp_path):
        project = tmp_path / "replaced"
        shutil.copytree(finished.folder, project, symlinks=True)
        copy = Project.__new__(Project)
        copy.folder = project
        copy.forget(f"{COHORT}/masks")
        masks = project / COHORT / "masks/C1-003"
        shutil.copy(masks / "C1-003_DWI_reader2.nii.gz", masks / "C1-003_DWI_reader1.nii.gz")
        jobs = copy.jobs()
        assert jobs["extract"] == 1
        assert "merge" in jobs
        assert not [name for name in jobs if name.startswith("simulate")]
        copy.snakemake(f"{RUN}/cohort/qc.csv")
        logs = (project / "logs").rglob("DWI/batch_*.log")
        (log,) = [path for path in logs if "C1-003" in path.read_text()]
        assert log.read_text().startswith("1 of 6 cases were computed (C1-003)")

    def test_other_batches_give_the_same_tables_from_the_store(self, finished, tmp_path):
        project = tmp_path / "batches"
        shutil.copytree(finished.folder, project, symlinks=True)
        copy = Project.__new__(Project)
        copy.folder = project
        wanted = [f"{RUN}/cohort/qc.csv", f"{RUN}/features/cohort.parquet"]
        before = [(project / path).read_bytes() for path in wanted]
        copy.snakemake("--config", "patients_per_job=4", "--", *wanted)
        assert [(project / path).read_bytes() for path in wanted] == before
        logs = [path.read_text() for path in (project / "logs").rglob("DWI/batch_*.log")]
        assert len(logs) == 5  # 17 patients
        assert all(text.startswith("0 of ") for text in logs)

    def test_every_script_can_be_run_by_hand(self, finished):
        """The same bytes, written apart: no result changes."""

        def results():
            found = [path for path in (finished.folder / "results").rglob("*") if ".cases" not in path.parts]
            return {str(path): path.stat().st_mtime_ns for path in found}

        before = results()
        done = subprocess.run([sys.executable, "-c", EVERY_SCRIPT], cwd=finished.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        compared = json.loads(done.stdout.splitlines()[-1])
        rules = finished.folder / "workflow/rules"
        scripts = {
            path.stem: set(re.findall(r"scripts/(\w+)\.py", path.read_text(encoding="utf-8")))
            for path in rules.glob("*.smk")
        }
        of_others = scripts["evidence"] | {"import_cohort", "bring_features", "extracted", "extraction_page"}
        assert set(compared) == set().union(*scripts.values()) - of_others, (
            "the study's patients are simulated, it goes on to a report, and its evidence is asked for by name"
        )
        differing = {path for rule in compared.values() for path, how in rule.items() if how != "as the finished one"}
        assert differing == {f"{RUN}/provenance/run.json"}, "it says when the run ended"
        assert results() == before


EVERY_SCRIPT = """
import json
from pathlib import Path
from her2radiomics.engine import rerun
from her2radiomics.engine.patches import jobs

with jobs.planned(set()) as found:
    scripts = {Path(jobs.script_of(job)).stem: job for job in found if jobs.script_of(job)}
    print("\\n" + json.dumps({name: rerun.run(job) for name, job in scripts.items()}))
"""
