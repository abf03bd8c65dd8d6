"""What keeps planning and merging small, counted instead of timed (``benchmarks/scale.py`` measures)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from workflow_run import Project

from her2radiomics.core.parquet import write_parquet, write_parquet_rows
from her2radiomics.extraction import tables
from her2radiomics.extraction.tables import CohortFeatures

PATIENTS, SEQUENCES, READERS = 12, ("T2FS", "DWI", "DCE2"), ("1", "2")


@pytest.fixture
def brought(tmp_path: Path) -> Project:
    """A user's own cohort with an empty file for every image and mask."""
    data = tmp_path / "data"
    data.mkdir()
    people = [f"P{number:02d}" for number in range(PATIENTS)]
    pd.DataFrame({"patient_id": people, "centre": "ours"}).to_csv(data / "participants.tsv", sep="\t", index=False)
    rows = [
        {
            "patient_id": patient,
            "sequence": sequence,
            "reader": reader,
            "image": f"{patient}_{sequence}.nii.gz",
            "mask": f"{patient}_{sequence}_{reader}.nii.gz",
        }
        for patient in people
        for sequence in SEQUENCES
        for reader in READERS
    ]
    pd.DataFrame(rows).to_csv(data / "images.tsv", sep="\t", index=False)
    for row in rows:
        (data / row["image"]).touch()
        (data / row["mask"]).touch()
    run = {"study": "nat_response", "cohort": "my_hospital", "until": "extraction"}
    config = {"runs": [run], "data": {"my_hospital": str(data)}, "patients_per_job": 5}
    return Project(tmp_path / "project", config)


def test_the_files_that_planning_handles_do_not_grow_with_the_images(brought):
    """Each file of a job costs the engine half a millisecond: of 108 images and masks none is an input."""
    rules = brought.folder / "workflow/rules/extraction.smk"
    # Snakemake lists a job's files where the rule has no message of its own
    rules.write_text(re.sub(r"    message:\n .*\n", "", rules.read_text()))
    printed = brought.snakemake("-n", "--workflow-profile", "none", "extraction")
    jobs = re.findall(r"^rule extract:\n    input: (.*)\n    output: (.*)$", printed, re.MULTILINE)
    assert len(jobs) == 3 * len(SEQUENCES)  # batches of 5, 5 and 2 patients
    assert {inputs for inputs, _ in jobs} == {"workflow/extraction/features_1125_2d.yaml"}
    # features, quality control, pictures, and the record of the libraries that were used
    assert {len(outputs.split(", ")) for _, outputs in jobs} == {4}


@pytest.fixture
def batches(tmp_path: Path):
    """Writes random features of one cohort in batches of a size, as extraction does."""
    random = np.random.default_rng(7)
    patients = [f"P{number:03d}" for number in range(40)]
    values = {
        (patient, sequence): random.standard_normal(6).tolist() for patient in patients for sequence in ("DWI", "T2FS")
    }

    def write(size: int) -> list[Path]:
        paths = []
        for sequence in ("DWI", "T2FS"):
            header = ["patient_id", "reader", *(f"{sequence}__tumour_volume__f{i}" for i in range(3))]
            for start in range(0, len(patients), size):
                rows = [
                    [patient, reader, *map(repr, values[patient, sequence][3 * int(reader) - 3 :][:3])]
                    for patient in patients[start : start + size]
                    for reader in ("1", "2")
                    if (patient, sequence) != ("P011", "T2FS")  # a failed case
                ]
                paths.append(tmp_path / f"{size}_{sequence}_{start:03d}.features.csv")
                paths[-1].write_text("\n".join(map(",".join, [header, *rows])) + "\n")
        return paths

    return write


@pytest.mark.parametrize("size", [1, 3, 40])
def test_the_merged_table_has_the_same_bytes_whatever_the_batches(batches, size, tmp_path):
    """Written row group by row group as pandas writes the whole table at once: texts are compressed, numbers are not."""
    sequences = ["T2FS", "DWI"]
    whole = pd.concat(CohortFeatures(batches(7), sequences).blocks(), ignore_index=True)
    assert whole.shape == (2 * 39, 2 + 6)
    assert whole["patient_id"].is_monotonic_increasing
    texts = ["patient_id", "reader"]
    options = {"compression": {name: "zstd" if name in texts else "none" for name in whole}, "use_dictionary": texts}
    whole.to_parquet(tmp_path / "whole.parquet", index=False, write_statistics=False, **options)
    write_parquet(CohortFeatures(batches(size), sequences).blocks(), tmp_path / "merged.parquet")
    assert (tmp_path / "merged.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_a_large_table_is_merged_and_split_a_block_at_a_time(batches, tmp_path, monkeypatch):
    """Blocks of 16 rows: every file is read once, no block is larger, and the values are those of the whole table."""
    monkeypatch.setattr(tables, "BLOCK_BYTES", 0)
    monkeypatch.setattr(tables, "SMALLEST_BLOCK", 16)
    read = []
    numbers = tables._read_numbers
    monkeypatch.setattr(tables, "_read_numbers", lambda path: read.append(path) or numbers(path))
    paths = batches(7)
    path = tmp_path / "merged.parquet"
    write_parquet(CohortFeatures(paths, ["T2FS", "DWI"]).blocks(), path)
    assert sorted(read) == sorted(map(str, paths))
    with pq.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    assert sizes == [16, 16, 16, 16, 14]
    whole = pd.read_parquet(path)
    monkeypatch.undo()
    expected = pd.concat(CohortFeatures(paths, ["T2FS", "DWI"]).blocks(), ignore_index=True)
    pd.testing.assert_frame_equal(whole, expected, check_exact=True)
    some = ["P039", "P000", "P020"]
    write_parquet_rows(path, tmp_path / "some.parquet", some)
    chosen = whole[whole["patient_id"].isin(some)].reset_index(drop=True)
    assert len(chosen) == 6
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "some.parquet"), chosen, check_exact=True)


def test_a_partition_whose_cases_all_failed_has_the_columns_and_no_row(batches, tmp_path):
    path = tmp_path / "merged.parquet"
    write_parquet(CohortFeatures(batches(7), ["T2FS", "DWI"]).blocks(), path)
    write_parquet_rows(path, tmp_path / "none.parquet", ["P011"])
    found = pd.read_parquet(tmp_path / "none.parquet")
    assert found.empty and list(found) == list(pd.read_parquet(path))
