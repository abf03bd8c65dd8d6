"""A batch computes what changed and nothing else, and its files are those of the single cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2radiomics.errors import TableError
from her2radiomics.extraction.batch import join_tables, run_batch
from her2radiomics.extraction.store import CaseStore, case_key

SETTINGS = {"rows": [{"patient_id": "P1"}], "regions": ["tumour_slice"]}


class Cases:
    """Patients with an image file each; `make` writes tables from it and counts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, []
        for patient in ("P1", "P2", "P3"):
            (folder / f"{patient}.nii").write_text(f"voxels of {patient}")

    def keys(self) -> dict[str, str]:
        return {
            patient: case_key([self.folder / f"{patient}.nii"], {**SETTINGS, "patient": patient})
            for patient in ("P1", "P2", "P3")
        }

    def make(self, patient: str, folder: Path) -> bool:
        self.made.append(patient)
        voxels = (self.folder / f"{patient}.nii").read_text()
        (folder / "features.csv").write_text(f"patient_id,reader,x\n{patient},1,{len(voxels)}\n")
        (folder / "qc.csv").write_text(f'patient_id,reason\n{patient},"a, ""b""\nc"\n')
        (folder / "overlay.png").write_bytes(voxels.encode())
        return "damaged" not in voxels

    def run(self) -> list[str]:
        return run_batch(
            self.keys(),
            self.make,
            CaseStore(self.folder / ".cases"),
            sequence="DWI",
            features=self.folder / "b.features.csv",
            qc=self.folder / "b.qc.csv",
            overlays=self.folder / "b.overlays",
        )

    def outputs(self) -> dict[str, bytes]:
        files = [path for path in sorted(self.folder.rglob("b.*")) if path.is_file()]
        files += sorted((self.folder / "b.overlays").rglob("*.png"))
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}


@pytest.fixture
def cases(tmp_path) -> Cases:
    return Cases(tmp_path)


def test_tables_hold_the_cases_rows_byte_for_byte(cases):
    assert cases.run() == ["P1", "P2", "P3"]
    written = cases.outputs()
    assert written["b.features.csv"] == b"patient_id,reader,x\nP1,1,12\nP2,1,12\nP3,1,12\n"
    assert written["b.qc.csv"].startswith(b'patient_id,reason\nP1,"a, ""b""\nc"\nP2,')
    assert written["b.overlays/P2/DWI.png"] == b"voxels of P2"


def test_a_second_run_computes_nothing_and_writes_the_same_bytes(cases):
    cases.run()
    before = cases.outputs()
    for path in (cases.folder / "b.features.csv", cases.folder / "b.qc.csv"):
        path.unlink()
    assert cases.run() == []
    assert cases.outputs() == before


def test_one_replaced_image_costs_one_case(cases):
    cases.run()
    (cases.folder / "P2.nii").write_text("other voxels of P2")
    assert cases.run() == ["P2"]
    assert cases.outputs()["b.overlays/P2/DWI.png"] == b"other voxels of P2"


def test_an_interrupted_batch_keeps_what_it_had_done(cases, monkeypatch):
    make = cases.make

    def killed(patient: str, folder: Path) -> bool:
        if patient == "P3":
            raise KeyboardInterrupt
        return make(patient, folder)

    monkeypatch.setattr(cases, "make", killed)
    with pytest.raises(KeyboardInterrupt):
        cases.run()
    assert cases.outputs() == {}
    monkeypatch.setattr(cases, "make", make)
    assert cases.run() == ["P3"]


def test_a_failed_case_is_written_but_not_kept(cases):
    (cases.folder / "P1.nii").write_text("damaged")
    assert cases.run() == ["P1", "P2", "P3"]
    assert cases.outputs()["b.overlays/P1/DWI.png"] == b"damaged"
    assert cases.run() == ["P1"]
    assert not list((cases.folder / ".cases").glob(".*")), "scratch folders are cleared away"


def test_the_key_follows_everything_that_matters(tmp_path):
    image, folder = tmp_path / "image.nii", tmp_path / "dicom"
    folder.mkdir()
    image.write_bytes(b"1")
    (folder / "a.dcm").write_bytes(b"1")
    keys = {case_key([image, folder], SETTINGS)}
    assert case_key([image, folder], dict(reversed(SETTINGS.items()))) in keys
    image.write_bytes(b"2")
    keys.add(case_key([image, folder], SETTINGS))
    (folder / "b.dcm").write_bytes(b"1")
    keys.add(case_key([image, folder], SETTINGS))
    keys.add(case_key([image, folder], {**SETTINGS, "regions": ["tumour_volume"]}))
    image.unlink()
    keys.add(case_key([image, folder], SETTINGS))
    keys.add(case_key([folder], SETTINGS))
    assert len(keys) == 6


def test_the_key_follows_the_code(tmp_path, monkeypatch):
    from her2radiomics.extraction import store

    before = case_key([], SETTINGS)
    monkeypatch.setattr(store, "_code", lambda: "another")
    assert case_key([], SETTINGS) != before


def test_cases_of_other_columns_are_not_joined(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x,z\n1,2\n")
    with pytest.raises(TableError, match=r"b\.csv: found the columns x,z"):
        join_tables([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "c.csv")
    assert not (tmp_path / "c.csv").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]
