"""Masks of one reader, from whatever file they are in, onto the images of the manifest."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from her2radiomics.cohort.manifest import TUMOUR
from her2radiomics.cohort.patterns import path_expression
from her2radiomics.cohort.tables import PATIENT_ID
from her2radiomics.core.errors import CaseError, SettingsError, StudyError, quote
from her2radiomics.core.libraries import pydicom, sitk
from her2radiomics.core.memory import raise_if_out
from her2radiomics.imaging.formats import FORMATS
from her2radiomics.imaging.formats.dicom_frames import is_dicom
from her2radiomics.imaging.reading import read_image, read_outline
from her2radiomics.importing.apply import plain
from her2radiomics.importing.manifest import Mask, read_manifest, read_origins, with_mask, write_manifest
from her2radiomics.importing.names import read_key
from her2radiomics.importing.outcome import Outcome, Target
from her2radiomics.importing.series import MASKS, mark_of

Rows = Sequence[Mapping[str, str]]


@dataclass
class Source:
    """A file that may hold a mask: whose, and drawn on which series or sequence, as far as it says so."""

    path: Path
    patient: str
    series: set[str] = field(default_factory=set)
    sequence: str = ""


@dataclass(frozen=True)
class Wanted:
    """What is imported: the segment, whose outline it is, of which region, on which sequences.

    Attributes
    ----------
    segment
        Name, number or value of the structure in the files; empty where they hold one.
    reader, region
        As the manifest has them.
    sequences
        Sequences that get the mask; all that it fits without them.
    pattern
        Path of a mask below the folder with ``{patient}`` and, where each sequence has its own, ``{sequence}``.
    resample
        Whether a mask on another grid is resampled onto the image's.
    """

    segment: str = ""
    reader: str = "1"
    region: str = TUMOUR
    sequences: tuple[str, ...] = ()
    pattern: str = ""
    resample: bool = False


def import_masks(folder: Path, target: Target, wanted: Wanted) -> Outcome:
    """Place every mask of a folder on the images of its patient, and name it in the manifest.

    Parameters
    ----------
    folder
        Folder with masks, of any nesting, or one file.
    target
        The data's folder, with the manifest.
    wanted
        What of the files is imported.

    Raises
    ------
    StudyError
        There is no mask, no manifest, or no mask could be used.
    """
    rows: list[dict[str, str]] = read_manifest(target.folder)
    outcome = Outcome()
    sources = find_masks(folder, rows, target.folder, wanted, outcome)
    if not sources:
        raise SettingsError(
            f"{folder}: found no file that is a mask of a patient in the manifest; expected DICOM SEG or RTSTRUCT, or "
            ".seg.nrrd, .nrrd, .nii.gz or .mha files with the patient's identifier in their path. Give its place with "
            "--pattern '{patient}/mask.nii.gz'."
        )
    rows, placed = place_masks(sources, rows, target, wanted, outcome)
    if not placed:
        raise StudyError("\n".join(["no mask could be used", *outcome.refused]))
    finish(rows, placed, target, outcome)
    return outcome


def finish(rows: list[dict[str, str]], placed: Sequence[Mask], target: Target, outcome: Outcome) -> None:
    """Write the manifest, and say which images have no mask and what to do next."""
    write_manifest(rows, target)
    patients = {mask.patient for mask in placed}
    outcome.said.append(f"{len(placed)} masks of {len(patients)} patients")
    first = placed[0]
    without = {row["patient_id"] for row in rows} - {
        row["patient_id"]
        for row in rows
        if row["mask"] and (row["reader"], row["region"]) == (first.reader, first.region)
    }
    if without:
        outcome.said.append(
            f"no mask of reader {first.reader} ({first.region}): {len(without)} patients ({', '.join(sorted(without)[:10])})"
        )
    outcome.said += target.in_words()
    outcome.next = (
        f"her2radiomics import table CLINICAL.xlsx --id 'Patient ID' --to {target.folder}, or features alone: "
        f"her2radiomics extract {target.folder}/images.tsv --parameters features_1316_3d --to features.csv"
    )


def find_masks(folder: Path, rows: Rows, data: Path, wanted: Wanted, outcome: Outcome) -> list[Source]:
    """Files of a folder that are masks of patients in the manifest, in the order of their paths."""
    if not folder.exists():
        raise SettingsError(f"{folder}: found no such folder or file; expected masks. Check the path.")
    files = [folder] if folder.is_file() else _files(folder)
    endings = tuple(
        ending for form in FORMATS.values() for ending in form.endings if ending not in (".dcm", ".img", ".img.gz")
    )
    patients = {row["patient_id"] for row in rows}
    key, found, left = read_key(data), list[Source](), 0
    for file in files:
        if file.name.lower().endswith(endings):
            source = _by_name(file, folder, rows, wanted)
        else:
            source = _by_header(file, key) if is_dicom(file) and not wanted.pattern else None
        if source is None:
            continue
        if source.patient in patients or source.series:
            found.append(source)
        else:
            left += 1
    if left:
        outcome.said.append(f"{left} masks are of patients who are not in the manifest and are left out")
    return found


def _files(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place) / name for name in sorted(names) if not name.startswith(".") and name != "DICOMDIR"]
    return found


def _by_header(file: Path, key: Mapping[str, str]) -> Source | None:
    """A DICOM mask with its patient and the series that it refers to; ``None`` for any other DICOM file."""
    tags = ["Modality", "PatientID", "ReferencedSeriesSequence", "ReferencedFrameOfReferenceSequence"]
    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=tags)
    except Exception as error:  # whatever a damaged file leads to
        raise_if_out(error)
        return None
    if header.get("Modality") not in MASKS:
        return None
    patient = str(header.get("PatientID") or "")
    return Source(file, key.get(patient, patient), {mark_of(uid) for uid in _referenced(header)})


def _referenced(header: Any) -> set[str]:
    """UIDs of the series that a segmentation or structure set was drawn on."""
    items = [*(header.get("ReferencedSeriesSequence") or [])]
    for frame in header.get("ReferencedFrameOfReferenceSequence") or []:
        for study in frame.get("RTReferencedStudySequence") or []:
            items += study.get("RTReferencedSeriesSequence") or []
    return {str(item.SeriesInstanceUID) for item in items if item.get("SeriesInstanceUID")}


def _by_name(file: Path, folder: Path, rows: Rows, wanted: Wanted) -> Source | None:
    """A mask whose path names the patient, and perhaps the sequence; ``None`` where it names no patient."""
    path = file.relative_to(folder).as_posix() if folder.is_dir() else file.name
    names = {row["patient_id"].casefold(): row["patient_id"] for row in rows}
    sequences = {row["sequence"].casefold(): row["sequence"] for row in rows}
    if wanted.pattern:
        match = path_expression(wanted.pattern, "[^/]+?").fullmatch(path)
        if match is None:
            return None
        groups = match.groupdict()
        patient = names.get(groups.get("patient", "").casefold(), groups.get("patient", ""))
        return Source(
            file, patient, sequence=sequences.get(groups.get("sequence", "").casefold(), groups.get("sequence", ""))
        )
    patient = _longest(path, names)
    return Source(file, patient, sequence=_longest(file.name, sequences)) if patient else None


def _longest(text: str, names: Mapping[str, str]) -> str:
    """The longest of the names that stands in a text by itself, whatever its case; empty where none does."""
    fits = [
        name for low, name in names.items() if re.search(rf"(?<![a-z0-9]){re.escape(low)}(?![a-z0-9])", text.casefold())
    ]
    return max(fits, key=len, default="")


def place_masks(
    sources: Sequence[Source], rows: list[dict[str, str]], target: Target, wanted: Wanted, outcome: Outcome
) -> tuple[list[dict[str, str]], list[Mask]]:
    """Read each mask on each image that it belongs to, write it there, and add it to the rows; a bad one is listed."""
    origins = read_origins(target.folder)
    placed: list[Mask] = []
    for source in sources:
        images, sure = _images_of(source, rows, origins, wanted)
        if not images:
            outcome.refused.append(
                f"{source.patient}, {source.path.name}: no image of the manifest is the one it was drawn on"
            )
            continue
        fits, problems = [], dict[str, list[str]]()
        for row in images:
            try:
                rows, mask, note = _place(source, row, rows, target, wanted)
            except StudyError as error:
                said = error.named(patient=row["patient_id"]) if isinstance(error, CaseError) else error
                problems.setdefault(str(said).replace(str(source.path), source.path.name), []).append(row["sequence"])
                continue
            placed.append(mask)
            fits.append(f"{row['sequence']}{f' ({note})' if note else ''}")
        patient = images[0]["patient_id"]
        if fits:
            how = "" if sure else ", by patient and geometry: it refers to no imported series"
            outcome.said.append(f"{patient}: {source.path.name} on {', '.join(fits)}{how}")
        if problems and (sure or not fits):
            outcome.refused += [f"{', '.join(names)}: {words}" for words, names in problems.items()]
    return rows, placed


def _images_of(
    source: Source, rows: Rows, origins: Mapping[str, Mapping[str, Any]], wanted: Wanted
) -> tuple[list[Mapping[str, str]], bool]:
    """Images that a mask may be drawn on, and whether the files say so; those of its patient where they say nothing."""
    unique = {row["image"]: row for row in rows}
    images = [row for row in unique.values() if not wanted.sequences or row["sequence"] in wanted.sequences]
    named = [row for row in images if origins.get(row["image"], {}).get("series") in source.series]
    if named:
        return named, True
    own = [row for row in images if source.patient in (row["patient_id"], origins.get(row["image"], {}).get("patient"))]
    if source.sequence:
        return [row for row in own if row["sequence"] == source.sequence], True
    return own, bool(wanted.sequences) or len(own) == 1 or not source.path.name.lower().endswith(".dcm")


def _place(
    source: Source, row: Mapping[str, str], rows: list[dict[str, str]], target: Target, wanted: Wanted
) -> tuple[list[dict[str, str]], Mask, str]:
    """One mask on one image: read, written, and in the rows."""
    patient, sequence = row["patient_id"], row["sequence"]
    image = read_image(target.folder / row["image"])
    try:
        outline, note = read_outline(source.path, image, wanted.segment or None, resample=wanted.resample)
    except CaseError as error:
        remedy = error.remedy.replace("Fill in mask_label in the manifest: ", "Choose by --segment ")
        error.remedy = remedy.replace("mask_label", "--segment")
        raise error.named(reader=wanted.reader) from error
    except Exception as error:
        raise_if_out(error)
        raise CaseError(
            found="a mask that cannot be read",
            quoted=quote(error, source.path),
            expected="a mask of one of the formats that are read",
            remedy="Export it again.",
            file=source.path,
        ) from error
    return write_mask(outline, Mask(patient, sequence, wanted.reader, wanted.region, ""), rows, target, note)


def write_mask(
    outline: sitk.Image, mask: Mask, rows: list[dict[str, str]], target: Target, note: str = ""
) -> tuple[list[dict[str, str]], Mask, str]:
    """Write a mask on its image's grid, and the rows with it."""
    odd = next((text for text in (mask.reader, mask.region) if not PATIENT_ID.fullmatch(text)), None)
    if odd is not None:
        raise SettingsError(f"--reader, --region: found '{odd}'; expected letters, digits, '_', '-' and '.'.")
    what = "" if mask.region == TUMOUR else f"_{mask.region}"
    path = f"masks/{mask.patient}/{mask.sequence}_reader{mask.reader}{what}.nii.gz"
    made = Mask(mask.patient, mask.sequence, mask.reader, mask.region, path)
    added = with_mask(rows, made, force=target.force)
    target.put(path, lambda place: sitk.WriteImage(plain(outline), str(place), True))
    return added, made, note
