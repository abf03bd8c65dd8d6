"""Real images and a real feature table, with cohort files alone: skipped where the data are absent."""

from __future__ import annotations

import csv
import math

import pytest
from workflow_run import Project

ISPY2 = "nat_response--default--ispy2"
PILOT = "nat_response--default--mama_mia_pilot"


def rows(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def needed(folder):
    if not folder.is_dir():
        pytest.skip(f"{folder.name} is not among the real data")
    return folder


@pytest.mark.real
@pytest.mark.workflow
class TestImages:
    """NACT_06 and DUKE_153: manifest, overlays and extraction of tumour and 3 mm ring."""

    @pytest.fixture(scope="class")
    @classmethod
    def project(cls, real_data, tmp_path_factory):
        needed(real_data / "breast_mri_nact_pilot")
        needed(real_data / "duke_breast_mri_153")
        config = {
            "runs": [{"study": "nat_response", "cohort": "mama_mia_pilot", "until": "extraction"}],
            "data": {"mama_mia_pilot": str(real_data)},
        }
        project = Project(tmp_path_factory.mktemp("images") / "p", config)
        project.snakemake()
        return project

    def test_every_case_is_extracted_with_tumour_and_ring(self, project):
        qc = rows(project.folder / f"results/{PILOT}/cohort/qc.csv")
        assert {(row["patient_id"], row["sequence"]) for row in qc} == {
            (patient, sequence)
            for patient in ("NACT_06", "DUKE_153")
            for sequence in ("DCE0", "DCE1", "DCE2")
        }
        assert {row["region"] for row in qc} == {"tumour_slice", "ring_3mm_slice"}
        assert "failed" not in {row["status"] for row in qc}

    def test_geometry_is_the_collections(self, project):
        """Spacing and size as the collections' notes state them."""
        qc = rows(project.folder / f"results/{PILOT}/cohort/qc.csv")
        nact = next(row for row in qc if row["patient_id"] == "NACT_06")
        assert nact["size"] == "256×256×60"
        assert [float(x) for x in nact["spacing_mm"].split("×")] == pytest.approx(
            [0.703, 0.703, 2.0], abs=1e-3
        )

    def test_enhancement_rises_after_contrast(self, project):
        import pandas as pd

        features = pd.read_parquet(project.folder / f"results/{PILOT}/features/cohort.parquet").set_index(
            "patient_id"
        )
        assert features.shape[1] == 1 + 3 * 2 * 1125
        mean = {s: features[f"{s}__tumour_slice__original_firstorder_Mean"] for s in ("DCE0", "DCE1")}
        assert (mean["DCE1"] > 1.2 * mean["DCE0"]).all()

    def test_overlays_are_pictures(self, project):
        overlays = list((project.folder / "results/cohorts/mama_mia_pilot").rglob("DCE1.png"))
        assert len(overlays) == 2
        assert all(path.read_bytes().startswith(b"\x89PNG") for path in overlays)


@pytest.mark.real
@pytest.mark.workflow
class TestFeatureTable:
    """I-SPY 2: pCR in HER2-positive patients from features brought as a table, up to the report."""

    @pytest.fixture(scope="class")
    @classmethod
    def project(cls, real_data, tmp_path_factory):
        config = {
            "seed": 7,
            "runs": [{"study": "nat_response", "cohort": "ispy2"}],
            "data": {"ispy2": str(needed(real_data / "ispy2_mri_features"))},
        }
        project = Project(tmp_path_factory.mktemp("table") / "p", config)
        project.snakemake()
        return project

    def test_patients_are_the_papers_of_the_share(self, project):
        """62 HER2-positive patients in this share, 25 of them with pCR; sites AAI and AAN train."""
        patients = rows(project.folder / f"results/{ISPY2}/cohort/participants.csv")
        assert len(patients) == 62
        assert sum(int(row["label"]) for row in patients) == 25
        training = {row["centre"] for row in patients if row["partition"] == "training"}
        assert training == {"AAI", "AAN"}

    def test_performance_comes_with_its_interval(self, project):
        performance = rows(project.folder / f"results/{ISPY2}/tables/performance.csv")
        assert {(row["model"], row["partition"]) for row in performance} == {
            (model, partition)
            for model in ("clinical", "radiomics", "nomogram")
            for partition in ("training", "testing")
        }
        for row in performance:
            low, auc, high = (float(row[name]) for name in ("auc_low", "auc", "auc_high"))
            assert 0 <= low <= auc <= high <= 1
            assert not math.isclose(low, high)

    def test_nothing_says_simulated_and_the_departures_are_told(self, project):
        page = (project.folder / f"results/{ISPY2}/report.html").read_text(encoding="utf-8")
        assert "not assessed" in page
        assert "brought as a table" in page
        performance = (project.folder / f"results/{ISPY2}/tables/performance.csv").read_text(encoding="utf-8")
        assert "simulated" not in performance

    def test_features_measured_during_treatment_are_refused_before_it(self, project, real_data, tmp_path):
        early = Project(
            tmp_path / "early",
            {
                "runs": [{"study": "nat_response", "cohort": "ispy2"}],
                "data": {"ispy2": str(real_data / "ispy2_mri_features")},
            },
        )
        early.change("cohorts/ispy2.yaml", {"protocol": {"prediction_at": "before_treatment"}})
        printed = early.snakemake("-n", ok=False)
        assert (
            "predicts before_treatment, but the feature 'VOLUME_TUM_BLU_V20' is known only during_treatment"
            in printed
        )
