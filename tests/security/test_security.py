"""What may come in: no formula, no path out of the data's folder, no identity, no YAML or JSON that acts, no mad header."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import os
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from her2radiomics.audit.paper import AuditRow
from her2radiomics.audit.render import to_csv as audit_csv
from her2radiomics.cohort.identity import identity_in, identity_in_identifier, study_numbers
from her2radiomics.cohort.intake import is_inside
from her2radiomics.cohort.settings import Cohort
from her2radiomics.cohort.sources import CohortData, find_images, read_cohort, write_cohort
from her2radiomics.core import spreadsheets as cells
from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import CaseError, SettingsError, StudyError, TableError
from her2radiomics.core.files import whole_file
from her2radiomics.core.settings import MOST_BYTES, read_yaml, validate
from her2radiomics.core.tables import read, write
from her2radiomics.engine.jobs.case_store import case_key
from her2radiomics.imaging import read_image
from her2radiomics.imaging.formats import FORMATS
from her2radiomics.imaging.formats.itk_file import MOST_VOXELS
from her2radiomics.modelling import load_model
from her2radiomics.modelling.__main__ import main as modelling
from her2radiomics.record.crate import hash_list
from her2radiomics.record.provenance import record, without_folders
from her2radiomics.study.config import Config

FORMULAS = ("=1+1", "=cmd|' /C calc'!A0", "+1+cmd|x", "-2+3+cmd|x", "@SUM(1)", "＝1", "＠x")
OWN = Cohort(title="Mine", kind="tables")
PATIENTS = [f"P{i}" for i in range(4)]


def participants(**changes: str) -> pd.DataFrame:
    """Four patients; a change is put into the second one's cell."""
    table = pd.DataFrame(
        {"patient_id": PATIENTS, "centre": "A", "pcr": ["0", "1", "0", "1"], "exclude_reason": ""}, dtype=str
    )
    for column, value in changes.items():
        table.loc[1, column] = value
    return table


def cohort(folder: Path, table: pd.DataFrame | None = None, **image: str) -> Path:
    """A cohort on disk whose files are there; ``image`` changes the second patient's row of the manifest."""
    table = participants() if table is None else table
    manifest = pd.DataFrame({"patient_id": table["patient_id"], "sequence": "T2FS", "image": "", "mask": ""}, dtype=str)
    folder.mkdir(exist_ok=True)
    for place in range(len(manifest)):
        for name in ("image", "mask"):
            manifest.loc[place, name] = f"{name}{place}.nii.gz"
            (folder / f"{name}{place}.nii.gz").write_bytes(b"")
    for name, value in image.items():
        manifest.loc[1, name] = value
    table.to_csv(folder / "participants.tsv", sep="\t", index=False)
    manifest.to_csv(folder / "images.tsv", sep="\t", index=False)
    return folder


def refused(folder: Path, *said: str, settings: Cohort = OWN) -> TableError:
    with pytest.raises(TableError) as caught:
        read_cohort(settings, folder)
    for part in said:
        assert part in str(caught.value)
    return caught.value


class TestFormulas:
    """OWASP, CSV injection: a cell that begins with = + - @ tab or return is run by spreadsheets."""

    @pytest.mark.parametrize("value", FORMULAS)
    @pytest.mark.parametrize("column", ["centre", "exclude_reason", "partition"])
    def test_categories_are_refused_at_the_door(self, tmp_path, column, value):
        table = participants()
        table["partition"] = "training"
        table.loc[1, column] = value
        error = refused(cohort(tmp_path, table), "patient P1", f"column '{column}'", "formula")
        assert error.remedy

    @pytest.mark.parametrize("column", ["image", "mask", "sequence", "reader"])
    def test_the_manifest_is_refused_too(self, tmp_path, column):
        cohort(tmp_path)
        manifest = pd.read_csv(tmp_path / "images.tsv", sep="\t", dtype=str).assign(reader="1")
        manifest.loc[1, column] = "=1+1"
        manifest.to_csv(tmp_path / "images.tsv", sep="\t", index=False)
        refused(tmp_path, "patient P1", f"column '{column}'", "formula")

    def test_control_characters_and_turned_text_are_refused(self, tmp_path):
        refused(cohort(tmp_path, participants(centre="A\x07")), "U+0007")
        refused(cohort(tmp_path, participants(exclude_reason="no \u202egnp.exe")), "U+202E")
        refused(cohort(tmp_path, participants(exclude_reason="x" * 300)), "300 characters")

    def test_brought_feature_names_are_refused(self, tmp_path):
        participants().to_csv(tmp_path / "p.csv", index=False)
        pd.DataFrame({"patient_id": PATIENTS, "=HYPERLINK(1)": range(4)}).to_csv(tmp_path / "f.csv", index=False)
        brought = {
            "title": "x",
            "kind": "features",
            "participants": [{"file": "p.csv"}],
            "features": {"table": {"file": "f.csv"}},
        }
        refused(tmp_path, "=HYPERLINK(1)", "formula", settings=Cohort.model_validate(brought))

    def test_numbers_with_a_sign_stay_numbers(self):
        for text in ("-0.5", "+3", "-1e-05", "-1.5E+10", "-0.5 (-1.2 to 0.3)", "-inf", "-∞", "−3", "–", "a=b", ""):
            assert cells.safe_cell(text) == text
        for text in FORMULAS:
            assert cells.safe_cell(text) == f"'{text}"
            assert cells.safe_cell(cells.safe_cell(text)) == f"'{text}"  # written again, still one apostrophe

    def test_every_table_that_scripts_write(self, tmp_path):
        table = pd.DataFrame({"=a": [*FORMULAS], "n": -1.5, "text": "-1e-05", "none": None})
        who = {"patient_id": [*FORMULAS], "centre": "@c", "partition": "training", "label": 1}
        table = pd.concat([pd.DataFrame(who), table], axis=1)
        write("participants", table, tmp_path / "x.csv", simulated=True)
        rows = list(csv.reader(io.StringIO((tmp_path / "x.csv").read_text(encoding="utf-8"))))
        assert not [cell for row in rows for cell in row if cells.is_formula(cell)]
        assert [row[5:] for row in rows[1:]] == [["-1.5", "-1e-05", "", "True"]] * len(FORMULAS)
        again = read("participants", tmp_path / "x.csv")  # as the partitions are written
        write("partition_participants", again, tmp_path / "y.csv", simulated=True)
        assert (tmp_path / "y.csv").read_bytes() == (tmp_path / "x.csv").read_bytes()

    def test_categories_of_pandas_are_texts_too(self):
        table = pd.DataFrame({"a": pd.Categorical(["=1", "b"]), "b": pd.array(["@x", None], dtype="string")})
        assert cells.safe_frame(table)["a"].tolist() == ["'=1", "b"]
        assert cells.safe_frame(table)["b"].tolist()[0] == "'@x"
        assert table["a"].tolist() == ["=1", "b"]  # the caller's own is left

    def test_the_audit(self):
        row = AuditRow(**{name: "=1+1" for name in contract("audit").names} | {"verdict": "consistent"})
        cells_found = [cell for row in csv.reader(io.StringIO(audit_csv([row]))) for cell in row]
        assert "'=1+1" in cells_found and "=1+1" not in cells_found

    def test_predictions_refuse_a_formula_for_a_name(self, tmp_path):
        from her2radiomics.modelling.saved.application import read_features, read_people

        (tmp_path / "p.csv").write_text("patient_id,age\n=1+1,50\n", encoding="utf-8")
        for attempt in (lambda: read_features(tmp_path / "p.csv"), lambda: read_people(tmp_path / "p.csv", None)):
            with pytest.raises(TableError, match="formula"):
                attempt()

    def test_an_import_copies_only_what_a_protocol_names(self, tmp_path):
        table = participants().assign(name="Jane", birth_date="1962-03-04", age="50", note="=1+1")
        write_cohort(CohortData(table, find_nothing()), tmp_path, ["age", "pcr", "note"])
        written = read("registered", tmp_path / "participants.tsv")
        assert list(written) == ["patient_id", "centre", "pcr", "exclude_reason", "age", "note"]
        assert set(written["note"]) == {"'=1+1"}


def find_nothing() -> pd.DataFrame:
    return pd.DataFrame(
        {name: [] for name in ("patient_id", "sequence", "reader", "region", "image", "mask", "mask_label")}, dtype=str
    )


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        ["/etc/passwd", "../x.nii.gz", "a/../../x.nii.gz", "~/x.nii.gz", "C:\\x.nii.gz", "..\\x.nii.gz", "\\\\host\\x"],
    )
    @pytest.mark.parametrize("column", ["image", "mask"])
    def test_a_manifest_may_not_leave_the_folder(self, tmp_path, column, path):
        refused(cohort(tmp_path, **{column: path}), "patient P1", f"column '{column}'", path, "without '..'")

    def test_good_paths(self):
        assert all(map(is_inside, ("a.nii.gz", "a/b.nii.gz", "./a", "a..b/c", "é/x", "a b/c")))

    @pytest.mark.parametrize(
        "content",
        [
            {"participants": [{"file": "/etc/passwd"}]},
            {"participants": [{"file": "../p.csv"}]},
            {"images": [{"image": "../{patient}_{sequence}.nii", "masks": {}, "sequences": {}}]},
            {"images": [{"image": "{patient}.nii", "masks": {"1": "/m/{patient}.nii"}, "sequences": {}}]},
            {"images": [{"image": "{patient}.nii", "masks": {}, "region_mask": "~/{patient}.nii", "sequences": {}}]},
            {"images": [{"image": "{patient}.nii", "masks": {"1": "{patient.__class__}.nii"}, "sequences": {}}]},
            {"images": [{"image": "{patient}.nii", "masks": {"1": "{0}.nii"}, "sequences": {}}]},
        ],
    )
    def test_nor_may_a_cohort_file(self, content):
        with pytest.raises(SettingsError, match="expected"):
            validate(Cohort, {"title": "x", "kind": "tables", **content}, "mine.yaml")

    @pytest.mark.parametrize("name", ["../x", "/x", "a/b", "", ".hidden", "a b", "..", "a\n"])
    def test_names_of_runs_are_names_of_files(self, name):
        for key in ("study", "variant", "cohort"):
            with pytest.raises(SettingsError, match=key):
                validate(Config, {"runs": [{"study": "s", key: name}]}, "config.yaml")

    @pytest.mark.parametrize("section", ["sequences", "models", "variants"])
    def test_names_in_a_protocol_are_names_of_folders(self, root, section):
        from her2radiomics.study.protocol import Protocol

        content = read_yaml(root / "workflow/studies/nat_response.yaml")
        first = next(iter(content[section]))
        content[section]["../../x"] = content[section][first]
        with pytest.raises(SettingsError, match=re.escape("found the name '../../x'")):
            validate(Protocol, content, "study.yaml")

    @pytest.mark.parametrize("column", ["image", "mask"])
    def test_a_link_out_of_the_folder_is_refused(self, tmp_path, column):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere/secret.nii.gz").write_bytes(b"secret")
        folder = cohort(tmp_path / "data")
        (folder / f"{column}1.nii.gz").unlink()
        (folder / f"{column}1.nii.gz").symlink_to("../elsewhere/secret.nii.gz")
        error = refused(folder, "patient P1", f"column '{column}'", "elsewhere/secret.nii.gz")
        assert "linked_folders" in error.remedy
        archive = Cohort(title="x", kind="tables", linked_folders=[str(tmp_path / "elsewhere")])
        assert len(read_cohort(archive, folder).manifest) == 4

    def test_a_folder_that_is_a_link_is_refused(self, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere/x.nii.gz").write_bytes(b"")
        folder = cohort(tmp_path / "data", image="sub/x.nii.gz")
        (folder / "sub").symlink_to(tmp_path / "elsewhere")
        refused(folder, "patient P1", "elsewhere/x.nii.gz")

    def test_links_within_the_folder_and_a_linked_folder_are_good(self, tmp_path):
        folder = cohort(tmp_path / "data")
        (folder / "annex").mkdir()
        (folder / "image1.nii.gz").rename(folder / "annex/key")
        (folder / "image1.nii.gz").symlink_to("annex/key")
        (tmp_path / "short").symlink_to(folder)
        assert len(read_cohort(OWN, tmp_path / "short").manifest) == 4

    def test_a_slice_in_a_dicom_folder_may_not_lead_out(self, tmp_path):
        (tmp_path / "slice").write_bytes(b"x")
        folder = cohort(tmp_path / "data", image="series")
        (folder / "series").mkdir()
        (folder / "series/1.dcm").write_bytes(b"")
        assert len(read_cohort(OWN, folder).manifest) == 4
        (folder / "series/2.dcm").symlink_to(tmp_path / "slice")
        refused(folder, "patient P1", str(tmp_path / "slice"))

    def test_devices_and_pipes_are_no_images(self, tmp_path):
        folder = cohort(tmp_path)
        (folder / "image1.nii.gz").unlink()
        os.mkfifo(folder / "image1.nii.gz")
        refused(folder, "neither a file nor a folder")
        # nor does the store of cases read a file without end
        assert case_key([folder / "image1.nii.gz", Path("/dev/zero")], {})

    def test_clinical_tables_may_not_be_links_out(self, tmp_path):
        (tmp_path / "p.tsv").write_text("root:x:0:0\n", encoding="utf-8")
        folder = cohort(tmp_path / "data")
        (folder / "participants.tsv").unlink()
        (folder / "participants.tsv").symlink_to(tmp_path / "p.tsv")
        error = refused(folder, "a link to")
        assert "root:x" not in str(error)

    def test_found_images_may_not_be_links_out(self, tmp_path):
        (tmp_path / "x.nii.gz").write_bytes(b"")
        folder = tmp_path / "data"
        folder.mkdir()
        (folder / "P1_0001.nii.gz").symlink_to(tmp_path / "x.nii.gz")
        content = {
            "image": "{patient}_{sequence}.nii.gz",
            "masks": {"1": "{patient}.nii.gz"},
            "sequences": {"0001": "DCE1"},
        }
        settings = Cohort.model_validate({"title": "x", "kind": "images", "images": [content]})
        assert len(find_images(settings.images, folder)[0]) == 1
        refused(folder, "patient P1", "x.nii.gz", settings=settings)

    def test_a_result_that_is_a_link_is_replaced_and_not_followed(self, tmp_path):
        outside = tmp_path / "outside.txt"
        outside.write_text("mine", encoding="utf-8")
        (tmp_path / "results").mkdir()
        for name in ("a.csv", "model.json"):
            (tmp_path / "results" / name).symlink_to(outside)
        write("key", pd.DataFrame({"patient_id": ["P1"], "identifier": "a"}), tmp_path / "results/a.csv")
        from her2radiomics.modelling import save_model

        save_model({"a": 1}, tmp_path / "results/model.json")
        with whole_file(tmp_path / "results/a.csv") as temporary:
            temporary.write_text("x", encoding="utf-8")
        assert outside.read_text(encoding="utf-8") == "mine"
        assert not any((tmp_path / "results" / name).is_symlink() for name in ("a.csv", "model.json"))


class TestIdentity:
    @pytest.mark.parametrize(
        "identifier",
        [
            "1234567",
            "MRN00123456",
            "19620304",
            "1962-03-04",
            "04.03.1962_x",
            "a_4-3-1962",
            "Smith_Jane",
            "Mustermann",
            "müller.e",
        ],
    )
    def test_identifiers_that_look_like_identity_are_refused(self, tmp_path, identifier):
        assert identity_in_identifier(identifier)
        table = participants(patient_id=identifier)
        error = refused(cohort(tmp_path, table), f"patient {identifier}", "a pseudonym")
        assert "identifiers: numbered" in error.remedy and "identifiers: pseudonyms" in error.remedy
        if identifier != "müller.e":
            vouched = Cohort(title="x", kind="tables", identifiers="pseudonyms")
            assert identifier in set(read_cohort(vouched, tmp_path).participants["patient_id"])

    @pytest.mark.parametrize(
        "identifier",
        # of public collections: I-SPY 1 and 2, Duke, MAMA-MIA, QIN, TCGA-BRCA, ACRIN; and our own
        "1001 ISPY2-100899 ISPY1_1001 Breast_MRI_001 DUKE_922 QIN-BREAST-01-0001 TCGA-AR-A0D0 UCSF-BR-01 "
        "ACRIN-6698-102212 C1-001 P1 A".split(),
    )
    def test_usual_pseudonyms_pass(self, identifier):
        assert identity_in_identifier(identifier) == ""

    def test_reasons_and_centres_name_nobody(self, tmp_path):
        refused(cohort(tmp_path, participants(exclude_reason="withdrew 2020-03-04")), "exclude_reason", "a date")
        refused(cohort(tmp_path, participants(centre="ward 12345678")), "centre", "7 digits")
        table = participants(exclude_reason="twin of C1-007.")
        table.loc[3, "patient_id"] = "C1-007"
        refused(cohort(tmp_path, table), "a patient's identifier")
        assert identity_in("Clinical stage IV, fewer than 2 readers, 3.0 T, 2017 to 2020") == ""

    def test_study_numbers_keep_the_order(self):
        names = ["b", "a", "Z9", "a"]
        assert study_numbers(names) == {"Z9": "P001", "a": "P002", "b": "P003"}
        many = study_numbers(f"x{i:05d}" for i in range(1200))
        assert list(many.values())[:2] == ["P0001", "P0002"] and sorted(many.values()) == list(many.values())

    def test_numbered_patients_are_known_by_the_key_alone(self, tmp_path):
        table = participants(patient_id="Smith Jane 1962-03-04")
        settings = Cohort(title="x", kind="tables", identifiers="numbered")
        data = read_cohort(settings, cohort(tmp_path, table, image="Smith Jane.nii.gz"))
        assert sorted(data.participants["patient_id"]) == ["P001", "P002", "P003", "P004"]
        assert set(data.manifest["patient_id"]) == set(data.participants["patient_id"])
        assert data.key["Smith Jane 1962-03-04"] == "P004"  # sorted: P0, P2, P3, Smith
        assert data.file_names()[str(tmp_path / "Smith Jane.nii.gz")] == "P004 T2FS image"
        out = tmp_path / "out"
        write_cohort(data, out)
        key = read("key", out / "key.tsv")
        assert dict(zip(key["identifier"], key["patient_id"], strict=True)) == data.key
        assert "Smith" not in (out / "participants.tsv").read_text(encoding="utf-8")

    def test_errors_name_patients_as_the_users_tables_do(self, tmp_path):
        data = CohortData(participants(), find_nothing(), key={"Smith Jane": "P001"})
        error = data.by_identifier(TableError(file="f", patient="P001", found="a", expected="b", remedy="c"))
        assert error.patient == "Smith Jane" and "patient Smith Jane" in str(error)

    def test_the_crate_lists_numbered_files_by_number(self, tmp_path):
        (tmp_path / "Smith").mkdir()
        (tmp_path / "Smith/a.dcm").write_bytes(b"a")
        (tmp_path / "x.nii.gz").write_bytes(b"x")
        names = {str(tmp_path / "Smith"): "P002 T2FS image", str(tmp_path / "x.nii.gz"): "P001 T2FS image"}
        lines = hash_list([*names, str(tmp_path / "absent")], tmp_path, names=names).splitlines()
        assert [line.split("  ")[-1] for line in lines] == [
            "P001 T2FS image",
            "P002 T2FS image/0001",
            "# absent: absent",
        ]

    def test_the_record_of_a_run_tells_no_place(self, monkeypatch):
        monkeypatch.setenv("HER2RADIOMICS_COMMAND", "/home/jane/bin/snakemake --directory /home/jane/study --cores 2")
        content = json.loads(record({"id": "x"}, []))
        assert content["command"] == "snakemake --directory …/study --cores 2"
        assert "host" not in content and "jane" not in json.dumps(content)
        assert without_folders("snakemake results/a.csv --config seed=1") == "snakemake results/a.csv --config seed=1"


class TestSettingsFiles:
    def write(self, tmp_path: Path, text: str) -> Path:
        path = tmp_path / "x.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    @pytest.mark.parametrize(
        "tag", ["!!python/object/apply:os.system", "!!python/name:os.system", "!!python/object/new:os.system", "!x"]
    )
    def test_tags_are_refused_and_nothing_runs(self, tmp_path, tag):
        path = self.write(tmp_path, f'a: {tag} ["touch {tmp_path}/owned"]\n')
        with pytest.raises(SettingsError, match="not valid YAML"):
            read_yaml(path)
        assert not (tmp_path / "owned").exists()

    def test_billion_laughs(self, tmp_path):
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
        with pytest.raises(SettingsError, match="expand to"):
            read_yaml(self.write(tmp_path, "\n".join(lines)))

    def test_aliases_that_hold_themselves_and_deep_nesting(self, tmp_path):
        with pytest.raises(SettingsError, match="contains itself"):
            read_yaml(self.write(tmp_path, "a: &a [*a]\n"))
        with pytest.raises(SettingsError, match="nested"):
            read_yaml(self.write(tmp_path, "a: " + "[" * 5000 + "]" * 5000))

    def test_size_and_encoding(self, tmp_path):
        with pytest.raises(SettingsError, match="bytes"):
            read_yaml(self.write(tmp_path, "#" * (MOST_BYTES + 1)))
        (tmp_path / "x.yaml").write_bytes(b"a: \xff\xfe")
        with pytest.raises(SettingsError, match="not valid YAML"):
            read_yaml(tmp_path / "x.yaml")

    def test_our_own_files_are_far_from_the_limits(self, root):
        for path in (root / "workflow").rglob("*.yaml"):
            assert path.stat().st_size < MOST_BYTES / 10
            assert read_yaml(path)

    def test_no_code_loads_yaml_or_pickles_otherwise(self, root):
        unsafe = re.compile(
            r"yaml\.(unsafe_|full_)?load\(|yaml\.load_all|import pickle|joblib|\beval\(|\bexec\(|os\.system|shell=True"
        )
        for path in [*(root / "src").rglob("*.py"), *(root / "scripts").glob("*.py")]:
            assert not unsafe.search(path.read_text(encoding="utf-8")), path


def model_with(rule: object, columns: object = None) -> str:
    content = {"format": "her2radiomics model", "version": 1, "columns": columns or {}, "rule": rule}
    return json.dumps(content)


LINEAR = {"name": "x", "type": "linear", "predictors": []}
LOOP = {"left": [0], "right": [0], "feature": [0], "threshold": [0], "value": [1]}


class TestModels:
    @pytest.mark.parametrize(
        "text",
        [
            "[" * 100_000,
            model_with(LINEAR | {"intercept": 0, "predictors": [{"type": "__import__"}]}),
            model_with([], columns=[1]),
            model_with(LINEAR | {"intercept": math.nan}),
            model_with({"name": "x", "type": "forest", "predictors": [], "trees": [LOOP]}),
            "\x80\x04cos\nsystem\n",
            "null",
        ],
        ids=["deep", "unknown type", "no rule", "NaN", "a tree that loops", "a pickle", "null"],
    )
    def test_a_hostile_model_is_one_clear_error(self, tmp_path, text):
        path = tmp_path / "model.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(StudyError, match=re.escape(str(path))):
            load_model(path)

    def test_too_large_a_file_is_not_read(self, tmp_path):
        path = tmp_path / "model.json"
        with path.open("wb") as stream:
            stream.truncate(600_000_000)  # a hole: nothing is written
        with pytest.raises(StudyError, match="bytes"):
            load_model(path)

    def test_the_command_line_says_it_in_words(self, tmp_path, capsys):
        (tmp_path / "model.json").write_text("[" * 100_000, encoding="utf-8")
        assert modelling(["predict", str(tmp_path / "model.json"), "-", "-"]) == 1
        assert capsys.readouterr().err.startswith("error: ")


def nifti_header(dims: tuple[int, int, int], bits: int = 16, code: int = 4) -> bytes:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *dims, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, code, bits)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    return bytes(header)


class TestImages:
    def refused(self, path: Path, *said: str) -> CaseError:
        with pytest.raises(CaseError) as caught:
            read_image(path)
        for part in said:
            assert part in str(caught.value)
        return caught.value

    @pytest.mark.parametrize(
        "names",
        [
            "/etc/passwd",
            "../x.raw",
            "sub/x.raw",
            "LIST\nx.raw",
            "x%03d.raw 1 3 1",
            "SKIPLIST 2\nx.raw",
            "",
            "C:\\x.raw",
        ],
    )
    @pytest.mark.parametrize("field", ["data file", "datafile", "Data File"])
    def test_a_nrrd_header_opens_no_other_file(self, tmp_path, names, field):
        path = tmp_path / "x.nhdr"
        path.write_text(
            f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 8 8 8\nencoding: raw\n{field}: {names}\n", encoding="latin-1"
        )
        error = self.refused(path, "voxels lie elsewhere")
        assert "passwd" not in str(error)

    @pytest.mark.parametrize("name", ["/etc/passwd", "../x.raw", "sub/x.raw", "LIST", "x%03d.raw 1 3 1", ""])
    @pytest.mark.parametrize("ending", ["mhd", "mha"])
    def test_a_metaimage_header_opens_no_other_file(self, tmp_path, name, ending):
        path = tmp_path / f"x.{ending}"
        path.write_text(
            f"ObjectType = Image\nNDims = 3\nDimSize = 8 8 8\nElementType = MET_UCHAR\nElementDataFile = {name}\n",
            encoding="latin-1",
        )
        self.refused(path, "voxels lie elsewhere")

    def test_a_header_of_endless_comments_is_refused(self, tmp_path):
        path = tmp_path / "x.nrrd"
        path.write_text("NRRD0004\n" + "# x\n" * 20_000 + "data file: /etc/passwd\n\n", encoding="latin-1")
        self.refused(path, "voxels lie elsewhere")

    @pytest.mark.parametrize("ending", ["nhdr", "mhd", "hdr"])
    def test_voxels_beside_the_header_are_read_but_not_through_a_link(self, tmp_path, ending):
        voxels = np.random.default_rng(1).integers(0, 99, (8, 8, 8)).astype(np.uint8)
        (tmp_path / "data").mkdir()
        path = tmp_path / "data" / f"x.{ending}"
        sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path), False)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(read_image(path)), voxels)
        (body,) = [item for item in path.parent.iterdir() if item != path]
        body.rename(tmp_path / body.name)
        body.symlink_to(tmp_path / body.name)
        self.refused(path, "voxels lie elsewhere")

    def test_only_known_endings_reach_a_reader(self, tmp_path):
        volume = sitk.GetImageFromArray(np.arange(512, dtype=np.uint8).reshape(8, 8, 8))
        for ending in ("vtk", "tif", "spr", "h5", "nii.bz2", ""):
            path = tmp_path / f"x.{ending}".rstrip(".")
            path.write_bytes(b"x")
            error = self.refused(path, "the ending of no image format")
            assert all(ending in error.expected for form in FORMATS.values() for ending in form.endings)
        # and content does not choose the reader: HDF5 and VTK may name other files
        sitk.WriteImage(volume, str(tmp_path / "y.vtk"))
        (tmp_path / "y.vtk").rename(tmp_path / "y.nrrd")
        self.refused(tmp_path / "y.nrrd", "cannot be read")
        readers = {getattr(form, "itk", form.name) for form in FORMATS.values()}
        assert readers == {"NiftiImageIO", "NrrdImageIO", "MetaImageIO", "DICOM"}

    @pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "mha"])
    def test_a_header_that_claims_too_much_takes_no_memory(self, tmp_path, ending):
        """30000³ voxels would be 50 TB; the process may take 200 MB more than it has."""
        import resource

        path = tmp_path / f"x.{ending}"
        size = (30000, 30000, 30000)
        if ending.startswith("nii"):
            content = nifti_header(size) + bytes(1000)
            path.write_bytes(gzip.compress(content) if ending == "nii.gz" else content)
        elif ending == "nrrd":
            path.write_bytes(
                b"NRRD0004\ntype: short\ndimension: 3\nsizes: 30000 30000 30000\nendian: little\nencoding: raw\n\n"
                + bytes(1000)
            )
        else:
            path.write_bytes(
                b"ObjectType = Image\nNDims = 3\nDimSize = 30000 30000 30000\nElementType = MET_SHORT\n"
                b"ElementDataFile = LOCAL\n" + bytes(1000)
            )
        read_or_refuse(tmp_path)  # libraries are loaded before memory is looked at
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.refused(path)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000

    def test_a_gzip_bomb_with_a_true_checksum_takes_no_memory(self, tmp_path):
        """1024³ voxels of zero, 2 GiB from 2 MB, which the header does promise."""
        size = (1024, 1024, 1024)
        assert math.prod(size) > MOST_VOXELS
        path = tmp_path / "x.nii.gz"
        squeezer = zlib.compressobj(1, zlib.DEFLATED, 31)
        with path.open("wb") as stream:
            stream.write(squeezer.compress(nifti_header(size)))
            block = bytes(1 << 20)
            for _ in range(math.prod(size) * 2 >> 20):
                stream.write(squeezer.compress(block))
            stream.write(squeezer.flush())
        assert path.stat().st_size < 20_000_000
        self.refused(path, "1024×1024×1024 voxels", "at most 268435456")

    def test_a_stream_that_goes_on_after_the_voxels_is_left(self, tmp_path):
        path = tmp_path / "x.nii.gz"
        with gzip.open(path, "wb", compresslevel=1) as stream:
            stream.write(nifti_header((8, 8, 8)) + np.arange(512, dtype="<i2").tobytes())
            for _ in range(100):
                stream.write(bytes(1 << 20))
        self.refused(path, "decompresses to far more")

    def test_a_deflated_dicom_file_without_an_end_is_not_inflated(self, tmp_path):
        """pydicom inflates such a file whole before it looks at it."""
        import resource

        from dicom_files import plain, write
        from pydicom.uid import DeflatedExplicitVRLittleEndian

        dataset = plain(np.zeros((8, 8), np.int16))
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        write(dataset, tmp_path / "x.dcm")
        content = (tmp_path / "x.dcm").read_bytes()
        start = 144 + int.from_bytes(content[140:144], "little")
        squeezer = zlib.compressobj(1, zlib.DEFLATED, -15)
        bomb = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(300)) + squeezer.flush()
        (tmp_path / "x.dcm").write_bytes(content[:start] + bomb)
        read_or_refuse(tmp_path)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.refused(tmp_path / "x.dcm", "decompresses to far more")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000

    def test_a_dicom_header_that_claims_too_much_takes_no_memory(self, tmp_path):
        from dicom_files import classic

        def claim(dataset, index):
            dataset.Rows = dataset.Columns = 65535

        folder = classic(tmp_path / "x", np.zeros((2, 8, 8), np.int16), (1, 1, 1), (0, 0, 0), np.eye(3), claim)
        self.refused(folder, "65535×65535×2 voxels", "at most 268435456")

    def test_errors_about_dicom_tell_no_examination(self, tmp_path):
        from dicom_files import classic

        def named(dataset, index):
            dataset.PatientID = dataset.PatientName = f"SMITH^JANE{index}"
            dataset.ContentDate = dataset.StudyDate = "20190304"

        folder = classic(tmp_path / "x", np.zeros((2, 8, 8), np.int16), (1, 1, 1), (0, 0, 0), np.eye(3), named)
        error = self.refused(folder, "2 patients in one folder (of 1 and 1 files)")
        assert "SMITH" not in str(error) and "2019" not in str(error)

    def test_errors_about_dicom_print_no_name_of_a_file(self, tmp_path):
        (tmp_path / "SMITH^JANE.dcm").write_bytes(b"x" * 200)
        error = self.refused(tmp_path, "without a DICOM series")
        assert "SMITH" not in str(error)


def read_or_refuse(folder: Path) -> None:
    path = folder / "small.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(512, dtype=np.int16).reshape(8, 8, 8)), str(path))
    read_image(path)


def test_every_locked_package_is_pinned_by_hash(root):
    """``pip install --require-hashes`` takes nothing else, and the Makefile asks for it."""
    locks = sorted(root.glob("requirements*.lock"))
    assert len(locks) >= 2
    for lock in locks:
        blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8").strip())
        assert all(blocks)
        for block in blocks:
            assert re.match(r"[A-Za-z0-9_.\[\]-]+==\S+ .*\\\n", block), block.splitlines()[0]
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
            assert not re.search(r"https?://|git\+", block.split("# via")[0]), block.splitlines()[0]
    for line in (root / "Makefile").read_text(encoding="utf-8").splitlines():
        if "pip install" in line and ".lock" in line:
            assert "--require-hashes" in line or "$(INSTALL)" in line, line


def test_snakemake_itself_refuses_a_tag_in_config(tmp_path, root):
    """Snakemake reads config.yaml before the plan does."""
    from snakemake.common.configfile import load_configfile

    (tmp_path / "config.yaml").write_text(f'runs: !!python/object/apply:os.system ["touch {tmp_path}/owned"]\n')
    with pytest.raises(Exception, match="not valid JSON or YAML"):
        load_configfile(str(tmp_path / "config.yaml"))
    assert not (tmp_path / "owned").exists()
