"""Participants table and manifest: reading, and the checks that come before any job."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.core.columns import Column, type_table
from her2radiomics.core.contracts import contract
from her2radiomics.core.derivation import sources
from her2radiomics.core.errors import TableError

MANIFEST_DEFAULTS = {
    name: field.default for name, field in ManifestRow.model_fields.items() if not field.is_required()
}
#: Numbers that belong to an image, and the least that they may be.
NUMBERS = {"seconds": -1e5, "b_value": 0.0}
PATIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def read_table(path: Path, *, sheet: str | None = None) -> pd.DataFrame:
    """Read a CSV, TSV or XLSX table as text, without guessing types.

    Raises
    ------
    TableError
        The file is missing, empty or not readable as a table.
    """
    if not path.is_file():
        raise TableError(
            file=path,
            found="no such file",
            expected="a table",
            remedy="Check the path in the cohort file and the folder in config.yaml.",
        )
    try:
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            table = pd.read_excel(
                path, sheet_name=sheet or 0, dtype=str, keep_default_na=False, na_values=[""]
            )
        else:
            separator = "," if path.name.lower().endswith((".csv", ".csv.gz")) else "\t"
            table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(
            file=path,
            found=str(error).strip(),
            expected="a table with one header row",
            remedy="Open the file and save it as UTF-8 CSV, TSV or XLSX.",
        ) from error
    table.columns = [str(name).strip() for name in table.columns]
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise TableError(
            file=path,
            column=repeated[0],
            found="the column twice",
            expected="every column once",
            remedy="Rename or remove one of the two.",
        )
    return table.fillna("").apply(lambda column: column.astype(str).str.strip())


def require_columns(table: pd.DataFrame, names: list[str], file: str | Path) -> None:
    """Raise a :class:`TableError` for the first column that is not there, with the nearest one that is."""
    for name in names:
        if name not in table.columns:
            spelled = {str(column).lower(): str(column) for column in table.columns}
            near = [spelled[match] for match in difflib.get_close_matches(name.lower(), list(spelled), n=1)]
            raise TableError(
                file=file,
                column=name,
                found=f"columns {', '.join(map(str, table.columns[:12]))}"
                + (", …" if len(table.columns) > 12 else ""),
                expected=f"a column '{name}'",
                remedy=f"Did you mean '{near[0]}'? Rename it."
                if near
                else "Add it, or map it in the cohort file.",
            )


def check_participants(participants: pd.DataFrame, columns: list[str], file: str | Path) -> None:
    """Check identifiers, centres and the presence of ``columns``.

    Raises
    ------
    TableError
        A missing column, an empty, odd or duplicated identifier, or an empty centre.
    """
    require_columns(participants, ["patient_id", "centre", *columns], file)
    if participants.empty:
        raise TableError(
            file=file, found="no rows", expected="one row a patient", remedy="Check the cohort's keep rules."
        )
    identifiers = participants["patient_id"]
    for identifier in identifiers:
        if not PATIENT_ID.fullmatch(identifier):
            raise TableError(
                file=file,
                patient=identifier or "(empty)",
                column="patient_id",
                found=f"'{identifier}'",
                expected="letters, digits, '_', '-' and '.', beginning with a letter or digit",
                remedy="Rename the patient: the identifier becomes part of file names.",
            )
    repeated = identifiers[identifiers.duplicated()]
    if len(repeated):
        raise TableError(
            file=file,
            patient=repeated.iloc[0],
            column="patient_id",
            found=f"the patient in {int((identifiers == repeated.iloc[0]).sum())} rows",
            expected="one row a patient",
            remedy="Remove the duplicate, or give the second examination an identifier of its own.",
        )
    homeless = participants.loc[participants["centre"] == "", "patient_id"]
    if len(homeless):
        raise TableError(
            file=file,
            patient=homeless.iloc[0],
            column="centre",
            found="an empty cell",
            expected="the centre's name",
            remedy="Fill it in; with one centre write the same name in every row.",
        )


def type_columns(participants: pd.DataFrame, columns: Mapping[str, Column], file: str | Path) -> pd.DataFrame:
    """Return the protocol's columns as numbers and levels, derived ones too, indexed by patient identifier.

    Raises
    ------
    TableError
        A column is missing that is neither derived nor measured, or a source of one that is derived; a value that a column
        may not hold.
    """
    for name, column in columns.items():
        if column.derived and name not in participants.columns:
            own = [s for s in sources(column) if not columns[s].derived and not columns[s].may_be_absent]
            require_columns(participants, own, file)
        elif not column.derived and not column.may_be_absent:
            require_columns(participants, [name], file)
    return type_table(participants.set_index("patient_id"), columns, file=str(file))


def check_manifest(manifest: pd.DataFrame, file: str | Path) -> pd.DataFrame:
    """Return the manifest with its optional columns filled in.

    Raises
    ------
    TableError
        A missing column, an empty identifier, sequence or image, the same patient, sequence, reader and region twice, or a
        time or b-value that is no number or not the image's only one.
    """
    require_columns(manifest, ["patient_id", "sequence", "image"], file)
    manifest = manifest.assign(
        **{name: default for name, default in MANIFEST_DEFAULTS.items() if name not in manifest}
    )
    for name in ("reader", "region"):
        manifest[name] = manifest[name].replace("", MANIFEST_DEFAULTS[name])
    for name in ("patient_id", "sequence", "image"):
        empty = manifest[manifest[name] == ""]
        if len(empty):
            raise TableError(
                file=file,
                patient=empty["patient_id"].iloc[0] or f"(row {empty.index[0] + 2} of the file)",
                column=name,
                found="an empty cell",
                expected=f"the {name.removesuffix('_id')}",
                remedy="Fill it in or remove the row.",
            )
    key = ["patient_id", "sequence", "reader", "region"]
    repeated = manifest[manifest.duplicated(key)]
    if len(repeated):
        first = repeated.iloc[0]
        raise TableError(
            file=file,
            patient=first["patient_id"],
            column="sequence",
            found=f"sequence {first['sequence']}, reader {first['reader']}, region {first['region']} twice",
            expected="one row for each patient, sequence, reader and region",
            remedy="Remove one of the rows, or give it another reader.",
        )
    for name in ("image", *NUMBERS):
        values = manifest.groupby(["patient_id", "sequence"])[name].nunique()
        several = values[values > 1]
        if len(several):
            patient, sequence = several.index[0]
            raise TableError(
                file=file,
                patient=patient,
                column=name,
                found=f"{several.iloc[0]} {'image' if name == 'image' else 'value'}s for sequence {sequence}",
                expected=f"one {name} for a patient's sequence, the same in every reader's row",
                remedy="Name a second examination as a sequence or a patient of its own.",
            )
    for name, at_least in NUMBERS.items():
        numbers = pd.to_numeric(manifest[name], errors="coerce")
        wrong = manifest[(manifest[name] != "") & ~numbers.between(at_least, 1e5)]
        if len(wrong):
            raise TableError(
                file=file,
                patient=wrong["patient_id"].iloc[0],
                column=name,
                found=f"'{wrong[name].iloc[0]}'",
                expected=f"a number from {at_least:g} on (or an empty cell)",
                remedy="Correct the cell: seconds are counted from the injection, b-values are in s/mm².",
            )
    return manifest[list(contract("manifest").names)]
