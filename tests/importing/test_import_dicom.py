"""DICOM folders to a table of series, and from it to images: on files that are made here, and on the real ones."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import dicom_files
import numpy as np
import openpyxl
import pytest
import SimpleITK as sitk

from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.imaging import read_image
from her2radiomics.importing import apply, names, rules, scan, workbook
from her2radiomics.importing.outcome import Outcome, Target

SPACING, ORIGIN = (0.8, 0.7, 2.0), (-10.0, 5.0, 30.0)
#: Sagittal slices: rows run to the back, columns to the feet.
SAGITTAL = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def voxels(seed: int, slices: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 900, (slices, 6, 5), dtype=np.int16)


def series(folder: Path, number: int, description: str, seeds=(1,), direction=None, change=None, **elements) -> Path:
    """A series with a volume for each seed, told apart by ``ContentTime``, in the nested folder of an export."""
    folder.mkdir(parents=True, exist_ok=True)

    for phase, seed in enumerate(seeds):

        def alter(dataset, index, phase=phase):
            dataset.SeriesInstanceUID = f"{dicom_files.ROOT}2.{number}.{elements.get('PatientID', '')[-1:] or 0}7"
            dataset.SOPInstanceUID = f"{dicom_files.ROOT}9.{number}.{phase}.{index}.{abs(hash(str(folder))) % 10**6}"
            dataset.SeriesNumber, dataset.SeriesDescription = number, description
            dataset.StudyDate, dataset.EchoTime, dataset.RepetitionTime = "20200301", "1.4", "4.1"
            dataset.ContentTime, dataset.InstanceNumber = f"10{phase:02}30", phase * 4 + index + 1
            for keyword, value in elements.items():
                setattr(dataset, keyword, value)
            if change:
                change(dataset, index)

        dicom_files.classic(folder, voxels(seed), SPACING, ORIGIN, np.eye(3) if direction is None else direction, alter)
    return folder


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Two patients: a dynamic series of three phases with a map of it, T2, a localiser, a capture; two series alike."""
    raw = tmp_path / "RAW"
    one, two = {"PatientID": "P01"}, {"PatientID": "P02", "StudyInstanceUID": f"{dicom_files.ROOT}1.2"}
    series(raw / "a/b/c", 1, "dyn 3d vibrant", (1, 2, 3), **one)
    series(raw / "a/map", 2, "dyn 3d vibrant: SER", (4,), ImageType=["DERIVED", "PRIMARY"], **one)
    series(raw / "a/t2", 3, "t2 fs ax", (5,), SAGITTAL, RescaleSlope="2", RescaleIntercept="-10", **one)
    series(raw / "a/loc", 4, "loc", (6,), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], **one)
    series(raw / "z", 5, "t2 tse fs", (7,), **two)
    series(raw / "z/again", 6, "t2 tse fs", (8,), **two)
    (raw / "README.txt").write_text("no DICOM")
    return raw


def run(raw: Path, data: Path, **options) -> Outcome:
    return scan.import_dicom(raw, Target(data, options.pop("force", False), options.pop("dry_run", False)), **options)


def table(path: Path) -> list[dict[str, str]]:
    sheet = openpyxl.load_workbook(path)[workbook.SHEET]
    heads = [cell.value for cell in sheet[1]]
    return [dict(zip(heads, (cell.value or "" for cell in row), strict=True)) for row in sheet.iter_rows(min_row=2)]


def edit(path: Path, where: int, **cells: str) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book[workbook.SHEET]
    heads = [cell.value for cell in sheet[1]]
    for name, value in cells.items():
        sheet.cell(where, heads.index(name) + 1).value = value
    book.save(path)


def test_a_table_of_series_with_proposals_reasons_and_pictures(export: Path, tmp_path: Path) -> None:
    outcome = run(export, tmp_path / "data")
    rows = table(tmp_path / "data/series.xlsx")
    assert [(row["series"], row["sequence"], row["volume"]) for row in rows] == [
        ("1", "DCE0", "1"), ("1", "DCE1", "2"), ("1", "DCE2", "3"), ("2", "", "1"), ("3", "T2FS", "1"), ("4", "", "1"),
        ("5", "", "1"), ("6", "", "1")]  # fmt: skip
    reasons = {row["series"]: row["reason"] for row in rows}
    assert "DERIVED" in reasons["2"] and reasons["4"] == "a localiser"
    assert reasons["5"] == reasons["6"] == "2 series or phases of this patient fit T2FS: choose one"
    first, second, sagittal = rows[0], rows[1], rows[4]
    assert first["told_apart_by"] == "ContentTime" and first["volumes"] == "3" and second["after_first_s"] == "60"
    assert (first["slices"], first["matrix"], first["spacing_mm"], first["plane"]) == ("4", "5x6", "0.8x0.7x2", "axial")
    assert (first["te_ms"], first["tr_ms"], first["day"], first["study"]) == ("1.4", "4.1", "0", "1")
    assert sagittal["plane"] == "sagittal"
    sheet = openpyxl.load_workbook(tmp_path / "data/series.xlsx")[workbook.SHEET]
    assert len(sheet._images) == 8
    assert any("3 volumes, told apart by ContentTime" in line for line in outcome.said)
    assert outcome.next.endswith(f"her2radiomics import dicom --apply {tmp_path / 'data/series.xlsx'}")


def test_images_keep_voxels_scale_and_place(export: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(export, data)
    outcome = apply.apply_series(data / "series.xlsx", Target(data))
    for phase, seed in enumerate((1, 2, 3)):
        image = sitk.ReadImage(str(data / f"images/P01/DCE{phase}.nii.gz"))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels(seed))
        np.testing.assert_allclose(image.GetOrigin(), ORIGIN, atol=1e-5)
        np.testing.assert_allclose(image.GetSpacing(), SPACING, rtol=1e-6)
    turned = sitk.ReadImage(str(data / "images/P01/T2FS.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(turned), voxels(5).astype(int) * 2 - 10)
    np.testing.assert_allclose(np.reshape(turned.GetDirection(), (3, 3)), SAGITTAL, atol=1e-6)
    direct = read_image(export / "a/t2")
    assert turned.GetOrigin() == pytest.approx(direct.GetOrigin(), abs=1e-5)
    lines = (data / "images.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[1].split("\t")[:5] == ["P01", "DCE0", "1", "tumour", "images/P01/DCE0.nii.gz"] and len(lines) == 5
    assert sum(line.startswith("not chosen: P02") for line in outcome.said) == 2
    assert outcome.next == f"her2radiomics import masks FOLDER --to {data}"


def test_a_second_run_changes_nothing(export: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(export, data)
    apply.apply_series(data / "series.xlsx", Target(data))
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in data.rglob("*") if path.is_file()}
    outcome = apply.apply_series(data / "series.xlsx", Target(data))
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in data.rglob("*") if path.is_file()} == before
    assert "wrote 0 files" in " ".join(outcome.said)
    with pytest.raises(StudyError, match=r"series\.xlsx: found a file of this name .* --force"):
        run(export, data)


def test_another_image_is_not_overwritten_without_force(export: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(export, data)
    target = data / "images/P01/T2FS.nii.gz"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"mine")
    outcome = apply.apply_series(data / "series.xlsx", Target(data))
    assert target.read_bytes() == b"mine" and len(outcome.refused) == 1 and "--force" in outcome.refused[0]
    assert "T2FS" not in (data / "images.tsv").read_text(encoding="utf-8")
    assert not apply.apply_series(data / "series.xlsx", Target(data, force=True)).refused
    assert target.read_bytes() != b"mine"


def test_a_dry_run_writes_nothing(export: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    said = run(export, data, dry_run=True).said
    assert not data.exists() and "  series.xlsx" in said
    run(export, data)
    before = sorted(data.rglob("*"))
    said = apply.apply_series(data / "series.xlsx", Target(data, dry_run=True)).said
    assert sorted(data.rglob("*")) == before and "  images/P01/DCE0.nii.gz" in said


def test_edits_are_checked_by_row_and_column_all_at_once(export: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(export, data)
    path = data / "series.xlsx"
    edit(path, 2, sequence="pre contrast")
    edit(path, 4, sequence="DCE1", seconds="soon")
    edit(path, 6, patient_id="Anna Muster")
    with pytest.raises(TableError) as caught:
        apply.apply_series(path, Target(data))
    said = str(caught.value)
    for words in (
        "row 2, column 'sequence': found 'pre contrast'",
        "row 4, column 'seconds': found 'soon'",
        "row 4, column 'sequence': found 'DCE1' of patient P01 in row 3 too",
        "row 6, column 'patient_id': found 'Anna Muster'",
    ):
        assert words in said
    assert not (data / "images").exists()


def test_a_bad_patient_does_not_stop_the_others(export: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(export, data)
    edit(data / "series.xlsx", 8, sequence="T2FS", seconds="")
    for file in (export / "z").glob("*.dcm"):
        file.write_bytes(file.read_bytes()[:-40])
    outcome = apply.apply_series(data / "series.xlsx", Target(data))
    assert len(outcome.refused) == 1 and outcome.refused[0].startswith("patient P02, sequence T2FS, the DICOM folder")
    assert (data / "images/P01/T2FS.nii.gz").is_file() and not (data / "images/P02").exists()


def test_nothing_of_the_header_but_what_is_documented_is_written(tmp_path: Path) -> None:
    """Every text element of the header holds a mark of its own; none may be in any file, whatever its packing."""
    raw, data = tmp_path / "RAW", tmp_path / "data"
    marks = {
        "PatientName": "Xq1Mustermann^Anna", "PatientID": "Xq2 Muster 1960", "PatientBirthDate": "19600517",
        "AccessionNumber": "Xq3ACC", "ReferringPhysicianName": "Xq4Doctor", "InstitutionName": "Xq5Hospital",
        "StationName": "Xq6Station", "StudyDescription": "Xq7Study", "ProtocolName": "Xq8Protocol",
        "OperatorsName": "Xq9Operator", "PatientAddress": "Xq10Street", "StudyID": "Xq11", "PatientComments": "Xq12",
        "DeviceSerialNumber": "Xq13", "SoftwareVersions": "Xq14", "ManufacturerModelName": "Xq15", "Manufacturer": "Xq16",
        "StudyTime": "081133.170000", "SeriesTime": "081134.180000", "SeriesDate": "20200317", "OtherPatientIDs": "Xq18",
        "AcquisitionTime": "081135.190000", "StudyDate": "20200319", "PerformingPhysicianName": "Xq20",
        "RequestedProcedureDescription": "Xq21", "ImageComments": "Xq22", "IssuerOfPatientID": "Xq23",
    }  # fmt: skip
    series(raw / "x", 1, "t2 fs Mustermann", (1,), **marks)
    series(raw / "y", 2, "t1 ax", (2,), **marks)
    outcome = run(raw, data)
    apply.apply_series(data / "series.xlsx", Target(data))
    assert "patients are called by numbers (1 of 1 identifiers cannot be part of a file's name)" in " ".join(
        outcome.said
    )
    assert "Xq2 Muster 1960" in (data / "key/key.tsv").read_text(encoding="utf-8")
    secret = [str(value).split("^")[0] for value in marks.values()] + [
        "Mustermann",
        f"{dicom_files.ROOT}2",
        "081135",
        "0811",
    ]
    written = [path for path in data.rglob("*") if path.is_file() and path.name != "key.tsv"]
    assert {path.name for path in written} >= {"series.xlsx", "images.tsv", "T1.nii.gz", "series_files.json"}
    for path in written:
        for name, content in unpacked(path).items():
            found = [word for word in secret if word.encode() in content]
            assert not found, (path.name, name, found)


def unpacked(path: Path) -> dict[str, bytes]:
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    return {path.name: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()}


def test_numbers_of_an_earlier_import_stay() -> None:
    called, reason = names.call_patients(["Muster Anna", "Beispiel Eva"], {}, "checked")
    assert called == {"Beispiel Eva": "P001", "Muster Anna": "P002"} and "cannot be part" in reason
    again, _ = names.call_patients(["Aal Ada", "Muster Anna", "Beispiel Eva"], called, "checked")
    assert again == {"Beispiel Eva": "P001", "Muster Anna": "P002", "Aal Ada": "P003"}
    assert names.call_patients(["UCSF-BR-06", "STS_002"], {}, "checked") == (
        {"UCSF-BR-06": "UCSF-BR-06", "STS_002": "STS_002"},
        "",
    )
    assert names.call_patients(["P1234567"], {}, "checked")[0] == {"P1234567": "P001"}
    assert names.call_patients(["P1234567"], {}, "pseudonyms")[0] == {"P1234567": "P1234567"}


@pytest.mark.parametrize(
    ("archive", "description", "volume", "volumes", "b_value", "derived", "expected"),
    [
        ("duke", "ax dyn pre", 0, 1, "", False, "DCE0"),
        ("duke", "ax dyn 3rd pass", 0, 1, "", False, "DCE3"),
        ("duke", "ax 3d dyn", 0, 1, "", False, "DCE0"),
        ("duke", "Ph2ax 3d dyn", 0, 1, "", False, "DCE2"),
        ("duke", "ax t1 tse c", 0, 1, "", False, "T1"),
        ("ispy", "Sagittal-IR_3DFGRE", 2, 3, "", False, "DCE2"),
        ("ispy", "Sagittal-IR_3DFGRE: PE1", 0, 1, "", True, ""),
        ("mama-mia", "ax dyn 1st pass", 0, 1, "", False, "DCE1"),
        ("own", "ep2d_diff", 1, 2, "800", False, "DWI800"),
        ("own", "ADC map", 0, 1, "", True, "ADC"),
        ("own", "ax T2 STIR", 0, 1, "", False, "T2FS"),
        ("own", "sub dyn", 0, 1, "", False, ""),
        ("own", "spine survey", 0, 1, "", False, ""),
    ],
)
def test_rules(archive, description, volume, volumes, b_value, derived, expected) -> None:
    found = rules.propose(
        rules.read_rules(archive),
        description=description,
        volume=volume,
        volumes=volumes,
        b_value=b_value,
        derived=derived,
    )
    assert found == expected


def test_b_values_of_one_series_are_told_apart(tmp_path: Path) -> None:
    raw = tmp_path / "RAW"
    for b in (0, 800):
        series(
            raw, 7, "ep2d diff", (b,), PatientID="P01", ContentTime="100000",
            change=lambda dataset, index, b=b: (
                setattr(dataset, "DiffusionBValue", float(b)),
                setattr(dataset, "SOPInstanceUID", f"{dicom_files.ROOT}9.7.{b}.{index}"),
            ),
        )  # fmt: skip
    run(raw, tmp_path / "data")
    rows = table(tmp_path / "data/series.xlsx")
    assert [(row["sequence"], row["b_value"], row["told_apart_by"]) for row in rows] == [
        ("DWI0", "0", "DiffusionBValue"), ("DWI800", "800", "DiffusionBValue")]  # fmt: skip
    apply.apply_series(tmp_path / "data/series.xlsx", Target(tmp_path / "data"))
    assert (tmp_path / "data/images.tsv").read_text(encoding="utf-8").splitlines()[2].endswith("\t800")


def test_a_folder_without_dicom_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(StudyError, match="1 files that are no DICOM files"):
        run(tmp_path, tmp_path / "data")
    with pytest.raises(StudyError, match="no such folder"):
        run(tmp_path / "none", tmp_path / "data")


@pytest.mark.real
def test_the_public_cases(real_data: Path, tmp_path: Path) -> None:
    """Three phases of one series (by ContentTime), a series for each phase, and an image that is DERIVED."""
    raw, data = tmp_path / "RAW", tmp_path / "data"
    raw.mkdir()
    for place in ("breast_mri_nact_pilot/dicom", "duke_breast_mri_153/dicom", "sts_mr_t1/STS_002/dicom"):
        (raw / place.split("/")[0]).mkdir()
        for file in sorted((real_data / place).rglob("*.dcm")):
            to = raw / place.split("/")[0] / file.relative_to(real_data / place)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(file.read_bytes())
    run(raw, data)
    rows = table(data / "series.xlsx")
    assert [row["sequence"] for row in rows] == [
        *("DCE0", "DCE1", "DCE2"),
        "",
        "",
        "",
        *("DCE0", "DCE1", "DCE2"),
        "",
        "",
        "",
    ]
    edit(
        data / "series.xlsx",
        next(n for n, row in enumerate(rows, 2) if row["description"].endswith("T1_image")),
        sequence="T1",
    )
    apply.apply_series(data / "series.xlsx", Target(data))
    nact = real_data / "breast_mri_nact_pilot/mama_mia_layout/images/NACT_06"
    for phase in range(3):
        whole = sitk.ReadImage(str(nact / f"nact_06_000{phase}.nii.gz"))
        slab = sitk.ReadImage(str(data / f"images/UCSF-BR-06/DCE{phase}.nii.gz"))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(slab), sitk.GetArrayFromImage(whole)[18:30])
        np.testing.assert_allclose(slab.GetOrigin(), whole.TransformIndexToPhysicalPoint((0, 0, 18)), atol=1e-3)
    sts = sitk.ReadImage(str(real_data / "sts_mr_t1/STS_002/nifti/image/image.nii.gz"))
    np.testing.assert_array_equal(
        sitk.GetArrayFromImage(sitk.ReadImage(str(data / "images/STS_002/T1.nii.gz"))), sitk.GetArrayFromImage(sts)
    )
    origins = json.loads((data / "key/image_series.json").read_text(encoding="utf-8"))
    assert origins["images/Breast_MRI_153/DCE0.nii.gz"]["instances"] == [93, -1]
