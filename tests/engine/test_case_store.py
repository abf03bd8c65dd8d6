"""A batch computes what changed and nothing else, and its files are those of the single cases."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from her2radiomics.core import software
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.files import DiskFullError
from her2radiomics.core.memory import OutOfMemory
from her2radiomics.engine.file_records import ChangedFileError
from her2radiomics.engine.jobs.attempts import Attempt, LostCasesError
from her2radiomics.engine.jobs.batch import SOFTWARE, Case, join_tables, run_batch
from her2radiomics.engine.jobs.case_store import CaseStore, case_key

SETTINGS = {"rows": [{"patient_id": "P1"}], "regions": ["tumour_slice"]}


class Cases:
    """Patients with an image file each; `make` writes tables from it and counts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, []
        for patient in ("P1", "P2", "P3"):
            (folder / f"{patient}.nii").write_text(f"voxels of {patient}")

    def cases(self) -> dict[str, Case]:
        return {
            patient: Case((self.folder / f"{patient}.nii",), {**SETTINGS, "patient": patient})
            for patient in ("P1", "P2", "P3")
        }

    def make(self, patient: str, folder: Path) -> bool:
        self.made.append(patient)
        voxels = (self.folder / f"{patient}.nii").read_text()
        (folder / "features.csv").write_text(f"patient_id,reader,x\n{patient},1,{len(voxels)}\n")
        (folder / "qc.csv").write_text(f'patient_id,reason\n{patient},"a, ""b""\nc"\n')
        (folder / "overlay.png").write_bytes(voxels.encode())
        return "damaged" not in voxels

    def run(self, **options: Any) -> list[str]:
        store = CaseStore(self.folder / ".cases")
        return run_batch(self.cases(), self.make, self.join, store, sequence="DWI", **options)

    def join(self, folders: Mapping[str, Path]) -> None:
        for name in ("features", "qc"):
            join_tables([folder / f"{name}.csv" for folder in folders.values()], self.folder / f"b.{name}.csv")
        for patient, folder in folders.items():
            picture = self.folder / f"b.overlays/{patient}/DWI.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes((folder / "overlay.png").read_bytes())

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


def test_a_case_that_was_cut_in_the_store_is_computed_again(cases):
    cases.run()
    before = cases.outputs()
    damaged = cases.folder / ".cases" / cases.cases()["P2"].key() / "features.csv"
    damaged.write_text(damaged.read_text()[:-3])
    assert cases.run() == ["P2"]
    assert cases.outputs() == before


def test_a_file_replaced_while_its_case_is_computed_is_not_kept_under_the_old_ones_name(cases, monkeypatch):
    make = cases.make

    def replaced(patient: str, folder: Path) -> bool:
        if patient == "P2":
            time.sleep(0.01)
            (cases.folder / "P2.nii").write_text("other voxels of P2")
        return make(patient, folder)

    monkeypatch.setattr(cases, "make", replaced)
    with pytest.raises(ChangedFileError, match=r"P2\.nii: found content that changed since the case was begun"):
        cases.run()
    assert cases.outputs() == {}
    assert len(list((cases.folder / ".cases").iterdir())) == 2, "the other two are kept"
    monkeypatch.setattr(cases, "make", make)
    assert cases.run() == ["P2"]
    assert cases.outputs()["b.overlays/P2/DWI.png"] == b"other voxels of P2"


class TestLostCases:
    """P2 needs more memory than there is."""

    @pytest.fixture
    def heavy(self, cases, monkeypatch) -> Cases:
        make = cases.make

        def refused(patient: str, folder: Path) -> bool:
            if patient == "P2":
                (folder / "features.csv").write_text("half of")
                raise OutOfMemory
            return make(patient, folder)

        monkeypatch.setattr(cases, "make", refused)
        return cases

    def give_up(self, patient: str, folder: Path, found: str) -> None:
        (folder / "features.csv").write_text("patient_id,reader,x\n")
        (folder / "qc.csv").write_text(f"patient_id,reason\n{patient},{found}\n")
        (folder / "overlay.png").write_bytes(b"why")

    def test_it_costs_the_others_nothing_and_is_named(self, heavy):
        wanted = r"patient P2, sequence DWI: found more memory needed than 1300 MB \(attempt 1 of 3\)"
        with pytest.raises(LostCasesError, match=wanted):
            heavy.run(attempt=Attempt(1, 3, 1500), give_up=self.give_up)
        assert heavy.outputs() == {}
        with pytest.raises(LostCasesError, match="attempt 2 of 3"):
            heavy.run(attempt=Attempt(2, 3, 3000), give_up=self.give_up)
        assert heavy.made == ["P1", "P3"], "what was done is not done again"

    def test_the_last_attempt_records_it_as_failed(self, heavy):
        heavy.run(attempt=Attempt(3, 3, 6000), give_up=self.give_up)
        written = heavy.outputs()
        assert written["b.features.csv"] == b"patient_id,reader,x\nP1,1,12\nP3,1,12\n"
        assert b"P2,more memory needed than 5800 MB at attempt 3 of 3" in written["b.qc.csv"]
        assert heavy.run(attempt=Attempt(3, 3, 6000), give_up=self.give_up) == ["P2"], "it is not kept"

    @pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSEGV])
    def test_a_case_that_kills_its_process_costs_that_case(self, cases, monkeypatch, end):
        make = cases.make

        def killed(patient: str, folder: Path) -> bool:
            if patient == "P2":
                os.kill(os.getpid(), end)
            return make(patient, folder)

        monkeypatch.setattr(cases, "make", killed)
        cases.run(attempt=Attempt(3, 3, 6000), give_up=self.give_up)
        assert f"P2,a process that was ended by {end.name}".encode() in cases.outputs()["b.qc.csv"]

    def test_what_a_case_in_a_process_of_its_own_says_is_said(self, cases, monkeypatch):
        def full(patient: str, folder: Path) -> bool:
            raise DiskFullError(folder / "features.csv")

        monkeypatch.setattr(cases, "make", full)
        with pytest.raises(StudyError, match=r"features\.csv: found no space to write it"):
            cases.run(attempt=Attempt(2, 3, 3000), give_up=self.give_up)
        assert not list((cases.folder / ".cases").glob(".*"))

    def test_a_job_that_is_ended_from_outside_blames_no_case(self, cases, monkeypatch):
        monkeypatch.setattr(cases, "make", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(RuntimeError, match=r"ended with exit code -15"):
            cases.run(attempt=Attempt(3, 3, 6000), give_up=self.give_up)


def test_memory_refused_by_the_kernel_is_told_from_a_bad_file():
    """In a process of its own, whose limit it is."""
    code = """
import numpy, sys
from her2radiomics.core.errors import CaseError
from her2radiomics.extraction.loading import as_case_error
from her2radiomics.core.memory import OutOfMemory, limit_memory
assert "MemoryError" in str(as_case_error(MemoryError("none left")))  # no limit: the case's own fault
if not limit_memory(400):
    sys.exit(77)
try:
    numpy.ones(10**9)
except MemoryError as error:
    refused = error
try:
    raise CaseError(found="a file that cannot be read", expected="an image", remedy="Look.") from refused
except CaseError as error:
    wrapped = error
said = ["std::bad_alloc", "Failed to allocate memory for image.", "NiftiImageIO: nifti_image_load failed for file: x.nii"]
for error in (refused, wrapped, *map(RuntimeError, said)):
    try:
        as_case_error(error)
    except OutOfMemory as out:
        assert str(out) == "more memory than 400 MB"
    else:
        sys.exit(f"{error!r} was taken for a bad file")
as_case_error(ValueError("a bad file"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    if done.returncode == 77:
        pytest.skip("this system limits no process's data")
    assert done.returncode == 0, done.stderr


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
    from her2radiomics.engine.jobs import case_store as store

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


def test_a_batch_from_the_store_names_what_its_cases_were_computed_with(tmp_path):
    class Noting(Cases):
        def make(self, patient: str, folder: Path) -> bool:
            software.note("PyWavelets" if patient == "P1" else "scikit-image")
            return super().make(patient, folder)

    cases = Noting(tmp_path)
    with software.recording() as first:
        assert cases.run() == ["P1", "P2", "P3"]
    with software.recording() as second:
        assert cases.run() == []
    assert {"PyWavelets", "scikit-image"} <= first & second
    kept = [json.loads(path.read_text()) for path in (tmp_path / ".cases").glob(f"*/{SOFTWARE}")]
    assert sorted("PyWavelets" in content for content in kept) == [False, False, True]
