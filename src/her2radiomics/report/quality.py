"""Quality control on the page: the cases as a table, their pictures, and those that could not be used."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from her2radiomics.manuscript.tables.inputs import read_csv
from her2radiomics.report.context import Grid, Overlay, QcRow
from her2radiomics.report.embed import thumbnails

#: Column of ``qc.csv`` and its heading on the page, the status first.
QC = {
    "status": "Status",
    "patient_id": "Patient",
    "sequence": "Sequence",
    "reader": "Reader",
    "region": "Region",
    "reason": "Reason",
    "voxels": "Voxels",
    "volume_ml": "Volume (ml)",
    "slices": "Slices",
    "grey_levels": "Grey levels",
    "spacing_mm": "Spacing (mm)",
    "size": "Size",
    "dice": "Dice with reader 1",
}
QC_HEADINGS = tuple(QC.values())
_WORST_FIRST = ("failed", "warned", "extracted")


def qc_rows(path: Path) -> tuple[QcRow, ...]:
    """Rows of ``qc.csv``: failed cases first, then warned ones, each in the file's order."""
    table = read_csv(path, list(QC), text=True)
    rows = [QcRow(str(row["status"]), tuple(row[name] for name in QC)) for _, row in table.iterrows()]
    return tuple(
        sorted(rows, key=lambda row: _WORST_FIRST.index(row.status) if row.status in _WORST_FIRST else 0)
    )


def failed_cases(rows: Sequence[QcRow]) -> Grid:
    """Patient, sequence, reader, region and reason of the cases that could not be used."""
    names = list(QC)
    wanted = [names.index(name) for name in ("patient_id", "sequence", "reader", "region", "reason")]
    failed = tuple(tuple(row.cells[i] for i in wanted) for row in rows if row.status == "failed")
    return Grid(tuple(QC_HEADINGS[i] for i in wanted), failed)


def overlay_pictures(
    paths: Sequence[Path], folder: Path, rows: Sequence[QcRow]
) -> tuple[tuple[Overlay, ...], str]:
    """Thumbnails of ``…/<patient>/<sequence>.png`` with the worst status of the case, those that failed first.

    Returns
    -------
    tuple
        The pictures, and a note on those that are linked but not shown.
    """
    names = list(QC)
    patient, sequence = names.index("patient_id"), names.index("sequence")
    status: dict[tuple[str, str], str] = {}
    for row in reversed(rows):  # worst first, so the worst is written last
        status[row.cells[patient], row.cells[sequence]] = row.status
    cases = [((path.parent.name, path.stem), path) for path in paths]
    order = {name: place for place, name in enumerate(_WORST_FIRST)}
    cases.sort(key=lambda case: order.get(status.get(case[0], "extracted"), 0))
    small = thumbnails([path for _, path in cases])
    pictures = tuple(
        Overlay(*case, status.get(case, ""), uri, Path(os.path.relpath(path, folder)).as_posix())
        for (case, path), uri in zip(cases, small, strict=True)
    )
    hidden = sum(not picture.thumbnail for picture in pictures)
    note = f"{hidden} of {len(pictures)} pictures are linked only, to keep the page small." if hidden else ""
    return pictures, note
