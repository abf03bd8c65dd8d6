"""Boxes around tumours in a table of rows, columns and slices (Duke's ``Annotation_Boxes.xlsx``), as masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from her2radiomics.cohort.manifest import TUMOUR
from her2radiomics.cohort.settings import TableSource
from her2radiomics.cohort.tables import read_table, require_columns
from her2radiomics.core.errors import CaseError, Problems, SettingsError, StudyError, TableError
from her2radiomics.core.libraries import pd, sitk
from her2radiomics.imaging.reading import read_image
from her2radiomics.importing.manifest import Mask, read_manifest, read_origins
from her2radiomics.importing.masks import finish, write_mask
from her2radiomics.importing.names import read_key
from her2radiomics.importing.outcome import Outcome, Target

AXES = ("Column", "Row", "Slice")  # along x, y and z of the image
#: Where a slice lies that is further along an axis of the patient (LPS), and where one before it.
ENDS = (("left", "right"), ("posterior", "anterior"), ("superior", "inferior"))


@dataclass(frozen=True)
class Counting:
    """How the boxes count.

    Attributes
    ----------
    base
        Number of the first row, column and slice: 1, or 0.
    first
        The end of the patient at which slices are counted from, for images that no import of DICOM wrote.
    clip
        Whether a box that leaves the image is cut to it, and not refused.
    """

    base: int = 1
    first: str = ""
    clip: bool = False


def import_boxes(
    table: Path, target: Target, *, identifier: str = "Patient ID", reader: str = "1", counting: Counting | None = None
) -> Outcome:
    """Write a mask for each box on every sequence of its patient, and name it in the manifest.

    Parameters
    ----------
    table
        One row per patient: ``Start Row``, ``End Row``, ``Start Column``, ``End Column``, ``Start Slice``, ``End Slice``,
        ends included.
    target
        The data's folder, with the manifest.
    identifier
        Heading of the patients.
    reader
        Who drew the boxes.
    counting
        How rows, columns and slices are counted.

    Raises
    ------
    StudyError
        The table or the manifest is not as it should be, or no box could be used.
    """
    counting = counting or Counting()
    boxes = read_boxes(table, identifier)
    rows = read_manifest(target.folder)
    key, origins = read_key(target.folder), read_origins(target.folder)
    outcome, placed = Outcome(), list[Mask]()
    images = {row["image"]: row for row in rows}
    sources = {image: source.get("patient") for image, source in origins.items()}
    strangers = 0
    for name, box in boxes.iterrows():
        called = key.get(str(name), str(name))
        mine = [row for row in images.values() if called in (row["patient_id"], sources.get(row["image"]))]
        strangers += not mine
        said: dict[str, list[str]] = {}
        for row in mine:
            try:
                outline, words = _mask(box, target.folder / row["image"], origins.get(row["image"], {}), counting)
                mask = Mask(row["patient_id"], row["sequence"], reader, TUMOUR, "")
                rows, made, _ = write_mask(outline, mask, rows, target)
            except StudyError as error:
                named = (
                    error.named(patient=row["patient_id"], sequence=row["sequence"])
                    if isinstance(error, CaseError)
                    else error
                )
                outcome.refused.append(str(named).replace(f"{target.folder}/", ""))
                continue
            placed.append(made)
            said.setdefault(words, []).append(row["sequence"])
        outcome.said += [f"{mine[0]['patient_id']}, {', '.join(names)}: {words}" for words, names in said.items()]
    if strangers:
        outcome.said.append(f"{strangers} boxes are of patients who are not in the manifest")
    if not placed:
        raise StudyError("\n".join([f"{table}: no box could be used", *outcome.said, *outcome.refused]))
    outcome.said.append(f"rows, columns and slices are counted from {counting.base} (--base)")
    finish(rows, placed, target, outcome)
    return outcome


def read_boxes(table: Path, identifier: str) -> pd.DataFrame:
    """Boxes by patient: whole numbers from the start to the end of each axis, both included.

    Raises
    ------
    TableError
        A column is missing, a patient stands twice, or a cell is no whole number or before its start.
    """
    source = TableSource.model_validate({"file": table.name, "id": identifier})
    cells = read_table(table, source).cells
    names = [f"{end} {axis}" for axis in AXES for end in ("Start", "End")]
    require_columns(cells, names, table)
    problems = Problems()
    numbers = {name: pd.to_numeric(cells[name], errors="coerce") for name in names}

    def refuse(row: object, column: str, expected: str) -> None:
        problems.append(
            TableError(
                file=table,
                row=int(str(row)),
                patient=str(cells.at[row, identifier]),
                column=column,
                found=f"'{cells.at[row, column]}'",
                expected=expected,
                remedy="Correct the cell.",
            )
        )

    for row in cells.index[cells[identifier].duplicated()]:
        refuse(row, identifier, "one box a patient")
    for name in names:
        for row in cells.index[~(numbers[name] >= 0) | (numbers[name] % 1 != 0)]:
            refuse(row, name, "a whole number from 0 on")
    for axis in AXES:
        for row in cells.index[numbers[f"End {axis}"] < numbers[f"Start {axis}"]]:
            refuse(row, f"End {axis}", f"Start {axis} or more")
    problems.refuse()
    return pd.DataFrame(numbers).astype(int).set_axis(cells[identifier].to_numpy())


def _mask(box: Any, file: Path, origin: Mapping[str, Any], counting: Counting) -> tuple[sitk.Image, str]:
    """The mask of a box on an image, and how slices were counted in words."""
    image = read_image(file)
    first, step, words = _slices(image, origin.get("instances"), counting, file)
    size, ranges = image.GetSize(), []
    for place, axis in enumerate(AXES):
        low, high = int(box[f"Start {axis}"]) - counting.base, int(box[f"End {axis}"]) - counting.base
        if axis == "Slice":
            low, high = sorted((number - first) * step for number in (low, high))
        if ((low < 0 or high >= size[place]) and not counting.clip) or high < 0 or low >= size[place]:
            raise CaseError(
                found=f"a box over the {axis.lower()}s {box[f'Start {axis}']} to {box[f'End {axis}']}, and an image of "
                f"{_counted(axis, size[place], first, step, counting.base)}",
                expected="a box within the image",
                remedy="Check that the image is the one that the box was drawn on, and --base; --clip cuts the box to it.",
                file=file,
            )
        ranges.append(slice(max(low, 0), min(high, size[place] - 1) + 1))
    voxels = np.zeros(size[::-1], np.uint8)
    voxels[ranges[2], ranges[1], ranges[0]] = 1
    mask = sitk.GetImageFromArray(voxels)
    mask.CopyInformation(image)
    sides = "x".join(str(part.stop - part.start) for part in ranges)
    return mask, f"{words}; the box has {sides} voxels (columns x rows x slices)"


def _counted(axis: str, size: int, first: int, step: int, base: int) -> str:
    if axis != "Slice":
        return f"{axis.lower()}s {base} to {base + size - 1}"
    ends = sorted((first + base, first + base + step * (size - 1)))
    return f"slices {ends[0]} to {ends[1]}"


def _slices(image: sitk.Image, instances: Sequence[int] | None, counting: Counting, file: Path) -> tuple[int, int, str]:
    """Number (from 0) of the image's first slice, the step to its next one, and the order in words."""
    normal = np.reshape(image.GetDirection(), (3, 3))[:, 2]
    axis = int(np.abs(normal).argmax())
    onward, backward = ENDS[axis] if normal[axis] > 0 else ENDS[axis][::-1]
    count = image.GetSize()[2]
    if instances is not None:
        number, step = instances
        start, end = (backward, onward) if step > 0 else (onward, backward)
        low, high = sorted((number, number + step * (count - 1)))
        return number - 1, step, f"slices follow InstanceNumber, from {start} to {end} ({low} to {high} are here)"
    if not counting.first:
        raise CaseError(
            found="an image whose files do not say how its slices are counted",
            expected="InstanceNumber of each slice, or --first-slice",
            remedy=f"Say where slice {counting.base} lies: --first-slice {onward} or --first-slice {backward}. "
            "Duke's boxes count from superior.",
            file=file,
        )
    if counting.first not in (onward, backward):
        raise SettingsError(
            f"--first-slice {counting.first}: found slices from {backward} to {onward}; expected one of these two."
        )
    step = 1 if counting.first == backward else -1
    last = backward if counting.first == onward else onward
    return (
        (0 if step > 0 else count - 1),
        step,
        f"slices are counted from {counting.first} to {last}, as --first-slice says",
    )
