"""Images and masks that a run needs and that are not there: looked for when the run is planned."""

from __future__ import annotations

import os

from her2radiomics.cohort.limits import FailedCases
from her2radiomics.cohort.manifest import BREAST
from her2radiomics.core.errors import StudyError
from her2radiomics.study.run import Run

SHOWN = 10


def absent_files(run: Run) -> dict[str, list[str]]:
    """Patient to what is not there of their images and masks, a sentence each; none of a simulated cohort."""
    found: dict[str, list[str]] = {}
    if run.dataset.simulated or not run.extracted:
        return found
    there: dict[str, bool] = {}
    for patient, sequence in run.cases():
        for row in run.dataset.case_rows(patient, sequence):
            if not row["image"]:
                found.setdefault(patient, []).append(f"sequence {sequence}: no row in the manifest")
            for what in ("image", "mask"):
                path = row[what]
                if path and not there.setdefault(path, os.path.lexists(path)):
                    reader = "" if what == "image" or row["region"] == BREAST else f" of reader {row['reader']}"
                    found.setdefault(patient, []).append(f"sequence {sequence}, {what}{reader}: {path}")
    return {patient: list(dict.fromkeys(lines)) for patient, lines in found.items()}


def cannot_enter(absent: dict[str, list[str]], reader: str) -> list[str]:
    """Patients who lack more than the mask of another than the reference reader."""
    others = "mask of reader "
    return [
        patient
        for patient, lines in absent.items()
        if any(others not in line or f"{others}{reader}:" in line for line in lines)
    ]


def lines_of(absent: dict[str, list[str]]) -> list[str]:
    """The first of them, and how many there are."""
    lines = [f"patient {patient}, {line}" for patient, found in absent.items() for line in found]
    return lines[:SHOWN] + ([f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else [])


def check_files(run: Run, limits: FailedCases) -> None:
    """Refuse a run to the report of which more patients lack files than may fail.

    A run until the extraction goes on: it is made to see what can be extracted, and says who failed.

    Raises
    ------
    StudyError
        With the files.
    """
    if run.request.until == "extraction":
        return
    absent = absent_files(run)
    patients = cannot_enter(absent, run.dataset.readers.reference)
    if len(patients) > limits.count and len(patients) > limits.share * len(run.patients):
        raise StudyError(
            f"run {run.id}: found no file for {len(patients)} of {len(run.patients)} patients; expected the files of "
            f"all but {limits.count} patients or {limits.share:.0%} (failed_cases in config.yaml). Correct the "
            "manifest, the cohort file or data in config.yaml, or exclude the patients:\n  - "
            + "\n  - ".join(lines_of(absent))
        )
