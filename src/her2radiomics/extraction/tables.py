"""From cases to one cohort feature table: writing a case, and merging all."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2radiomics.errors import TableError
from her2radiomics.files import whole_file

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from her2radiomics.extraction.case import CaseResult

KEYS = ["patient_id", "reader"]
QC_TEXT = {
    "patient_id",
    "sequence",
    "reader",
    "region",
    "image",
    "mask",
    "size",
    "spacing_mm",
    "status",
    "reason",
}


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
    from her2radiomics.extraction.case import QC_COLUMNS

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
    import pandas as pd

    qc = _merge_qc(qc_paths, sequences)
    headers: dict[str, list[str]] = {}
    cases: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    for path in sorted(map(str, feature_paths)):
        _read_features(path, sequences, headers, cases)
    everyone = set(cases) | set(zip(qc["patient_id"], qc["reader"], strict=True))
    complete = sorted(key for key in cases if all(name in cases[key] for name in sequences))
    columns = [column for name in sequences for column in headers.get(name, [])]
    failed = [_failure(key, qc, cases, sequences) for key in sorted(everyone - set(complete))]
    return Merged(
        features=_table(complete, cases, sequences, columns),
        qc=qc,
        failed=failed,
        cases=len(pd.unique(pd.MultiIndex.from_frame(qc[["patient_id", "sequence"]]))),
    )


def _table(
    keys: Sequence[tuple[str, str]],
    cases: Mapping[tuple[str, str], Mapping[str, np.ndarray]],
    sequences: Sequence[str],
    columns: Sequence[str],
) -> pd.DataFrame:
    """The complete cases as a table: the two keys as text, every feature a float64 (empty: NaN)."""
    import numpy as np
    import pandas as pd

    numbers = np.empty((len(keys), len(columns)))
    for row, key in zip(numbers, keys, strict=True):
        row[:] = np.concatenate([cases[key][name] for name in sequences])
    table = pd.DataFrame(numbers, columns=list(columns), copy=False)
    return pd.concat([pd.DataFrame(list(keys), columns=KEYS, dtype=object), table], axis=1)


def _read_features(
    path: str,
    sequences: Sequence[str],
    headers: dict[str, list[str]],
    cases: dict[tuple[str, str], dict[str, np.ndarray]],
) -> None:
    """Add one file's cases to ``headers`` and ``cases``; its text is let go at once, the numbers take 8 bytes each."""
    import numpy as np

    with Path(path).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    if not rows or rows[0][:2] != KEYS or len(rows[0]) < 3:
        raise TableError(
            file=path,
            found="no feature header",
            expected="patient_id, reader, then features",
            remedy="Delete the file and run the extraction again.",
        )
    header = rows[0][2:]
    sequence = header[0].split("__", 1)[0]
    if sequence not in sequences:
        raise TableError(
            file=path,
            found=f"the sequence '{sequence}'",
            expected=f"one of {', '.join(sequences)}",
            remedy="Delete the file: it belongs to another protocol.",
        )
    if headers.setdefault(sequence, header) != header:
        odd = sorted(set(header) ^ set(headers[sequence]))
        raise TableError(
            file=path,
            found=f"other features than in the files before ({', '.join(odd[:3])})",
            expected="the same features in every case of a sequence",
            remedy="Delete the features of this sequence and run the extraction again.",
        )
    for row in rows[1:]:
        if len(row) != len(header) + 2:
            raise TableError(
                file=path,
                patient=row[0] if row else None,
                found=f"{len(row)} cells",
                expected=f"{len(header) + 2}",
                remedy="Delete the file and run the extraction again.",
            )
        case = cases.setdefault((row[0], row[1]), {})
        if sequence in case:
            raise TableError(
                file=path,
                patient=row[0],
                found=f"sequence {sequence} of reader {row[1]} a second time",
                expected="each case once",
                remedy="Delete one of the two files.",
            )
        try:
            case[sequence] = np.array([float(cell or "nan") for cell in row[2:]])
        except ValueError as error:
            raise TableError(
                file=path,
                patient=row[0],
                found=f"a cell that is no number ({error})",
                expected="numbers",
                remedy="Delete the file and run the extraction again.",
            ) from error


def _merge_qc(paths: Sequence[str | Path], sequences: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    from her2radiomics.extraction.case import QC_COLUMNS

    rows: list[list[str]] = []
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
        rows += found[1:]
    place = {name: index for index, name in enumerate(sequences)}
    # a stable sort: the regions of a reader stay in the order of the protocol
    rows.sort(key=lambda row: (row[0], place.get(row[1], len(place)), row[2]))
    table = pd.DataFrame(rows, columns=list(QC_COLUMNS), dtype=object)
    for name in QC_COLUMNS:
        if name not in QC_TEXT:
            table[name] = pd.to_numeric(table[name])
    return table


def _failure(
    key: tuple[str, str],
    qc: pd.DataFrame,
    cases: Mapping[tuple[str, str], Mapping[str, Any]],
    sequences: Sequence[str],
) -> Failure:
    """Why a patient and reader lacks a sequence: the first reason that its quality control recorded."""
    patient, reader = key
    mine = qc[(qc["patient_id"] == patient) & (qc["reader"] == reader) & (qc["status"] == "failed")]
    recorded = mine.drop_duplicates("sequence").set_index("sequence")["reason"]
    lacking = [name for name in sequences if name not in cases.get(key, {})]
    return Failure(
        patient, reader, {name: str(recorded.get(name, f"no {name} of reader {reader}")) for name in lacking}
    )
