"""Real images and a real feature table, with cohort files alone: skipped where the data are absent."""

from __future__ import annotations

import csv
import math
import shutil

import pytest
import yaml
from workflow_run import FEW_ROUNDS, Project

from her2radiomics.cohort.sources import NO_FEATURES
from her2radiomics.core.errors import StudyError
from her2radiomics.core.settings import overlay, read_yaml
from her2radiomics.study.plan import Plan

ISPY1 = "her2_nomogram--default--ispy1_her2"
ISPY2 = "nat_response--default--ispy2"
PILOT = "nat_response--default--mama_mia_pilot"


def rows(path):
    with path.open(newline="", encoding="utf-8-sig") as stream:
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
            (patient, sequence) for patient in ("NACT_06", "DUKE_153") for sequence in ("DCE0", "DCE1", "DCE2")
        }
        assert {row["region"] for row in qc} == {"tumour_slice", "ring_3mm_slice"}
        assert "failed" not in {row["status"] for row in qc}

    def test_geometry_is_the_collections(self, project):
        """Spacing and size as the collections' notes state them."""
        qc = rows(project.folder / f"results/{PILOT}/cohort/qc.csv")
        nact = next(row for row in qc if row["patient_id"] == "NACT_06")
        assert nact["size"] == "256×256×60"
        assert [float(x) for x in nact["spacing_mm"].split("×")] == pytest.approx([0.703, 0.703, 2.0], abs=1e-3)

    def test_enhancement_rises_after_contrast(self, project):
        import pandas as pd

        features = pd.read_parquet(project.folder / f"results/{PILOT}/features/cohort.parquet").set_index("patient_id")
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
        project.change("studies/nat_response.yaml", FEW_ROUNDS)
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
            "predicts before_treatment, but the feature 'VOLUME_TUM_BLU_V20' is known only during_treatment" in printed
        )


def ispy1_plan(root, real_data, folder, study, cohort, changes=None):
    """The plan of a run on I-SPY 1, with ``changes`` laid over its cohort file; nothing is carried out."""
    data = needed(real_data / "ispy1_radiomics")
    shutil.copytree(root / "workflow", folder / "workflow")
    path = folder / f"workflow/cohorts/{cohort}.yaml"
    text = yaml.safe_dump(overlay(read_yaml(path), changes or {}), sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    config = {"runs": [{"study": study, "cohort": cohort}], "data": {cohort: str(data)}}
    (run,) = Plan(config, folder / "workflow").runs.values()
    return run


@pytest.mark.real
class TestISPY1Planned:
    """I-SPY 1 by its cohort files: who trains and who tests, and what is refused before any job.

    The counts are those of the two tables of this share, counted by hand with pandas: 109 patients with features, 106
    with HER2 (35 positive), 106 with response (28 complete).
    """

    @pytest.mark.parametrize(
        ("study", "cohort", "counts", "left_out"),
        [
            ("her2_nomogram", "ispy1_her2", {"training": (62, 20), "testing": (44, 15)}, "HER2 status unknown"),
            ("her2_nomogram", "ispy1_her2_random", {"training": (74, 24), "testing": (32, 11)}, "HER2 status unknown"),
            ("her2_nomogram", "ispy1_her2_combat", {"training": (84, 28), "testing": (22, 7)}, "HER2 status unknown"),
            (
                "nat_response",
                "ispy1_pcr",
                {"training": (63, 20), "testing": (43, 8)},
                "No surgery, or response unknown",
            ),
            (
                "nat_response",
                "ispy1_pcr_combat",
                {"training": (81, 20), "testing": (25, 8)},
                "No surgery, or response unknown",
            ),
            (
                "nat_response",
                "ispy1_pcr_random",
                {"training": (74, 20), "testing": (32, 8)},
                "No surgery, or response unknown",
            ),
        ],
    )
    def test_counts(self, root, real_data, tmp_path, study, cohort, counts, left_out):
        run = ispy1_plan(root, real_data, tmp_path, study, cohort)
        assert len(run.participants) == 148  # of the clinical table; 109 have features
        reasons = run.participants["exclude_reason"].value_counts().to_dict()
        assert reasons[""] == 106
        assert sum(reasons[reason] for reason in (left_out, NO_FEATURES)) == 42
        made = {
            name: (int((run.partition == name).sum()), int(run.labels[run.partition == name].sum()))
            for name in run.partition.unique()
        }
        assert made == counts
        features = run.dataset.data.features.columns.drop(["patient_id", "reader"])
        assert len(features) == 370  # the dropped column is the outcome of another task
        assert "Target_HRpos" not in features

    def test_no_site_is_on_both_sides(self, root, real_data, tmp_path):
        run = ispy1_plan(root, real_data, tmp_path, "her2_nomogram", "ispy1_her2")
        site = run.participants.set_index("patient_id")["centre"].loc[run.partition.index]
        assert set(site[run.partition == "training"]) == {"AAI", "AAE"}
        assert set(site[run.partition == "testing"]) == {"AAB", "AAC", "AAD", "AAG", "AAH"}

    @pytest.mark.parametrize(
        ("column", "message"),
        [
            ("longest_diameter_early", "longest_diameter_early.*during_treatment"),
            ("pcr", "pcr.*after_surgery"),
            ("rfs_days", "only known during follow-up: rfs_days"),
        ],
    )
    def test_what_is_known_later_is_refused(self, root, real_data, tmp_path, column, message):
        changes = {"protocol": {"models": {"nomogram": {"candidates": ["age", column]}}}}
        with pytest.raises(StudyError, match=message):
            ispy1_plan(root, real_data, tmp_path, "her2_nomogram", "ispy1_her2", changes)

    @pytest.mark.parametrize(
        ("unseen", "message"),
        [
            (
                {"unseen": "refuse"},
                r"testing partition: found centre 'AAB' \(18 patients\), which combat did not learn",
            ),
            (
                {"unseen": "adapt", "minimum": 20},
                "cannot adapt to centre 'AAB': found 18 patients, expected at least 20",
            ),
        ],
    )
    def test_combat_names_the_site_that_it_cannot_know(self, root, real_data, tmp_path, unseen, message):
        steps = [{"step": "combat", **unseen}, {"step": "z_score"}, {"step": "lasso"}]
        changes = {"protocol": {"models": {"radiomics": {"steps": steps}}}}
        with pytest.raises(StudyError, match=message):
            ispy1_plan(root, real_data, tmp_path, "her2_nomogram", "ispy1_her2", changes)

    def test_combat_passes_unknown_sites_through_when_told_to(self, root, real_data, tmp_path):
        steps = [{"step": "combat", "unseen": "pass_through"}, {"step": "z_score"}, {"step": "lasso"}]
        changes = {"protocol": {"models": {"radiomics": {"steps": steps}}}}
        run = ispy1_plan(root, real_data, tmp_path, "her2_nomogram", "ispy1_her2", changes)
        assert run.protocol.models["radiomics"].steps[0].unseen == "pass_through"


@pytest.mark.real
@pytest.mark.workflow
class TestISPY1:
    """I-SPY 1, HER2 by her2_nomogram: models, performance and survival, with little resampling."""

    @pytest.fixture(scope="class")
    @classmethod
    def project(cls, real_data, tmp_path_factory):
        config = {
            "runs": [{"study": "her2_nomogram", "cohort": "ispy1_her2"}],
            "data": {"ispy1_her2": str(needed(real_data / "ispy1_radiomics"))},
        }
        project = Project(tmp_path_factory.mktemp("ispy1") / "p", config)
        project.change("studies/her2_nomogram.yaml", FEW_ROUNDS)
        project.snakemake(
            f"results/{ISPY1}/models/radiomics/predictions.csv",
            f"results/{ISPY1}/models/radiomics_nomogram/predictions.csv",
            f"results/{ISPY1}/tables/table_5_survival.csv",
            f"results/{ISPY1}/figures/figure_2a_recurrence_free_survival.svg",
        )
        return project

    def test_every_step_counts_its_features(self, project):
        """Of 370 features some remain after each step; nobody read twice."""
        steps = rows(project.folder / f"results/{ISPY1}/models/radiomics/selection.csv")
        assert [row["name"] for row in steps] == [
            "numbers",
            "icc_filter",
            "variance",
            "z_score",
            "redundancy",
            "lasso",
            "logistic",
        ]
        counts = [int(steps[0]["features_in"]), *(int(row["features_out"]) for row in steps)]
        assert counts[0] == 370 and counts == sorted(counts, reverse=True)
        assert steps[1]["note"] == "not assessed: no second reader"

    def test_all_patients_are_predicted_once(self, project):
        for model in ("radiomics", "radiomics_nomogram"):
            predictions = rows(project.folder / f"results/{ISPY1}/models/{model}/predictions.csv")
            assert len({row["patient_id"] for row in predictions}) == len(predictions) == 106
            assert all(0 < float(row["probability"]) < 1 for row in predictions)

    def test_the_same_numbers_come_out_again(self, project):
        """A model made anew on one core is the same to the last byte, and so are its predictions."""
        folder = project.folder / f"results/{ISPY1}/models/radiomics"
        files = [folder / "model.json", folder / "selection.csv", folder / "predictions.csv"]
        before = [path.read_bytes() for path in files]
        shutil.rmtree(folder)
        project.snakemake(str(files[-1].relative_to(project.folder)), cores=1)
        assert [path.read_bytes() for path in files] == before

    def test_survival_by_her2_is_lifelines_on_the_source_table(self, project, real_data):
        """Events, log-rank p and survival at three years (1,095 days) from the trial's own table, by lifelines."""
        import pandas as pd
        from lifelines import KaplanMeierFitter
        from lifelines.statistics import logrank_test

        folder = real_data / "ispy1_radiomics"
        table = pd.read_csv(folder / "ispy1_clinical_outcome.csv", encoding="utf-8-sig").set_index("ID")
        table = table.loc[pd.read_csv(folder / "ispy1_captk_radiomics.csv", usecols=["ID"])["ID"]]
        positive, negative = (table[table["Her2MostPos"] == value] for value in (1, 0))
        made = {
            row["group"]: row
            for row in rows(project.folder / f"results/{ISPY1}/tables/table_5_survival.csv")
            if row["endpoint"] == "Recurrence-free survival"
        }
        for name, group in (("HER2-positive", positive), ("HER2-negative", negative)):
            assert int(made[name]["n"]) == len(group)
            assert int(made[name]["events"]) == group["rfs_ind"].sum()
            survival = KaplanMeierFitter().fit(group["RFS"], group["rfs_ind"]).predict(1095)
            assert float(made[name]["survival_at_1095"].split()[0]) == pytest.approx(100 * survival, abs=0.05)
        test = logrank_test(positive["RFS"], negative["RFS"], positive["rfs_ind"], negative["rfs_ind"])
        printed = [row["logrank_p"] for row in made.values() if row["logrank_p"]]
        assert [float(p) for p in printed] == [pytest.approx(test.p_value, abs=5e-4)]
        figure = rows(project.folder / f"results/{ISPY1}/figures/figure_2a_recurrence_free_survival.csv")
        (drawn,) = {row["p"] for row in figure if row["p"]}
        assert float(drawn) == pytest.approx(test.p_value, rel=1e-6)
