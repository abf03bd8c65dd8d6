"""From the cases' files to the cohort's feature and quality-control tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import typed
from her2radiomics.extraction.outliers import warn_outliers
from her2radiomics.extraction.quality import QC_COLUMNS

KEYS = list(contract("batch_features").names)
Key = tuple[str, str]
BLOCK_BYTES = 1 << 26  # of numbers that are held at a time
SMALLEST_BLOCK = 256  # rows


class CohortFeatures:
    """The cohort's feature table, known by its keys; the numbers are read when they are asked for.

    ``paths`` are the feature tables of one or many cases. ``keys`` are the patients and
    readers that have every one of the protocol's ``sequences``, sorted; ``columns`` the features in their order.

    Raises
    ------
    TableError
        Files of one sequence disagree about the features, hold a case twice, or hold another sequence.
    """

    def __init__(self, paths: Sequence[str | Path], sequences: Sequence[str]) -> None:
        """Read header and keys of every file."""
        self.sequences = list(sequences)
        self._headers: dict[str, list[str]] = {}
        self._places: dict[str, dict[Key, tuple[str, int]]] = {name: {} for name in sequences}
        for path in sorted(map(str, paths)):
            self._look_into(path)
        self.seen = set().union(*self._places.values())
        self.keys = sorted(key for key in self.seen if not self.lacking(key))
        self.columns = [column for name in sequences for column in self._headers.get(name, [])]

    def lacking(self, key: Key) -> list[str]:
        """Sequences that this patient and reader has no features of."""
        return [name for name in self.sequences if key not in self._places[name]]

    def blocks(self) -> Iterator[pd.DataFrame]:
        """The table's rows, some at a time: the two keys as text, every feature a float64 (empty: NaN).

        A block is about 64 MB of numbers, whatever the cohort; how the files were cut does not show. Files are read once
        where their patients are in order, as the workflow's batches are.
        """
        size = max(SMALLEST_BLOCK, BLOCK_BYTES // (8 * max(1, len(self.columns))))
        read = lru_cache(maxsize=2 * len(self.sequences))(_read_numbers)
        for start in range(0, max(1, len(self.keys)), size):
            keys = self.keys[start : start + size]
            numbers = np.empty((len(keys), len(self.columns)))
            for row, key in zip(numbers, keys, strict=True):
                places = [self._places[name][key] for name in self.sequences]
                row[:] = np.concatenate([read(path)[line] for path, line in places])
            table = pd.DataFrame(numbers, columns=self.columns, copy=False)
            yield pd.concat([pd.DataFrame(keys, columns=KEYS, dtype=object), table], axis=1)

    def _look_into(self, path: str) -> None:
        """Keep one file's header and where its cases are."""
        with Path(path).open(encoding="utf-8") as stream:
            names = next(csv.reader([stream.readline()]), [])
            if names[:2] != KEYS or len(names) < 3:
                raise _broken(path, "no feature header", "patient_id, reader, then features")
            sequence = names[2].split("__", 1)[0]
            if sequence not in self.sequences:
                raise _broken(path, f"the sequence '{sequence}'", f"one of {', '.join(self.sequences)}")
            odd = sorted({*names[2:]} ^ {*self._headers.setdefault(sequence, names[2:])})
            if self._headers[sequence] != names[2:]:
                found = f"other features than in the files before ({', '.join(odd[:3])})"
                raise _broken(path, found, "the same features in every case of a sequence")
            for line, text in enumerate(stream):
                patient, reader = [*text.rstrip("\n").split(",", 2), ""][:2]
                cells = text.count(",") + 1
                if cells != len(names):
                    raise _broken(path, f"{cells} cells", f"{len(names)}", patient)
                if (patient, reader) in self._places[sequence]:
                    found = f"sequence {sequence} of reader {reader} a second time"
                    raise _broken(path, found, "each case once", patient)
                self._places[sequence][patient, reader] = path, line


def _broken(path: str, found: str, expected: str, patient: str | None = None) -> TableError:
    remedy = "Delete the file, or the extraction's folder, and run the extraction again."
    return TableError(file=path, patient=patient or None, found=found, expected=expected, remedy=remedy)


def _read_numbers(path: str) -> list[np.ndarray]:
    """The numbers of every row of one file."""
    rows = []
    with Path(path).open(encoding="utf-8") as stream:
        next(stream)
        for text in stream:
            patient, _, *cells = text.rstrip("\n").split(",")
            try:
                rows.append(np.array([float(cell or "nan") for cell in cells]))
            except ValueError as error:
                raise _broken(path, f"a cell that is no number ({error})", "numbers", patient) from error
    return rows


def merge_qc(paths: Sequence[str | Path], sequences: Sequence[str]) -> pd.DataFrame:
    """All quality-control rows, sorted by patient, sequence (protocol's order), reader; regions as extracted.

    Images that are far from those of the other patients are warned about (:mod:`her2radiomics.extraction.outliers`).

    Raises
    ------
    TableError
        A file has another header.
    """
    rows: list[list[str]] = []
    texts: dict[str, str] = {}
    for path in sorted(map(str, paths)):
        with Path(path).open(newline="", encoding="utf-8") as stream:
            found = list(csv.reader(stream))
        if not found or tuple(found[0]) != QC_COLUMNS:
            raise _broken(path, "another header", ", ".join(QC_COLUMNS))
        # most cells repeat from row to row: each text is kept once
        rows += [[texts.setdefault(cell, cell) for cell in row] for row in found[1:]]
    place = {name: index for index, name in enumerate(sequences)}
    # a stable sort: the regions of a reader stay in the order of the protocol
    rows.sort(key=lambda row: (row[0], place.get(row[1], len(place)), row[2]))
    table = pd.DataFrame(rows, columns=list(QC_COLUMNS), dtype=object)
    return warn_outliers(typed("qc", table, "quality control of the batches"))
