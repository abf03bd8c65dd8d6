"""From cases to one cohort feature table: writing a case, and merging all."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import TableError
from her2radiomics.core.files import whole_file
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import typed
from her2radiomics.extraction.case import QC_COLUMNS

if TYPE_CHECKING:
    from her2radiomics.extraction.case import CaseResult

KEYS = list(contract("batch_features").names)
Key = tuple[str, str]
BLOCK_BYTES = 1 << 26  # of numbers that are held at a time
SMALLEST_BLOCK = 256  # rows


@dataclass(frozen=True)
class Failure:
    """A patient and reader left out of the feature table, and why (one reason a sequence)."""

    patient: str
    reader: str
    reasons: dict[str, str]


@dataclass
class Merged:
    """The cohort's features and quality control.

    Attributes
    ----------
    features
        One row a patient and reader that has every sequence: ``patient_id``, ``reader``, then the features
        in the protocol's order of sequences. Sorted by patient and reader.
    qc
        All quality-control rows, sorted by patient, sequence (protocol's order), reader; regions as
        extracted.
    failed
        Who was left out, sorted by patient and reader.
    cases
        Number of patient × sequence cases, failed ones included.
    """

    features: pd.DataFrame
    qc: pd.DataFrame
    failed: list[Failure]
    cases: int


def write_case(result: CaseResult, features_path: str | Path, qc_path: str | Path) -> None:
    """Write a case's features and quality-control rows as CSV.

    Numbers keep their full precision (``repr``); a value that is not a number becomes an empty cell. Each
    file is written beside its place and renamed, so that a killed job leaves no half file.
    """
    _write(Path(features_path), result.columns, result.features)
    _write(Path(qc_path), list(QC_COLUMNS), result.qc)


def _write(path: Path, header: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([_cell(row[name]) for name in header] for row in rows)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return str(value)


def merge(
    feature_paths: Sequence[str | Path],
    qc_paths: Sequence[str | Path],
    *,
    sequences: Sequence[str],
) -> Merged:
    """Join the cases' files to one feature table and one quality-control table.

    Parameters
    ----------
    feature_paths, qc_paths
        Files of :func:`write_case`, in any order.
    sequences
        The protocol's sequences: the order of the feature columns. A patient and reader that lacks one of
        them is left out of the features and reported in ``failed``.

    Raises
    ------
    TableError
        When files of one sequence disagree about the features, hold a case twice, or hold another sequence.
    """
    cohort = CohortFeatures(feature_paths, sequences)
    qc = merge_qc(qc_paths, sequences)
    everyone = cohort.seen | set(zip(qc["patient_id"], qc["reader"], strict=True))
    return Merged(
        features=pd.concat(cohort.blocks(), ignore_index=True),
        qc=qc,
        failed=[_failure(key, qc, cohort) for key in sorted(everyone - set(cohort.keys))],
        cases=len(pd.unique(pd.MultiIndex.from_frame(qc[["patient_id", "sequence"]]))),
    )


class CohortFeatures:
    """The cohort's feature table, known by its keys; the numbers are read when they are asked for.

    Parameters
    ----------
    paths, sequences
        As for :func:`merge`.

    Attributes
    ----------
    keys
        Patient and reader of every row, sorted: those that have every sequence.
    columns
        The features, in the protocol's order of sequences.

    Raises
    ------
    TableError
        As for :func:`merge`.
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
        """Keep one file's header and where its cases stand."""
        with Path(path).open(encoding="utf-8") as stream:
            header, sequence = self._header(path, stream.readline())
            for line, text in enumerate(stream):
                cells = text.count(",") + 1
                patient, reader = [*text.rstrip("\n").split(",", 2), ""][:2]
                if cells != len(header) + 2:
                    raise TableError(
                        file=path,
                        patient=patient or None,
                        found=f"{cells} cells",
                        expected=f"{len(header) + 2}",
                        remedy="Delete the file and run the extraction again.",
                    )
                if (patient, reader) in self._places[sequence]:
                    raise TableError(
                        file=path,
                        patient=patient,
                        found=f"sequence {sequence} of reader {reader} a second time",
                        expected="each case once",
                        remedy="Delete one of the two files.",
                    )
                self._places[sequence][patient, reader] = path, line

    def _header(self, path: str, text: str) -> tuple[list[str], str]:
        """The features that a file holds, and of which sequence."""
        names = next(csv.reader([text]), [])
        if names[:2] != KEYS or len(names) < 3:
            raise TableError(
                file=path,
                found="no feature header",
                expected="patient_id, reader, then features",
                remedy="Delete the file and run the extraction again.",
            )
        header = names[2:]
        sequence = header[0].split("__", 1)[0]
        if sequence not in self.sequences:
            raise TableError(
                file=path,
                found=f"the sequence '{sequence}'",
                expected=f"one of {', '.join(self.sequences)}",
                remedy="Delete the file: it belongs to another protocol.",
            )
        if self._headers.setdefault(sequence, header) != header:
            odd = sorted(set(header) ^ set(self._headers[sequence]))
            raise TableError(
                file=path,
                found=f"other features than in the files before ({', '.join(odd[:3])})",
                expected="the same features in every case of a sequence",
                remedy="Delete the features of this sequence and run the extraction again.",
            )
        return header, sequence


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
                raise TableError(
                    file=path,
                    patient=patient,
                    found=f"a cell that is no number ({error})",
                    expected="numbers",
                    remedy="Delete the file and run the extraction again.",
                ) from error
    return rows


def merge_qc(paths: Sequence[str | Path], sequences: Sequence[str]) -> pd.DataFrame:
    """All quality-control rows, sorted by patient, sequence (protocol's order), reader; regions as extracted.

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
            raise TableError(
                file=path,
                found="another header",
                expected=", ".join(QC_COLUMNS),
                remedy="Delete the file and run the extraction again.",
            )
        # most cells repeat from row to row: each text is kept once
        rows += [[texts.setdefault(cell, cell) for cell in row] for row in found[1:]]
    place = {name: index for index, name in enumerate(sequences)}
    # a stable sort: the regions of a reader stay in the order of the protocol
    rows.sort(key=lambda row: (row[0], place.get(row[1], len(place)), row[2]))
    return typed(
        "qc", pd.DataFrame(rows, columns=list(QC_COLUMNS), dtype=object), "quality control of the batches"
    )


def _failure(
    key: tuple[str, str],
    qc: pd.DataFrame,
    cohort: CohortFeatures,
) -> Failure:
    """Why a patient and reader lacks a sequence: the first reason that its quality control recorded."""
    patient, reader = key
    mine = qc[(qc["patient_id"] == patient) & (qc["reader"] == reader) & (qc["status"] == "failed")]
    recorded = mine.drop_duplicates("sequence").set_index("sequence")["reason"]
    return Failure(
        patient,
        reader,
        {name: str(recorded.get(name, f"no {name} of reader {reader}")) for name in cohort.lacking(key)},
    )
