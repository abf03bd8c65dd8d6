"""The table of series as a workbook: one row a volume, with a picture of its middle slice."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import PIL, openpyxl
from her2radiomics.core.memory import raise_if_out
from her2radiomics.core.spreadsheets import safe_cell
from her2radiomics.imaging.formats.dicom import decode
from her2radiomics.importing.series import Volume

#: Columns with their width and meaning; the first four may be edited.
COLUMNS = {
    "sequence": (12, "Edit: name of the sequence, such as DCE1; empty: not imported"),
    "patient_id": (16, "Edit: what the patient is called"),
    "seconds": (9, "Edit: seconds from the injection to the middle of the phase; 0 or less before it; may be empty"),
    "b_value": (8, "Edit: b-value in s/mm2"),
    "study": (6, "Examination of this patient, counted"),
    "day": (6, "Days from the patient's first examination"),
    "series": (8, "Number of the series"),
    "description": (34, "Description of the series"),
    "told_apart_by": (16, "What tells the volumes (phases, b-values) of the series apart"),
    "volume": (8, "Number of the volume in its series"),
    "volumes": (8, "Volumes in the series"),
    "slices": (7, "Slices of the volume"),
    "matrix": (10, "Columns x rows"),
    "spacing_mm": (20, "Spacing along columns x rows x slices in mm"),
    "plane": (10, "How slices lie in the patient"),
    "te_ms": (7, "Echo time in ms"),
    "tr_ms": (7, "Repetition time in ms"),
    "after_first_s": (12, "Seconds from the first image of the examination, by the files"),
    "picture": (15, "Middle slice"),
    "reason": (60, "Why no sequence is proposed"),
    "volume_id": (15, "Do not change: names the volume"),
}
SHEET, HELP = "series", "columns"
EDGE = 96  # pixels of a picture's longer side


def write(rows: Sequence[Mapping[str, str]], pictures: Sequence[bytes], path: Path) -> None:
    """Write rows with their pictures; an empty picture leaves the cell empty."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet.append([*COLUMNS])
    place = [*COLUMNS].index("picture") + 1
    for cell, (width, _) in zip(sheet[1], COLUMNS.values(), strict=True):
        cell.font = openpyxl.styles.Font(bold=True)
        sheet.column_dimensions[cell.column_letter].width = width
    for number, (row, picture) in enumerate(zip(rows, pictures, strict=True), start=2):
        sheet.append([safe_cell(row[name]) for name in COLUMNS])
        sheet.row_dimensions[number].height = 76 if picture else 15
        if picture:
            sheet.add_image(openpyxl.drawing.image.Image(io.BytesIO(picture)), sheet.cell(number, place).coordinate)
    sheet.freeze_panes = "C2"
    help_sheet = book.create_sheet(HELP)
    for name, (_, meaning) in COLUMNS.items():
        help_sheet.append([f"{name}:", meaning])
    help_sheet.column_dimensions["A"].width, help_sheet.column_dimensions["B"].width = 16, 90
    book.save(path)


def thumbnail(volume: Volume) -> bytes:
    """The middle slice as a PNG of at most 96 pixels, in grey; empty where there is none or it may hold burned-in text."""
    if volume.grid is None or volume.series.text("BurnedInAnnotation").upper() == "YES" or "capture" in volume.why_not:
        return b""
    frame = volume.grid.frames[len(volume.grid.frames) // 2]
    try:
        voxels = decode(frame.file)[frame.number].astype(float)
    except CaseError:
        return b""
    except Exception as error:  # a damaged file: the second step says so
        raise_if_out(error)
        return b""
    low, high = np.percentile(voxels, [1, 99])
    grey = (np.clip((voxels - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)
    sides = np.array(frame.size) * np.array(frame.spacing)
    width, height = (max(1, round(float(side))) for side in sides / sides.max() * EDGE)
    stream = io.BytesIO()
    PIL.Image.fromarray(grey).resize((width, height)).save(stream, format="PNG")
    return stream.getvalue()
