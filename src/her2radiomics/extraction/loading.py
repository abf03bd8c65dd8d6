"""Reading one case: its image, every reader's mask, and their preprocessing; what fails is kept, not raised."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.core.libraries import sitk
from her2radiomics.core.memory import raise_if_out
from her2radiomics.imaging import read_image, read_mask
from her2radiomics.imaging.mask_grid import read_mask_onto
from her2radiomics.imaging.preprocessing import preprocess

if TYPE_CHECKING:
    from her2radiomics.imaging.preprocessing_settings import Preprocessing

Row = Mapping[str, str]


@dataclass
class LoadedCase:
    """The image of a case, every reader's tumour mask, the breast mask, and what could not be read.

    ``masks``, ``problems`` and ``warnings`` are keyed by reader; a problem with the image is every reader's problem.
    Image and masks are as features see them: preprocessed where that was asked for, by ``steps`` (short words).
    ``resampled`` names the readers (and ``breast``) whose mask came from another grid than the image's.
    """

    rows: dict[str, Row]
    image: sitk.Image | None = None
    breast: sitk.Image | None = None
    masks: dict[str, sitk.Image] = field(default_factory=dict)
    problems: dict[str, CaseError] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    resampled: list[str] = field(default_factory=list)
    steps: str = ""


def load_case(
    rows: Sequence[Row],
    preprocessing: Preprocessing | None = None,
    *,
    precontrast: str | Path = "",
    root: str | Path = "",
) -> LoadedCase:
    """Read the image once and every reader's mask, and preprocess them; what fails is kept as that reader's problem.

    Parameters
    ----------
    rows
        Manifest rows of one patient and sequence: ``patient_id, sequence, reader, region, image, mask,
        mask_label``.
    preprocessing
        What to do before features are extracted; nothing without it.
    precontrast
        The patient's image to subtract, where ``preprocessing`` subtracts one.
    root
        Folder of the data set: problems name files relative to it.
    """
    _one_case(rows)
    tumours = {row["reader"]: row for row in rows if (row.get("region") or "tumour") == "tumour"}
    case = LoadedCase(dict(sorted(tumours.items())), warnings={reader: [] for reader in sorted(tumours)})
    try:
        _check_rows(rows, case.rows)
        case.image = read_image(rows[0]["image"])
        for row in rows:
            if row.get("region") == "breast":
                case.breast = _read_mask(case, row, "breast", preprocessing)
        for reader, row in case.rows.items():
            try:
                case.masks[reader] = _read_mask(case, row, reader, preprocessing)
            except Exception as error:
                file = row.get("mask") or row["image"]
                case.problems[reader] = relative_to(root, named(error, row, file))
        _preprocess(case, preprocessing, precontrast, root)
    except Exception as error:  # a broken file must cost this case only, whatever its reader raises
        problems = {reader: named(error, row, rows[0]["image"]) for reader, row in case.rows.items()}
        case.problems = {reader: relative_to(root, problem) for reader, problem in problems.items()}
        case.image, case.masks = None, {}
    return case


def _read_mask(case: LoadedCase, row: Row, name: str, settings: Preprocessing | None) -> sitk.Image:
    """A mask on the image's grid; where it had to be brought there, the case's warnings say so."""
    assert case.image is not None
    if not row.get("mask"):
        raise CaseError(
            found="no mask",
            expected=f"a {'breast' if name == 'breast' else 'tumour'} mask for a sequence whose features are extracted",
            remedy="Fill in the manifest's mask, or exclude the patient with a reason.",
        )
    if settings is None or not settings.resample_mask:
        return read_mask(row["mask"], case.image, row.get("mask_label"))

    mask, note = read_mask_onto(row["mask"], case.image, row.get("mask_label"))
    if note:
        case.resampled.append(name)
        for reader in case.warnings if name == "breast" else [name]:
            case.warnings[reader].append(f"breast {note}" if name == "breast" else note)
    return mask


def _preprocess(
    case: LoadedCase, settings: Preprocessing | None, precontrast: str | Path, root: str | Path
) -> None:
    """Preprocess the image and all its masks, once."""
    if settings is None or not settings.changes_image or not case.masks:
        return

    assert case.image is not None
    before = read_image(precontrast) if settings.subtract and precontrast else None
    prepared = preprocess(
        case.image,
        settings,
        case.masks,
        breast=case.breast,
        precontrast=before,
        precontrast_file=precontrast,
    )
    case.steps = settings.summary()
    case.image, case.masks, case.breast = prepared.image, prepared.masks, prepared.breast
    for reader, error in prepared.problems.items():
        row = case.rows[reader]
        case.problems[reader] = relative_to(root, named(error, row, row["mask"]))
    for reader, warnings in prepared.warnings.items():
        case.warnings[reader] += warnings


def relative_to(root: str | Path, error: CaseError) -> CaseError:
    """The same error with files named as the manifest names them, without the data set's folder."""
    return CaseError(
        found=shown(error.found, root),
        expected=shown(error.expected, root),
        remedy=shown(error.remedy, root),
        patient=error.patient,
        sequence=error.sequence,
        reader=error.reader,
        region=error.region,
        file=shown(error.file, root),
    )


def shown(text: str, root: str | Path) -> str:
    """Text without the data set's folder: no result may depend on where the data lie."""
    folder = str(root)
    return text if folder in ("", ".") else text.replace(folder.rstrip(os.sep) + os.sep, "")


def _one_case(rows: Sequence[Row]) -> None:
    cases = {(row["patient_id"], row["sequence"]) for row in rows}
    if len(cases) != 1:
        raise SettingsError(
            f"found manifest rows of {len(cases)} cases; expected one patient and one sequence."
        )


def _check_rows(rows: Sequence[Row], tumours: Mapping[str, Row]) -> None:
    """Refuse rows that contradict each other: two images, an unknown region, one reader twice."""
    images = sorted({row["image"] for row in rows if row.get("region") != "breast" or row["image"]})
    regions = sorted({row.get("region") or "tumour" for row in rows} - {"tumour", "breast"})
    count = sum((row.get("region") or "tumour") == "tumour" for row in rows)
    found = ""
    if len(images) != 1:
        found = f"{len(images)} images ({', '.join(images)})"
    elif regions:
        found = f"the region {', '.join(regions)}"
    elif count != len(tumours):
        found = "two tumour masks of one reader"
    if found:
        raise CaseError(
            found=found,
            expected="one image, one mask (region tumour) a reader, at most one of the breast",
            remedy="Correct the manifest.",
        )


def named(error: Exception, row: Row, file: str) -> CaseError:
    """Any failure as an error that names the case; a refusal of memory is none of the case's."""
    raise_if_out(error)
    if not isinstance(error, CaseError):
        error = CaseError(
            found=f"an unexpected {type(error).__name__}: {error}",
            expected="a case that can be read and computed",
            remedy="Open the files in a viewer; if they look right, report this as a bug with the case.",
        )
    return error.named(
        patient=row["patient_id"], sequence=row["sequence"], reader=row["reader"], file=error.file or file
    )
