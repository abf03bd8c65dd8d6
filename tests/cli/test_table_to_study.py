"""From one table of features and clinical columns to a planned study, by commands alone."""

from __future__ import annotations

from commands import call
from small_study import patients, small_project, write_csv

from her2radiomics.core.settings import read_yaml


def test_one_table_becomes_a_cohort_with_features_and_a_study(tmp_path, monkeypatch):
    project = small_project(tmp_path / "project")
    monkeypatch.chdir(project.folder)
    clinical, features = patients()
    names = {f"f{number}": f"original_glcm_Feature{number}" for number in range(1, 9)}
    rows = [
        {"ID": row["patient_id"], "Response": row["pcr"], "Age": row["age"], "ADC": 0.9123456789 + 0.01 * (place % 7)}
        | {names[name]: value for name, value in own.items() if name in names}
        for place, (row, own) in enumerate(zip(clinical, features, strict=True))
    ]
    write_csv(rows, tmp_path / "all.csv")
    done = call("import", "table", tmp_path / "all.csv", "--id", "ID", "--name", "ours", "--to", tmp_path / "ours")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "8 columns are image features by their names" in done.output
    cohort = read_yaml("workflow/cohorts/ours.yaml")
    assert cohort["kind"] == "features" and cohort["features"]["table"]["file"] == "features.csv"
    # decimals of a measurement are no hospital's number
    assert list(cohort["protocol"]["columns"]) == ["response", "age", "adc"]
    words = ("--cohort", "ours", "--label", "response=1", "--candidates", "age,adc")
    done = call("new", "study", "mine", *words)
    assert done.exit_code == 0, (done.output, done.exception)
    assert list(read_yaml("workflow/studies/mine.yaml")["models"]) == ["radiomics", "clinical", "combined"]
    done = call("check", "--study", "mine")
    assert done.exit_code == 0 and "Patients: 60 registered, 60 included." in done.output
