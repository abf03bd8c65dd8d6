"""Clinical tables and public collections to participants, a page and a cohort file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import SimpleITK as sitk

from her2radiomics.cohort.settings import Cohort, TableSource
from her2radiomics.cohort.sources import read_cohort
from her2radiomics.core import settings
from her2radiomics.core.columns import Column, type_table
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.importing import collections, columns, table
from her2radiomics.importing.outcome import Target

HEADS = [
    "Patient ID",
    "Age (years)",
    "HER2 {0 = neg, 1 = pos}",
    "Grade",
    "Receptor",
    "Date of birth",
    "Surname",
    "Ki-67",
    "pCR",
]


@pytest.fixture
def clinical(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.append(HEADS)
    for n in range(24):
        receptor, grade = ["Pos", "neg", "pos "][n % 3], n % 3 + 1
        ki67 = 999 if n == 5 else 10 + n
        row = [
            f"P{n:02}",
            40.5 + n,
            n % 2,
            grade,
            receptor,
            f"19{60 + n}-03-04",
            f"Muster{n}",
            ki67,
            "" if n == 3 else n // 12,
        ]
        book.active.append(row)
    book.save(tmp_path / "clin.xlsx")
    return tmp_path / "clin.xlsx"


def source(file: Path, **options: object) -> TableSource:
    return TableSource.model_validate({"file": file.name, "id": "Patient ID", **options})


def cohort_of(path: Path) -> Cohort:
    return settings.load(Cohort, path)


def test_every_column_is_declared_or_a_comment_with_its_reason(clinical: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    outcome = table.import_table(clinical, Target(data), source(clinical), name="mine")
    cohort = cohort_of(data / "mine.yaml")
    declared = {name: Column.model_validate(content) for name, content in cohort.protocol["columns"].items()}
    assert list(declared) == ["age", "her2", "pcr"]
    assert (declared["age"].kind, declared["age"].unit, declared["age"].label) == ("continuous", "years", "Age")
    assert declared["her2"].levels == {"0": "neg", "1": "pos"}
    text = (data / "mine.yaml").read_text(encoding="utf-8")
    assert "# Age (years): continuous; 40.5 to 63.5, median 52" in text
    for words in (
        "unsure: 3 whole numbers: codes, grades or counts?",
        "unsure: 'Pos' (8) and 'pos' (8) look alike",
        "unsure: 999 may mean that nothing is known; all others are from 10 to 33: say 'missing: [999]'",
        "look: may be the label",
        "# pCR: categorical; 1 (12), 0 (11); 1 of 24 missing",
        "# Surname: values not shown",
    ):
        assert words in text, words
    page = (data / "mine_columns.html").read_text(encoding="utf-8")
    assert "Ki-67" in page and "http" not in page.replace("http-equiv", "")
    assert outcome.next.endswith("her2radiomics new study NAME --cohort mine --label her2=1")


def test_what_looks_like_identity_is_copied_nowhere(clinical: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    table.import_table(clinical, Target(data), source(clinical), name="mine")
    for path in data.rglob("*"):
        content = path.read_text(encoding="utf-8")
        assert "Muster" not in content and "-03-04" not in content, path
    heads = (data / "participants.tsv").read_text(encoding="utf-8").splitlines()[0].split("\t")
    assert heads == ["patient_id", "centre", "exclude_reason", "age", "her2", "grade", "receptor", "ki_67", "pcr"]


def test_the_cohort_can_be_read_and_typed(clinical: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    table.import_table(clinical, Target(data), source(clinical), name="mine")
    cohort = cohort_of(data / "mine.yaml")
    assert cohort.root == str(data)
    found = read_cohort(cohort, data)
    declared = {name: Column.model_validate(content) for name, content in cohort.protocol["columns"].items()}
    typed = type_table(found.participants.set_index("patient_id"), declared, file="participants.tsv")
    assert typed["age"].iloc[0] == 40.5 and typed["pcr"].isna().sum() == 1


def test_patients_whose_identifier_is_a_name_are_numbered(tmp_path: Path) -> None:
    path, data = tmp_path / "c.csv", tmp_path / "data"
    path.write_text("Patient ID;age\nMuster Anna;45,5\nBeispiel Eva;50,25\n", encoding="utf-8")
    table.import_table(path, Target(data), source(path), name="mine")
    assert (data / "participants.tsv").read_text(encoding="utf-8").splitlines()[1:] == [
        "P001\tmine\t\t50.25",
        "P002\tmine\t\t45.5",
    ]
    assert "Muster" not in (data / "mine.yaml").read_text(encoding="utf-8")
    assert "P002\tMuster Anna" in (data / "key/key.tsv").read_text(encoding="utf-8")


def test_mistakes_of_the_table_and_files_that_are_there(clinical: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with pytest.raises(TableError, match="Did you mean 'Patient ID'"):
        table.import_table(clinical, Target(data), source(clinical, id="PatientID"), name="mine")
    table.import_table(clinical, Target(data, dry_run=True), source(clinical), name="mine")
    assert not data.exists()
    table.import_table(clinical, Target(data), source(clinical), name="mine")
    with pytest.raises(StudyError, match="--force"):
        table.import_table(clinical, Target(data), source(clinical), name="mine")
    path = tmp_path / "twice.csv"
    path.write_text("Patient ID,age\nP1,45\nP1,46\n", encoding="utf-8")
    with pytest.raises(TableError, match="row 3, patient P1, column 'Patient ID': found the patient twice"):
        table.import_table(path, Target(tmp_path / "d2"), source(path), name="mine")


@pytest.mark.real
def test_duke_s_three_rows_of_headings(real_data: Path, tmp_path: Path) -> None:
    """Without a sheet the error asks for it; rows 2 and 3 together give every column a heading of its own, with codes."""
    path = real_data / "duke_clinical/Clinical_and_Other_Features.xlsx"
    with pytest.raises(TableError, match=r"sheets 'Data', 'Column Explanations'.*--sheet"):
        table.import_table(path, Target(tmp_path), source(path))
    table.import_table(path, Target(tmp_path / "d"), source(path, sheet="Data", header=[2, 3]), name="duke")
    declared = cohort_of(tmp_path / "d/duke.yaml").protocol["columns"]
    assert declared["er"]["levels"] == {"0": "neg", "1": "pos"} and declared["er"]["label"] == "ER"
    assert declared["her2"]["levels"] == {"0": "neg", "1": "pos"}  # no patient is borderline
    assert len((tmp_path / "d/participants.tsv").read_text(encoding="utf-8").splitlines()) == 612
    for content in declared.values():
        Column.model_validate(content)


@pytest.fixture
def mama_mia(tmp_path: Path) -> Path:
    """Two patients as MAMA-MIA lies on disk, folders in upper case and files in lower; one mask is missing."""
    folder = tmp_path / "MM"
    for patient in ("DUKE_001", "NACT_06"):
        for phase in range(3):
            path = folder / f"images/{patient}/{patient.lower()}_000{phase}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            sitk.WriteImage(sitk.GetImageFromArray(np.full((2, 3, 4), phase, np.int16)), str(path))
    (folder / "segmentations/expert").mkdir(parents=True)
    sitk.WriteImage(
        sitk.GetImageFromArray(np.ones((2, 3, 4), np.uint8)), str(folder / "segmentations/expert/duke_001.nii.gz")
    )
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "dataset_info"
    sheet.append(["patient_id", "dataset", "age", "hr", "er", "pr", "her2", "pcr"])
    sheet.append(["DUKE_001", "DUKE", 41, 0, 0, 0, 1, 0])
    sheet.append(["ISPY1_1001", "ISPY1", 50, 1, 1, 0, "", 1])
    book.save(folder / "clinical_and_imaging_info.xlsx")
    return folder


def test_mama_mia_as_it_lies_on_disk(mama_mia: Path, tmp_path: Path) -> None:
    outcome = collections.import_collection("mama-mia", mama_mia, Target(tmp_path / "data"))
    said = "\n".join(outcome.said)
    assert "6 images of 2 patients (2 with 3 phases)" in said and "missing: masks of 1 patients (NACT_06)" in said
    assert "1 patients have images and no clinical row (NACT_06)" in said
    assert "1 patients have a clinical row and no images here (ISPY1_1001)" in said
    cohort = cohort_of(tmp_path / "data/mama_mia_images.yaml")
    found = read_cohort(cohort, tmp_path / "data")
    by = found.manifest.set_index(["patient_id", "sequence"])
    assert by.at[("DUKE_001", "DCE2"), "mask"].endswith("segmentations/expert/duke_001.nii.gz")
    assert Path(by.at[("NACT_06", "DCE1"), "image"]).is_file() and by.at[("NACT_06", "DCE1"), "mask"] == ""
    reasons = found.participants.set_index("patient_id")["exclude_reason"]
    assert reasons["ISPY1_1001"] == "No images" and reasons["DUKE_001"] == ""
    assert outcome.next.endswith("her2radiomics new study NAME --cohort mama_mia_images --label her2=1")


def test_automatic_masks_where_there_is_no_expert_s(mama_mia: Path, tmp_path: Path) -> None:
    (mama_mia / "segmentations/expert").rename(mama_mia / "segmentations/automatic")
    outcome = collections.import_collection("mama-mia", mama_mia, Target(mama_mia))
    assert "segmentations/automatic/{patient}.nii.gz is taken for all patients" in "\n".join(outcome.said)
    text = (mama_mia / "images.tsv").read_text(encoding="utf-8")
    assert "segmentations/automatic/duke_001.nii.gz" in text and "collection/" not in text


def test_a_collection_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no such folder"):
        collections.import_collection("duke", tmp_path / "none", Target(tmp_path / "data"))
    with pytest.raises(StudyError, match="nothing of Duke-Breast-Cancer-MRI that can be used"):
        collections.import_collection("duke", tmp_path, Target(tmp_path / "data"))


@pytest.mark.real
def test_duke_and_i_spy(real_data: Path, root: Path, tmp_path: Path) -> None:
    raw, data = tmp_path / "RAW", tmp_path / "data"
    for place in ("duke_breast_mri_153/dicom", "duke_clinical"):
        for file in sorted(path for path in (real_data / place).rglob("*") if path.is_file()):
            to = raw / file.relative_to(real_data / place)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(file.read_bytes())
    outcome = collections.import_collection("duke", raw, Target(data))
    assert any("'Pathologic Response to Neoadjuvant Therapy': '5' became ''" in line for line in outcome.said)
    assert (
        "missing: boxes: no file Annotation_Boxes.xlsx or Annotation_Boxes.csv or Annotation_Boxes_row.csv"
        in outcome.said
    )
    found = read_cohort(cohort_of(data / "duke_images.yaml"), data)
    assert list(found.manifest["sequence"]) == ["DCE0", "DCE1", "DCE2"]
    assert len(found.participants) == 611
    assert found.participants.set_index("patient_id").at["Breast_MRI_153", "her2"] == "0"
    # I-SPY 2 as features: the project's own cohort, with this folder
    project = tmp_path / "project/workflow/cohorts"
    project.mkdir(parents=True)
    for name in ("ispy2.yaml",):
        (project / name).write_bytes((root / "workflow/cohorts" / name).read_bytes())
    said = collections.import_collection(
        "ispy2", real_data / "ispy2_mri_features", Target(tmp_path / "x", project=tmp_path / "project")
    )
    assert (project / "ispy2_here.yaml").is_file() and "{study: nat_response, cohort: ispy2_here}" in said.next


def test_names_of_columns_are_the_protocols(tmp_path: Path) -> None:
    """A heading that the results use, one in another script and two alike get names of their own."""
    assert columns._name("Label", {"label"}) == "label_2"
    assert columns._name("年龄", set()) == "column"
    assert columns._name("3D volume", set()) == "c_3d_volume"


def command(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from her2radiomics.cli.app import main; main()"
    env = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8"
    )


def test_the_commands_say_what_is_wrong_and_what_is_next(clinical: Path, tmp_path: Path) -> None:
    for words in ([], ["dicom"], ["masks"], ["boxes"], ["table"], ["mama-mia"]):
        shown = command("import", *words, "--help", folder=tmp_path)
        assert shown.returncode == 0 and shown.stdout.isascii() and "Usage" in shown.stdout, shown.stderr
    bad = command("import", "table", "none.xlsx", "--id", "x", folder=tmp_path)
    assert (
        bad.returncode == 1
        and bad.stderr.startswith("error: none.xlsx: found no such file")
        and "Traceback" not in bad.stderr
    )
    neither = command("import", "dicom", folder=tmp_path)
    assert neither.returncode == 1 and "import dicom --apply data/series.xlsx" in neither.stderr
    (tmp_path / "workflow/cohorts").mkdir(parents=True)
    (tmp_path / "Snakefile").touch()
    good = command("import", "table", "clin.xlsx", "--id", "Patient ID", folder=tmp_path)
    assert good.returncode == 0, good.stderr
    last = good.stdout.splitlines()[-1]
    assert last.startswith(
        "Next: read data/data_columns.html, decide what is a comment in workflow/cohorts/data.yaml, then: "
    )
    assert cohort_of(tmp_path / "workflow/cohorts/data.yaml").root == str(tmp_path / "data")
