"""What planning says and refuses: who and what was found, files that are not there, one bad run beside a good one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_study import RUN, patients, planned, small_project, write_csv

from her2radiomics.cohort.enrolment import extracted_in_words
from her2radiomics.cohort.same_images import refuse_same_voxels
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.evidence.orders import left_out
from her2radiomics.study import evidence_files
from her2radiomics.study.config import for_extraction, read_config
from her2radiomics.study.summary import summary

SEQUENCE = {"DCE1": {"label": "DCE1", "regions": ["tumour_slice"], "parameters": "features_1125_2d", "features": 1125}}
OF_IMAGES = {"kind": "tables", "features": None, "participants": None}


def of_images(folder, n=8, there=(), **config):
    """The small study on a manifest of eight patients; images and masks of those who are there."""
    clinical, _ = patients(n)
    clinical = [row | {"pcr": i % 2, "centre": "north" if i < n // 2 else "south"} for i, row in enumerate(clinical)]
    project = small_project(
        folder, study={"sequences": SEQUENCE}, cohort=OF_IMAGES, tables=(clinical, clinical), **config
    )
    (folder / "data/clinical.csv").rename(folder / "data/participants.tsv")
    rows = [
        {"patient_id": row["patient_id"], "sequence": "DCE1"}
        | {what: f"{what}s/{row['patient_id']}.nii.gz" for what in ("image", "mask")}
        for row in clinical
    ]
    write_csv(rows, folder / "data/images.tsv")
    for i in there:
        for what in ("image", "mask"):
            path = folder / "data" / rows[i][what]
            path.parent.mkdir(exist_ok=True)
            path.touch()
    return project


def test_the_summary_speaks_of_patients_outcome_columns_and_time(tmp_path):
    text = summary(planned(small_project(tmp_path / "p")).runs[RUN], 2)
    for words in (
        "Patients: 60 registered, 60 included.",
        "Centre north: 40 training.",
        "Centre south: 20 testing.",
        "Outcome (pcr): training 16 pCR, 24 non-pCR; testing 8 pCR, 12 non-pCR.",
        "Age (years) (age): ",
        "Ki-67 (ki67): low ",
        "on 2 cores.",
    ):
        assert words in text, text


def test_every_path_is_looked_at(tmp_path):
    plan = planned(of_images(tmp_path / "p", there=range(7)))
    plan.check_files()  # one of eight: recorded, left out, and said
    assert "Files that are not there, of 1 patients:" in summary(plan.runs[RUN], 1)
    plan = planned(of_images(tmp_path / "q", there=range(5)))
    with pytest.raises(StudyError) as caught:
        plan.check_files()
    assert "found no file for 3 of 8 patients" in str(caught.value) and "images/P006.nii.gz" in str(caught.value)


def test_one_bad_run_does_not_stop_the_others(tmp_path):
    runs = [{"study": "small", "cohort": "mine"}, {"study": "small", "cohort": "other"}]
    project = small_project(tmp_path / "p", runs=runs)
    plan = planned(project)
    assert list(plan.runs) == [RUN] and list(plan.refused) == ["small--default--other"]
    assert "results/small--default--other/refused.txt" in plan.targets("all")
    with pytest.raises(StudyError, match="other.yaml: no such file"):
        planned(small_project(tmp_path / "q", runs=runs[1:]))


def test_an_order_as_published_is_that_of_a_model_of_the_study(tmp_path):
    """A name in no model is refused; a model that the cohort leaves out is not."""
    order = {"on_all": [{"step": "z_score"}], "source": "made up"}
    wrong = {"evidence": {"as_published": {"radiomic": order}}}
    with pytest.raises(
        StudyError, match="found the model 'radiomic', which it does not have; did you mean 'radiomics'"
    ):
        planned(small_project(tmp_path / "p", wrong))
    right = {"evidence": {"as_published": {"clinical": {"source": "made up", "choice_on_all": True}}}}
    without = {"protocol": {"models": {"clinical": None}}}
    run = planned(small_project(tmp_path / "q", right, without)).runs[RUN]
    assert list(run.protocol.models) == ["radiomics"]
    assert left_out(evidence_files.facts(run, 7)) == "The order of clinical is not compared: this run leaves it out."


def test_an_extraction_needs_its_sequences_alone(tmp_path):
    project = of_images(tmp_path / "p", request={"until": "extraction"})
    path = project.folder / "workflow/studies/small.yaml"
    path.write_text(yaml.safe_dump({"title": "Images", "sequences": SEQUENCE}), encoding="utf-8")
    plan = planned(project)
    plan.check_files()  # goes on whatever is missing: it is made to see what can be extracted
    made = plan.targets("all")
    assert {f"results/{RUN}/{name}" for name in ("extraction.html", "cohort/extracted.txt", "overlays")} <= set(made)
    assert for_extraction({"title": "x"})["title"] == "x"


def test_the_sentence_at_the_end_says_who_failed_and_why():
    rows = [("P1", "T1", "extracted", ""), ("P2", "T1", "failed", "no mask"), ("P3", "T1", "warned", "few levels")]
    qc = pd.DataFrame(rows, columns=["patient_id", "sequence", "status", "reason"]).assign(reader="1")
    assert extracted_in_words(qc, ["P1", "P2", "P3"]) == "2 of 3 patients extracted, 1 failed: P2 (no mask)"
    assert extracted_in_words(qc, ["P1", "P3"]) == "2 of 2 patients extracted, 0 failed."


def test_the_same_voxels_under_two_names_are_refused():
    qc = pd.DataFrame(
        [
            ("A", "DCE1", "a.nii", "1"),
            ("B", "DCE1", "b.nii", "2"),
            ("C", "DCE1", "c.nii", "1"),
            ("D", "DCE1", "d.nii", ""),
        ],
        columns=["patient_id", "sequence", "image", "image_hash"],
    )
    with pytest.raises(StudyError, match=r"patient A, sequence DCE1 \(a.nii\) and patient C, sequence DCE1 \(c.nii\)"):
        refuse_same_voxels(qc, {})
    refuse_same_voxels(qc, {"A": "W1", "C": "W1"})  # two lesions of one woman
    with pytest.raises(StudyError, match="sequence DCE1 .* sequence DCE2"):
        refuse_same_voxels(qc.assign(patient_id="A", sequence=["DCE1", "DCE0", "DCE2", "DCE3"]), {})


def test_the_same_path_under_two_patients_is_refused(tmp_path):
    project = of_images(tmp_path / "p", there=range(8))
    path = project.folder / "data/images.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace("images/P002", "./images/P001"), encoding="utf-8")
    with pytest.raises(StudyError, match="patient P002, column 'image'.*also the image of patient P001"):
        planned(project)


def test_what_the_report_links_to_is_a_target(tmp_path):
    made = set(planned(small_project(tmp_path / "p")).targets("all"))
    run = f"results/{RUN}"
    assert {f"{run}/models/radiomics/model.json", f"{run}/cohort/flow.csv", f"{run}/features/training.parquet"} <= made


def test_config_is_read_by_the_reader_of_all_settings(tmp_path):
    path, more = tmp_path / "config.yaml", tmp_path / "more.yaml"
    path.write_text("seed: 1\nruns: [{study: no}]\n", encoding="utf-8")
    more.write_text("seed: 2\n", encoding="utf-8")
    assert read_config(path, more=[more], laid_over={"size": "demo"}) == {
        "seed": 2,
        "runs": [{"study": "no"}],
        "size": "demo",
    }
    more.write_text("seed: 2\nseed: 3\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"more.yaml, line 2: the key 'seed' is given twice"):
        read_config(path, more=[more])


@pytest.mark.workflow
@pytest.mark.parametrize("name", ["OneDrive - Hospital (v1)", "Müller's [x] 100% & Co #1"])
def test_the_folder_may_be_called_as_it_likes(tmp_path, name):
    """Report: snakemake issue 2645. The environment lies in the folder; packages of PYTHONPATH are left out."""
    project = small_project(tmp_path / name)
    (project.folder / ".venv").symlink_to(sys.prefix)
    foreign = tmp_path / "modules"
    shutil.copytree(Path(yaml.__file__).parent, foreign / "lifelines")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(project.folder / "src"), str(foreign)])}
    target = f"results/{RUN}/cohort/participants.csv"
    command = [str(project.folder / ".venv/bin/python"), "-m", "snakemake", target]
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project.folder / target).is_file()
    assert f"{foreign}: left out of PYTHONPATH" in done.stdout + done.stderr


def test_a_purely_clinical_study_needs_no_feature_table(tmp_path):
    clinical = {"models": {"radiomics": None}, "primary_model": "clinical"}
    project = small_project(tmp_path / "p", study=clinical, cohort={"features": None})
    run = planned(project).runs[RUN]
    assert not run.extracted and list(run.dataset.data.features) == ["patient_id", "reader"]
    with pytest.raises(StudyError, match=r"models.radiomics uses image features"):
        planned(small_project(tmp_path / "q", cohort={"features": None}))
