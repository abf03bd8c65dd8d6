"""Reading one case by its manifest rows; what fails is kept, and names patient, sequence, reader and file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.extraction.outlines import LoadedCase, Outline, as_case_error, load
from her2radiomics.imaging.preprocessing_settings import Preprocessing
from her2radiomics.imaging.reading import read_drawn
from her2radiomics.imaging.regions import BREAST, TUMOUR, level_of

Row: TypeAlias = "ManifestRow | Mapping[str, str]"


def load_case(
    rows: Sequence[Row],
    preprocessing: Preprocessing | None = None,
    *,
    precontrast: str | Path = "",
    level_rows: Sequence[Row] = (),
) -> LoadedCase:
    """Read one case by its manifest rows; what fails is kept, not raised, and names patient, sequence, reader and file.

    ``level_rows`` are those of the patient's other sequence at whose level slices are taken.

    Raises
    ------
    SettingsError
        The rows are not of one case.
    """
    items = [ManifestRow.of(row) for row in rows]
    if len({(row.patient_id, row.sequence) for row in items}) != 1:
        raise SettingsError("found manifest rows of several cases; expected one patient and one sequence.")
    tumours = readers_of(items)
    try:
        _check_rows(items)
        case = load(
            items[0].image,
            {reader: Outline(row.mask, row.mask_label) for reader, row in tumours.items()},
            preprocessing,
            breast=next((Outline(row.mask, row.mask_label) for row in items if row.region == BREAST), None),
            precontrast=precontrast or None,
            keep_problems=True,
        )
        for reader in [*case.masks] if level_rows else []:
            _find_level(case, reader, [ManifestRow.of(row) for row in level_rows])
    except Exception as error:  # a broken file must cost this case only, whatever its reader raises
        problem = as_case_error(error, items[0].image).named(file=items[0].image)
        case = LoadedCase([*tumours], problems=dict.fromkeys(tumours, problem))
    case.problems = {reader: name_case(problem, tumours[reader]) for reader, problem in case.problems.items()}
    return case


def _find_level(case: LoadedCase, reader: str, rows: Sequence[ManifestRow]) -> None:
    """The slice of a reader's mask at the level of the largest slice that the same reader outlined on another sequence."""
    other = next((row for row in rows if row.reader == reader and row.region == TUMOUR and row.mask), None)
    try:
        if other is None:
            raise CaseError(
                found=f"no outline of reader {reader} on {rows[0].sequence}, at whose level the slice is taken",
                expected="one of the same reader",
                remedy="Outline it, or leave slice_of out of the protocol.",
            )
        drawn = read_drawn(other.mask, other.image, other.mask_label)
        case.levels[reader], note = level_of(case.masks[reader], drawn)
    except Exception as error:
        case.problems[reader] = as_case_error(error)
        del case.masks[reader]
    else:
        case.warnings[reader] += [note] if note else []


def readers_of(rows: Sequence[ManifestRow]) -> dict[str, ManifestRow]:
    """Reader to the row of the tumour mask, in their order: the first is the reference."""
    return {row.reader: row for row in rows if row.region == TUMOUR}


def name_case(error: CaseError, row: ManifestRow) -> CaseError:
    """The same error with patient, sequence, reader and file."""
    return error.named(patient=row.patient_id, sequence=row.sequence, reader=row.reader, file=row.mask or row.image)


def _check_rows(rows: Sequence[ManifestRow]) -> None:
    """Refuse rows that contradict each other: two images, an unknown region, one reader twice."""
    images = {row.image for row in rows if row.region != BREAST or row.image}
    regions = sorted({row.region for row in rows} - {TUMOUR, BREAST})
    found = [f"{len(images)} images"] * (len(images) != 1) + [f"the region {name}" for name in regions]
    if sum(row.region == TUMOUR for row in rows) != len(readers_of(rows)):
        found.append("two tumour masks of one reader")
    if found:
        raise CaseError(
            found=", ".join(found),
            expected="one image, one mask (region tumour) per reader, at most one of the breast",
            remedy="Correct the manifest.",
        )
