"""A clinical table: a page on its columns, participants without what may tell who they are, and a commented cohort file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

from her2radiomics.cohort.settings import Cohort, TableSource
from her2radiomics.cohort.tables import PATIENT_ID, read_table
from her2radiomics.core import tables
from her2radiomics.core.brought.likeness import look_alikes, parts_of_one
from her2radiomics.core.brought.numbers import MISSING
from her2radiomics.core.brought.reading import BroughtTable
from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import Problems, SettingsError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import validate
from her2radiomics.core.templates import environment
from her2radiomics.importing import cohort_file
from her2radiomics.importing.columns import Profile, feature_headings, profiles
from her2radiomics.importing.manifest import read_manifest
from her2radiomics.importing.names import Identifiers, call_patients, read_key, write_key
from her2radiomics.importing.outcome import Outcome, Target

PARTICIPANTS = contract("registered").path
FEATURES = "features.csv"
#: Headings that are the centre's, in lower case.
CENTRES = ("centre", "center", "site", "hospital", "institution")


def import_table(
    file: Path, target: Target, source: TableSource, *, name: str = "", identifiers: Identifiers = "checked"
) -> Outcome:
    """Look at a clinical table, and write a page, the participants and a cohort file.

    Parameters
    ----------
    file
        CSV, TSV, XLSX, ODS or Parquet.
    target
        The data's folder.
    source
        How the table is read; its ``id`` is the heading of the patients.
    name
        Of the cohort; by default the folder's.
    identifiers
        As for :func:`~her2radiomics.importing.names.call_patients`.

    Raises
    ------
    StudyError
        The table cannot be read, its identifiers are not one per patient, or a file is there already.
    """
    name = name or target.folder.resolve().name
    if not PATIENT_ID.fullmatch(name):
        raise SettingsError(f"--name {name}: expected letters, digits, '_', '-' and '.', as part of a file's name.")
    table = _read(file, source)
    page = f"{name}_columns.html"
    target.refuse_existing(PARTICIPANTS, page)
    path = cohort_file.place(name, target)
    Target(path.parent, target.force).refuse_existing(path.name)
    outcome = Outcome([f"{file}: {note}" for note in table.notes])
    found = profiles(table, source.id)
    called = _patients(table, source.id, target, identifiers, outcome)
    participants = _participants(table, source.id, called, found, name, outcome)
    features = _features(table, source.id, called)
    settings, text = cohort_file.compose(
        name,
        file.name,
        found,
        target.folder.resolve(),
        numbered=_numbered(called),
        features="" if features is None else FEATURES,
    )
    validate(Cohort, settings, f"{name}.yaml")
    target.put(PARTICIPANTS, lambda path: tables.write("registered", participants, path))
    if features is not None:
        brought = features  # a name that the function below keeps
        target.put(FEATURES, lambda path: brought.to_csv(path, index=False, lineterminator="\n"))
        outcome.said.append(
            f"{len(features.columns) - 1} columns are image features by their names: {FEATURES} holds them"
        )
    html = environment("importing").get_template("columns.html")
    target.text(page, html.render(title=file.name, columns=found, n=len(participants), notes=table.notes))
    where = cohort_file.write(name, text, target)
    _tell(outcome, found, participants, target)
    outcome.said += target.in_words()
    two = sorted((p for p in found if p.certain and len(p.levels) == 2), key=lambda p: not p.remarks)
    label = two[0].name if two else "COLUMN"
    outcome.next = (
        f"read {target.folder / page}, decide what is a comment in {where}, then: "
        f"her2radiomics new study NAME --cohort {name} --label {label}=1"
    )
    return outcome


def source_of(given: Mapping[str, Any]) -> TableSource:
    """How a table is read, from the command's options.

    Raises
    ------
    SettingsError
        An option may not be what it is.
    """
    return validate(TableSource, given, "import table")


def _read(file: Path, source: TableSource) -> BroughtTable:
    try:
        return read_table(file, source)
    except TableError as error:
        words = error.remedy.replace("Name it in the cohort file: 'sheet: …'.", "Name it by --sheet.")
        raise TableError(
            file=error.file,
            found=error.found,
            expected=error.expected,
            remedy=words.replace("Rename it, or map it in the cohort file.", "Name the heading by --id."),
            patient=error.patient,
            column=error.column,
            row=error.row,
        ) from error


def _patients(
    table: BroughtTable, identifier: str, target: Target, mode: Identifiers, outcome: Outcome
) -> dict[str, str]:
    """Identifier to what the patient is called; refuses patients who stand twice or nearly so."""
    cells, problems = table.cells[identifier], Problems()
    for row, patient in cells[cells.duplicated()].items():
        expected = "one row per patient"
        remedy = "Remove one of the rows; give a second lesion or examination its own identifier."
        problems.append(_mistake(table, row, patient, identifier, "the patient twice", expected, remedy))
    for one, other in look_alikes(cells):
        row = cells.index[cells == other][0]
        problems.append(
            _mistake(
                table,
                row,
                other,
                identifier,
                f"'{other}' beside '{one}'",
                "one spelling of a patient",
                "Write them the same way.",
            )
        )
    problems.refuse()
    called, reason = call_patients(cells, read_key(target.folder), mode)
    if reason:
        outcome.said.append(f"patients are called by numbers ({reason})")
        write_key(target, called)
    persons = parts_of_one(cells)
    if persons:
        outcome.said.append(
            f"{len(persons)} groups of identifiers look like one person each: add a column 'person' if they are"
        )
    return {patient: called[patient] for patient in cells}


def _mistake(
    table: BroughtTable, row: object, patient: str, column: str, found: str, expected: str, remedy: str
) -> TableError:
    return TableError(
        file=table.file,
        row=int(str(row)),
        patient=patient,
        column=column,
        found=found,
        expected=expected,
        remedy=remedy,
    )


def _numbered(called: dict[str, str]) -> bool:
    return any(name != number for name, number in called.items())


def _participants(
    table: BroughtTable, identifier: str, called: dict[str, str], found: Sequence[Profile], name: str, outcome: Outcome
) -> pd.DataFrame:
    """The participants table: numbers and levels as they stand, under our names; without what may be identity."""
    made = {"patient_id": [called[patient] for patient in table.cells[identifier]]}
    centre = next((p.heading for p in found if p.heading.lower() in CENTRES and not p.private), None)
    made["centre"] = list(table.cells[centre]) if centre else [name] * len(table.cells)
    if not centre:
        outcome.said.append(f"no column is called {' or '.join(CENTRES)}: the centre of all patients is '{name}'")
    made["exclude_reason"] = [""] * len(table.cells)
    for profile in found:
        if profile.kind != "not readable" and not profile.private and profile.heading != centre:
            cells = table.column(profile.heading)
            made[profile.name] = list(cells.where(~cells.isin(MISSING), ""))
    return pd.DataFrame(made).sort_values("patient_id", ignore_index=True)


def _features(table: BroughtTable, identifier: str, called: dict[str, str]) -> pd.DataFrame | None:
    """Image features of the patients as they stand in the table; ``None`` where it holds none."""
    headings = feature_headings(table)
    if not headings:
        return None
    made = {"patient_id": [called[patient] for patient in table.cells[identifier]]}
    made |= {heading: list(table.column(heading)) for heading in headings}
    return pd.DataFrame(made).sort_values("patient_id", ignore_index=True)


def _tell(outcome: Outcome, found: Sequence[Profile], participants: pd.DataFrame, target: Target) -> None:
    """Say what was found of the columns, and which patients have no images or are in no table."""
    unsure = [profile for profile in found if not profile.certain]
    outcome.said.append(
        f"{len(participants)} patients, {len(found)} columns: {len(found) - len(unsure)} declared, {len(unsure)} as comments"
    )
    outcome.said += [
        f"'{shorten(p.heading, 60, placeholder=' …')}': {doubt}"
        for p in found
        if p.private or p.remarks
        for doubt in (p.doubts + p.remarks)[:1]
    ]
    images = {row["patient_id"] for row in read_manifest(target.folder, needed=False)}
    if images:
        have = set(participants["patient_id"])
        for words, names in (("have no image", have - images), ("have images and are not in the table", images - have)):
            if names:
                outcome.said.append(f"{len(names)} patients {words} ({', '.join(sorted(names)[:10])})")
