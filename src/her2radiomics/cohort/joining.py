"""The participants from one or several tables: appended, joined, and never in silent disagreement."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from her2radiomics.cohort import intake
from her2radiomics.cohort.settings import TableSource
from her2radiomics.cohort.tables import read_table
from her2radiomics.core.brought.likeness import did_you_mean, look_alikes
from her2radiomics.core.brought.numbers import MISSING, number
from her2radiomics.core.brought.origins import Origin
from her2radiomics.core.brought.reading import BroughtTable
from her2radiomics.core.errors import Problems, TableError
from her2radiomics.core.libraries import pd

#: Patients named in a note; the others are counted.
NAMED = 5


@dataclass
class Joined:
    """The participants so far: a row per patient, indexed by identifier, and where each column came from."""

    cells: pd.DataFrame
    origins: dict[str, Origin] = field(default_factory=dict)
    refused: dict[str, TableError] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def listed(names: Collection[str]) -> str:
    """Some names of many: *P1, P2 and 3 more*."""
    first = sorted(names)[:NAMED]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


def join_tables(sources: Sequence[TableSource], root: Path, folder: intake.Folder, problems: Problems) -> Joined:
    """Read and join the participants' tables.

    The first table says who the participants are, with those that are appended to it; the others add columns.

    Parameters
    ----------
    sources
        The tables, in the order of the cohort file.
    root, folder
        The data's folder.
    problems
        Takes the mistakes that do not prevent the reading of the rest.
    """
    joined: Joined | None = None
    # further patients first: a table that is joined has rows for them too
    for source in sorted(sources, key=lambda item: item is not sources[0] and not item.append):
        path = root / source.file
        intake.check_table_file(path, folder)
        table = read_table(path, source)
        with problems.collect():
            piece = _piece(table, source)
            if joined is None:
                joined = piece
            elif source.append:
                _append(joined, piece, path)
            else:
                _join(joined, piece, source, path)
    if joined is None:
        problems.refuse()
    assert joined is not None
    return joined


def _piece(table: BroughtTable, source: TableSource) -> Joined:
    """One table, a row per patient."""
    path, cells = str(table.file), table.cells
    identifiers = cells[source.id]
    rows = {patient: (path, int(row)) for row, patient in identifiers.items()}
    problems = Problems()
    for row, patient in identifiers[identifiers.duplicated()].items():
        first = int(identifiers.index[identifiers == patient][0])
        problems.add(
            file=path,
            row=int(row),
            patient=patient,
            column=source.id,
            found=f"the patient in row {first} already",
            expected="one row per patient",
            remedy="Remove one of the rows; give a second lesion or examination its own identifier, and say in a "
            "column 'person' who they are of.",
        )
    for one, other in look_alikes(identifiers):
        problems.add(
            file=path,
            row=rows[other][1],
            patient=other,
            column=source.id,
            found=f"'{other}' beside '{one}' in row {rows[one][1]}",
            expected="identifiers that nobody takes for one another",
            remedy="Write them the same way if they are one patient, else rename one.",
        )
    problems.refuse()
    refused, columns = dict(table.refused), {}
    for name in cells:
        if name == source.id:
            continue
        try:
            columns[str(name)] = table.column(str(name)).to_numpy()
        except TableError as error:
            refused[str(name)] = error
            columns[str(name)] = cells[name].to_numpy()
    notes = [f"{path}: {note}" for note in table.notes]
    if source.id != "patient_id" and columns.pop("patient_id", None) is not None:
        notes.append(f"{path}: the column 'patient_id' is left out, since '{source.id}' is the identifier")
    frame = pd.DataFrame({**columns, **source.constants}, index=pd.Index(identifiers.to_numpy(), name="patient_id"))
    origins = {name: Origin(path, name, rows) for name in [*columns, *refused]}
    origins["patient_id"] = Origin(path, source.id, rows)
    return Joined(frame.astype(object), origins, refused, [table.file], notes)


def _append(joined: Joined, piece: Joined, path: Path) -> None:
    """Add the patients of another table of the same kind."""
    problems = Problems()
    both = [patient for patient in piece.cells.index if patient in joined.cells.index]
    near = list(look_alikes([*joined.cells.index, *piece.cells.index]))
    for patient, other in [*((p, p) for p in both), *((b, a) for a, b in near if b in piece.cells.index)]:
        problems.add(
            file=path,
            row=piece.origins["patient_id"].rows[patient][1],
            patient=patient,
            found=f"{'the patient' if patient == other else f'nearly the patient {other}'} in an earlier table",
            expected="further patients in a table that is appended",
            remedy="Remove the row, or make the identifiers differ (their hospital in front).",
        )
    problems.refuse()
    for name in sorted(set(joined.cells) ^ set(piece.cells)):
        lacks = path if name in joined.cells else joined.files[0]
        joined.notes.append(f"{lacks}: there is no column '{name}', which an appended table has; its cells are empty")
    joined.cells = pd.concat([joined.cells, piece.cells]).fillna("")
    for name, origin in piece.origins.items():
        before = joined.origins.get(name)
        joined.origins[name] = origin if before is None else replace(before, rows={**before.rows, **origin.rows})
    joined.refused |= piece.refused
    joined.files += piece.files
    joined.notes += piece.notes


def _join(joined: Joined, piece: Joined, source: TableSource, path: Path) -> None:
    """Add columns of the same patients."""
    absent = [patient for patient in joined.cells.index if patient not in piece.cells.index]
    strangers = [patient for patient in piece.cells.index if patient not in joined.cells.index]
    advice = did_you_mean(strangers, absent)
    if advice or (absent and not source.optional):
        raise TableError(
            file=path,
            patient=sorted(absent)[0],
            column=source.id,
            found=f"no row for {len(absent)} of {len(joined.cells)} patients ({listed(absent)})",
            expected="a row for every patient",
            remedy=advice or "Add the rows, or mark the table 'optional: true' in the cohort file.",
        )
    if strangers:
        joined.notes.append(
            f"{path}: {len(strangers)} patients are in no other table and are left out ({listed(strangers)})"
        )
    if absent:
        joined.notes.append(f"{path}: {len(absent)} patients have no row; their cells are empty ({listed(absent)})")
    cells = piece.cells.reindex(joined.cells.index).fillna("")
    for name in cells:
        wins = any(fnmatch.fnmatchcase(str(name), pattern) for pattern in source.prefer)
        if name in joined.cells:
            _settle(
                joined, cells[name], piece.origins[str(name)] if name in piece.origins else None, wins=wins, path=path
            )
        else:
            joined.cells[name] = cells[name]
            if name in piece.origins:
                joined.origins[str(name)] = piece.origins[str(name)]
            if name in piece.refused:
                joined.refused[str(name)] = piece.refused[str(name)]
    for name, error in piece.refused.items():
        if name not in cells:
            joined.refused.setdefault(name, error)
    joined.files += piece.files
    joined.notes += piece.notes


def _settle(joined: Joined, theirs: pd.Series, origin: Origin | None, *, wins: bool, path: Path) -> None:
    """One column that two tables have: they agree, one fills the other's gaps, one is preferred, or it may not be used."""
    name = str(theirs.name)
    ours = joined.cells[name]
    empty, lacks = ours.isin(MISSING), theirs.isin(MISSING)
    differ = ~empty & ~lacks & ~pd.Series([_same(a, b) for a, b in zip(ours, theirs, strict=True)], ours.index)
    if differ.any() and not wins:
        patient = str(ours.index[differ][0])
        earlier = joined.origins[name].file if name in joined.origins else "an earlier table"
        joined.refused[name] = TableError(
            file=path,
            row=origin.rows[patient][1] if origin else None,
            patient=patient,
            column=name,
            found=f"'{theirs[patient]}', and '{ours[patient]}' in {earlier} ({int(differ.sum())} patients differ)",
            expected="the same value in both tables",
            remedy=f"Correct one, or say which table counts: 'prefer: [{name}]' at that table in the cohort file.",
        )
    if differ.any() and wins:
        joined.notes.append(
            f"{path}: column '{name}' differs from an earlier table in {int(differ.sum())} patients and is preferred"
        )
        joined.refused.pop(name, None)
    joined.cells[name] = theirs.where(~lacks & (empty | wins), ours)


def _same(one: str, other: str) -> bool:
    return one == other or (number(one) is not None and number(one) == number(other))
