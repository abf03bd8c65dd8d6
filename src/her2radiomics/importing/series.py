"""Series in a folder of DICOM files, and the volumes (phases, b-values, echoes) that each holds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.core.libraries import pydicom
from her2radiomics.imaging.formats.dicom import split
from her2radiomics.imaging.formats.dicom_frames import Frame, frames_of, header_of, is_dicom
from her2radiomics.imaging.formats.dicom_grid import Grid, grid_of, volumes_told_by

if TYPE_CHECKING:
    from pydicom import Dataset

#: Read beside what places an image; what becomes of each is in docs/import.md.
FURTHER = (
    *("SeriesDescription", "Modality", "StudyDate", "InstanceNumber", "RepetitionTime", "BurnedInAnnotation"),
    "PatientName",
)
#: Modalities of masks and what they are called.
MASKS = {"SEG": "a segmentation", "RTSTRUCT": "a structure set"}
#: Marks that hold a time of the day, the most exact first.
CLOCKS = ("FrameAcquisitionDateTime", "AcquisitionTime", "ContentTime")


@dataclass
class Series:
    """The files of one series, as they were found.

    Attributes
    ----------
    uid, patient, study
        As the files say; ``patient`` is the folder's name where they say nothing.
    files, headers
        The files with their elements, copies left out.
    """

    uid: str
    patient: str
    study: str
    files: list[Path] = field(default_factory=list)
    headers: list[Dataset] = field(default_factory=list)

    @property
    def first(self) -> Dataset:
        """Elements of the first file."""
        return self.headers[0]

    def text(self, keyword: str) -> str:
        """An element of the first file as text."""
        value = self.first.get(keyword)
        several = isinstance(value, (list, pydicom.multival.MultiValue))
        return "\\".join(map(str, value)) if several else str(value or "")

    @property
    def modality(self) -> str:
        """Modality, or that of the SOP class where the files lack it."""
        return self.text("Modality").upper()

    @property
    def derived(self) -> bool:
        """Whether it was computed from other images."""
        return self.text("ImageType").upper().startswith("DERIVED")

    @property
    def mark(self) -> str:
        """A short name that does not tell its UID."""
        return mark_of(self.uid)


@dataclass(frozen=True)
class Volume:
    """One volume of a series, or a series that makes none.

    Attributes
    ----------
    series
        Where it is from.
    number, count
        Its number in the series, from 0, and how many there are.
    told_by
        Marks that tell the volumes of the series apart.
    frames, grid
        Its images, and how they lie; ``grid`` is ``None`` where they make no volume.
    clock
        Seconds of the day at which it was taken, where the files say so.
    why_not
        Why it is not proposed as an image; empty where it may be.
    """

    series: Series
    number: int = 0
    count: int = 1
    told_by: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    grid: Grid | None = None
    clock: float | None = None
    why_not: str = ""

    @property
    def name(self) -> str:
        """The volume's name in the table of series and in the list of files."""
        return f"{self.series.mark}-{self.number}"


def mark_of(uid: str) -> str:
    """A short name of a UID, from which it cannot be found again."""
    return sha256(uid.encode()).hexdigest()[:10]


def find_series(folder: Path) -> tuple[list[Series], dict[str, int]]:
    """Every DICOM series below a folder, whatever its nesting; and how many files were left out, by the reason.

    Raises
    ------
    SettingsError
        There is no folder, or no DICOM file in it.
    """
    if not folder.is_dir():
        raise SettingsError(f"{folder}: found no such folder; expected a folder with DICOM files. Check the path.")
    found: dict[tuple[str, str, str], Series] = {}
    seen: set[str] = set()
    left: Counter[str] = Counter()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(place) / name
            if name.startswith(".") or name == "DICOMDIR":
                continue
            if not is_dicom(file):
                left["are no DICOM files"] += 1
                continue
            header = header_of(file, FURTHER)
            if header is None:
                left["cannot be read"] += 1
                continue
            own = str(getattr(header, "SOPInstanceUID", "") or "")
            if own and own in seen:
                left["are copies of others"] += 1
                continue
            seen.add(own)
            patient = str(header.get("PatientID") or "").strip() or _first_folder(file, folder)
            study = str(header.get("StudyInstanceUID") or "")
            uid = str(header.get("SeriesInstanceUID") or "") or str(file.parent.relative_to(folder))
            series = found.setdefault((patient, study, uid), Series(uid, patient, study))
            series.files.append(file)
            series.headers.append(header)
    if not found:
        said = " and ".join(f"{count} files that {reason}" for reason, count in left.items()) or "no file"
        raise SettingsError(f"{folder}: found {said}; expected DICOM files. Name the folder that holds the export.")
    ordered = sorted(
        found.values(),
        key=lambda s: (s.patient, s.text("StudyDate"), s.study, _whole(s.first.get("SeriesNumber")), s.uid),
    )
    return ordered, dict(left)


def _first_folder(file: Path, root: Path) -> str:
    """The first folder below the root, where files do not say whose they are."""
    parts = file.relative_to(root).parts
    return parts[0] if len(parts) > 1 else root.resolve().name


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


def volumes_of(series: Series) -> list[Volume]:
    """The volumes of a series in the order of what tells them apart; one without a grid where it makes none."""
    plain = Volume(series)
    why = _why_no_image(series)
    if series.modality in MASKS:
        return [replace(plain, why_not=why)]
    try:
        frames = [
            frame
            for file, header in zip(series.files, series.headers, strict=True)
            for frame in frames_of(file, header)
        ]
        told_by = volumes_told_by(frames)
        if told_by is None:
            grid_of(frames, series.files[0].parent)  # says what stands against it
        parts = [tuple(part) for part in split(frames, told_by or ()).values()]
        made = []
        for number, part in enumerate(parts):
            volume = replace(plain, number=number, count=len(parts), told_by=told_by or (), frames=part)
            clock = _clock(part[0], told_by or ())
            try:
                made.append(replace(volume, grid=grid_of(part, series.files[0].parent), clock=clock, why_not=why))
            except CaseError as error:
                made.append(replace(volume, clock=clock, why_not=why or f"makes no volume: found {error.found}"))
    except CaseError as error:
        return [replace(plain, why_not=why or f"makes no volume: found {error.found}")]
    return made


def _why_no_image(series: Series) -> str:
    """What a series is, where it is no image of a sequence by what its files say."""
    kind = pydicom.uid.UID(series.text("SOPClassUID")).name
    words = series.text("ImageType").upper()
    if series.modality in MASKS:
        return f"{MASKS[series.modality]}: import it with 'her2radiomics import masks'"
    if "Secondary Capture" in kind or "SECONDARY" in words.split("\\")[:2]:
        return "a secondary capture (a picture of a screen or a report)"
    if "LOCALIZER" in words or "SCOUT" in words:
        return "a localiser"
    if any(word in words for word in ("PROJECTION IMAGE", "\\MIP", "\\MPR", "SUBTRACTION")):
        return "computed from other images (ImageType says projection, reformat or subtraction)"
    return ""


def _clock(frame: Frame, told_by: Sequence[str]) -> float | None:
    """Seconds of the day at which a volume was taken, from the mark that tells volumes apart where it is a time."""
    trigger = frame.marks["TriggerTime"] if "TriggerTime" in told_by else ""
    names = [name for name in (*told_by, *CLOCKS) if name in CLOCKS and frame.marks[name]]
    if not names:
        return None
    text = frame.marks[names[0]]
    text = text[8:] if names[0].endswith("DateTime") else text
    digits, _, part = text.replace(":", "").partition(".")
    digits = digits[:6].ljust(6, "0")
    if not digits.isdigit():
        return None
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    fraction = float(f"0.{part}") if part.isdigit() else 0.0
    return seconds + fraction + (float(trigger) / 1000 if trigger else 0.0)


def instance_order(volume: Volume) -> tuple[int, int] | None:
    """``InstanceNumber`` of the first slice of the image's grid, and the step to the next one (1 or -1).

    ``None`` where the files do not count the slices one by one: boxes drawn by slice numbers cannot be placed then.
    """
    if volume.grid is None or len(volume.series.files) == 1:
        return None
    numbers = dict(zip(volume.series.files, (h.get("InstanceNumber") for h in volume.series.headers), strict=True))
    told = [_whole(numbers[frame.file]) for frame in volume.grid.frames]
    steps = set(np.diff(told).tolist())
    return (told[0], steps.pop() if steps else 1) if len(steps) < 2 and steps <= {1, -1} and told[0] > 0 else None
