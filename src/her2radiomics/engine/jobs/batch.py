"""Several patients' cases of one sequence as one job's outputs, each computed only if it is not in the store."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from her2radiomics.core import software
from her2radiomics.core.errors import TableError
from her2radiomics.core.files import room_for, whole_file, write_text
from her2radiomics.engine.file_records import ChangedFileError, Watch
from her2radiomics.engine.jobs.attempts import Attempt, LostCase, LostCasesError
from her2radiomics.engine.jobs.case_store import CaseStore, case_key

#: A finished case's record of the distributions that it took.
SOFTWARE = "software.json"


@dataclass(frozen=True)
class Case:
    """What a case is made from: images, masks and parameter files, and whatever else decides about it, as plain data."""

    files: tuple[str | Path, ...]
    settings: Mapping[str, Any]

    def key(self) -> str:
        """The case's name in the store (:func:`~her2radiomics.engine.jobs.case_store.case_key`)."""
        return case_key(self.files, self.settings)


def run_batch(
    cases: Mapping[str, Case],
    make: Callable[[str, Path], bool],
    join: Callable[[Mapping[str, Path]], None],
    store: CaseStore,
    *,
    sequence: str,
    attempt: Attempt | None = None,
    give_up: Callable[[str, Path, str], None] | None = None,
) -> list[str]:
    """Bring every case to the batch's files, computing those that the store does not hold; who was computed.

    Parameters
    ----------
    cases
        Patient to what the case is made from, in the order of the rows.
    make
        Writes a patient's files into a folder, and says whether all of it succeeded: a case that failed is not kept,
        since what it failed on may be put right outside its files.
    join
        Writes the batch's files from the patients' folders.
    store, sequence
        Finished cases; and the sequence, which errors name.
    attempt
        Which attempt at the job this is; the only one by default.
    give_up
        Writes the files of a case that the last attempt cannot compute either; without it that is an error.

    Raises
    ------
    LostCasesError
        Cases were refused memory or their process died; the others are in the store, for the next attempt.
    ChangedFileError
        Files of a case were changed while it was computed; it was not kept, the others were.
    DiskFullError
        There is no space for a file.
    """
    attempt = attempt or Attempt()
    folders: dict[str, Path] = {}
    computed: list[str] = []
    lost: list[str] = []
    changed: list[str] = []
    scratches: list[Path] = []
    try:
        for patient, case in cases.items():
            watch, key = Watch(case.files), case.key()
            found = store.find(key)
            if found is None:
                computed.append(patient)
                scratch = store.scratch(key)
                scratches.append(scratch)
                try:
                    with room_for(store.folder):
                        whole = attempt.run(partial(_noted, make, patient, scratch))
                except LostCase as error:
                    if give_up is None or not attempt.last:
                        lost.append(f"patient {patient}, sequence {sequence}: found {error}")
                        continue
                    whole = _noted(give_up, patient, scratch, f"{error} at {attempt}")
                # the key was made of the bytes that were there before the images were read
                other = watch.changed()
                if other and case.key() != key:
                    changed += other
                    continue
                found = store.keep(scratch, key) if whole else scratch
            folders[patient] = found
        if changed:
            raise ChangedFileError(
                f"{', '.join(changed)}: found content that changed since the case was begun; expected images and masks "
                "that stay unchanged while features are computed. Run again: the other cases are kept."
            )
        if lost:
            then = "" if attempt.last else " They are tried again with more."
            raise LostCasesError(f"{'; '.join(lost)} ({attempt}). The other cases are kept.{then}")
        # a case from the store, or of a process of its own, was computed with what its record names
        software.note(*software.read_records(folder / SOFTWARE for folder in folders.values()))
        join(folders)
    finally:
        for scratch in scratches:
            shutil.rmtree(scratch, ignore_errors=True)
    return computed


def _noted(make: Callable[..., bool | None], patient: str, folder: Path, *found: str) -> bool:
    """Make a case's files, and beside them the record of the distributions that it took."""
    with software.recording() as used:
        whole = make(patient, folder, *found)
    write_text(software.as_record(used), folder / SOFTWARE)
    return bool(whole)


def join_tables(parts: Iterable[str | Path], path: str | Path) -> None:
    """Write the rows of several CSV files under their common header, byte for byte.

    Raises
    ------
    TableError
        A file has another header than the first.
    """
    header = None
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        for part in map(Path, parts):
            first, _, rows = part.read_text(encoding="utf-8").partition("\n")
            if header is None:
                stream.write(f"{first}\n")
            elif first != header:
                raise TableError(
                    file=part,
                    found=f"the columns {first[:80]}…",
                    expected=f"those of the cases before, {header[:80]}…",
                    remedy="Delete the folder .cases of this extraction and run again.",
                )
            header = first
            stream.write(rows)
