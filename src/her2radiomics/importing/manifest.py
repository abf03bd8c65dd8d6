"""The manifest (``images.tsv``) of the data's folder: read, added to, and written; and which series its images are from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from her2radiomics.cohort.manifest import TUMOUR
from her2radiomics.cohort.tables import check_manifest, read_table
from her2radiomics.core import tables
from her2radiomics.core.contracts import FIRST_READER, contract
from her2radiomics.core.errors import SettingsError, StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.importing.names import PRIVATE
from her2radiomics.importing.outcome import Target

IMAGES = contract("manifest").path
ORIGINS = f"{PRIVATE}/image_series.json"
_KEYS = ("patient_id", "sequence", "reader", "region")


def read_manifest(folder: Path, *, needed: bool = True) -> list[dict[str, str]]:
    """Rows of the manifest; none where it is not there and not ``needed``.

    Raises
    ------
    StudyError
        It is needed and not there, or not as it should be.
    """
    path = folder / IMAGES
    if not path.is_file():
        if needed:
            raise SettingsError(
                f"{path}: found no such file; expected the manifest that an import of images writes. "
                "Import the images first (her2radiomics import dicom), or name the data's folder by --to."
            )
        return []
    cells = read_table(path).cells
    further = [str(name) for name in cells if name not in contract("manifest").names]
    if further:
        raise SettingsError(
            f"{path}: found columns that no manifest has ({', '.join(further)}); "
            f"expected {', '.join(contract('manifest').names)}. Keep yours in another table: an import writes this one."
        )
    return [{str(k): str(v) for k, v in row.items()} for row in check_manifest(cells, path).to_dict("records")]


def write_manifest(rows: Iterable[Mapping[str, str]], target: Target) -> None:
    """Write the rows in the order of patients, sequences, readers and regions."""
    filled = [{name: row.get(name, "") for name in contract("manifest").names} for row in rows]
    table = pd.DataFrame(filled, columns=list(contract("manifest").names))
    table = check_manifest(table.sort_values(list(_KEYS), ignore_index=True), target.folder / IMAGES)
    target.put(IMAGES, lambda path: tables.write("manifest", table, path), update=True)


def image_row(patient: str, sequence: str, image: str, **further: str) -> dict[str, str]:
    """The row of an image without a mask."""
    row = {"patient_id": patient, "sequence": sequence, "reader": FIRST_READER, "region": TUMOUR, "image": image}
    return row | {"mask": "", "mask_label": ""} | further


def with_images(rows: Sequence[Mapping[str, str]], new: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Rows with images added; an image that is there keeps its masks and takes the new one's file, time and b-value."""
    known = {(row["patient_id"], row["sequence"]): row for row in new}
    kept = [
        {**row, **_of_image(known[key])} if (key := (row["patient_id"], row["sequence"])) in known else {**row}
        for row in rows
    ]
    have = {(row["patient_id"], row["sequence"]) for row in rows}
    return kept + [dict(row) for row in new if (row["patient_id"], row["sequence"]) not in have]


def _of_image(row: Mapping[str, str]) -> dict[str, str]:
    return {name: row[name] for name in ("image", "seconds", "b_value") if row.get(name)}


@dataclass(frozen=True)
class Mask:
    """A mask that was written: of which image, by whom, and where."""

    patient: str
    sequence: str
    reader: str
    region: str
    path: str


def with_mask(rows: Sequence[Mapping[str, str]], mask: Mask, *, force: bool) -> list[dict[str, str]]:
    """Rows with a mask: in the reader's row of the image, or in a new one.

    Raises
    ------
    StudyError
        The reader has another mask there, and ``force`` is not given.
    """
    made = [dict(row) for row in rows]
    mine = (mask.patient, mask.sequence, mask.reader, mask.region)
    for row in made:
        if tuple(row[name] for name in _KEYS) == mine:
            if row["mask"] not in ("", mask.path) and not force:
                raise StudyError(
                    f"{IMAGES}, patient {mask.patient}, sequence {mask.sequence}: found the mask {row['mask']} of reader "
                    f"{mask.reader} already; expected none. Give the new one another reader (--reader), or use --force."
                )
            row |= {"mask": mask.path, "mask_label": ""}
            return made
    image = next(row for row in made if (row["patient_id"], row["sequence"]) == mine[:2])
    made.append({**image, "reader": mask.reader, "region": mask.region, "mask": mask.path, "mask_label": ""})
    return made


def read_origins(folder: Path) -> dict[str, dict[str, Any]]:
    """Image's path to the series and the numbers of the slices that it was made from; empty where no import wrote it."""
    path = folder / ORIGINS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_origins(origins: Mapping[str, Mapping[str, Any]], target: Target) -> None:
    """Write what :func:`read_origins` reads."""
    target.text(ORIGINS, json.dumps(dict(sorted(origins.items())), indent=1) + "\n", update=True)
