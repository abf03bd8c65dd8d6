"""Participants table and manifest: reading, and the checks that come before any job."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.core.brought.likeness import look_alikes, spelling_variants
from her2radiomics.core.brought.numbers import MISSING, number
from her2radiomics.core.brought.options import ReadingOptions
from her2radiomics.core.brought.origins import Origins
from her2radiomics.core.brought.reading import NO_OPTIONS, BroughtTable, read_brought
from her2radiomics.core.columns import Column, type_table
from her2radiomics.core.contracts import contract
from her2radiomics.core.derivation import sources
from her2radiomics.core.errors import Problems, TableError
from her2radiomics.core.libraries import pd

MANIFEST_DEFAULTS = {name: field.default for name, field in ManifestRow.model_fields.items() if not field.is_required()}
#: Numbers that belong to an image, and the least that they may be.
NUMBERS = {"seconds": -1e5, "b_value": 0.0}
#: Numbers that stand for a missing value in many hospitals' tables.
CODES = [float(sign + "9" * digits) for digits in range(1, 6) for sign in ("", "-")] + [-1.0]
#: With fewer other values nobody can say that a number is far from them.
FEWEST = 5
PATIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def read_table(path: Path, source: ReadingOptions = NO_OPTIONS, *further: str) -> BroughtTable:
    """Read a table that a user hands over, without guessing types.

    Parameters
    ----------
    path
        The file.
    source
        How it is read; a :class:`~her2radiomics.cohort.settings.TableSource` also says which column identifies patients.
    further
        Headings that may tell the heading row beside it.

    Raises
    ------
    TableError
        The file is missing, empty or not readable as a table, or lacks the identifier.
    """
    identifier = getattr(source, "id", "patient_id")
    table = read_brought(path, [identifier, *further], source)
    if identifier in table.refused:
        raise table.refused[identifier]
    require_columns(table.cells, [identifier], path)
    if table.cells.empty:
        raise TableError(
            file=path, found="no row below the headings", expected="a row per patient", remedy="Add the patients."
        )
    return table


def require_columns(table: pd.DataFrame, names: Iterable[str], file: str | Path | Origins) -> None:
    """Raise a :class:`TableError` for the columns that are not there, each with the nearest one that is."""
    problems = Problems()
    for name in names:
        origins = Origins.of(file)
        if name in origins.refused:
            problems.append(origins.refused[name])
        elif name not in table.columns:
            spelled = {str(column).lower(): str(column) for column in table.columns}
            near = [spelled[match] for match in difflib.get_close_matches(name.lower(), list(spelled), n=1)]
            problems.add(
                file=origins.file,
                column=name,
                found=f"columns {', '.join(map(str, table.columns[:12]))}" + (", …" if len(table.columns) > 12 else ""),
                expected=f"a column '{name}'",
                remedy=f"Did you mean '{near[0]}'? Rename it, or map it in the cohort file."
                if near
                else "Add it, or map it in the cohort file.",
            )
    problems.refuse()


def check_participants(participants: pd.DataFrame, columns: list[str], file: str | Path | Origins) -> None:
    """Check identifiers, centres and the presence of ``columns``.

    Raises
    ------
    TableError
        Missing columns, empty, odd or duplicated identifiers, empty centres of included patients, or nobody included.
    """
    origins, problems = Origins.of(file), Problems()
    require_columns(participants, ["patient_id", "centre", *columns], origins)
    if participants.empty:
        raise TableError(
            file=origins.file, found="no rows", expected="one row per patient", remedy="Check the cohort's keep rules."
        )
    included = (
        participants["exclude_reason"] == ""
        if "exclude_reason" in participants
        else pd.Series(True, participants.index)
    )
    if not included.any():
        reasons = participants["exclude_reason"].value_counts()
        raise origins.problem(
            column="exclude_reason",
            found=f"a reason in all {len(participants)} rows ({', '.join(f'{n} {r!r}' for r, n in reasons.items())})",
            expected="an empty cell for every patient who stays",
            remedy="Correct the column, or the cohort file's 'keep' rules.",
        )
    identifiers = participants["patient_id"]
    for identifier in identifiers:
        if not PATIENT_ID.fullmatch(identifier):
            problems.append(
                origins.problem(
                    patient=identifier or "(empty)",
                    column="patient_id",
                    found=f"'{identifier}'",
                    expected="letters, digits, '_', '-' and '.', beginning with a letter or digit",
                    remedy="Rename the patient: the identifier becomes part of file names.",
                )
            )
    for identifier in dict.fromkeys(identifiers[identifiers.duplicated()]):
        problems.append(
            origins.problem(
                patient=identifier,
                column="patient_id",
                found=f"the patient in {int((identifiers == identifier).sum())} rows",
                expected="one row per patient",
                remedy="Remove the duplicate; give a second lesion or examination its own identifier, and say in a "
                "column 'person' who they are of.",
            )
        )
    for patient in participants.loc[included & participants["centre"].isin(MISSING), "patient_id"]:
        problems.append(
            origins.problem(
                patient=patient,
                column="centre",
                found="an empty cell",
                expected="the centre's name",
                remedy="Fill it in; with one centre write the same name in every row.",
            )
        )
    problems.refuse()


def check_centres(participants: pd.DataFrame, named: Collection[str], file: str | Path | Origins) -> None:
    """Refuse centres that differ in spelling alone, but for those that the protocol names both.

    Raises
    ------
    TableError
        Every pair, with how many patients each has.
    """
    counts, problems = participants["centre"].value_counts(), Problems()
    for one, other in spelling_variants([*counts.index], named):
        rare = min((one, other), key=lambda name: (counts[name], name))
        problems.append(
            Origins.of(file).problem(
                patient=str(participants.loc[participants["centre"] == rare, "patient_id"].iloc[0]),
                column="centre",
                found=f"the centres '{one}' ({counts[one]} patients) and '{other}' ({counts[other]})",
                expected="one spelling of each centre",
                remedy="Write them the same way, or recode one; if they are two, name both under 'centres' in the protocol.",
            )
        )
    problems.refuse()


def type_columns(participants: pd.DataFrame, columns: Mapping[str, Column], file: str | Path | Origins) -> pd.DataFrame:
    """Return the protocol's columns as numbers and levels, derived ones too, indexed by patient identifier.

    Raises
    ------
    TableError
        A column is missing that is neither derived nor measured, or a source of one that is derived; every cell that its
        column may not hold, and numbers that look like codes for a missing value.
    """
    origins, problems = Origins.of(file), Problems()
    needed: dict[str, None] = {}
    for name, column in columns.items():
        if column.derived and name not in participants.columns:
            own = [s for s in sources(column) if not columns[s].derived and not columns[s].may_be_absent]
            needed |= dict.fromkeys(own)
        elif not column.may_be_absent or name in origins.refused:
            needed[name] = None
    require_columns(participants, needed, origins)
    indexed, typed = participants.set_index("patient_id"), pd.DataFrame(index=participants["patient_id"])
    with problems.collect():
        typed = type_table(indexed, columns, file=origins)
    for name, column in columns.items():
        numeric = column.kind == "continuous" or column.cut is not None
        if name in indexed and numeric and column.range is None:
            with problems.collect():
                _refuse_codes(indexed[name], column, origins)
    problems.refuse()
    return typed


def _refuse_codes(values: pd.Series, column: Column, origins: Origins) -> None:
    """Refuse 999, -9 and the like far from all other numbers of a column: nobody can tell a code from a value."""
    numbers = pd.Series([number(cell) for cell in values], index=values.index, dtype=float)
    numbers = numbers[~numbers.isin([float(code) for code in column.missing if number(str(code)) is not None])]
    codes = numbers.isin(CODES)
    others = numbers[~codes].dropna()
    if len(others) < FEWEST or not codes.any():
        return
    low, high = others.min(), others.max()
    far = codes & ((numbers > high + (high - low)) | (numbers < min(low, 0)) & (low >= 0))
    problems = Problems()
    for patient in numbers.index[far]:
        problems.append(
            origins.problem(
                patient=str(patient),
                column=str(values.name),
                found=f"'{values[patient]}', where all others are from {low:g} to {high:g}",
                expected="a number, or a declared code for a missing value",
                remedy=f"If it means that nothing is known, say 'missing: [{numbers[patient]:g}]' in the protocol's column; "
                "else give the column a 'range' that holds it.",
            )
        )
    problems.refuse()


def column_notes(typed: pd.DataFrame, columns: Mapping[str, Column]) -> list[str]:
    """Sentences on columns that say nothing: all missing, constant, or a level or side of a cut without patients."""
    notes = []
    for name, column in columns.items():
        if name not in typed or column.measured:
            continue
        values = typed[name].dropna()
        if values.empty:
            notes.append(f"column '{name}': all {len(typed)} included patients have no value")
        elif values.nunique() == 1:
            cut = f" (all on one side of the cut at {column.cut:g})" if column.cut is not None else ""
            notes.append(f"column '{name}': all {len(values)} values are '{values.iloc[0]}'{cut}")
        elif column.levels:
            absent = [level for level in column.levels if level not in set(values)]
            if absent:
                notes.append(f"column '{name}': no patient has the level {', '.join(map(repr, absent))}")
    return notes


def check_manifest(manifest: pd.DataFrame, file: str | Path) -> pd.DataFrame:
    """Return the manifest with its optional columns filled in.

    Parameters
    ----------
    manifest
        Texts, indexed by the row of the file.
    file
        Named in errors.

    Raises
    ------
    TableError
        A missing column, empty identifiers, sequences or images, the same patient, sequence, reader and region twice, or a
        time or b-value that is no number or not the image's only one.
    """
    require_columns(manifest, ["patient_id", "sequence", "image"], file)
    manifest = manifest.assign(**{name: default for name, default in MANIFEST_DEFAULTS.items() if name not in manifest})
    for name in ("reader", "region", "mask", "mask_label", *NUMBERS):
        manifest[name] = manifest[name].where(~manifest[name].isin(MISSING), MANIFEST_DEFAULTS[name])
    problems = Problems()

    def add(row: object, column: str, found: str, expected: str, remedy: str) -> None:
        number = row if isinstance(row, int) and Path(file).is_file() else None
        patient = manifest.at[row, "patient_id"]
        problems.add(
            file=file, row=number, patient=patient or None, column=column, found=found, expected=expected, remedy=remedy
        )

    for name in ("patient_id", "sequence", "image"):
        for row in manifest.index[manifest[name] == ""]:
            add(row, name, "an empty cell", f"the {name.removesuffix('_id')}", "Fill it in or remove the row.")
    for row, cells in manifest[manifest.duplicated(["patient_id", "sequence", "reader", "region"])].iterrows():
        found = f"sequence {cells['sequence']}, reader {cells['reader']}, region {cells['region']} twice"
        remedy = "Remove one of the rows, or give it another reader."
        add(row, "sequence", found, "one row for each patient, sequence, reader and region", remedy)
    for name in ("image", *NUMBERS):
        case = manifest.groupby(["patient_id", "sequence"])[name]
        number = case.transform("nunique")
        for row in manifest.index[manifest[name] != case.transform("first")]:
            what = "images" if name == "image" else "values"
            found = f"{number[row]} {what} for sequence {manifest.at[row, 'sequence']}"
            expected = f"one {name} for a patient's sequence, the same in every reader's row"
            add(row, name, found, expected, "Name a second examination as a sequence or a patient of its own.")
    for name, at_least in NUMBERS.items():
        numbers = pd.to_numeric(manifest[name], errors="coerce")
        for row in manifest.index[(manifest[name] != "") & ~numbers.between(at_least, 1e5)]:
            expected = f"a number from {at_least:g} on (or an empty cell)"
            remedy = "Correct the cell: seconds are counted from the injection, b-values are in s/mm²."
            add(row, name, f"'{manifest.at[row, name]}'", expected, remedy)
    alike = [(name, pair) for name in ("sequence", "reader", "region") for pair in spelling_variants(manifest[name])]
    for name, (one, other) in alike:
        row = manifest.index[manifest[name] == other][0]
        add(row, name, f"'{other}' beside '{one}'", "one spelling", "Write them the same way, or rename one.")
    for one, other in look_alikes(manifest["patient_id"]):
        row = manifest.index[manifest["patient_id"] == other][0]
        add(row, "patient_id", f"'{other}' beside '{one}'", "one spelling of a patient", "Write them the same way.")
    problems.refuse()
    return manifest[list(contract("manifest").names)].reset_index(drop=True)
