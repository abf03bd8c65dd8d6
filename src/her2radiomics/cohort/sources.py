"""Importers: from a data set as it is on disk to participants, manifest and brought features."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from her2radiomics.cohort import intake
from her2radiomics.cohort.feature_tables import append_features, join_features
from her2radiomics.cohort.identity import study_numbers
from her2radiomics.cohort.joining import Joined, join_tables
from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.cohort.no_features import in_words, left_out
from her2radiomics.cohort.patterns import find_images, respell
from her2radiomics.cohort.registered import alike_in_words, leaving_in_words, map_participants, with_strangers
from her2radiomics.cohort.same_images import refuse_same_paths
from her2radiomics.cohort.settings import Cohort, FeatureSource, TableSource
from her2radiomics.cohort.tables import check_manifest, read_table, require_columns
from her2radiomics.core.brought.numbers import MISSING, number, why_no_number
from her2radiomics.core.brought.origins import Origins
from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.errors import Problems, TableError
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import assemble, write

NO_FEATURES, NO_IMAGES = "No features in the feature table", "No images"


@dataclass(frozen=True)
class CohortData:
    """A data set in our own form, all cells text.

    Attributes
    ----------
    participants
        The participants table.
    manifest
        One row per patient, sequence, reader and region; image paths absolute or relative to the working
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
    origins
        Where the cells of the participants stood in the user's files.
    notes
        What was found out while reading, and is to be said at planning and in the report.
    recoded
        What the cohort file's ``recode`` turned into what: ``column, theirs, ours, n``.
    alike
        A sentence on identifiers that look like parts of one person, where no column says who they are of; else empty.
    """

    participants: pd.DataFrame
    manifest: pd.DataFrame
    features: pd.DataFrame | None = None
    files: list[Path] = field(default_factory=list)
    source: str = "participants.tsv"
    key: Mapping[str, str] = field(default_factory=dict)
    origins: Origins | None = None
    notes: Sequence[str] = ()
    recoded: Sequence[Mapping[str, object]] = ()
    alike: str = ""

    @property
    def places(self) -> Origins:
        """Where the cells of the participants stood in the user's files."""
        return self.origins or Origins(self.source)

    def by_identifier(self, error: TableError) -> TableError:
        """The same error with the patient named as the user's own tables do."""
        return error.renamed(patient={number: name for name, number in self.key.items()})

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
    folder = intake.Folder(root, [Path(os.path.expandvars(name)).expanduser() for name in cohort.linked_folders])
    problems, notes = Problems(), list[str]()
    numbered = cohort.identifiers == "numbered"
    features, files, manifest = None, list[Path](), assemble("manifest")
    joined = _joined(cohort, root, folder, problems)
    if joined is not None and _clinical_alone(cohort, root):
        patients = list(map(str, joined.cells.index))
        features = pd.DataFrame({"patient_id": patients, "reader": FIRST_READER})
    elif cohort.kind == "tables":
        manifest, file, notes = _manifest(cohort, root, folder, named=not numbered)
        files = [file]
    elif cohort.kind == "images":
        manifest, notes = find_images(cohort.images, root, named=not numbered)
    else:
        assert cohort.features is not None  # the settings class sees to it
        features, file, notes = _features(cohort.features, root, folder, _declared(cohort))
        files = [file]
        for source in cohort.features.further:
            own = cohort.features.model_copy(update={"table": source})
            more, file, said = _features(own, root, folder, _declared(cohort))
            files, notes = [*files, file], [*notes, *said]
            if source.append:
                features = append_features(features, more, file)
            else:
                features, said = join_features(features, more, source, file)
                notes += said
    brought = manifest if features is None else features
    # clinical tables say who was registered, but for a cohort of images alone
    if joined is None:
        people = pd.DataFrame(index=pd.Index(sorted(set(manifest["patient_id"])), name="patient_id"))
        joined = Joined(people)
    with problems.collect():
        joined = with_strangers(joined, brought, cohort, files[-1] if files else root)
    participants, recoded = map_participants(joined, cohort, problems, _source(cohort, root))
    problems.refuse()
    have = set(brought["patient_id"])
    without = (participants["exclude_reason"] == "") & ~participants["patient_id"].isin(have)
    participants.loc[without, "exclude_reason"] = NO_IMAGES if features is None else NO_FEATURES
    origins = Origins(_source(cohort, root), joined.origins, joined.refused)
    alike = alike_in_words(participants)
    said = [*joined.notes, *notes, *leaving_in_words(participants, without), *([alike] if alike else [])]
    # no path of this machine is printed
    said = [note.replace(f"{root}{os.sep}", "").replace(str(root), "the data's folder") for note in said]
    read = [*joined.files, *files]
    data = CohortData(participants, manifest, features, read, origins.file, {}, origins, said, recoded, alike)
    _check_intake(data, cohort, root, folder)
    return _numbered(data) if numbered else data


def _check_intake(data: CohortData, cohort: Cohort, root: Path, folder: intake.Folder) -> None:
    """Names, categories, identity, paths and links, before anything is made of them."""
    intake.check_texts(data.participants, intake.PARTICIPANTS, data.source)
    intake.check_identity(data.participants, data.source, identifiers=cohort.identifiers == "checked")
    if data.features is not None:
        intake.check_names(map(str, data.features.columns), data.files[-1])
    as_written, file = _as_written(data, cohort, root)
    intake.check_texts(as_written, intake.MANIFEST, file)
    intake.check_links(data.manifest, folder, file)


def _as_written(data: CohortData, cohort: Cohort, root: Path) -> tuple[pd.DataFrame, Path]:
    """The manifest with paths from the data's folder, and the file that it is from."""
    names = ("image", "mask")
    relative = {name: data.manifest[name].str.removeprefix(f"{root}{os.sep}") for name in names}
    return data.manifest.assign(**relative), data.files[-1] if cohort.kind == "tables" else root


def refuse_shared_images(data: CohortData, cohort: Cohort, root: Path) -> None:
    """Refuse images that two patients or two sequences share, by their paths.

    Of an extraction alone they are warned about in quality control: nothing learns from it.

    Raises
    ------
    TableError
        The first such file, with both.
    """
    as_written, file = _as_written(data, cohort, root)
    refuse_same_paths(as_written, data.participants, root, file)


def _numbered(data: CohortData) -> CohortData:
    """The same data set with study numbers for identifiers."""
    key = study_numbers(data.participants["patient_id"])
    tables = [
        None if table is None else table.assign(patient_id=table["patient_id"].map(key))
        for table in (data.participants, data.manifest, data.features)
    ]
    participants, manifest, features = tables
    assert participants is not None and manifest is not None
    origins = replace(data.places, identifiers={number: name for name, number in key.items()})

    def called(text: str) -> str:
        for name in sorted(key, key=len, reverse=True):
            if name in text:
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", key[name], text)
        return text

    return replace(
        data,
        participants=participants,
        manifest=manifest,
        features=features,
        key=key,
        origins=origins,
        notes=[called(note) for note in data.notes],
        alike=called(data.alike),
    )


def _source(cohort: Cohort, root: Path) -> str:
    if cohort.participants:
        return str(root / cohort.participants[0].file)
    return str(root / "participants.tsv" if cohort.kind == "tables" else root)


def _clinical_alone(cohort: Cohort, root: Path) -> bool:
    """Whether there are clinical tables alone: neither a feature table nor a manifest."""
    if cohort.kind == "features":
        return cohort.features is None
    return cohort.kind == "tables" and cohort.manifest is None and not (root / "images.tsv").exists()


def _joined(cohort: Cohort, root: Path, folder: intake.Folder, problems: Problems) -> Joined | None:
    sources = cohort.participants
    if cohort.kind == "tables" and not sources:
        sources = [TableSource.model_validate({"file": "participants.tsv"})]
    return join_tables(sources, root, folder, problems) if sources else None


def _manifest(
    cohort: Cohort, root: Path, folder: intake.Folder, *, named: bool
) -> tuple[pd.DataFrame, Path, list[str]]:
    """The manifest in our own form, with the files' names as the folder spells them."""
    source = cohort.manifest or TableSource.model_validate({"file": "images.tsv"})
    path = root / source.file
    intake.check_table_file(path, folder)
    table = read_table(path, source)
    for error in table.refused.values():
        raise error
    cells = table.cells if source.id == "patient_id" else table.cells.rename(columns={source.id: "patient_id"})
    manifest = check_manifest(cells, path)
    intake.check_paths(manifest, path)
    manifest, notes = respell(manifest, root, named=named)
    return manifest, path, [*(f"{path}: {note}" for note in table.notes), *notes]


def read_manifest(path: Path, linked: Sequence[Path] = ()) -> tuple[pd.DataFrame, list[str]]:
    """A manifest by itself, without participants, checked as that of a cohort is; and what was found out while reading.

    Its symbolic links may lead into the ``linked`` folders.

    Raises
    ------
    TableError
        The file is no manifest, or names files that it may not name.
    """
    folder = intake.Folder(path.parent, list(linked))
    cohort = Cohort.model_validate({"title": path.name, "kind": "tables", "manifest": {"file": path.name}})
    manifest, _, notes = _manifest(cohort, path.parent, folder, named=True)
    relative = {name: manifest[name].str.removeprefix(f"{path.parent}{os.sep}") for name in ("image", "mask")}
    intake.check_texts(manifest.assign(**relative), intake.MANIFEST, path)
    intake.check_links(manifest, folder, path)
    return manifest, notes


def _declared(cohort: Cohort) -> set[str]:
    """Participants columns of the cohort file, by our name and by theirs."""
    return {name for ours, source in cohort.columns.items() for name in (ours, source.source or ours)}


def _features(
    source: FeatureSource, root: Path, folder: intake.Folder, declared: set[str]
) -> tuple[pd.DataFrame, Path, list[str]]:
    """Read the brought feature table: text to numbers, cell by cell; and what was found out about the file."""
    path = root / source.table.file
    intake.check_table_file(path, folder)
    table = read_table(path, source.table)
    cells, problems = table.cells, Problems()
    require_columns(cells, [source.table.id, *([source.reader] if source.reader else [])], path)
    patients = cells[source.table.id]
    readers = cells[source.reader] if source.reader else pd.Series(FIRST_READER, index=cells.index)
    keys = {source.table.id, source.reader}

    def dropped(name: str) -> bool:
        return name in keys or any(fnmatch.fnmatchcase(name, pattern) for pattern in source.drop)

    names = [name for name in cells.columns if not dropped(name)]
    others = left_out(cells[names], patients, declared, source.vouched)
    problems += [error for name, error in table.refused.items() if not dropped(name) and name not in others]
    names = [name for name in names if name not in others]
    repeated = pd.DataFrame({"patient_id": patients, "reader": readers}).duplicated()
    for row, patient in patients[repeated].items():
        problems.add(
            file=path,
            row=int(row),
            patient=patient,
            found="the patient twice with the same reader",
            expected="one row per patient and reader",
            remedy="Remove the duplicate, or name the reader's column in the cohort file.",
        )
    numbers = {}
    for name in names:
        with problems.collect():
            numbers[name] = _numbers(table.column(name), patients, path)
    problems.refuse()
    features = pd.DataFrame({"patient_id": patients, "reader": readers, **numbers})
    notes = [f"{path}: {note}" for note in table.notes] + in_words(others)
    return features.sort_values(["patient_id", "reader"], ignore_index=True), path, notes


def _numbers(texts: pd.Series, patients: pd.Series, path: Path) -> pd.Series:
    """One feature from text; every cell that is no number is refused."""
    values = [float("nan") if text in MISSING else number(text) for text in texts]
    problems = Problems()
    for row, text, value in zip(texts.index, texts, values, strict=True):
        if value is None or abs(value) == float("inf"):
            problems.add(
                file=path,
                row=int(row),
                patient=patients[row],
                column=str(texts.name),
                found=f"'{text}'",
                expected="a number (or an empty cell)",
                remedy=why_no_number(text) or "Correct the cell, or list the column under 'drop' in the cohort file.",
            )
    problems.refuse()
    return pd.Series(values, index=texts.index, dtype="float64")


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
    wanted = None if columns is None else {*intake.PARTICIPANTS, *columns}
    made = {
        "registered": data.participants[[n for n in data.participants if wanted is None or n in wanted]],
        "manifest": manifest,
        "key": assemble("key", [{"patient_id": n, "identifier": name} for name, n in data.key.items()]),
        "brought_features": assemble("brought_features") if data.features is None else data.features,
    }
    for name, table in made.items():
        write(name, table, Layout(folder).path(name))
