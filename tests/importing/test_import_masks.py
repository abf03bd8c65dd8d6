"""Masks and boxes onto imported images: by the series they refer to, by name, by geometry; on made and real files."""

from __future__ import annotations

from pathlib import Path

import mask_files
import numpy as np
import openpyxl
import pytest
import SimpleITK as sitk

from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.importing import boxes, masks, scan
from her2radiomics.importing.apply import apply_series
from her2radiomics.importing.manifest import image_row, read_manifest, write_manifest, write_origins
from her2radiomics.importing.outcome import Target
from her2radiomics.importing.series import mark_of
from her2radiomics.importing.tumour_volume import import_tumour_volume

INSIDE = np.zeros((6, 12, 10), np.uint8)
INSIDE[2:4, 3:8, 2:6] = 1


def image(seed: int, shift: float = 0.0) -> sitk.Image:
    made = sitk.GetImageFromArray(np.random.default_rng(seed).integers(0, 500, INSIDE.shape, dtype=np.int16))
    made.SetSpacing((0.8, 0.8, 2.0))
    made.SetOrigin((-20.0 + shift, -10.0, 15.0))
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """P01 with two phases on one grid and T2 on another, P02 with one image."""
    folder, rows = tmp_path / "data", []
    for patient, sequence, shift in (("P01", "DCE0", 0), ("P01", "DCE1", 0), ("P01", "T2", 5.3), ("P02", "DCE0", 0)):
        name = f"images/{patient}/{sequence}.nii.gz"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image(len(rows), shift), str(folder / name))
        rows.append(image_row(patient, sequence, name))
    write_manifest(rows, Target(folder))
    return folder


def label_map(path: Path, voxels: np.ndarray = INSIDE, shift: float = 0.0) -> Path:
    made = sitk.GetImageFromArray(voxels)
    made.CopyInformation(image(0, shift))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(made, str(path))
    return path


def named(folder: Path) -> dict[tuple[str, ...], str]:
    return {(r["patient_id"], r["sequence"], r["reader"], r["region"]): r["mask"] for r in read_manifest(folder)}


def read(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_nifti_by_the_names_in_its_path(data: Path, tmp_path: Path) -> None:
    label_map(tmp_path / "m/P01_DCE1.nii.gz")
    label_map(tmp_path / "m/sub/p02.nii.gz")
    label_map(tmp_path / "m/P99.nii.gz")
    outcome = masks.import_masks(tmp_path / "m", Target(data), masks.Wanted())
    found = named(data)
    assert (
        found["P01", "DCE1", "1", "tumour"] == "masks/P01/DCE1_reader1.nii.gz"
        and not found["P01", "DCE0", "1", "tumour"]
    )
    np.testing.assert_array_equal(read(data / found["P02", "DCE0", "1", "tumour"]), INSIDE)
    assert outcome.next.startswith("her2radiomics import table CLINICAL.xlsx")
    assert f"her2radiomics extract {data}/images.tsv" in outcome.next


def test_a_pattern_and_a_second_reader(data: Path, tmp_path: Path) -> None:
    label_map(tmp_path / "r1/one-P01.nii.gz")
    masks.import_masks(tmp_path / "r1", Target(data), masks.Wanted(sequences=("DCE0", "DCE1")))
    label_map(tmp_path / "r2/P01/DCE1/x.nii.gz", np.roll(INSIDE, 1, axis=1))
    outcome = masks.import_masks(
        tmp_path / "r2", Target(data), masks.Wanted(reader="2", pattern="{patient}/{sequence}/x.nii.gz")
    )
    found = named(data)
    assert (
        found["P01", "DCE1", "2", "tumour"] == "masks/P01/DCE1_reader2.nii.gz" and found["P01", "DCE0", "1", "tumour"]
    )
    assert ("P01", "DCE0", "2", "tumour") not in found
    assert any(line.startswith("no mask of reader 2") for line in outcome.said)


def test_a_mask_that_does_not_fit_is_refused_by_name_and_the_others_go_on(data: Path, tmp_path: Path) -> None:
    label_map(tmp_path / "m/P01_DCE0.nii.gz", shift=0.4)
    label_map(tmp_path / "m/P02.nii.gz")
    outcome = masks.import_masks(tmp_path / "m", Target(data), masks.Wanted())
    assert named(data)["P02", "DCE0", "1", "tumour"] and not named(data)["P01", "DCE0", "1", "tumour"]
    (refused,) = outcome.refused
    assert refused.startswith("DCE0: patient P01, reader 1, P01_DCE0.nii.gz: found") and "origin" in refused


def test_another_mask_is_not_overwritten_without_force(data: Path, tmp_path: Path) -> None:
    label_map(tmp_path / "m/P02.nii.gz")
    masks.import_masks(tmp_path / "m", Target(data), masks.Wanted())
    label_map(tmp_path / "m/P02.nii.gz", np.roll(INSIDE, 1, axis=1))
    with pytest.raises(StudyError, match="--force"):
        masks.import_masks(tmp_path / "m", Target(data), masks.Wanted())
    np.testing.assert_array_equal(read(data / "masks/P02/DCE0_reader1.nii.gz"), INSIDE)
    masks.import_masks(tmp_path / "m", Target(data, force=True), masks.Wanted())
    np.testing.assert_array_equal(read(data / "masks/P02/DCE0_reader1.nii.gz"), np.roll(INSIDE, 1, axis=1))


def test_a_reader_is_no_path(data: Path, tmp_path: Path) -> None:
    label_map(tmp_path / "m/P02.nii.gz")
    with pytest.raises(StudyError, match=r"found '\.\./x'"):
        masks.import_masks(tmp_path / "m", Target(data), masks.Wanted(reader="../x"))
    assert not (data / "masks").exists()


def test_a_dry_run_checks_and_writes_nothing(data: Path, tmp_path: Path) -> None:
    label_map(tmp_path / "m/P02.nii.gz")
    before = (data / "images.tsv").read_bytes()
    said = masks.import_masks(tmp_path / "m", Target(data, dry_run=True), masks.Wanted()).said
    assert "  masks/P02/DCE0_reader1.nii.gz" in said and not (data / "masks").exists()
    assert (data / "images.tsv").read_bytes() == before


def test_a_segmentation_goes_to_the_series_that_it_refers_to(data: Path, tmp_path: Path) -> None:
    """SEG by highdicom: two segments, so that --segment is asked for with their names."""
    seg = mask_files.dicom_seg(image(0), {"Lesion": INSIDE, "Other mass": np.roll(INSIDE, 2, axis=1)})
    seg.PatientID = "P01"
    (tmp_path / "m").mkdir()
    seg.save_as(tmp_path / "m/seg.dcm")
    uid = seg.ReferencedSeriesSequence[0].SeriesInstanceUID
    source = {"series": mark_of(uid), "patient": "P01", "instances": None}
    write_origins({f"images/P01/{name}.nii.gz": source for name in ("DCE0", "DCE1")}, Target(data))
    with pytest.raises(StudyError, match=r"1 'Lesion', 2 'Other mass'.*--segment"):
        masks.import_masks(tmp_path / "m", Target(data), masks.Wanted())
    outcome = masks.import_masks(tmp_path / "m", Target(data), masks.Wanted(segment="lesion"))
    assert "P01: seg.dcm on DCE0, DCE1" in outcome.said
    found = named(data)
    np.testing.assert_array_equal(read(data / found["P01", "DCE1", "1", "tumour"]), INSIDE)
    assert not found["P01", "T2", "1", "tumour"] and not found["P02", "DCE0", "1", "tumour"]


def test_a_segmentation_of_an_unknown_series_goes_where_it_fits(data: Path, tmp_path: Path) -> None:
    contours = mask_files.outlines(INSIDE)
    (tmp_path / "m").mkdir()
    path = mask_files.structure_set(tmp_path / "m/rs.dcm", image(0), {"GTV": contours})
    dataset = mask_files.pydicom.dcmread(path)
    dataset.PatientID = "P01"
    dataset.save_as(path)
    outcome = masks.import_masks(tmp_path / "m", Target(data), masks.Wanted(sequences=("DCE1",)))
    assert not outcome.refused
    np.testing.assert_array_equal(read(data / named(data)["P01", "DCE1", "1", "tumour"]), INSIDE)


def test_slicer_and_a_breast_mask(data: Path, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    mask_files.slicer(tmp_path / "m/P02.seg.nrrd", image(0), [INSIDE], [("Breast", 0, 1)])
    masks.import_masks(tmp_path / "m", Target(data), masks.Wanted(segment="Breast", region="breast"))
    found = named(data)
    assert (
        found["P02", "DCE0", "1", "breast"] == "masks/P02/DCE0_reader1_breast.nii.gz"
        and not found["P02", "DCE0", "1", "tumour"]
    )


def box_table(path: Path, **cells: object) -> Path:
    book = openpyxl.Workbook()
    heads = ["Patient ID", "Start Row", "End Row", "Start Column", "End Column", "Start Slice", "End Slice"]
    book.active.append(heads)
    book.active.append(
        [cells.get(name.replace(" ", "_"), value) for name, value in zip(heads, ["P02", 4, 8, 3, 6, 3, 4], strict=True)]
    )
    book.save(path)
    return path


def test_boxes_follow_instance_numbers_from_superior(data: Path, tmp_path: Path) -> None:
    """Slices 3 to 4 from the top of six are the slices 2 and 3 from the bottom (from 0), as in INSIDE."""
    origin = {"series": "x", "patient": "P02", "instances": [6, -1]}
    write_origins({"images/P02/DCE0.nii.gz": origin}, Target(data))
    outcome = boxes.import_boxes(box_table(tmp_path / "b.xlsx"), Target(data))
    np.testing.assert_array_equal(read(data / named(data)["P02", "DCE0", "1", "tumour"]), INSIDE)
    assert any("from superior to inferior (1 to 6 are here)" in line for line in outcome.said)


def test_boxes_of_an_image_that_does_not_say_its_order(data: Path, tmp_path: Path) -> None:
    path = box_table(tmp_path / "b.xlsx", Start_Slice=1, End_Slice=2)
    with pytest.raises(StudyError, match=r"--first-slice superior or --first-slice inferior"):
        boxes.import_boxes(path, Target(data))
    boxes.import_boxes(path, Target(data), counting=boxes.Counting(first="superior"))
    assert read(data / "masks/P02/DCE0_reader1.nii.gz").any(axis=(1, 2)).nonzero()[0].tolist() == [4, 5]
    boxes.import_boxes(path, Target(data, force=True), counting=boxes.Counting(first="inferior"))
    assert read(data / "masks/P02/DCE0_reader1.nii.gz").any(axis=(1, 2)).nonzero()[0].tolist() == [0, 1]


def test_boxes_out_of_the_image_are_refused_or_cut(data: Path, tmp_path: Path) -> None:
    path, counting = box_table(tmp_path / "b.xlsx", End_Row=14), boxes.Counting(first="superior")
    with pytest.raises(StudyError, match=r"a box over the rows 4 to 14, and an image of rows 1 to 12"):
        boxes.import_boxes(path, Target(data), counting=counting)
    boxes.import_boxes(path, Target(data), counting=boxes.Counting(first="superior", clip=True))
    assert read(data / "masks/P02/DCE0_reader1.nii.gz").any(axis=(0, 2)).nonzero()[0].tolist() == list(range(3, 12))


def test_cells_of_boxes_are_checked_at_once(tmp_path: Path) -> None:
    with pytest.raises(TableError) as caught:
        boxes.read_boxes(box_table(tmp_path / "b.xlsx", Start_Row="x", End_Slice=1), "Patient ID")
    assert "column 'Start Row': found 'x'" in str(caught.value)
    assert "column 'End Slice': found '1'; expected Start Slice or more" in str(caught.value)


def test_a_manifest_with_columns_of_the_user_is_not_rewritten(data: Path, tmp_path: Path) -> None:
    path = data / "images.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join([f"{lines[0]}\tremark", *(f"{line}\tmine" for line in lines[1:])]) + "\n", encoding="utf-8"
    )
    label_map(tmp_path / "m/P02.nii.gz")
    with pytest.raises(StudyError, match=r"found columns that no manifest has \(remark\)"):
        masks.import_masks(tmp_path / "m", Target(data), masks.Wanted())


def copied(source: Path, target: Path) -> Path:
    for file in sorted(source.rglob("*.dcm")):
        to = target / file.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(file.read_bytes())
    return target


@pytest.mark.real
def test_a_structure_set_of_another_series_equals_the_published_mask(real_data: Path, tmp_path: Path) -> None:
    """STS_002: the RTSTRUCT names the series of before a re-export; IBSI publishes the mask as NIfTI."""
    raw, data = copied(real_data / "sts_mr_t1/STS_002/dicom", tmp_path / "RAW"), tmp_path / "data"
    rules = tmp_path / "rules.yaml"
    rules.write_text("title: IBSI\nrules: [{sequence: T1, description: T1_image, derived: true}]\n", encoding="utf-8")
    scan.import_dicom(raw, Target(data), rules=str(rules))
    apply_series(data / "series.xlsx", Target(data))
    masks.import_masks(raw, Target(data), masks.Wanted())
    published = read(real_data / "sts_mr_t1/STS_002/nifti/mask/mask.nii.gz") > 0
    np.testing.assert_array_equal(read(data / "masks/STS_002/T1_reader1.nii.gz") > 0, published)


@pytest.mark.real
def test_the_functional_tumour_volume_equals_the_counted_one(real_data: Path, tmp_path: Path) -> None:
    """NACT_06: the mask of the whole volume has the collection's own count, 41105 voxels; slices 18 to 29 of it are here."""
    raw, data = copied(real_data / "breast_mri_nact_pilot/dicom", tmp_path / "RAW"), tmp_path / "data"
    scan.import_dicom(raw, Target(data))
    apply_series(data / "series.xlsx", Target(data))
    outcome = import_tumour_volume(raw, Target(data))
    whole = read(real_data / "breast_mri_nact_pilot/mama_mia_layout/segmentations/ftv_pe70/NACT_06.nii.gz") > 0
    assert whole.sum() == 41105
    for phase in range(3):
        np.testing.assert_array_equal(read(data / f"masks/UCSF-BR-06/DCE{phase}_reader1.nii.gz") > 0, whole[18:30])
    assert "UCSF-BR-06: functional tumour volume of 26712 voxels on DCE0, DCE1, DCE2" in outcome.said


@pytest.mark.real
def test_duke_s_box_lies_on_the_tumour(real_data: Path, tmp_path: Path) -> None:
    """Breast_MRI_153: slices 90 to 93 of a box over 83 to 100; it enhances (README of the data: by 85)."""
    raw, data = copied(real_data / "duke_breast_mri_153/dicom", tmp_path / "RAW"), tmp_path / "data"
    scan.import_dicom(raw, Target(data))
    apply_series(data / "series.xlsx", Target(data))
    table = real_data / "duke_breast_mri_153/Annotation_Boxes_row.csv"
    with pytest.raises(StudyError, match="slices 83 to 100, and an image of slices 90 to 93"):
        boxes.import_boxes(table, Target(data))
    outcome = boxes.import_boxes(table, Target(data), counting=boxes.Counting(clip=True))
    assert any(
        "from superior to inferior (90 to 93 are here); the box has 35x36x4 voxels" in line for line in outcome.said
    )
    inside = read(data / "masks/Breast_MRI_153/DCE1_reader1.nii.gz") > 0
    before, after = (read(data / f"images/Breast_MRI_153/DCE{n}.nii.gz").astype(float) for n in (0, 1))
    assert (after - before)[inside].mean() > 60
