"""Quality control: a row per patient, sequence, reader and region; and how rows are written."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import CaseError
from her2radiomics.core.files import whole_file

QC_COLUMNS = contract("qc").names


@dataclass
class QualityRow(Mapping[str, Any]):
    """What was measured of one region, and what became of it; by column also a mapping, empty text where nothing was.

    ``warnings`` are what deserves a look, ``problem`` is why the reader has no features; the contract of ``qc.csv`` explains
    the columns.
    """

    patient_id: str = ""
    sequence: str = ""
    reader: str = ""
    region: str = ""
    image: str = ""
    mask: str = ""
    size: str = ""
    spacing_mm: str = ""
    voxels: int | None = None
    volume_ml: float | None = None
    slices: int | None = None
    slice_index: int | None = None
    grey_levels: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    image_peak: float | None = None
    plane: str = ""
    image_share: float | None = None
    mask_slices: int | None = None
    components: int | None = None
    parts_distance_mm: float | None = None
    dice: float | None = None
    image_hash: str = ""
    warnings: list[str] = field(default_factory=list)
    problem: CaseError | None = None

    @property
    def status(self) -> str:
        """``extracted``, ``warned`` or ``failed``."""
        return "failed" if self.problem else "warned" if self.warnings else "extracted"

    @property
    def reason(self) -> str:
        """The problem or the warnings, in words."""
        return str(self.problem) if self.problem else "; ".join(self.warnings)

    def calling_files(self, name: Callable[[str], str], *, quoting: bool = True) -> QualityRow:
        """The same row with its files called otherwise; without ``quoting`` nothing that a library said is repeated."""
        problem = self.problem
        if problem is not None:
            said = problem.quoted if quoting else ""
            problem = replace(problem, file=name(str(problem.file)), quoted=said)
        return replace(self, image=name(self.image), mask=name(self.mask), problem=problem)

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> QualityRow:
        """The row of :func:`dataclasses.asdict`."""
        return cls(**{**row, "problem": CaseError(**row["problem"]) if row["problem"] else None})

    def __getitem__(self, column: str) -> Any:
        """The cell of a column."""
        if column not in QC_COLUMNS:
            raise KeyError(column)
        value = getattr(self, column)
        return "" if value is None else value

    def __iter__(self) -> Iterator[str]:
        """The columns."""
        return iter(QC_COLUMNS)

    def __len__(self) -> int:
        """Number of columns."""
        return len(QC_COLUMNS)


def relative_to(root: str | Path) -> Callable[[str], str]:
    """Calls a file as the manifest does, without the data's folder: no result may depend on where the data lie."""
    folder = str(root)
    return lambda path: path if folder in ("", ".") else path.removeprefix(folder.rstrip(os.sep) + os.sep)


def write_rows(header: Sequence[str], rows: Iterable[Mapping[str, Any]], path: str | Path) -> None:
    """Write rows as CSV: numbers keep their full precision (``repr``), what is not a number becomes an empty cell.

    The file is written beside its place and renamed, so that a killed job leaves no half file.
    """
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            cells = [row[name] for name in header]
            writer.writerow([cell if not isinstance(cell, float) or math.isfinite(cell) else "" for cell in cells])
