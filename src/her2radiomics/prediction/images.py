"""New patients' images to the features of a saved model, by the settings that it was trained with."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from her2radiomics import extraction
from her2radiomics.cohort.intake import Folder, check_links, check_paths, check_table_file
from her2radiomics.cohort.manifest import BREAST, TUMOUR, ManifestRow
from her2radiomics.cohort.patterns import respell
from her2radiomics.cohort.tables import PATIENT_ID, check_manifest, read_table
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.extraction.options import log_sigmas
from her2radiomics.imaging.formats import FORMATS
from her2radiomics.prediction.measuring import MeasuredSequence, Measuring

MANIFEST = "images.tsv"
MASK = "mask"


@dataclass
class Measured:
    """What the images of one patient gave.

    Attributes
    ----------
    features
        Feature to value; empty where an image failed.
    quality
        Quality control of each region.
    overlays
        Sequence to the picture's path below the folder of the results.
    reason
        Why there are no features; empty where there are.
    """

    features: dict[str, float] = field(default_factory=dict)
    quality: list[dict[str, Any]] = field(default_factory=list)
    overlays: dict[str, str] = field(default_factory=dict)
    reason: str = ""


def find_new_images(path: Path, measuring: Measuring) -> tuple[pd.DataFrame, Path, list[str]]:
    """Rows of the manifest of new patients, their paths joined to the folder; the folder; and remarks.

    Parameters
    ----------
    path
        A manifest (``images.tsv``), a folder that holds one, or a folder with a folder for each patient. In that,
        ``<sequence>.<ending>`` (or a folder of DICOM files) is an image, and its outline is ``<sequence>_mask.<ending>``,
        or ``mask.<ending>`` for all sequences.
    measuring
        The sequences that are looked for.

    Raises
    ------
    TableError
        There is no such file or folder, nothing in it fits, or the manifest is wrong.
    """
    table = path / MANIFEST if path.is_dir() else path
    if not table.exists():
        if not path.is_dir():
            raise TableError(
                file=path,
                found="no such file or folder",
                expected="a manifest or a folder of images",
                remedy="Check the path.",
            )
        return _by_name(path, measuring)
    root = table.parent
    folder = Folder(root)
    check_table_file(table, folder)
    read = read_table(table)
    for error in read.refused.values():
        raise error
    manifest = check_manifest(read.cells, table)
    check_paths(manifest, table)
    manifest, notes = respell(manifest, root)
    check_links(manifest, folder, table)
    return manifest, root, [*(f"{table.name}: {note}" for note in read.notes), *notes]


def _by_name(root: Path, measuring: Measuring) -> tuple[pd.DataFrame, Path, list[str]]:
    rows, notes = [], []
    for patient in sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")):
        named = {
            _stem(entry).casefold(): entry for entry in sorted(patient.iterdir()) if not entry.name.startswith(".")
        }
        found = [name for name in measuring.needed if name.casefold() in named]
        if not found or not PATIENT_ID.fullmatch(patient.name):
            why = "no file is called after a sequence of the model" if not found else "its name is no identifier"
            notes.append(f"{patient.name} is left out: {why} ({', '.join(measuring.needed)})")
        for sequence in found:
            mask = named.get(f"{sequence}_{MASK}".casefold(), named.get(MASK))
            rows.append(
                {
                    "patient_id": patient.name,
                    "sequence": sequence,
                    "reader": measuring.reader,
                    "region": TUMOUR,
                    "image": str(named[sequence.casefold()]),
                    "mask": str(mask or ""),
                }
            )
    if not rows:
        raise TableError(
            file=root,
            found=f"no {MANIFEST}, and no folder of a patient with an image of {' or '.join(measuring.needed)}",
            expected=f"{MANIFEST}, or <patient>/<sequence>.<ending> with <sequence>_{MASK}.<ending> or {MASK}.<ending>",
            remedy="Name the files in this way, or write the manifest (her2radiomics import).",
        )
    manifest = check_manifest(pd.DataFrame(rows), root)
    check_links(manifest, Folder(root), root)
    return manifest, root, notes


def _stem(path: Path) -> str:
    """The name without the ending of an image format."""
    endings = sorted((end for form in FORMATS.values() for end in form.endings), key=len, reverse=True)
    name = path.name
    return next((name[: -len(end)] for end in endings if name.casefold().endswith(end)), name)


def measure(
    manifest: pd.DataFrame,
    root: Path,
    measuring: Measuring,
    patients: Sequence[str],
    folder: Path,
    *,
    reader: str = "",
    simulated: bool = False,
) -> dict[str, Measured]:
    """Extract every patient's sequences, and draw their regions; what fails is kept, not raised.

    Parameters
    ----------
    manifest, root
        As :func:`find_new_images` gives them.
    measuring
        How the images are measured.
    patients
        Whose.
    folder
        Of the results: pictures are written to ``<patient>/<sequence>.png`` below it.
    reader
        Whose outlines are used; by default those of training's reader, or of the only one.
    simulated
        Whether pictures say that the images are.

    Raises
    ------
    SettingsError
        The model's own parameter files or regions are wrong.
    """
    rows = [ManifestRow.of(row) for row in manifest.to_dict("records")]
    found = {patient: Measured() for patient in patients}
    with tempfile.TemporaryDirectory() as temporary:
        files = {}
        for name, text in measuring.parameter_files.items():
            files[name] = Path(temporary) / f"{name}.yaml"
            files[name].write_bytes(text.encode("utf-8"))
        for patient in patients:
            own = [row for row in rows if row.patient_id == patient]
            for sequence, settings in measuring.sequences.items():
                picture = folder / patient / f"{sequence}.png"
                try:
                    result = _extract(
                        own, sequence, settings, files[settings.parameters], reader or measuring.reader, root
                    )
                except StudyError as error:
                    found[patient].reason = found[patient].reason or str(error)
                    continue
                found[patient].quality += [{k: v for k, v in row.items() if v not in ("", None)} for row in result.qc]
                problem = next((row.problem for row in result.qc if row.problem), None)
                found[patient].reason = found[patient].reason or (str(problem) if problem else "")
                for record in result.features:
                    found[patient].features |= {k: v for k, v in record.items() if k not in ("patient_id", "reader")}
                if result.case.masks:
                    first = [row for row in own if row.sequence == sequence]
                    extraction.draw_overlay(first, settings.regions, picture, simulated=simulated, case=result.case)
                    found[patient].overlays[sequence] = picture.relative_to(folder).as_posix()
    return found


def _extract(
    own: Sequence[ManifestRow], sequence: str, settings: MeasuredSequence, parameters: Path, reader: str, root: Path
) -> extraction.CaseResult:
    """One sequence of one patient."""
    level = settings.slice_of
    subtracted = settings.preprocessing.subtract
    rows = _of_reader(own, sequence, reader)
    return extraction.extract_case(
        rows,
        regions=settings.regions,
        parameters=parameters,
        expected_features=settings.features,
        preprocessing=settings.preprocessing,
        precontrast=_of_reader(own, subtracted, reader)[0].image if subtracted else "",
        level_rows=_of_reader(own, level, reader) if level else (),
        log_padding=log_sigmas(settings.log_padding),
        root=root,
    )


def _of_reader(own: Sequence[ManifestRow], sequence: str, reader: str) -> list[ManifestRow]:
    """Rows of a sequence: the reader's outline, or the only one, and that of the breast.

    Raises
    ------
    StudyError
        There is no image, or several readers and none of them is the one.
    """
    rows = [row for row in own if row.sequence == sequence]
    if not rows:
        raise StudyError(
            f"sequence {sequence}: found no image (of {', '.join(dict.fromkeys(row.sequence for row in own)) or 'none'}), "
            "expected one. Add it to the folder or the manifest."
        )
    outlines = [row for row in rows if row.region == TUMOUR]
    chosen = [row for row in outlines if row.reader == reader] or outlines
    if len(chosen) > 1:
        readers = ", ".join(row.reader for row in chosen)
        raise StudyError(
            f"sequence {sequence}: found outlines of the readers {readers}, expected one of {reader}. Add --reader."
        )
    return [*chosen, *(row for row in rows if row.region == BREAST)] or rows


def feature_table(measured: Mapping[str, Measured]) -> pd.DataFrame:
    """Features of the patients whose images did not fail."""
    rows = {patient: found.features for patient, found in measured.items() if not found.reason}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("patient_id").reset_index()
