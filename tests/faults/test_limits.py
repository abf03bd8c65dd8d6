"""Too little memory, too little disk, and a patient whose image is damaged."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from trials import COHORT, EXTRACTION, RUN, Trial

HEAVY = "C1-003"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def status(trial: Trial) -> dict[str, str]:
    return {row["patient_id"]: row["status"] for row in rows(trial.folder / RUN / "cohort/qc.csv")}


@pytest.fixture
def heavy(imaged) -> Trial:
    """One patient's image has 600 slices more: air, but 500 MB of it once it is read as numbers to compute with."""
    import SimpleITK as sitk

    imaged.forget(f"{COHORT}/images")
    imaged.forget(f"{COHORT}/masks")
    paths = [
        imaged.folder / COHORT / f"images/{HEAVY}/{HEAVY}_DWI.nii.gz",
        *(imaged.folder / COHORT / f"masks/{HEAVY}/{HEAVY}_DWI_reader{reader}.nii.gz" for reader in (1, 2)),
    ]
    for path in paths:
        image = sitk.ReadImage(str(path))
        width, height, _ = image.GetSize()
        more = int(120e6 / (width * height))
        sitk.WriteImage(sitk.ConstantPad(image, (0, 0, 0), (0, 0, more)), str(path), useCompression=True)
    return imaged


class TestMemory:
    @pytest.mark.quick_fault
    def test_a_case_that_no_attempt_can_hold_is_set_aside_by_name(self, heavy, undisturbed):
        printed = heavy.snakemake("--set-resources", "extract:mem_mb=600")
        wanted = f"patient {HEAVY}, sequence DWI: found more memory needed than 400 MB (attempt {{}} of 3)"
        assert all(wanted.format(number) in printed for number in (1, 2)), "it is tried again"
        failed = [row for row in rows(heavy.folder / RUN / "cohort/qc.csv") if row["status"] == "failed"]
        assert {row["patient_id"] for row in failed} == {HEAVY}
        reason = failed[0]["reason"]
        assert f"patient {HEAVY}, sequence DWI, reader 1" in reason
        assert "more memory needed than 400 MB at attempt 3 of 3" in reason
        assert "--set-resources" in reason
        # the others' rows are those of the undisturbed run
        for name in ("features.csv", "qc.csv"):
            tables = [trial.folder / EXTRACTION / f"batch_0002.{name}" for trial in (heavy, undisturbed)]
            kept, all_of_them = ([row for row in rows(table) if row["patient_id"] != HEAVY] for table in tables)
            assert kept and kept == all_of_them
        assert heavy.batch_log(2).startswith("1 of 2 cases were computed"), "the other came from the store"
        assert heavy.jobs() == {}

    def test_one_that_needs_more_gets_more(self, heavy):
        printed = heavy.snakemake("--set-resources", "extract:mem_mb=attempt*attempt*600")
        assert "(attempt 1 of 3)" in printed
        assert "failed" not in status(heavy).values()
        assert heavy.batch_log(2).startswith("1 of 2 cases were computed"), "the other came from the store"
        found = heavy.results()
        shutil.rmtree(heavy.folder / COHORT / "extraction")
        shutil.rmtree(heavy.folder / RUN)
        heavy.snakemake("--set-resources", "extract:mem_mb=9000")
        assert heavy.results() == found, "as with memory enough from the start"
        assert heavy.jobs() == {}, "another number of attempts is no other parameter"


def test_a_damaged_image_among_good_ones_costs_its_patient(imaged, undisturbed):
    imaged.forget(f"{COHORT}/images")
    image = imaged.folder / COHORT / "images/C1-002/C1-002_DWI.nii.gz"
    whole = image.read_bytes()
    image.write_bytes(whole[:-2000])
    imaged.snakemake()
    failed = [row for row in rows(imaged.folder / RUN / "cohort/qc.csv") if row["status"] == "failed"]
    assert {row["patient_id"] for row in failed} == {"C1-002"}
    assert "C1-002_DWI.nii.gz" in failed[0]["reason"]
    image.write_bytes(whole)  # the user finds a whole copy
    before = imaged.cases()
    imaged.snakemake()
    assert imaged.batch_log(1) == "1 of 2 cases were computed (C1-002)\n"
    assert {name: imaged.cases()[name] for name in before} == before
    assert imaged.results() == undisturbed.results()


class TestDiskFull:
    """A real disk that is full: a file system in memory of a few megabytes."""

    @pytest.fixture
    def small_disk(self, tmp_path):
        place = tmp_path / "disk"
        place.mkdir()

        def resize(size: int, how: str = "remount,") -> None:
            words = ["mount", "-o", f"{how}size={size // 1024}k", "-t", "tmpfs", "tmpfs", str(place)]
            done = subprocess.run(words, capture_output=True, encoding="utf-8")
            if done.returncode:
                pytest.skip(f"this user may mount no file system: {done.stderr.strip()}")

        if shutil.which("mount") is None:
            pytest.skip("there is no command 'mount'")
        resize(100 << 20, how="")
        yield place, resize
        subprocess.run(["umount", "--lazy", str(place)], check=True)

    def moved(self, trial: Trial, disk: Path) -> None:
        """The results lie on the small disk; logs and Snakemake's own files do not."""
        shutil.move(trial.folder / "results", disk / "results")
        (trial.folder / "results").symlink_to(disk / "results")

    @staticmethod
    def used(disk: Path) -> int:
        found = shutil.disk_usage(disk)
        return found.used

    def test_in_extraction(self, imaged, undisturbed, small_disk):
        disk, resize = small_disk
        self.moved(imaged, disk)
        one_batch = sum(path.stat().st_size for path in (undisturbed.folder / EXTRACTION).rglob("*") if path.is_file())
        resize(self.used(disk) + one_batch // 2)  # room for half of it all
        printed = imaged.snakemake(cores=1, ok=False)
        assert "found no space to write it" in printed and "Free some space and run again" in printed
        assert "Traceback" not in printed
        assert imaged.unfinished() == []
        before = imaged.cases()
        assert before, "what was finished stays"
        resize(100 << 20)
        imaged.snakemake()
        assert {name: imaged.cases()[name] for name in before} == before
        assert imaged.results() == undisturbed.results()

    def test_in_merging(self, imaged, undisturbed, small_disk):
        disk, resize = small_disk
        imaged.snakemake("--until", "extract")
        self.moved(imaged, disk)
        (disk / "results/nat_response").mkdir(exist_ok=True)
        resize(self.used(disk) + (64 << 10))
        printed = imaged.snakemake(cores=1, ok=False)
        assert "features/cohort.parquet: found no space to write it" in printed
        assert imaged.unfinished() == []
        assert not (imaged.folder / RUN / "features/cohort.parquet").exists()
        resize(100 << 20)
        assert "extract" not in imaged.jobs()
        imaged.snakemake()
        assert imaged.results() == undisturbed.results()

    def test_in_simulation(self, tmp_path, undisturbed, small_disk):
        """SimpleITK says nothing when an image does not fit."""
        disk, resize = small_disk
        trial = Trial.new(tmp_path / "study")
        (trial.folder / "results").mkdir()
        self.moved(trial, disk)
        resize(1 << 20)
        printed = trial.snakemake(ok=False)
        assert "found no space to write it" in printed
        resize(100 << 20)
        trial.snakemake()
        assert trial.results() == undisturbed.results()

    def test_on_the_disk_of_snakemakes_own_files(self, imaged, undisturbed, small_disk):
        """Everything on one disk: even the log has no room. Whatever is said, nothing half is read afterwards."""
        disk, resize = small_disk
        shutil.move(imaged.folder, disk / "study")
        imaged.folder = disk / "study"
        resize(self.used(disk) + (300 << 10))
        imaged.snakemake(cores=1, ok=False)
        before = imaged.cases()
        resize(100 << 20)
        imaged.resume()
        assert {name: imaged.cases()[name] for name in before} == before
        assert imaged.results() == undisturbed.results()
        assert os.path.ismount(disk)
