"""The measuring job: columns of some patients from their images, each patient computed only once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError
from her2radiomics.core.tables import assemble, write
from her2radiomics.engine.jobs.attempts import Attempt
from her2radiomics.engine.jobs.batch import Case, run_batch
from her2radiomics.engine.jobs.case_store import CaseStore
from her2radiomics.extraction.measuring import Outcome, failure, measure_patient

#: A finished patient's values.
VALUES = "measured.json"


@dataclass(frozen=True)
class Measuring:
    """What is measured of whom.

    Attributes
    ----------
    cases
        Patient to rows of the manifest, in the order of the table.
    columns
        The measured columns.
    reader
        The reference reader.
    resampled
        Sequences whose masks may lie on another grid than their image.
    simulated
        Whether the images are.
    """

    cases: Mapping[str, Sequence[ManifestRow]]
    columns: Mapping[str, Column]
    reader: str
    resampled: Sequence[str]
    simulated: bool

    def files(self) -> list[str]:
        """Images and masks that are read."""
        return [path for rows in self.cases.values() for path in _files(rows)]

    def run(self, attempt: Attempt, *, table: str) -> list[str]:
        """Write the batch's table (contract ``batch_measured``); who was computed."""
        attempt.begin()
        columns = {
            name: [measured.model_dump(mode="json"), measured.early, measured.late, [*column.levels]]
            for name, column in self.columns.items()
            if (measured := column.measured)
        }
        settings = {"columns": columns, "reader": self.reader, "resampled": list(self.resampled)}
        cases = {
            patient: Case(tuple(_files(rows)), settings | {"rows": [row.model_dump() for row in rows]})
            for patient, rows in self.cases.items()
        }
        return run_batch(
            cases,
            self._make,
            lambda folders: self._join(folders, table),
            CaseStore(Path(table).parent / ".cases"),
            sequence="measured",
            attempt=attempt,
            give_up=self._give_up,
        )

    def _make(self, patient: str, folder: Path) -> bool:
        measured = {name: column.measured for name, column in self.columns.items() if column.measured}
        found = measure_patient(self.cases[patient], measured, reader=self.reader, resampled=self.resampled)
        return self._write(found, folder)

    def _give_up(self, patient: str, folder: Path, found: str) -> None:
        reason = failure(StudyError(f"found {found}"))
        self._write(dict.fromkeys(self.columns, Outcome(reason=reason)), folder)

    def _write(self, found: Mapping[str, Outcome], folder: Path) -> bool:
        """A patient's values as texts; whether all were measured."""
        rows = [
            {"column": name, "value": self._text(name, outcome.value), "reason": outcome.reason}
            for name, outcome in found.items()
        ]
        (folder / VALUES).write_text(json.dumps(rows), encoding="utf-8")
        return not any(outcome.reason for outcome in found.values())

    def _text(self, name: str, value: float | None) -> str:
        column = self.columns[name]
        if value is None or column.measured is None:
            return ""
        return [*column.levels][int(value)] if column.measured.measure == "tic_type" else repr(value)

    def _join(self, folders: Mapping[str, Path], table: str) -> None:
        rows = [
            {"patient_id": patient, **row}
            for patient, folder in folders.items()
            for row in json.loads((folder / VALUES).read_text(encoding="utf-8"))
        ]
        write("batch_measured", assemble("batch_measured", rows), table, simulated=self.simulated)


def _files(rows: Sequence[ManifestRow]) -> list[str]:
    return list(dict.fromkeys(path for row in rows for path in (row.image, row.mask) if path))
