"""Results and inputs that are cut, edited, deleted or replaced, before a run and during it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from trials import COHORT, EXTRACTION, RUN, Trial, wait_for

FEATURES = f"{EXTRACTION}/batch_0002.features.csv"


@pytest.mark.quick_fault
def test_a_cut_result_is_made_again_from_the_store_and_never_read(finished, undisturbed):
    os.truncate(finished.folder / FEATURES, 20_000)
    assert finished.jobs() == {
        "extract": 1,
        "merge": 1,
        "grey_levels": 1,
        "extracted": 1,
        "extraction_page": 1,
        "all": 1,
    }
    cut = (finished.folder / FEATURES).stat().st_size
    assert cut == 20_000, "a dry run changes nothing"
    printed = finished.snakemake()
    assert f"{FEATURES}: found 20000 of " in printed
    assert finished.batch_log(2) == "0 of 2 cases were computed (all were in the store)\n"
    assert finished.results() == undisturbed.results()
    assert (finished.folder / f"{FEATURES}.changed").stat().st_size == 20_000
    assert finished.jobs() == {}


def test_an_edited_table_is_made_again_and_the_edit_is_kept(finished, undisturbed):
    table = finished.folder / RUN / "cohort/qc.csv"
    text = table.read_text()
    table.write_text(text.replace("extracted", "retracted", 1))  # of the same length
    os.utime(table, (time.time() + 60, time.time() + 60))
    finished.snakemake()
    assert finished.results() == undisturbed.results()
    assert "retracted" in table.with_name("qc.csv.changed").read_text()
    assert finished.jobs() == {}


def test_a_deleted_result_is_made_again_when_it_is_asked_for_or_needed(finished, undisturbed):
    (finished.folder / FEATURES).unlink()
    assert finished.jobs() == {}, "nothing that is asked for lacks it"
    (finished.folder / RUN / "features/cohort.parquet").unlink()
    jobs = finished.jobs()
    assert (jobs["extract"], jobs["merge"]) == (1, 1)
    finished.snakemake()
    assert finished.batch_log(2).startswith("0 of 2 cases were computed")
    assert finished.results() == undisturbed.results()


def test_a_cut_simulated_image_costs_its_batch_and_no_other(finished, undisturbed):
    image = f"{COHORT}/images/C1-003/C1-003_DWI.nii.gz"
    os.truncate(finished.folder / image, 1000)
    jobs = finished.jobs()
    assert jobs["extract"] == 1
    assert sum(count for rule, count in jobs.items() if rule.startswith("simulate_")) == 1
    cases = finished.cases()
    finished.snakemake()
    assert finished.results() == undisturbed.results()
    assert finished.cases() == cases, "the image came out as it was, and so did its case: from the store"


def test_a_cut_participants_table_is_made_again(finished):
    name = f"{COHORT}/participants.tsv"
    finished.snakemake("--", name)
    whole = (finished.folder / name).read_bytes()
    os.truncate(finished.folder / name, 60)
    assert finished.jobs("--", name) == {"simulate_tables": 1}
    finished.snakemake("--", name)
    assert (finished.folder / name).read_bytes() == whole


def test_a_case_that_was_cut_in_the_store_is_computed_again(finished, undisturbed):
    key, *others = sorted(finished.cases())
    store = finished.folder / EXTRACTION / ".cases"
    os.truncate(store / key / "features.csv", 5000)
    for path in (finished.folder / EXTRACTION).glob("batch_*.csv"):
        path.unlink()
    (finished.folder / RUN / "features/cohort.parquet").unlink()
    before = finished.cases()
    finished.snakemake()
    assert finished.results() == undisturbed.results()
    after = finished.cases()
    assert after[key] != before[key] and all(after[name] == before[name] for name in others)
    assert sum(finished.batch_log(number).startswith("1 of 2 ") for number in (1, 2, 3)) == 1


def test_a_result_cut_between_its_making_and_its_reading_stops_the_reader(imaged, undisturbed):
    """In the same run: the table of the first batch is cut while the second one is extracted."""
    records = imaged.folder / ".snakemake/written" / EXTRACTION
    run = imaged.start(cores=1)
    wait_for(lambda: list(records.glob("*.overlays.json")), run)
    first = next(records.glob("*.overlays.json")).name.removesuffix(".overlays.json")
    wait_for(lambda: len(list((imaged.folder / "logs").rglob("DWI/batch_*.log"))) == 2, run)
    os.truncate(imaged.folder / EXTRACTION / f"{first}.features.csv", 20_000)
    assert run.wait(300) != 0
    assert f"{first}.features.csv: found 20000 of" in imaged.printed()
    assert not (imaged.folder / RUN / "features/cohort.parquet").exists()
    cases = imaged.cases()
    imaged.snakemake()
    assert imaged.results() == undisturbed.results()
    assert imaged.cases() == cases


class TestReplacedInput:
    """A user's own two patients, one of whose masks is replaced by an older file while a job reads it."""

    @pytest.fixture
    def own(self, undisturbed, tmp_path) -> Trial:
        return self.brought(undisturbed, tmp_path / "data", tmp_path / "own")

    @staticmethod
    def brought(undisturbed: Trial, data: Path, folder: Path) -> Trial:
        import pandas as pd

        source = Trial.copy_of(undisturbed, data.with_name(f"{data.name}_source"))
        source.snakemake("--", f"{COHORT}/images.tsv")
        shutil.copytree(source.folder / COHORT, data, ignore=shutil.ignore_patterns("extraction"))
        for name in ("participants.tsv", "images.tsv"):
            table = pd.read_csv(data / name, sep="\t", dtype=str, keep_default_na=False)
            chosen = table[table["patient_id"].isin(["C1-001", "C2-002"])]
            chosen.to_csv(data / name, sep="\t", index=False)
        run = {"study": "nat_response", "cohort": "my_hospital", "until": "extraction"}
        return Trial.new(folder, runs=[run], data={"my_hospital": str(data)})

    @staticmethod
    def replace_mask(data: Path) -> None:
        """By an older file, in one step, as a careful user would."""
        masks = data / "masks/C2-002"
        shutil.copy(masks / "C2-002_DWI_reader2.nii.gz", masks / "new")
        os.utime(masks / "new", (1_600_000_000, 1_600_000_000))
        (masks / "new").replace(masks / "C2-002_DWI_reader1.nii.gz")

    @pytest.fixture
    def expected(self, undisturbed, tmp_path) -> dict[str, str]:
        """What comes out when the mask was replaced before anything began."""
        trial = self.brought(undisturbed, tmp_path / "data_before", tmp_path / "before")
        self.replace_mask(tmp_path / "data_before")
        trial.snakemake(cores=1)
        return self.tables(trial)

    @staticmethod
    def tables(trial: Trial) -> dict[str, str]:
        """All results but the store, whose cases are named by where their files lie, too."""
        return {path: value for path, value in trial.results().items() if "/.cases/" not in path}

    def test_during_the_job(self, own, expected, tmp_path):
        """The job notices, and its second attempt reads the new file."""
        run = own.start(cores=1)
        store = own.folder / "results/cohorts/my_hospital/extraction/features_1125_2d.tumour_slice/DWI/.cases"
        # the second patient's case has its name from the mask's bytes, and its images are still to be read
        wait_for(lambda: store.is_dir() and sum(1 for _ in store.iterdir()) == 2, run)
        self.replace_mask(tmp_path / "data")
        assert run.wait(300) == 0, own.printed()
        assert "C2-002_DWI_reader1.nii.gz: found content that changed since the case was begun" in own.printed()
        assert self.tables(own) == expected
        assert own.jobs() == {}

    def test_after_the_job_by_an_older_file(self, own, expected, tmp_path):
        """Snakemake compares times, and sees nothing; the job's record knows better."""
        own.snakemake(cores=1)
        assert own.jobs() == {}
        self.replace_mask(tmp_path / "data")
        assert own.jobs()["extract"] == 1
        own.snakemake(cores=1)
        assert own.batch_log(1) == "1 of 2 cases were computed (C2-002)\n"
        assert self.tables(own) == expected
        assert own.jobs() == {}
