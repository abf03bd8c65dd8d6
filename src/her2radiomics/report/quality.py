"""Quality control on the page: the cases as a table, their pictures, their grey levels, and those that failed."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import whole_folder
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import read_text
from her2radiomics.manuscript.figures.grey_levels import WIDTH, outside_counts, place_of
from her2radiomics.manuscript.names import Names
from her2radiomics.manuscript.tables.text import true_minus
from her2radiomics.report.context import Choice, Grid, Link, Overlay, Panel, QcColumn, QcRow, Quality
from her2radiomics.report.embed import figure_uri, overlays
from her2radiomics.report.figures import FORMATS

#: Columns of ``qc.csv`` that the page shows first, and the centre, which no file holds; others follow.
FIRST = (
    *("status", "patient_id", "centre", "sequence", "reader", "region", "reason", "grey_levels", "dice"),
    *("volume_ml", "voxels", "slices", "slice_index", "minimum", "maximum", "spacing_mm", "size"),
)
PRINTED = 11  # columns that fit on paper
FILTERS = ("status", "sequence", "centre", "region", "reader")
_ROUNDED = {"volume_ml": 3, "dice": 3, "image_share": 3, "parts_distance_mm": 1}  # decimals on the page
_INTENSITIES = ("minimum", "maximum", "mean", "image_peak")  # one decimal, or four digits of small ones such as ADC
_WORST_FIRST = ("failed", "warned", "extracted")


def read_quality(path: Path, centres: Mapping[str, str], printed: Names) -> Quality:
    """Read ``qc.csv`` by urgency: failed regions, then warned ones, then the others by their case's lowest Dice.

    Parameters
    ----------
    path
        ``qc.csv``. All its columns are shown but for the hash of the voxels.
    centres
        Patient → printed name of the centre; empty where the run knows none.
    printed
        Printed names of sequences.

    Raises
    ------
    TableError
        The file is missing or lacks a column.
    """
    table = read_text("qc", path)
    if centres:
        table["centre"] = [centres.get(patient, "") for patient in table["patient_id"]]
    table = table.drop(columns="image_hash")
    table = table.assign(
        sequence=[printed.sequence(name) for name in table["sequence"]],
        region=[printed.region(name) for name in table["region"]],
    )
    names = [*(name for name in FIRST if name in table), *(name for name in table if name not in FIRST)]
    table = _by_urgency(table)
    columns = tuple(QcColumn(name, _heading(name), number < PRINTED) for number, name in enumerate(names))
    rows = tuple(
        QcRow(cells[names.index("status")], tuple(map(_shown, names, cells)))
        for cells in table[names].itertuples(index=False, name=None)
    )
    choices = [Choice(name, _heading(name), _choices(table, name)) for name in FILTERS if name in table]
    return Quality(columns, rows, tuple(c for c in choices if len(c.values) > 1))


def _by_urgency(table: pd.DataFrame) -> pd.DataFrame:
    """Failed rows, then warned ones; within a status by the lowest Dice of the patient's sequence, else as in the file."""
    place = {name: number for number, name in enumerate(_WORST_FIRST)}
    dice = pd.to_numeric(table["dice"], errors="coerce").fillna(1.0)
    lowest = dice.groupby([table["patient_id"], table["sequence"]]).transform("min")
    keys = pd.DataFrame({"status": table["status"].map(place).fillna(0), "dice": lowest})
    return table.loc[keys.sort_values(["status", "dice"], kind="stable").index]


def _heading(name: str) -> str:
    declared = contract("participants" if name == "centre" else "qc")
    return declared.column(name).label if name in declared.names else name.replace("_", " ").capitalize()


def _choices(table: pd.DataFrame, name: str) -> tuple[str, ...]:
    found = dict.fromkeys(value for value in table[name] if value)
    return tuple(value for value in _WORST_FIRST if value in found) if name == "status" else tuple(sorted(found))


def _shown(name: str, cell: str) -> str:
    """A cell as it is printed; the file keeps all digits."""
    cell = _rounded(name, cell)
    return cell if name in contract("qc").names and contract("qc").column(name).kind == "text" else true_minus(cell)


def _rounded(name: str, cell: str) -> str:
    if cell and name in _ROUNDED:
        return f"{float(cell):.{_ROUNDED[name]}f}".removesuffix(".0")
    if cell and name in _INTENSITIES:
        return f"{float(cell):.1f}".removesuffix(".0") if abs(float(cell)) >= 100 else f"{float(cell):.4g}"
    return cell


def failed_cases(quality: Quality) -> Grid:
    """Patient, sequence, reader, region and reason of the cases that could not be used."""
    names = ("patient_id", "sequence", "reader", "region", "reason")
    cells = zip(*(quality.values(name) for name in names), strict=True)
    failed = (case for case, row in zip(cells, quality.rows, strict=True) if row.status == "failed")
    return Grid(tuple(map(_heading, names)), tuple(failed))


def grey_level_panel(folder: Path, quality: Quality) -> tuple[Panel | None, str]:
    """The figure ``cohort/grey_levels`` for the page, and a sentence that counts the regions outside; none without regions.

    Raises
    ------
    StudyError
        The figure is missing.
    """
    if not quality.rows:
        return None, ""
    stem = Layout(folder).path("grey_levels").with_suffix("")
    files = [Link(end.upper(), contract("grey_levels").below(end)) for end in FORMATS]
    missing = [file.href for file in files if not (folder / file.href).is_file()]
    if missing:
        raise StudyError(f"{folder / missing[0]}: no such file; expected the figure. Draw it before the report.")
    levels = Counter(place_of(float(value)) for value in quality.values("grey_levels") if value)
    note = outside_counts(levels)
    caption = (
        "Each mark is one region. Too few grey levels leave texture without content, too many leave its matrices empty; "
        "a region beyond the dashed line is refused."
    )
    return Panel(
        "", "Grey levels", caption, f"Grey levels of each region. {note}", figure_uri(stem), tuple(files), WIDTH
    ), note


def gather_pictures(folders: Iterable[str | Path], target: Path) -> list[Path]:
    """The batches' pictures under one name for any size of batch: hard links where the disk can, else copies."""
    found = [picture for folder in folders for picture in sorted(Path(folder).rglob("*.png"))]
    with whole_folder(target) as folder:
        for picture in found:
            place = folder / picture.parent.name / picture.name
            place.parent.mkdir(exist_ok=True)
            try:
                os.link(picture, place)
            except OSError:
                shutil.copyfile(picture, place)
    return [target / picture.parent.name / picture.name for picture in found]


def overlay_pictures(
    paths: Sequence[Path], folder: Path, quality: Quality, names: Names
) -> tuple[tuple[Overlay, ...], str]:
    """Pictures of ``…/<patient>/<sequence>.png`` with the worst status of the case.

    They come in the order of the table's cases, the most urgent first: so those that are linked only, once the page is
    full, are those that need the least of a look.

    Returns
    -------
    tuple
        The pictures, and a note on those that are linked but not shown.
    """
    status: dict[tuple[str, str], str] = {}
    cases = zip(quality.values("patient_id"), quality.values("sequence"), strict=True)
    for case, row in zip(cases, quality.rows, strict=True):
        status.setdefault(case, row.status)  # worst first
    order = {case: place for place, case in enumerate(status)}
    paths = sorted(paths, key=lambda path: order.get((path.parent.name, names.sequence(path.stem)), len(order)))
    pictures = tuple(
        Overlay(
            path.parent.name,
            names.sequence(path.stem),
            status.get((path.parent.name, names.sequence(path.stem)), ""),
            layers,
            Path(os.path.relpath(path, folder)).as_posix(),
        )
        for path, layers in zip(paths, overlays(paths), strict=True)
    )
    hidden = sum(not picture.layers.picture for picture in pictures)
    note = f"{hidden} of {len(pictures)} pictures are linked only, to keep the page small." if hidden else ""
    return pictures, note
