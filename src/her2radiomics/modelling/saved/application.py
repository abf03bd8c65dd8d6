"""A saved model applied to new patients: score, probability, class and nomogram points, from files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from her2radiomics.core.brought.likeness import did_you_mean, look_alikes
from her2radiomics.core.brought.numbers import MISSING, number, why_no_number
from her2radiomics.core.brought.reading import BroughtTable, read_brought
from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.errors import Problems, StudyError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.spreadsheets import is_formula, unprintable
from her2radiomics.modelling.tables import reader_rows

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel

NONE = "-"
KEYS = ("patient_id", "reader")


def read_features(
    path: str | Path, needed: Collection[str] | None = None, notes: list[str] | None = None
) -> pd.DataFrame | None:
    """Feature table from CSV, TSV, XLSX, ODS or Parquet; ``None`` for ``-``.

    Parameters
    ----------
    path
        The file.
    needed
        Features that must hold numbers; other columns are left out. By default every column of numbers is read.
    notes
        Takes what was found out about the file.

    Raises
    ------
    TableError
        The file is missing, has no patients, or a needed cell is no number: all of them.
    """
    if str(path) == NONE:
        return None
    table = _read(Path(path), notes)
    columns, problems = {}, Problems()
    for name in table.cells if needed is None else [name for name in needed if name in table.cells]:
        if name in KEYS:
            continue
        with problems.collect():
            texts = table.column(name)
            values = [float("nan") if text in MISSING else number(text) for text in texts]
            wrong = [place for place, value in enumerate(values) if value is None]
            if needed is None and wrong:
                continue
            for place in wrong:
                problems.append(_no_number(Path(path), table, name, texts, place))
            columns[name] = pd.Series(values, texts.index, dtype="float64")
    problems += [error for name, error in table.refused.items() if name in (needed or ())]
    problems.refuse()
    keys = {name: table.cells[name] for name in KEYS if name in table.cells}
    return pd.DataFrame({**keys, **columns}).reset_index(drop=True)


def _no_number(path: Path, table: BroughtTable, name: str, texts: pd.Series, place: int) -> TableError:
    text = texts.iloc[place]
    return TableError(
        file=path,
        row=int(texts.index[place]),
        patient=table.cells["patient_id"].iloc[place],
        column=name,
        found=f"'{text}'",
        expected="a number (or an empty cell)",
        remedy=why_no_number(text) or "Correct the cell.",
    )


def read_people(
    path: str | Path,
    features: pd.DataFrame | None,
    needed: Collection[str] = (),
    notes: list[str] | None = None,
    *,
    identifier: str = "patient_id",
) -> pd.DataFrame:
    """Participants table as text, from CSV, TSV, XLSX, ODS or Parquet; for ``-`` the patients of the feature table.

    Parameters
    ----------
    path
        The file.
    features
        The feature table, if any.
    needed
        Columns that the model uses.
    notes
        Takes what was found out about the file.
    identifier
        Column that identifies the patients; it is called ``patient_id`` in the result.

    Raises
    ------
    TableError
        The file is missing, has no patients, or a needed column cannot be read in one way.
    """
    if str(path) == NONE:
        if features is None:
            raise TableError(
                file="command line",
                found="neither features nor participants",
                expected="the tables that the model needs",
                remedy="Give the feature table, the participants table, or both.",
            )
        return pd.DataFrame({"patient_id": features["patient_id"].astype(str).drop_duplicates()})
    table, problems = _read(Path(path), notes, identifier), Problems()
    problems += [error for name, error in table.refused.items() if name in needed]
    columns = {}
    for name in table.cells:
        with problems.collect():
            cells = table.column(name) if name in needed else table.cells[name]
            columns["patient_id" if name == identifier else name] = cells
    problems.refuse()
    return pd.DataFrame(columns).reset_index(drop=True)


def meeting(features: pd.DataFrame | None, people: pd.DataFrame, *, omit: bool) -> tuple[pd.DataFrame, list[str]]:
    """The participants who have features, and a sentence on each patient who is in one table alone.

    Raises
    ------
    TableError
        Identifiers that nearly match; without ``omit`` also participants without features.
    """
    if features is None:
        return people, []
    measured = reader_rows(features, FIRST_READER)["patient_id"].astype(str)
    asked = people["patient_id"].astype(str)
    absent = [patient for patient in asked if patient not in set(measured)]
    further = [patient for patient in dict.fromkeys(measured) if patient not in set(asked)]
    problems = Problems()
    for patient in absent:
        near = did_you_mean([patient], further)
        if near or not omit:
            problems.add(
                file="feature table",
                patient=patient,
                found="no row of reader 1",
                expected="features of every participant",
                remedy=near or "Extract the patient's features, remove the participant, or add --incomplete omit.",
            )
    problems.refuse()
    said = [f"patient {patient} is left out: no features" for patient in absent]
    said += [f"patient {patient} is left out: not in the participants table" for patient in further]
    return people[~asked.isin(absent)].reset_index(drop=True), said


def hashes_of(items: Sequence[str]) -> dict[str, str]:
    """Sequence → hash, from ``SEQUENCE=HASH``.

    Raises
    ------
    StudyError
        An item is not written so.
    """
    found: dict[str, str] = {}
    for item in items:
        sequence, equals, value = item.partition("=")
        if not (sequence and equals and value):
            raise StudyError(f"--extraction: found '{item}', expected SEQUENCE=HASH.")
        found[sequence] = value
    return found


def apply_model(
    model: FittedModel,
    features: pd.DataFrame | None,
    people: pd.DataFrame,
    *,
    extraction: Mapping[str, str] | None = None,
    incomplete: Literal["refuse", "omit"] = "refuse",
) -> pd.DataFrame:
    """Predict new patients.

    Parameters
    ----------
    model
        A loaded model.
    features
        Feature table, or ``None``.
    people
        Participants as text: the patients and their order.
    extraction
        Sequence → hash of the extraction, compared with training's.
    incomplete
        What to do with a patient who lacks a value that the model does not fill, or has a category that it never saw.

    Returns
    -------
    pandas.DataFrame
        ``patient_id, score, probability, class``, and where the model has a nomogram ``points_<predictor>`` of each
        predictor and ``points_total``.

    Raises
    ------
    StudyError
        The features were extracted with other settings.
    TableError
        A feature or column is missing, a value is not allowed, a category was never seen: with patient and column.
    """
    table = model.predict(features, people, extraction=extraction or None, incomplete=incomplete, typed=False)
    table["class"] = model.classify(table["probability"].to_numpy())
    if not model.drawable:
        return table
    points = model.points(features, people, incomplete=incomplete, typed=False)
    return table.merge(points.rename(columns=lambda c: c if c == "patient_id" else f"points_{c}"), on="patient_id")


def _read(path: Path, notes: list[str] | None, identifier: str = "patient_id") -> BroughtTable:
    """A table of patients."""
    table = read_brought(path, [identifier])
    if identifier in table.refused:
        raise table.refused[identifier]
    cells = table.cells
    if identifier not in cells:
        raise TableError(
            file=path,
            column=identifier,
            found=f"columns {', '.join(map(str, cells.columns[:5]))} …",
            expected=f"a column '{identifier}'",
            remedy=f"Name the column that identifies the patient {identifier}.",
        )
    if cells.empty:
        raise TableError(file=path, found="no row", expected="a row per patient", remedy="Add the patients.")
    problems = Problems()
    for row, patient in cells[identifier].items():
        if is_formula(patient) or unprintable(patient):
            problems.add(
                file=path,
                row=int(row),
                patient=patient,
                column=identifier,
                found=f"{patient!r}, which spreadsheets run as a formula, or a control character in it",
                expected="an identifier that begins with a letter or a digit",
                remedy="Rename the patient.",
            )
    for one, other in look_alikes(cells[identifier]):
        problems.add(
            file=path,
            patient=other,
            column=identifier,
            found=f"'{other}' beside '{one}'",
            expected="identifiers that nobody takes for one another",
            remedy="Write them the same way if they are one patient, else rename one.",
        )
    problems.refuse()
    if notes is not None:
        notes += [f"{path}: {note}" for note in table.notes]
    return table
