"""Several patients' cases of one sequence as one job's outputs, each computed only if it is not in the store."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from her2radiomics.errors import TableError
from her2radiomics.extraction.store import CaseStore
from her2radiomics.files import whole_file, whole_folder

FEATURES, QC, OVERLAY = "features.csv", "qc.csv", "overlay.png"


def run_batch(
    cases: Mapping[str, str],
    make: Callable[[str, Path], bool],
    store: CaseStore,
    *,
    sequence: str,
    features: str | Path,
    qc: str | Path,
    overlays: str | Path,
) -> list[str]:
    """Bring every case to the batch's files, computing those that the store does not hold.

    Parameters
    ----------
    cases
        Patient to the case's key (:func:`~her2radiomics.extraction.store.case_key`), in the order of the rows.
    make
        Writes a patient's ``features.csv``, ``qc.csv`` and ``overlay.png`` into a folder, and says whether all of it
        succeeded: a case that failed is not kept, since what it failed on may be mended outside its files.
    store
        Finished cases; a job killed half way finds there what it had done.
    sequence
        Names the pictures.
    features, qc, overlays
        The batch's feature table, quality-control table and folder of ``<patient>/<sequence>.png``.

    Returns
    -------
    list of str
        The patients whose case was computed.
    """
    folders: dict[str, Path] = {}
    computed = []
    scratches = []
    try:
        for patient, key in cases.items():
            found = store.find(key)
            if found is None:
                computed.append(patient)
                scratch = store.scratch(key)
                scratches.append(scratch)
                found = store.keep(scratch, key) if make(patient, scratch) else scratch
            folders[patient] = found
        join_tables([folder / FEATURES for folder in folders.values()], features)
        join_tables([folder / QC for folder in folders.values()], qc)
        with whole_folder(overlays) as pictures:
            for patient, folder in folders.items():
                (pictures / patient).mkdir()
                shutil.copyfile(folder / OVERLAY, pictures / patient / f"{sequence}.png")
    finally:
        for scratch in scratches:
            shutil.rmtree(scratch, ignore_errors=True)
    return computed


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
