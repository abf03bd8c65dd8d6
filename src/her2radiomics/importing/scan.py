"""A table of series (``series.xlsx``) from a folder of DICOM files, with a sequence proposed for each."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from her2radiomics.cohort.identity import identity_in
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.planes import plane_of
from her2radiomics.importing import workbook
from her2radiomics.importing.names import PRIVATE, Identifiers, call_patients, read_key, write_key
from her2radiomics.importing.outcome import Outcome, Target
from her2radiomics.importing.rules import propose, read_rules, rules_for
from her2radiomics.importing.series import Series, Volume, find_series, instance_order, volumes_of

TABLE, FILES = "series.xlsx", f"{PRIVATE}/series_files.json"
#: Words of collections' patient names that are no names of persons.
NO_NAMES = {"breast", "mri", "pilot"}


@dataclass(frozen=True)
class Found:
    """A volume with what is written of it: texts for the table of series."""

    volume: Volume
    cells: dict[str, str]


def import_dicom(
    folder: Path, target: Target, *, rules: str = "", identifiers: Identifiers = "checked", table: str = TABLE
) -> Outcome:
    """Find series and volumes, propose a sequence for each, and write the table that the user completes.

    Parameters
    ----------
    folder
        The export, of any nesting.
    target
        The data's folder.
    rules
        A set of rules or a YAML file; by default the set that fits the patient's identifier.
    identifiers
        As for :func:`~her2radiomics.importing.names.call_patients`.
    table
        Name of the table of series in the target.

    Raises
    ------
    StudyError
        There is nothing to import, or the table is there already.
    """
    target.refuse_existing(table)
    outcome = Outcome()
    found = scan(folder, target, outcome, rules=rules, identifiers=identifiers)
    write_table(found, table, target)
    proposed = sum(bool(item.cells["sequence"]) for item in found)
    outcome.said += [f"{proposed} of {len(found)} series and phases have a proposed sequence"]
    outcome.said += target.in_words()
    path = target.folder / table
    outcome.next = (
        f"look at the column 'sequence' in {path}, correct it and save, then: her2radiomics import dicom --apply {path}"
    )
    return outcome


def write_table(found: Sequence[Found], name: str, target: Target) -> None:
    """Write the table of series, with a picture of each volume."""

    def write(path: Path) -> None:
        workbook.write([item.cells for item in found], [workbook.thumbnail(item.volume) for item in found], path)

    target.put(name, write)


def scan(folder: Path, target: Target, outcome: Outcome, *, rules: str, identifiers: Identifiers) -> list[Found]:
    """Find volumes and propose sequences; writes the list of files, and the key where patients are numbered."""
    series, left = find_series(folder)
    called, reason = call_patients((item.patient for item in series), read_key(target.folder), identifiers)
    volumes = [volume for item in series for volume in volumes_of(item)]
    found = _described(volumes, called, rules)
    patients, studies = len({s.patient for s in series}), len({(s.patient, s.study) for s in series})
    outcome.said.append(
        f"{len(series)} series of {patients} patient{'s' * (patients != 1)} and {studies} "
        f"examination{'s' * (studies != 1)}, {len(volumes)} rows"
    )
    outcome.said += [f"{count} files {words} and are left out" for words, count in sorted(left.items())]
    if reason:
        outcome.said.append(f"patients are called by numbers ({reason}); the key is in {target.folder / PRIVATE}")
        write_key(target, called)
    outcome.said += _apart(found)
    outcome.said += [f"not proposed: {_shown(item)}: {item.cells['reason']}" for item in found if item.cells["reason"]]
    target.text(FILES, _files(folder, found), update=True)
    return found


def _shown(item: Found) -> str:
    cells = item.cells
    phase = f", volume {cells['volume']} of {cells['volumes']}" if cells["volumes"] != "1" else ""
    return f"{cells['patient_id']}, series {cells['series']} '{cells['description']}'{phase}"


def _apart(found: Sequence[Found]) -> list[str]:
    """What tells the volumes of series apart that hold several."""
    counts = Counter(
        (item.cells["patient_id"], item.cells["series"], item.cells["description"], item.cells["told_apart_by"])
        for item in found
        if item.cells["told_apart_by"]
    )
    return [
        f"{who}, series {number} '{words}': {n} volumes, told apart by {by}"
        for (who, number, words, by), n in counts.items()
    ]


def _files(folder: Path, found: Sequence[Found]) -> str:
    """Where the files of each volume lie: for the second step, and for masks that refer to a series."""
    return json.dumps({"folder": str(folder.resolve()), "volumes": file_list(folder, found)}, indent=1) + "\n"


def file_list(folder: Path, found: Sequence[Found]) -> dict[str, dict[str, Any]]:
    """Volume's name to its series, patient and files, what tells it apart, and the numbers of its slices."""
    return {
        item.volume.name: {
            "series": item.volume.series.mark,
            "patient": item.cells["patient_id"],
            "files": [str(file.relative_to(folder)) for file in item.volume.series.files],
            "by": list(item.volume.told_by),
            "number": item.volume.number,
            "instances": instance_order(item.volume),
        }
        for item in found
        if item.volume.grid is not None
    }


def _described(volumes: Sequence[Volume], called: dict[str, str], rules: str) -> list[Found]:
    """The table's rows, with a proposed sequence where one rule fits one volume of a patient."""
    days = _days(volumes)
    starts: dict[tuple[str, str], float] = {}
    for volume in volumes:
        if volume.clock is not None:
            key = (volume.series.patient, volume.series.study)
            starts[key] = min(volume.clock, starts.get(key, volume.clock))
    numbers: dict[str, dict[str, int]] = defaultdict(dict)
    rows = []
    for volume in volumes:
        series = volume.series
        own = numbers[series.patient]
        cells = {name: "" for name in workbook.COLUMNS}
        cells |= {
            "patient_id": called[series.patient],
            "study": str(own.setdefault(series.study, len(own) + 1)),
            "day": days.get((series.patient, series.study), ""),
            "series": series.text("SeriesNumber"),
            "description": _description(series, called[series.patient]),
            "told_apart_by": " and ".join(volume.told_by),
            "volume": str(volume.number + 1),
            "volumes": str(volume.count),
            "te_ms": _number(volume, "EchoTime") or _number(volume, "EffectiveEchoTime"),
            "tr_ms": _plain(series.first.get("RepetitionTime")),
            "b_value": _number(volume, "DiffusionBValue"),
            "volume_id": volume.name,
            **_geometry(volume),
        }
        start = starts.get((series.patient, series.study))
        if volume.clock is not None and start is not None:
            cells["after_first_s"] = f"{volume.clock - start:.0f}"
        cells["reason"] = volume.why_not
        if not volume.why_not:
            chosen = read_rules(rules or rules_for(series.patient))
            cells["sequence"] = propose(
                chosen,
                description=cells["description"],
                volume=volume.number,
                volumes=volume.count,
                b_value=cells["b_value"],
                derived=series.derived,
            )
            if not cells["sequence"]:
                cells["reason"] = (
                    "computed from other images (ImageType DERIVED), and no rule takes it"
                    if series.derived
                    else "no rule fits its description"
                )
        rows.append(Found(volume, cells))
    return _without_rivals(rows)


def _without_rivals(rows: list[Found]) -> list[Found]:
    """Empty the proposal of volumes that fit the same sequence of the same patient, and say so."""
    counts = Counter((row.cells["patient_id"], row.cells["sequence"]) for row in rows if row.cells["sequence"])
    for row in rows:
        wanted = row.cells["sequence"]
        several = counts[row.cells["patient_id"], wanted]
        if wanted and several > 1:
            row.cells["sequence"] = ""
            row.cells["reason"] = f"{several} series or phases of this patient fit {wanted}: choose one"
    return rows


def _days(volumes: Sequence[Volume]) -> dict[tuple[str, str], str]:
    """Days from a patient's first examination, by patient and study."""
    dates: dict[tuple[str, str], datetime] = {}
    for volume in volumes:
        text = volume.series.text("StudyDate").replace(".", "")
        if re.fullmatch(r"\d{8}", text):
            try:
                dates[volume.series.patient, volume.series.study] = datetime.strptime(text, "%Y%m%d")
            except ValueError:
                continue
    firsts = {who: min(date for (w, _), date in dates.items() if w == who) for who, _ in dates}
    return {key: str((date - firsts[key[0]]).days) for key, date in dates.items()}


def _description(series: Series, called: str) -> str:
    """The series description, unless it may tell who was examined; what the patient is called does not."""
    words = " ".join(series.text("SeriesDescription").split())
    said = f"{series.patient} {series.text('PatientName')}".casefold()
    own = {part for part in re.split(r"[\W_]+", said) if len(part) > 2} - NO_NAMES
    own -= {*re.split(r"[\W_]+", called.casefold())}
    used = {part for part in re.split(r"[\W_]+", words.casefold()) if len(part) > 2}
    if identity_in(words) or any(name in word or word in name for name in own for word in used):
        return "(left out: it may tell who was examined)"
    return words


def _number(volume: Volume, mark: str) -> str:
    values = {frame.marks[mark] for frame in volume.frames}
    return _plain(values.pop()) if len(values) == 1 else ""


def _plain(value: object) -> str:
    try:
        return f"{float(str(value)):g}"
    except ValueError:
        return ""


def _geometry(volume: Volume) -> dict[str, str]:
    """Slices, matrix, spacing and plane, as far as they are known."""
    if volume.grid is None:
        known = volume.frames[:1]
        return {"slices": str(len(volume.frames) or len(volume.series.files))} | (
            {"matrix": "x".join(map(str, known[0].size))} if known else {}
        )
    grid = volume.grid
    flat = sitk.Image(1, 1, 1, sitk.sitkUInt8)
    flat.SetDirection(grid.direction)
    return {
        "slices": str(len(grid.frames)),
        "matrix": "x".join(map(str, grid.frames[0].size)),
        "spacing_mm": "x".join(f"{np.round(step, 4):g}" for step in grid.spacing),
        "plane": plane_of(flat),
        "reason": "",
    }
