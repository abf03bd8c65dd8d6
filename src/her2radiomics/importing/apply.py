"""From the completed table of series to images (NIfTI) and the manifest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from her2radiomics.cohort.identity import identity_in_identifier
from her2radiomics.cohort.tables import PATIENT_ID
from her2radiomics.core.brought.numbers import MISSING, number
from her2radiomics.core.brought.reading import read_brought
from her2radiomics.core.errors import CaseError, Problems, SettingsError, StudyError
from her2radiomics.core.libraries import pd, sitk
from her2radiomics.imaging.formats.dicom import volumes
from her2radiomics.importing import workbook
from her2radiomics.importing.manifest import (
    image_row,
    read_manifest,
    read_origins,
    with_images,
    write_manifest,
    write_origins,
)
from her2radiomics.importing.outcome import Outcome, Target
from her2radiomics.importing.scan import FILES

SEQUENCE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
Files = Mapping[str, Mapping[str, Any]]


def apply_series(table: Path, target: Target) -> Outcome:
    """Write the images that the table of series chooses, and add them to the manifest.

    Parameters
    ----------
    table
        The table of series, as the first step wrote it and the user completed it.
    target
        The data's folder; the list of files that the first step wrote lies in it.

    Raises
    ------
    StudyError
        The table, or the list of files, is missing or not as it should be; no image could be written.
    """
    path = target.folder / FILES
    if not path.is_file():
        raise SettingsError(
            f"{path}: found no such file; expected the list of files that the first step wrote. "
            "Run 'her2radiomics import dicom' again."
        )
    content = json.loads(path.read_text(encoding="utf-8"))
    files: Files = content["volumes"]
    rows = read_choices(table, files)
    outcome = Outcome()
    chosen = rows[rows["sequence"] != ""]
    if chosen.empty:
        raise SettingsError(
            f"{table}: found no sequence in any row; expected at least one. Name the sequences (DCE1, T2) and save the file."
        )
    write_images(chosen.to_dict("records"), files, Path(content["folder"]), target, outcome)
    outcome.said += target.in_words()
    masks = rows["reason"].str.contains("import masks").any()
    outcome.next = f"her2radiomics import masks {content['folder'] if masks else 'FOLDER'} --to {target.folder}"
    left = rows[rows["sequence"] == ""]
    outcome.said += [
        f"not chosen: {row['patient_id']}, series {row['series']} '{row['description']}', {row['volume']}/{row['volumes']}"
        for row in left.to_dict("records")
    ]
    return outcome


def write_images(
    chosen: Sequence[Mapping[str, str]], files: Files, folder: Path, target: Target, outcome: Outcome
) -> list[dict[str, str]]:
    """Write each chosen volume to ``images/<patient>/<sequence>.nii.gz``; a bad one is listed and the others go on."""
    rows, origins = [], read_origins(target.folder)
    for row in chosen:
        source = files[row["volume_id"]]
        patient, sequence = row["patient_id"], row["sequence"]
        name = f"images/{patient}/{sequence}.nii.gz"
        further = {key: row[key] for key in ("seconds", "b_value") if row[key]}
        try:
            _write_image(source, folder, name, target)
        except StudyError as error:
            said = error.named(patient=patient, sequence=sequence) if isinstance(error, CaseError) else error
            outcome.refused.append(str(said).replace(str(folder), "the DICOM folder"))
            continue
        rows.append(image_row(patient, sequence, name, **further))
        origins[name] = {key: source[key] for key in ("series", "patient", "instances")}
    if not rows:
        raise StudyError("\n".join(["no image could be written", *outcome.refused]))
    write_manifest(with_images(read_manifest(target.folder, needed=False), rows), target)
    write_origins(origins, target)
    outcome.said.append(f"{len(rows)} images of {len({row['patient_id'] for row in rows})} patients")
    return rows


def _write_image(source: Mapping[str, Any], folder: Path, name: str, target: Target) -> None:
    """Read a volume and write it as NIfTI, with the voxels and the place in the patient that it has."""
    if target.dry_run:
        target.written.append(name)
        return
    paths = [folder / file for file in source["files"]]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise CaseError(
            found=f"{len(missing)} of {len(paths)} DICOM files gone",
            expected="the files where the first step found them",
            remedy="Put them back, or run 'her2radiomics import dicom' again with the folder's new place.",
        )
    ((_, image),) = volumes(folder, source["by"], files=paths, only=source["number"])
    target.put(name, lambda path: sitk.WriteImage(plain(image), str(path), True))


def plain(image: sitk.Image) -> sitk.Image:
    """The image without the texts that its file had."""
    bare = sitk.Image(image)
    for key in bare.GetMetaDataKeys():
        bare.EraseMetaData(key)
    return bare


def read_choices(table: Path, files: Files) -> pd.DataFrame:
    """The table of series as the user completed it, checked by row and column; all mistakes at once.

    Raises
    ------
    TableError
        A cell that may not be, two rows of one patient with the same sequence, or a row that is not of this import.
    """
    brought = read_brought(table, ["volume_id"])
    rows, problems = brought.cells, Problems()
    for name in workbook.COLUMNS:
        if name not in rows and name != "picture":
            expected = "the columns of the first step"
            problems.add(file=table, column=name, found="no such column", expected=expected, remedy="Add it again.")
    problems.refuse()
    rows = rows.assign(
        **{name: rows[name].where(~rows[name].isin(MISSING), "") for name in ("sequence", "seconds", "b_value")}
    )
    for place, row in rows.iterrows():
        if row["sequence"]:
            for column, found, expected, remedy in _wrong(row, files):
                row_number = int(str(place))
                problems.add(file=table, row=row_number, column=column, found=found, expected=expected, remedy=remedy)
    chosen = rows[rows["sequence"] != ""]
    names = chosen["patient_id"] + "/" + chosen["sequence"].str.casefold()
    for place in chosen.index[names.duplicated()]:
        first = names.index[names == names[place]][0]
        problems.add(
            file=table,
            row=int(place),
            column="sequence",
            found=f"'{chosen.at[place, 'sequence']}' of patient {chosen.at[place, 'patient_id']} in row {first} too",
            expected="each sequence of a patient once",
            remedy="Empty one of the two, or give a second examination a sequence or a patient_id of its own.",
        )
    problems.refuse()
    return rows


def _wrong(row: Mapping[str, str], files: Files) -> list[tuple[str, str, str, str]]:
    """What is wrong with a chosen row: column, what was found, expected and advised."""
    wrong = []
    if not SEQUENCE.fullmatch(row["sequence"]):
        expected = "a letter, then letters, digits and '_'"
        wrong.append(
            ("sequence", f"'{row['sequence']}'", expected, "Name the sequence as the protocol does: DCE1, T2FS.")
        )
    if row["volume_id"] not in files:
        found = "a row that is no volume" if row["reason"] else f"'{row['volume_id']}', which is not of this import"
        wrong.append(
            (
                "volume_id",
                found,
                "a volume that the first step found",
                "Empty its sequence, or run the first step again.",
            )
        )
    patient = row["patient_id"]
    if not PATIENT_ID.fullmatch(patient):
        wrong.append(("patient_id", f"'{patient}'", "letters, digits, '_', '-' and '.'", "Rename the patient."))
    elif (looks := identity_in_identifier(patient)) and files.get(row["volume_id"], {}).get("patient") != patient:
        wrong.append(("patient_id", f"an identifier with {looks}", "a pseudonym", "Choose another name."))
    for column, least in (("seconds", -1e5), ("b_value", 0.0)):
        value = number(row[column]) if row[column] else least
        if value is None or not least <= value <= 1e5:
            wrong.append(
                (column, f"'{row[column]}'", f"a number from {least:g} on (or an empty cell)", "Correct the cell.")
            )
    return wrong
