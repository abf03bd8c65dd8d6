"""Importers: from a data set as it lies on disk to participants, manifest and brought features."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from her2radiomics.cohort import intake as door
from her2radiomics.cohort.identity import study_numbers
from her2radiomics.cohort.manifest import BREAST, ManifestRow
from her2radiomics.cohort.settings import Cohort, ColumnSource, FeatureSource, ImagePattern, TableSource
from her2radiomics.cohort.tables import check_manifest, read_table, require_columns
from her2radiomics.core.columns import MISSING
from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.errors import TableError
from her2radiomics.core.layout import Layout
from her2radiomics.core.tables import assemble, write

UNKNOWN_CENTRE = "unknown"


@dataclass(frozen=True)
class CohortData:
    """A data set in our own form, all cells text.

    Attributes
    ----------
    participants
        The participants table.
    manifest
        One row a patient, sequence, reader and region; image paths absolute or relative to the working
        directory; empty where the cohort brings features.
    features
        ``patient_id``, ``reader`` and numeric feature columns, or ``None`` where images are extracted.
    files
        The tables that were read: inputs of the import.
    source
        The participants table's name in errors.
    key
        Identifier to study number where the cohort file asks for numbers; ``participants``, ``manifest`` and
        ``features`` then hold the numbers.
    """

    participants: pd.DataFrame
    manifest: pd.DataFrame
    features: pd.DataFrame | None = None
    files: list[Path] = field(default_factory=list)
    source: str = "participants.tsv"
    key: Mapping[str, str] = field(default_factory=dict)

    def by_identifier(self, error: TableError) -> TableError:
        """The same error with the patient named as the user's own tables do."""
        named = next((name for name, number in self.key.items() if number == error.patient), error.patient)
        return TableError(
            file=error.file,
            found=error.found,
            expected=error.expected,
            remedy=error.remedy,
            patient=named,
            column=error.column,
        )

    def file_names(self) -> dict[str, str]:
        """Path to what it is called where no file's name may be printed; empty where patients keep identifiers."""
        names: dict[str, str] = {}
        for row in self.manifest.to_dict("records") if self.key else ():
            names |= ManifestRow.of(row).printed_names()
        return names


def read_cohort(cohort: Cohort, root: Path) -> CohortData:
    """Read a data set that lies on disk, following its cohort file.

    Parameters
    ----------
    cohort
        The cohort file's content; its kind is ``tables``, ``images`` or ``features``.
    root
        The folder that all paths of the cohort file are relative to.

    Raises
    ------
    TableError
        A table, column or cell that is not as the cohort file says.
    """
    folder = door.Folder(
        root, [Path(os.path.expandvars(name)).expanduser() for name in cohort.linked_folders]
    )
    if cohort.kind == "tables":
        data = _read_own(cohort, root, folder)
    elif cohort.kind == "images":
        manifest = find_images(cohort.images, root)
        participants, files = _participants(cohort, root, folder, sorted(manifest["patient_id"].unique()))
        data = CohortData(participants, manifest, None, files, _source(cohort, root))
    else:
        assert cohort.features is not None  # the settings class sees to it
        features, file = _features(cohort.features, root, folder)
        participants, files = _participants(cohort, root, folder, list(dict.fromkeys(features["patient_id"])))
        manifest = assemble("manifest")
        data = CohortData(participants, manifest, features, [*files, file], _source(cohort, root))
    _check_door(data, cohort, root, folder)
    return _numbered(data) if cohort.identifiers == "numbered" else data


def _check_door(data: CohortData, cohort: Cohort, root: Path, folder: door.Folder) -> None:
    """Names, categories, identity, paths and links, before anything is made of them."""
    door.check_texts(data.participants, door.PARTICIPANTS, data.source)
    door.check_identity(data.participants, data.source, identifiers=cohort.identifiers == "checked")
    if data.features is not None:
        door.check_names(map(str, data.features.columns), data.files[-1])
    file = root / "images.tsv" if cohort.kind == "tables" else root
    as_written = data.manifest.assign(
        **{name: data.manifest[name].str.removeprefix(f"{root}{os.sep}") for name in ("image", "mask")}
    )
    door.check_texts(as_written, door.MANIFEST, file)
    door.check_links(data.manifest, folder, file)


def _numbered(data: CohortData) -> CohortData:
    """The same data set with study numbers for identifiers."""
    key = study_numbers(data.participants["patient_id"])
    tables = [
        None if table is None else table.assign(patient_id=table["patient_id"].map(key))
        for table in (data.participants, data.manifest, data.features)
    ]
    participants, manifest, features = tables
    assert participants is not None and manifest is not None
    return replace(data, participants=participants, manifest=manifest, features=features, key=key)


def _source(cohort: Cohort, root: Path) -> str:
    return str(root / cohort.participants[0].file) if cohort.participants else str(root)


def _read_own(cohort: Cohort, root: Path, folder: door.Folder) -> CohortData:
    """``participants.tsv`` and ``images.tsv`` as the contract has them, with the cohort file's mapping if any."""
    sources = cohort.participants or [TableSource.model_validate({"file": "participants.tsv"})]
    participants, files = _participants(
        cohort.model_copy(update={"participants": sources}), root, folder, None
    )
    path = root / "images.tsv"
    door.check_table_file(path, folder)
    manifest = check_manifest(read_table(path), path)
    door.check_paths(manifest, path)
    for name in ("image", "mask"):
        manifest[name] = [str(root / value) if value else "" for value in manifest[name]]
    strangers = sorted(set(manifest["patient_id"]) - set(participants["patient_id"]))
    if strangers:
        raise TableError(
            file=path,
            patient=strangers[0],
            column="patient_id",
            found="a patient who is not in the participants table",
            expected="every patient of the manifest in the participants table",
            remedy="Add the participant or remove the manifest's row.",
        )
    return CohortData(participants, manifest, None, [*files, path], str(root / sources[0].file))


def _participants(
    cohort: Cohort, root: Path, folder: door.Folder, patients: list[str] | None
) -> tuple[pd.DataFrame, list[Path]]:
    """Join the clinical tables and map their columns; ``patients`` limits (and orders) the rows."""
    joined, files = _join(cohort.participants, root, folder, patients)
    columns: dict[str, pd.Series] = {"patient_id": joined["patient_id"]}
    file = _source(cohort, root)
    for name, source in cohort.columns.items():
        columns[name] = _map_column(joined, name, source, file)
    for name in joined.columns:
        columns.setdefault(str(name), joined[name])
    participants = pd.DataFrame(columns)
    if "centre" not in participants and not cohort.participants:
        participants["centre"] = UNKNOWN_CENTRE
    if "exclude_reason" not in participants:
        participants["exclude_reason"] = ""
    for rule in cohort.keep:
        require_columns(participants, [rule.column], file)
        leaves = (participants["exclude_reason"] == "") & ~participants[rule.column].isin(rule.keep)
        participants.loc[leaves, "exclude_reason"] = rule.reason
    return participants, files


def _join(
    sources: list[TableSource], root: Path, folder: door.Folder, patients: list[str] | None
) -> tuple[pd.DataFrame, list[Path]]:
    joined = pd.DataFrame({"patient_id": patients}) if patients is not None else None
    files = []
    for source in sources:
        path = root / source.file
        door.check_table_file(path, folder)
        table = read_table(path, sheet=source.sheet)
        require_columns(table, [source.id], path)
        table = table.rename(columns={source.id: "patient_id"})
        table = table[table["patient_id"] != ""]
        files.append(path)
        if joined is None:
            joined = table
            continue
        repeated = table.loc[
            table["patient_id"].duplicated() & table["patient_id"].isin(joined["patient_id"])
        ]
        if len(repeated):
            raise TableError(
                file=path,
                patient=repeated["patient_id"].iloc[0],
                column=source.id,
                found="the patient in several rows",
                expected="one row a patient",
                remedy="Remove the duplicate.",
            )
        absent = sorted(set(joined["patient_id"]) - set(table["patient_id"]))
        if absent and not source.optional:
            raise TableError(
                file=path,
                patient=absent[0],
                column=source.id,
                found=f"no row for {len(absent)} of {len(joined)} patients",
                expected="a row for every patient",
                remedy="Add the rows, or mark the table 'optional: true' in the cohort file.",
            )
        new = [name for name in table.columns if name == "patient_id" or name not in joined.columns]
        joined = joined.merge(table[new], on="patient_id", how="left").fillna("")
    assert joined is not None
    return joined, files


def _map_column(joined: pd.DataFrame, name: str, source: ColumnSource, file: str) -> pd.Series:
    if source.value is not None:
        return pd.Series(source.value, index=joined.index)
    theirs = source.source or name
    require_columns(joined, [theirs], file)
    values = joined[theirs]
    if not source.recode:
        return values
    return values.map({value: _recode(value, source.recode) for value in values.unique()})


def _recode(value: str, recode: Mapping[str, str]) -> str:
    for pattern, ours in recode.items():
        # brackets are common in clinical wording, so only * and ? are wildcards
        if fnmatch.fnmatchcase(value, pattern.replace("[", "[[]")):
            return ours
    return value


def find_images(patterns: list[ImagePattern], root: Path) -> pd.DataFrame:
    """Find images and masks by name and return them as a manifest.

    Raises
    ------
    TableError
        No image at all fits the patterns.
    """
    rows: list[dict[str, str]] = []
    for pattern in patterns:
        for image, patient, text in _matches(root, pattern.image):
            if text not in pattern.sequences:
                continue
            sequence = pattern.sequences[text]
            base = {"patient_id": patient, "sequence": sequence, "image": str(image)}
            numbers = {"seconds": pattern.seconds, "b_value": pattern.b_values}
            base |= {n: f"{of[sequence]:g}" for n, of in numbers.items() if sequence in of}
            label = "" if pattern.mask_label is None else str(pattern.mask_label)
            for reader, mask in pattern.masks.items():
                found = _existing(root, mask, patient, text)
                rows.append(
                    base
                    | {"reader": reader, "region": pattern.region, "mask": str(found), "mask_label": label}
                )
            if pattern.region_mask:
                found = _existing(root, pattern.region_mask, patient, text)
                rows.append(
                    base | {"reader": FIRST_READER, "region": BREAST, "mask": str(found), "mask_label": ""}
                )
    if not rows:
        raise TableError(
            file=root,
            found="no image that fits " + " or ".join(pattern.image for pattern in patterns),
            expected="one file a patient and sequence",
            remedy="Check the folder in config.yaml's data section and the cohort file's patterns.",
        )
    manifest = (
        assemble("manifest", rows)
        .fillna("")
        .sort_values(["patient_id", "sequence", "reader", "region"], ignore_index=True)
    )
    return check_manifest(manifest, root)


def _matches(root: Path, pattern: str) -> list[tuple[Path, str, str]]:
    """Files that fit the pattern, with the patient (as the folder or first mention spells it) and the sequence's text."""
    expression = (
        re.escape(pattern).replace(r"\{patient\}", "{patient}").replace(r"\{sequence\}", "{sequence}")
    )
    expression = expression.replace("{patient}", r"(?P<patient>[^/]+?)", 1).replace(
        "{patient}", r"(?P=patient)"
    )
    expression = expression.replace("{sequence}", r"(?P<sequence>[^/]+?)", 1).replace(
        "{sequence}", r"(?P=sequence)"
    )
    regex = re.compile(expression, re.IGNORECASE)
    found = []
    for path in sorted(root.glob(re.sub(r"\{\w+\}", "*", pattern))):
        match = regex.fullmatch(path.relative_to(root).as_posix())
        if match:
            found.append((path, match["patient"], match.groupdict().get("sequence", "")))
    return found


def _existing(root: Path, pattern: str, patient: str, sequence: str) -> Path:
    """The mask's path as it is spelled on disk; where it is absent, the path as expected (extraction says so)."""
    expected = root / pattern.format(patient=patient, sequence=sequence)
    if not expected.exists() and expected.parent.is_dir():
        for path in sorted(expected.parent.iterdir()):
            if path.name.lower() == expected.name.lower():
                return path
    return expected


def _features(source: FeatureSource, root: Path, folder: door.Folder) -> tuple[pd.DataFrame, Path]:
    """Read the brought feature table: text to numbers, cell by cell."""
    path = root / source.table.file
    door.check_table_file(path, folder)
    table = read_table(path, sheet=source.table.sheet)
    require_columns(table, [source.table.id, *([source.reader] if source.reader else [])], path)
    patients = table[source.table.id]
    readers = table[source.reader] if source.reader else pd.Series(FIRST_READER, index=table.index)
    keys = {source.table.id, source.reader}
    names = [
        name
        for name in table.columns
        if name not in keys and not any(fnmatch.fnmatchcase(name, pattern) for pattern in source.drop)
    ]
    repeated = pd.DataFrame({"patient_id": patients, "reader": readers}).duplicated()
    if repeated.any():
        raise TableError(
            file=path,
            patient=patients[repeated].iloc[0],
            found="the patient twice with the same reader",
            expected="one row a patient and reader",
            remedy="Remove the duplicate, or name the reader's column in the cohort file.",
        )
    numbers = {}
    for name in names:
        column = pd.to_numeric(table[name].mask(table[name].isin(MISSING)), errors="coerce").astype("float64")
        wrong = column.isna() & ~table[name].isin(MISSING)
        if wrong.any():
            raise TableError(
                file=path,
                patient=patients[wrong].iloc[0],
                column=name,
                found=f"'{table.loc[wrong, name].iloc[0]}'",
                expected="a number (or an empty cell)",
                remedy="Correct the cell, or list the column under 'drop' in the cohort file.",
            )
        numbers[name] = column
    features = pd.DataFrame({"patient_id": patients, "reader": readers, **numbers})
    return features.sort_values(["patient_id", "reader"], ignore_index=True), path


def write_cohort(data: CohortData, folder: Path, columns: Sequence[str] | None = None) -> None:
    """Write a data set in our own form: ``participants.tsv``, ``images.tsv``, ``features.parquet`` and ``key.tsv``.

    Image paths become relative to the manifest. A cohort of images has a feature file without rows, and one whose
    patients keep their identifiers a key without rows, so that every import writes the same files.

    Parameters
    ----------
    data
        The data set.
    folder
        Where to write.
    columns
        Columns of the participants table that some protocol names. Others (names, dates, addresses) are not copied;
        ``None`` keeps all.
    """
    manifest = data.manifest.copy()
    for name in ("image", "mask"):
        manifest[name] = [os.path.relpath(path, folder) if path else "" for path in manifest[name]]
    wanted = None if columns is None else {*door.PARTICIPANTS, *columns}
    made = {
        "registered": data.participants[[n for n in data.participants if wanted is None or n in wanted]],
        "manifest": manifest,
        "key": assemble("key", [{"patient_id": n, "identifier": name} for name, n in data.key.items()]),
        "brought_features": assemble("brought_features") if data.features is None else data.features,
    }
    for name, table in made.items():
        write(name, table, Layout(folder).path(name))
