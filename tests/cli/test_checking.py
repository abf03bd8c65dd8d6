"""``check`` says all that is wrong at once, ``extract`` needs no study: on small images made here."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import SimpleITK as sitk
import yaml
from commands import call, refused
from small_study import small_project, write_csv

from her2radiomics.extraction import extract_features

PATIENTS = ("P1", "P2", "P3")


def volume(path, *, seed: int, mask: bool = False) -> None:
    rng = np.random.default_rng(seed)
    values = np.zeros((8, 16, 16), np.uint8) if mask else rng.normal(300, 60, (8, 16, 16)).astype(np.float32)
    if mask:
        values[2:6, 4 : 11 + seed % 2, 4:12] = 1
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.0, 1.0, 2.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A cohort of images, of which a run until the extraction is asked for."""
    made = small_project(tmp_path / "project")
    rows = []
    for number, patient in enumerate(PATIENTS):
        for sequence in ("DCE", "DWI"):
            names = {"image": f"images/{patient}_{sequence}.nii.gz", "mask": f"masks/{patient}_{sequence}.nii.gz"}
            volume(made.folder / "data" / names["image"], seed=number + 10 * (sequence == "DWI"))
            volume(made.folder / "data" / names["mask"], seed=number, mask=True)
            rows.append({"patient_id": patient, "sequence": sequence, **names})
    write_csv(rows, made.folder / "data/images.csv")
    write_csv([{"patient_id": name, "centre": "north"} for name in PATIENTS], made.folder / "data/participants.csv")
    settings = {"regions": ["tumour_volume"], "parameters": "few", "features": 18}
    few = {"setting": {"binWidth": 25}, "imageType": {"Original": {}}, "featureClass": {"firstorder": []}}
    content = {
        "workflow/studies/pictures.yaml": {"sequences": {n: settings | {"label": n} for n in ("DCE", "DWI")}},
        "workflow/extraction/few.yaml": few,
        "workflow/cohorts/pictures.yaml": {
            "title": "Pictures",
            "kind": "tables",
            "participants": [{"file": "participants.csv"}],
            "manifest": {"file": "images.csv"},
        },
        "config.yaml": {
            "runs": [{"study": "pictures", "cohort": "pictures", "until": "extraction"}],
            "data": {"pictures": str(made.folder / "data")},
        },
    }
    for path, item in content.items():
        (made.folder / path).write_text(yaml.safe_dump(item, sort_keys=False), encoding="utf-8")
    monkeypatch.chdir(made.folder)
    return made


def test_nothing_wrong(project):
    done = call("check", "--deep", "--cores", "2")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "Files: image and masks of all 6 cases are there." in done.output
    assert "6 cases were opened: 0 problems" in done.output and "Nothing is wrong." in done.output


def test_deep_opens_every_image_and_names_what_is_broken(project):
    (project.folder / "data/images/P2_DWI.nii.gz").write_bytes(b"no image")
    other = sitk.GetImageFromArray(np.ones((4, 9, 9), np.uint8))
    sitk.WriteImage(other, str(project.folder / "data/masks/P3_DCE.nii.gz"))
    assert call("check").exit_code == 0  # without --deep nothing is opened
    done = call("check", "--deep")
    assert done.exit_code == 1
    assert "wrong: patient P2, sequence DWI" in done.output and "wrong: patient P3, sequence DCE" in done.output
    assert done.output.count("wrong: ") == 2


def test_all_that_is_wrong_is_said_at_once(project):
    project.change("studies/pictures.yaml", {"sequences": {"DCE": {"parameters": "none"}, "T2": {"label": "T2"}}})
    project.change("studies/pictures.yaml", {"sequences": {"T2": {"regions": ["tumour_volume"], "parameters": "few"}}})
    project.change("studies/pictures.yaml", {"sequences": {"T2": {"features": 18}}})
    project.change("cohorts/pictures.yaml", {"readers": {"reference": "9"}})
    rows = [
        {"patient_id": "P1", "centre": "north"},
        {"patient_id": "P2", "centre": ""},
        {"patient_id": "P3", "centre": ""},
    ]
    write_csv(rows, project.folder / "data/participants.csv")
    said = refused("check")
    for part in ("none.yaml", "no sequence 'T2'", "no outline of reader '9'", "patient P2", "patient P3"):
        assert part in said, said


def read(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_extract_writes_the_others_and_names_the_failed(project, tmp_path):
    (project.folder / "data/images/P2_DWI.nii.gz").unlink()
    table = tmp_path / "features.csv"
    words = ("extract", "data/images.csv", "--parameters", "few", "--to", table)
    done = call(*words, "--cores", "2")
    assert done.exit_code == 1
    assert "failed: patient P2, sequence DWI" in done.output and done.output.count("failed: ") == 1
    rows = {row["patient_id"]: row for row in read(table)}
    assert list(rows) == list(PATIENTS)
    name = "__tumour_volume__original_firstorder_Mean"
    assert rows["P2"][f"DWI{name}"] == "" and rows["P2"][f"DCE{name}"] != ""
    image, mask = (project.folder / f"data/{kind}/P3_DWI.nii.gz" for kind in ("images", "masks"))
    alone = extract_features(image, {"tumour_volume": mask}, project.folder / "workflow/extraction/few.yaml")
    assert float(rows["P3"][f"DWI{name}"]) == alone.loc["tumour_volume", "original_firstorder_Mean"]
    assert len(read(tmp_path / "features_qc.csv")) == 6
    assert sorted(path.name for path in (tmp_path / "features_overlays/P1").iterdir()) == ["DCE.png", "DWI.png"]
    before = table.read_bytes()
    assert "add --force" in refused(*words)
    again = call(*words, "--cores", "1", "--force")
    assert "6 cases, 1 computed" in again.output  # what succeeded was kept
    assert table.read_bytes() == before


def test_extract_by_a_study_has_its_parameters_and_regions(project, tmp_path):
    done = call("extract", "data/images.csv", "--parameters", "pictures", "--to", tmp_path / "f.csv", "--dry-run")
    assert "6 cases" in done.output and "few.yaml" in done.output and not (tmp_path / "f.csv").exists()
    assert "expected a PyRadiomics parameter file" in refused(
        "extract", "data/images.csv", "--parameters", "nothing", "--to", tmp_path / "f.csv"
    )


def test_extract_refuses_a_manifest_that_is_none(project, tmp_path):
    write_csv([{"patient_id": "P1", "image": "a.nii.gz"}], tmp_path / "odd.csv")
    assert "sequence" in refused("extract", tmp_path / "odd.csv", "--parameters", "few", "--to", tmp_path / "f.csv")
