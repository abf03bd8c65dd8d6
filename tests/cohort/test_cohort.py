"""Participants, manifest, importers, partitions and flow: what is accepted, and what is refused by name."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from her2radiomics.cohort.enrolment import enrol, extracted_in_words
from her2radiomics.cohort.flow import flow_table
from her2radiomics.cohort.outcome import Label, labels_of
from her2radiomics.cohort.partitions import CentrePartition, GivenPartition, RandomPartition, assign
from her2radiomics.cohort.settings import Cohort, ImagePattern
from her2radiomics.cohort.sources import find_images, read_cohort
from her2radiomics.cohort.tables import check_manifest, check_participants, read_table, type_columns
from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError, StudyError, TableError
from her2radiomics.study.config import FailedCases


def participants(**changes: list[str]) -> pd.DataFrame:
    table = {
        "patient_id": ["P1", "P2", "P3", "P4"],
        "centre": ["a", "a", "b", "b"],
        "pcr": ["1", "0", "1", "0"],
        "age": ["50", "61.5", "", "44"],
        "ki67": ["10", "20", "35", ""],
        "exclude_reason": ["", "", "", ""],
    }
    return pd.DataFrame(table | changes)


def label(column: str) -> Label:
    return Label(column=column, positive="yes", negative="no", definition="d")


COLUMNS = {
    "age": Column(label="Age", unit="years", kind="continuous"),
    "ki67": Column(label="Ki-67", kind="categorical", cut=20, levels={"low": "< 20 %", "high": "≥ 20 %"}),
}


class TestTables:
    def test_values_are_typed_and_cut(self):
        typed = type_columns(participants(), COLUMNS, "p.tsv")
        assert typed["age"].tolist()[:2] == [50.0, 61.5]
        assert pd.isna(typed.loc["P3", "age"])
        # the cut itself belongs to the upper level: 20 % counts as high, as the paper's "cut at 20 %" is commonly read
        assert typed["ki67"].tolist() == ["low", "high", "high", None]

    @pytest.mark.parametrize(
        ("changes", "parts"),
        [
            ({"patient_id": ["P1", "P1", "P3", "P4"]}, ["patient P1", "2 rows", "one row per patient"]),
            ({"patient_id": ["P1", "", "P3", "P4"]}, ["patient_id", "letters, digits"]),
            ({"patient_id": ["P1", "../x", "P3", "P4"]}, ["patient ../x", "file names"]),
            ({"centre": ["a", "", "b", "b"]}, ["patient P2", "centre", "empty cell"]),
        ],
    )
    def test_bad_participants_are_refused(self, changes, parts):
        with pytest.raises(TableError) as caught:
            check_participants(participants(**changes), ["pcr"], "p.tsv")
        assert all(part in str(caught.value) for part in ["p.tsv", *parts])

    def test_a_missing_column_names_the_nearest(self):
        with pytest.raises(TableError, match="column 'pcr'.*Did you mean 'pCR'"):
            check_participants(participants().rename(columns={"pcr": "pCR"}), ["pcr"], "p.tsv")

    @pytest.mark.parametrize("value", ["2", "", "yes", "0.5", "NA"])
    def test_a_label_that_is_not_0_or_1_is_refused(self, value):
        with pytest.raises(TableError, match="patient P2, column 'pcr'.*expected 0 or 1"):
            labels_of(participants(pcr=["1", value, "1", "0"]), label("pcr"), {}, "p.tsv")

    @pytest.mark.parametrize(("value", "expected"), [("old", "a number"), ("inf", "a number")])
    def test_a_value_of_the_wrong_type_is_refused(self, value, expected):
        with pytest.raises(TableError, match=f"patient P2, column 'age'.*expected {expected}"):
            type_columns(participants(age=["1", value, "2", "3"]), COLUMNS, "p.tsv")

    def test_a_declared_level_is_a_level_whatever_it_is_called(self):
        column = {"pcr": Column(label="x", kind="categorical", levels={"NA": "not applicable", "None": "none"})}
        typed = type_columns(participants(pcr=["NA", "None", "", "nan"]), column, "p.tsv")
        assert typed["pcr"].tolist() == ["NA", "None", None, None]

    def test_an_unknown_level_is_refused(self):
        column = {"pcr": Column(label="x", kind="categorical", levels={"0": "no", "1": "yes"})}
        with pytest.raises(TableError, match="'7'.*expected one of 0, 1"):
            type_columns(participants(pcr=["1", "7", "0", "0"]), column, "p.tsv")

    def test_reading_keeps_text_as_it_stands(self, tmp_path):
        path = tmp_path / "p.csv"
        path.write_text("\ufeffpatient_id,centre\n007, a \nNA,b\n", encoding="utf-8")
        assert read_table(path).cells.to_dict("list") == {"patient_id": ["007", "NA"], "centre": ["a", "b"]}

    def test_a_missing_table_is_an_error_that_names_it(self, tmp_path):
        with pytest.raises(TableError, match=r"p\.tsv: found no such file"):
            read_table(tmp_path / "p.tsv")


class TestManifest:
    def rows(self, **changes: list[str]) -> pd.DataFrame:
        return pd.DataFrame({"patient_id": ["P1", "P1"], "sequence": ["T2", "DWI"], "image": ["a", "b"]} | changes)

    def test_optional_columns_are_filled_in(self):
        checked = check_manifest(self.rows(reader=["", "2"]), "images.tsv")
        assert checked["reader"].tolist() == ["1", "2"]
        assert checked["region"].tolist() == ["tumour", "tumour"]

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"sequence": ["T2", "T2"], "image": ["a", "a"]}, "reader 1, region tumour twice"),
            ({"sequence": ["T2", "T2"], "reader": ["1", "2"]}, "2 images for sequence T2"),
            ({"image": ["a", ""]}, "patient P1, column 'image'"),
        ],
    )
    def test_contradictions_are_refused(self, changes, said):
        with pytest.raises(TableError, match=said):
            check_manifest(self.rows(**changes), "images.tsv")


class TestPartitions:
    labels = pd.Series([1, 0, 1, 0], index=["P1", "P2", "P3", "P4"])

    def test_centres(self):
        settings = CentrePartition(training=["a"], testing=["*"])
        found = assign(participants(), self.labels, settings, seed=1, file="p.tsv")
        assert found.to_dict() == {"P1": "training", "P2": "training", "P3": "testing", "P4": "testing"}

    def test_an_unknown_centre_is_refused(self):
        with pytest.raises(SettingsError, match="no patient belongs to centre 'c'; the cohort's centres are a, b"):
            assign(participants(), self.labels, CentrePartition(training=["c"]), seed=1, file="p.tsv")

    def test_a_centre_without_partition_is_refused(self):
        with pytest.raises(SettingsError, match="centre b belongs to no set of patients"):
            assign(participants(), self.labels, CentrePartition(training=["a"]), seed=1, file="p.tsv")

    def test_one_class_only_is_refused(self):
        labels = pd.Series([1, 0, 1, 1], index=["P1", "P2", "P3", "P4"])
        settings = CentrePartition(training=["a"], testing=["b"])
        with pytest.raises(TableError, match="one class only in the partition 'testing'"):
            assign(participants(), labels, settings, seed=1, file="p.tsv")

    def big(self) -> tuple[pd.DataFrame, pd.Series]:
        ids = [f"P{i:03}" for i in range(100)]
        table = pd.DataFrame({"patient_id": ids, "centre": ["a"] * 80 + ["b"] * 20, "exclude_reason": ""})
        table["mri_date"] = ["2020-01-01"] * 90 + ["2024-09-01"] * 10
        return table, pd.Series([1, 0, 0, 0] * 25, index=ids)

    def test_random_is_stratified_and_blind_to_the_order_of_rows(self):
        table, labels = self.big()
        settings = RandomPartition(training=0.7)
        found = assign(table, labels, settings, seed=3, file="p.tsv")
        again = assign(table.sample(frac=1, random_state=0), labels, settings, seed=3, file="p.tsv")
        assert (found == "training").sum() == 70
        assert labels[found == "training"].mean() == pytest.approx(0.25, abs=0.02)
        pd.testing.assert_series_equal(found, again.loc[found.index])

    @pytest.mark.parametrize("stratified", [True, False])
    @pytest.mark.parametrize("size", [0.7, 0.5, 1 / 3, 7, 30, 40])
    def test_the_random_draw_is_that_of_scikit_learn(self, stratified, size):
        """Exact, with and without ties between the classes (reference: ``train_test_split``)."""
        names, drawn = [f"P{i:02d}" for i in range(42)], 0
        table = pd.DataFrame({"patient_id": names, "centre": "a"})
        for seed, positive in product(range(12), (5, 14, 21, 30)):
            labels = pd.Series(0, index=names)
            labels[np.random.default_rng(seed).choice(names, positive, replace=False)] = 1
            training, _ = train_test_split(
                names, train_size=size, random_state=seed, stratify=labels if stratified else None
            )
            settings = RandomPartition(training=size, stratified=stratified)
            try:
                found = assign(table, labels, settings, seed=seed, file="p.tsv")
            except TableError:  # a part of one class is refused
                continue
            assert sorted(found.index[found == "training"]) == sorted(training)
            drawn += 1
        assert drawn > 10

    def test_held_out_centre_and_later_patients_are_external(self):
        table, labels = self.big()
        settings = RandomPartition(training=40, external_centres=["b"], external_from="2024-01-01")
        found = assign(table, labels, settings, seed=3, file="p.tsv")
        assert (found.loc[table["patient_id"][80:]] == "external").all()
        assert (found == "training").sum() == 40

    def test_a_given_partition_must_be_known(self):
        table = participants().assign(partition=["training", "train", "testing", "testing"])
        with pytest.raises(TableError, match="patient P2, column 'partition': found 'train'"):
            assign(table, self.labels, GivenPartition(), seed=1, file="p.tsv")


class TestFlow:
    def test_numbers_add_up(self):
        table = participants(exclude_reason=["", "stage_iv", "", ""])
        partition = pd.Series({"P1": "training", "P4": "training"})
        labels = pd.Series({"P1": 1, "P4": 0})
        flow = flow_table(table, {"P3": "no image"}, partition, labels, {"stage_iv": "Stage IV"})
        assert flow[["step", "excluded", "remaining"]].values.tolist() == [
            ["registered", 0, 4],
            ["excluded", 1, 3],
            ["failed", 1, 2],
            ["partition", 0, 2],
        ]
        assert flow["reason"].tolist() == ["", "Stage IV", "no image", ""]
        assert flow["events"].tolist()[-1] == 1


class TestEnrolment:
    def run(self, failed: list[str], limits: FailedCases | None = None):
        ids = [f"P{i}" for i in range(8)]
        table = pd.DataFrame(
            {"patient_id": ids, "centre": "a", "pcr": ["1", "0"] * 4, "age": "50", "exclude_reason": ""}
        )
        qc = pd.DataFrame(
            {
                "patient_id": ids,
                "sequence": "DWI",
                "reader": "1",
                "status": ["failed" if name in failed else "extracted" for name in ids],
                "reason": [f"{name} is broken" if name in failed else "" for name in ids],
            }
        )
        return enrol(
            table,
            qc,
            columns={"age": COLUMNS["age"]},
            label=label("pcr"),
            partition={name: "training" if i < 4 else "testing" for i, name in enumerate(ids)},
            exclusions={},
            failed_cases=limits or FailedCases(),
            file="p.tsv",
        )

    def test_a_failed_patient_is_left_out_and_counted(self):
        kept, flow = self.run(["P0"])
        assert "P0" not in kept["patient_id"].tolist()
        assert flow.loc[flow["step"] == "failed", "excluded"].tolist() == [1]
        assert kept.columns.tolist() == ["patient_id", "centre", "partition", "label", "age"]

    def test_too_many_failures_stop_and_are_all_listed(self):
        with pytest.raises(StudyError) as caught:
            self.run(["P0", "P3", "P5"])
        assert all(f"{name} is broken" in str(caught.value) for name in ("P0", "P3", "P5"))

    def test_a_small_share_of_many_is_borne(self):
        kept, _ = self.run(["P0", "P3", "P5"], FailedCases(count=2, share=0.5))
        assert len(kept) == 5

    def test_a_partition_left_with_one_class_is_refused(self):
        with pytest.raises(TableError, match="only one class in the partition 'training' after 2 failed"):
            self.run(["P0", "P2"])

    def test_a_second_reader_who_fails_costs_no_patient(self):
        table = participants()
        rows = [("P1", "DWI", "1", "extracted", ""), ("P1", "DWI", "2", "failed", "x")]
        qc = pd.DataFrame(rows, columns=["patient_id", "sequence", "reader", "status", "reason"])
        kept, _ = enrol(
            table, qc, columns={}, label=label("pcr"), partition=dict.fromkeys(table["patient_id"], "training"),
            exclusions={}, failed_cases=FailedCases(), file="p.tsv",
        )  # fmt: skip
        assert len(kept) == 4

    def test_a_patient_whom_the_reference_reader_did_not_outline_fails_and_is_named(self):
        table = participants()
        names = table["patient_id"]
        qc = pd.DataFrame({"patient_id": names, "sequence": "DWI", "reader": "1", "status": "extracted", "reason": ""})
        qc.loc[qc["patient_id"] == "P1", "reader"] = "2"
        kept, flow = enrol(
            table, qc, columns={}, label=label("pcr"), partition=dict.fromkeys(names, "training"),
            exclusions={}, failed_cases=FailedCases(), file="p.tsv",
        )  # fmt: skip
        assert "P1" not in set(kept["patient_id"])
        assert flow.loc[flow["step"] == "failed", "excluded"].tolist() == [1]
        said = extracted_in_words(qc, names)
        assert "P1 (DWI: found outlines of reader 2, none of reader 1, whose train and test)" in said


class TestImporters:
    def test_images_are_found_whatever_the_case(self, tmp_path):
        for name in ("images/DUKE_001/duke_001_0000.nii.gz", "images/DUKE_001/duke_001_0001.nii.gz",
                     "images/DUKE_001/duke_001_0007.nii.gz", "seg/duke_001.nii.gz"):  # fmt: skip
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        pattern = ImagePattern(
            image="images/{patient}/{patient}_{sequence}.nii.gz",
            masks={"1": "seg/{patient}.nii.gz"},
            sequences={"0000": "DCE0", "0001": "DCE1"},
        )
        found, _ = find_images([pattern], tmp_path)
        assert found["patient_id"].tolist() == ["DUKE_001", "DUKE_001"]
        assert found["sequence"].tolist() == ["DCE0", "DCE1"]
        assert found["mask"].iloc[0] == str(tmp_path / "seg/duke_001.nii.gz")

    def test_no_image_is_an_error_that_shows_the_pattern(self, tmp_path):
        pattern = ImagePattern(
            image="i/{patient}_{sequence}.nii", masks={"1": "m/{patient}.nii"}, sequences={"0": "T2"}
        )
        with pytest.raises(TableError, match="no image that fits"):
            find_images([pattern], tmp_path)

    def features(self, tmp_path, rows: str):
        (tmp_path / "f.csv").write_text("id,reader,x,y\n" + rows)
        (tmp_path / "p.csv").write_text("id,site,HER2,response\nP1,a,1,complete\nP2,b,0,partial\n")
        cohort = Cohort.model_validate(
            {
                "title": "t",
                "kind": "features",
                "participants": [{"file": "p.csv", "id": "id"}],
                "columns": {"centre": {"source": "site"}, "pcr": {"source": "response", "recode": {"comp*": "1", "*": "0"}}},
                "keep": [{"column": "HER2", "keep": ["1"], "reason": "HER2-negative"}],
                "features": {"table": {"file": "f.csv", "id": "id"}, "reader": "reader", "drop": ["y"]},
            }
        )  # fmt: skip
        return read_cohort(cohort, tmp_path)

    def test_brought_features_and_mapped_columns(self, tmp_path):
        data = self.features(tmp_path, "P1,1,0.5,z\nP1,2,0.6,z\nP2,1,,z\n")
        assert data.features.columns.tolist() == ["patient_id", "reader", "x"]
        assert data.participants["pcr"].tolist() == ["1", "0"]
        assert data.participants["exclude_reason"].tolist() == ["", "HER2-negative"]

    def test_a_feature_that_is_no_number_names_patient_and_column(self, tmp_path):
        with pytest.raises(TableError, match="patient P2, column 'x': found 'big'"):
            self.features(tmp_path, "P1,1,0.5,z\nP2,1,big,z\n")

    def test_a_feature_row_given_twice_is_refused(self, tmp_path):
        with pytest.raises(TableError, match="patient P1: found the patient twice with the same reader"):
            self.features(tmp_path, "P1,1,0.5,z\nP1,1,0.6,z\n")
