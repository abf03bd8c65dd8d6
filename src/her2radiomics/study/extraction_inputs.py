"""What a job of the extraction or the simulation is given: files and manifest rows of a batch of patients."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from her2radiomics.study.run import Dataset, Extraction, Run, batched


def case_files(dataset: Dataset, patient: str, sequence: str) -> list[str]:
    """Image and masks of a case; of a brought cohort those that exist, since a missing one is the extraction's to record."""
    rows = dataset.case_rows(patient, sequence)
    paths = dict.fromkeys(row[name] for row in rows for name in ("image", "mask") if row[name])
    return [path for path in paths if dataset.simulated or Path(path).exists()]


def simulated_batches(dataset: Dataset) -> list[list[str]]:
    """Images and masks of a simulated cohort, a list for each job that makes them."""
    files = {
        patient: sorted({path for name in ("image", "mask") for path in rows[name] if path})
        for patient, rows in dataset.data.manifest.groupby("patient_id")
    }
    return [
        [path for patient in batch for path in files[patient]]
        for batch in batched(sorted(files), dataset.patients_per_job)
    ]


def batch_files(extraction: Extraction, batch: str) -> list[str]:
    """Files of the batch's cases that other jobs make, and the pre-contrast images that are subtracted.

    Brought files are no inputs: the engine takes half a millisecond for each, and a cohort has ten thousands. The
    extraction's record names them with size and time, and planning compares (:mod:`her2radiomics.engine.file_records`).
    """
    dataset = extraction.dataset
    if not dataset.simulated:
        return []
    files: dict[str, None] = {}
    for patient in dataset.batches[batch]:
        files |= dict.fromkeys(case_files(dataset, patient, extraction.sequence))
        files |= dict.fromkeys(filter(None, [extraction.precontrast(patient)]))
        files |= dict.fromkeys(row["mask"] for row in extraction.level_rows(patient) if row["mask"])
    return list(files)


def batch_cases(extraction: Extraction, batch: str) -> dict[str, dict[str, Any]]:
    """For each patient of the batch, the manifest's rows, the image to subtract, and what decides on a slice."""
    dataset = extraction.dataset
    return {
        patient: {
            "rows": dataset.case_rows(patient, extraction.sequence),
            "precontrast": extraction.precontrast(patient),
            "level_rows": extraction.level_rows(patient),
        }
        for patient in dataset.batches[batch]
    }


def batch_fingerprint(extraction: Extraction, batch: str) -> str:
    """Changes when the manifest's rows of the batch do: what the engine keeps of them, for each of a job's files."""
    return sha256(json.dumps(batch_cases(extraction, batch)).encode()).hexdigest()[:16]


def parameter_files(run: Run) -> list[str]:
    """Parameter files of a run's extractions: part of what a model was trained on."""
    items = run.protocol.sequences.values() if run.extracted else []
    return sorted({f"workflow/extraction/{item.parameters}.yaml" for item in items})
