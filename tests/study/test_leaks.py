"""The outcome, row numbers, identifiers and the like that stand among brought features never become one."""

from __future__ import annotations

import pytest
from small_study import RUN, patients, planned, small_project

from her2radiomics.core.errors import StudyError

DAYS = [f"2019-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(60)]


def with_column(name, values, before=False):
    clinical, features = patients()
    made = [{name: value} for value in values]
    return clinical, [new | row if before else row | new for row, new in zip(features, made, strict=True)]


def labels():
    return [row["pcr"] for row in patients()[0]]


def run_of(project):
    return planned(project).runs[RUN]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("", range(60), "column A has no heading and is left out"),
        ("Unnamed: 0", range(1, 61), "a row number: the column without a heading"),
        ("lesion", range(60), "a row number (it counts 0, 1, 2, ...): 'lesion'"),
        ("lesion", [60 - i for i in range(60)], "a row number (it counts 1, 2, 3, ...): 'lesion'"),
        ("PatientID", range(900, 960), "an identifier: 'PatientID'"),
        ("case no", [f"P{i + 1:03d}" for i in range(60)], "an identifier (the patients' own): 'case no'"),
        ("scan", DAYS, "a date in every cell: 'scan'"),
        ("visit", [day.replace("-", "") for day in DAYS], "a date in every cell: 'visit'"),
        ("AcquisitionDate", [f"{i}" for i in range(100, 160)], "a date: 'AcquisitionDate'"),
        ("diagnostics_Image-original_Mean", [i / 7 for i in range(60)], "a diagnostic of PyRadiomics"),
        ("Mask", ["m.nii.gz"] * 60, "a setting of PyRadiomics' batch: 'Mask'"),
        ("image_mask_label", ["GTV"] * 60, "a setting of MIRP"),
        ("INFO_NameOfRoi", ["tumour"] * 60, "a heading of LIFEx"),
        ("ROILabel", [1] * 60, "a heading of CaPTk"),
        ("Segmentation", ["s"] * 60, "a heading of 3D Slicer"),
    ],
)
def test_what_is_no_feature_is_left_out_and_said(tmp_path, name, values, said):
    """Headings and row numbers: pandas issues 56129 and 9677; programs: their own documentation."""
    run = run_of(small_project(tmp_path / "p", tables=with_column(name, list(values), before=not name)))
    features = run.dataset.data.features
    assert list(features.columns) == ["patient_id", "reader", *(f"f{i}" for i in range(1, 9))]
    assert any(said in note for note in run.notes), run.notes


def test_a_vouched_column_stays(tmp_path):
    tables = with_column("label", [i % 7 / 3 for i in range(60)])
    assert "label" not in run_of(small_project(tmp_path / "p", tables=tables)).dataset.data.features
    run = run_of(small_project(tmp_path / "q", cohort={"features": {"vouched": ["label"]}}, tables=tables))
    assert "label" in run.dataset.data.features
    assert "Features that the cohort file vouches for: label." in run.notes


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("pcr", labels(), "the outcome's own column among the features"),
        ("response", labels(), "equals the outcome 'pcr' one to one"),
        ("grade", [5 - 3 * label for label in labels()], "equals the outcome 'pcr' one to one"),
        ("years", [row["age"] for row in patients()[0]], "equals the participants column 'age' one to one"),
        ("rank", [1000 - 2 * row["age"] for row in patients()[0]], "equals the participants column 'age' one to one"),
        ("score", [label + i / 100 for i, label in enumerate(labels())], "separate all 40 training patients"),
        ("size", ["" if label else 1.5 + i % 9 for i, label in enumerate(labels())], "separate all 40 training"),
    ],
)
def test_a_feature_that_gives_the_outcome_away_stops_the_run(tmp_path, name, values, said):
    """Reports: dotnet/machinelearning 737, openml/OpenML 474."""
    values = [v - i / 99 if name == "score" and i >= 40 else v for i, v in enumerate(values)]
    tables = with_column(name, values)
    with pytest.raises(StudyError) as caught:
        planned(small_project(tmp_path / "p", tables=tables))
    for word in (said, "features.csv", f"'{name}'", "drop"):
        assert word in str(caught.value)
    if name != "pcr":
        assert "vouched" in str(caught.value)
        vouching = {"features": {"vouched": [name]}}
        assert name in run_of(small_project(tmp_path / "q", cohort=vouching, tables=tables)).dataset.data.features
    dropping = {"features": {"drop": [name]}}
    assert name not in run_of(small_project(tmp_path / "r", cohort=dropping, tables=tables)).dataset.data.features


def test_the_source_of_the_outcome_is_left_out(tmp_path):
    clinical, features = with_column("Target", labels())
    clinical = [{("Target" if name == "pcr" else name): value for name, value in row.items()} for row in clinical]
    cohort = {"columns": {"pcr": {"source": "Target"}}}
    run = run_of(small_project(tmp_path / "p", cohort=cohort, tables=(clinical, features)))
    assert "Target" not in run.dataset.data.features
    assert "Left out of the features as a participants column of the cohort file: 'Target'." in run.notes


def test_separation_that_chance_explains_is_said_and_does_not_stop(tmp_path):
    """Of 400 features 400 x 2 / C(8, 4) = 11 separate 8 patients, 4 of them with events, by chance."""
    import numpy as np

    clinical, _ = patients(12)
    clinical = [row | {"centre": "north" if i < 8 else "south", "pcr": i % 2} for i, row in enumerate(clinical)]
    values = np.random.default_rng(3).normal(size=(12, 400))
    features = [
        {"patient_id": row["patient_id"]} | {f"f{k}": v for k, v in enumerate(line)}
        for row, line in zip(clinical, values, strict=True)
    ]
    (note,) = [n for n in run_of(small_project(tmp_path / "p", tables=(clinical, features))).notes if "separate" in n]
    assert "alone separate all 8 training patients" in note and "Of 400 features 11 would do so by chance" in note


def test_two_patients_with_the_same_features_are_refused(tmp_path):
    clinical, features = patients()
    features[50] = features[3] | {"patient_id": features[50]["patient_id"]}
    with pytest.raises(StudyError, match="P051: found the same value in every feature as patient P004"):
        planned(small_project(tmp_path / "p", tables=(clinical, features)))


def test_features_without_a_stated_time_are_asked_for(tmp_path):
    silent = {"features": {"available_at": None}}
    run = run_of(small_project(tmp_path / "p", cohort=silent))
    assert any(note.startswith("When are the 8 features of the table known?") for note in run.notes)
    with pytest.raises(StudyError, match="does not say when 'f2', 'f3', 'f4', 'f5', 'f6' and 2 more are known"):
        planned(
            small_project(tmp_path / "q", cohort={"features": {"available_at": {"*": None, "f1": "before_treatment"}}})
        )
    later = with_column("delta_f1", [i % 7 / 3 for i in range(60)])
    with pytest.raises(StudyError, match="does not say when 'delta_f1' are known"):
        planned(small_project(tmp_path / "r", cohort=silent, tables=later))
