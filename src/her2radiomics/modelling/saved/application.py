"""A saved model applied to new patients: score, probability, class and nomogram points, from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.spreadsheets import is_formula, unprintable

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel

NONE = "-"


def read_features(path: str | Path) -> pd.DataFrame | None:
    """Feature table from CSV or Parquet; ``None`` for ``-``.

    Raises
    ------
    TableError
        The file is missing, or has no patients.
    """
    if str(path) == NONE:
        return None
    path = Path(path)
    _refuse_absent(path)
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
    else:
        # pandas' own parser may be off by the last bit
        table = pd.read_csv(path, dtype={"patient_id": str, "reader": str}, float_precision="round_trip")
    return _with_patients(table, path)


def read_people(path: str | Path, features: pd.DataFrame | None) -> pd.DataFrame:
    """Participants table as text, from CSV or TSV; for ``-`` the patients of the feature table.

    Raises
    ------
    TableError
        The file is missing, or has no patients.
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
    path = Path(path)
    _refuse_absent(path)
    separator = "\t" if path.suffix == ".tsv" else ","
    return _with_patients(pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False), path)


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
    return table.merge(
        points.rename(columns=lambda c: c if c == "patient_id" else f"points_{c}"), on="patient_id"
    )


def _refuse_absent(path: Path) -> None:
    if not path.is_file():
        raise TableError(file=path, found="no file", expected="a table", remedy="Correct the path.")


def _with_patients(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    if "patient_id" not in table.columns:
        raise TableError(
            file=path,
            column="patient_id",
            found=f"columns {', '.join(map(str, table.columns[:5]))} …",
            expected="a column 'patient_id'",
            remedy="Name the column that identifies the patient patient_id.",
        )
    if table.empty:
        raise TableError(file=path, found="no row", expected="a row a patient", remedy="Add the patients.")
    for patient in table["patient_id"].astype(str):
        if is_formula(patient) or unprintable(patient):
            raise TableError(
                file=path,
                patient=patient,
                column="patient_id",
                found=f"{patient!r}, which spreadsheets run as a formula, or a control character in it",
                expected="an identifier that begins with a letter or a digit",
                remedy="Rename the patient.",
            )
    return table
