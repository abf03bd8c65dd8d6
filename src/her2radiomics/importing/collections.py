"""Whole public collections as they are on disk (``collections.yaml``): images, masks, participants, cohort file."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from her2radiomics.cohort.patterns import find_images
from her2radiomics.cohort.recoding import recode
from her2radiomics.cohort.settings import Cohort, ImagePattern, TableSource
from her2radiomics.cohort.tables import read_table, require_columns
from her2radiomics.core import settings, tables
from her2radiomics.core.brought.numbers import MISSING
from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError, StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings, validate
from her2radiomics.importing import cohort_file
from her2radiomics.importing.apply import write_images
from her2radiomics.importing.boxes import import_boxes
from her2radiomics.importing.manifest import write_manifest
from her2radiomics.importing.outcome import Outcome, Target
from her2radiomics.importing.scan import TABLE, file_list, scan, write_table
from her2radiomics.importing.table import PARTICIPANTS
from her2radiomics.importing.tumour_volume import import_tumour_volume

FILE = Path(__file__).parent / "collections.yaml"
#: The collection's folder as a link in the data's folder, where the two differ.
LINK = "collection"


class CollectionColumn(Column):
    """A column of a collection's table, as a protocol declares it."""

    source: str = Field("", description="Heading in the table; the column's name without it.")
    recode: dict[str, str] = Field(default_factory=dict, description="Their value to ours, as in a cohort file.")


class CollectionTable(Settings):
    """A clinical table of a collection."""

    files: list[str] = Field(description="Names that the file may have.")
    id: str = Field(description="Heading of the patients.")
    sheet: str | None = Field(None, description="Sheet of a workbook.")
    header: int | None = Field(None, description="Row of the headings.")
    centre: str = Field("", description="Heading of the centre; the collection's title without it.")
    columns: dict[str, CollectionColumn] = Field(description="Our columns.")


class Collection(Settings):
    """Where the parts of a public collection lie."""

    title: str = Field(description="Name of the collection.")
    citation: str = Field(description="How it wants to be cited.")
    licence: str = Field(description="Licence of the data.")
    images: list[ImagePattern] = Field(default_factory=list, description="NIfTI images and masks by name.")
    instead: str = Field("", description="Masks that are taken where none of those by name is there.")
    rules: str = Field("", description="Rules for its DICOM series.")
    tumour_volume: bool = Field(False, description="Whether its DICOM files hold UCSF's functional tumour volume.")
    boxes: list[str] = Field(default_factory=list, description="Names that a table of boxes may have.")
    rename: dict[str, str] = Field(default_factory=dict, description="Expression of an identifier to what we call it.")
    project: dict[str, str] = Field(
        default_factory=dict,
        description="Cohort file of the project for its feature tables, and the study that it is for.",
    )
    features: list[str] = Field(default_factory=list, description="Names of its feature tables.")
    tables: list[CollectionTable] = Field(description="Clinical tables; the first that is there is read.")

    def call(self, identifier: str) -> str:
        """What a patient is called."""
        for expression, name in self.rename.items():
            if match := re.fullmatch(expression, identifier):
                return match.expand(name)
        return identifier


def read_collection(name: str) -> Collection:
    """A collection by its name."""
    content = settings.read_yaml(FILE)
    if name not in content:
        raise SettingsError(f"found no collection '{name}'; expected one of {', '.join(content)}.")
    return validate(Collection, content[name], f"{FILE.name}: {name}")


def import_collection(name: str, folder: Path, target: Target, *, cohort: str = "") -> Outcome:
    """Bring a public collection into the project's form; what is missing is named, and the rest goes on.

    Parameters
    ----------
    name
        ``mama-mia``, ``duke``, ``ispy1`` or ``ispy2``.
    folder
        The collection as it was downloaded.
    target
        The data's folder. NIfTI images are not copied: they are linked to where it is not the collection's own.
    cohort
        Name of the cohort file; the collection's by default.

    Raises
    ------
    StudyError
        There is no folder, or nothing of the collection in it.
    """
    found = read_collection(name)
    cohort = cohort or f"{name.replace('-', '_')}_images"
    if not folder.is_dir():
        raise SettingsError(f"{folder}: found no such folder; expected the collection {found.title}. Check the path.")
    outcome = Outcome()
    _check_new(found, cohort, target)
    rows, missing = _nifti(found, folder, target, outcome) if found.images else _dicom(found, folder, target, outcome)
    clinical = Outcome()
    table, source = _clinical(found, folder, clinical, missing)
    features = [path for file in found.features if (path := _first(folder, [file]))]
    if not rows and features and table is not None:
        return _project_cohorts(found, folder, target, outcome, features)  # they recode by themselves
    outcome.said += clinical.said
    images = {row["patient_id"] for row in rows}
    if not images:
        raise StudyError(
            "\n".join([f"{folder}: nothing of {found.title} that can be used", *missing, *outcome.refused])
        )
    table = _participants(table, images, found, outcome)
    target.put(PARTICIPANTS, lambda path: tables.write("registered", table, path))
    where = _write_cohort(found, cohort, source, table, folder, target)
    outcome.said += [f"missing: {words}" for words in missing]
    outcome.said += target.in_words()
    outcome.next = f"look at {where}, then: her2radiomics new study NAME --cohort {cohort} --label her2=1"
    return outcome


def _check_new(found: Collection, cohort: str, target: Target) -> None:
    target.refuse_existing(PARTICIPANTS, *([] if found.images else [TABLE]))
    path = cohort_file.place(cohort, target)
    Target(path.parent, target.force).refuse_existing(path.name)


def _first(folder: Path, names: Sequence[str]) -> Path | None:
    """The first file of one of these names, whatever its folder."""
    fits = (path for name in names for path in sorted(folder.rglob(name)) if path.is_file())
    return next(fits, None)


def _dicom(found: Collection, folder: Path, target: Target, outcome: Outcome) -> tuple[list[dict[str, str]], list[str]]:
    """Write the images that rules propose, with the table of series and masks; their rows, and what is missing in words."""
    try:
        volumes = scan(folder, target, outcome, rules=found.rules, identifiers="pseudonyms")
    except SettingsError as error:
        return [], [f"images: {error}"]
    for item in volumes:
        item.cells["patient_id"] = found.call(item.cells["patient_id"])
    write_table(volumes, TABLE, target)
    chosen = [item.cells for item in volumes if item.cells["sequence"]]
    if not chosen:
        return [], ["images: no series has a proposed sequence"]
    rows = write_images(chosen, file_list(folder, volumes), folder, target, outcome)
    if target.dry_run:
        return rows, ["masks are looked for when the images are written"]
    return rows, _outlines(found, folder, target, outcome)


def _outlines(found: Collection, folder: Path, target: Target, outcome: Outcome) -> list[str]:
    """Masks of a DICOM collection, from its boxes or its maps; what is missing, in words."""
    boxes = _first(folder, found.boxes)
    try:
        if boxes:
            said = import_boxes(boxes, target)
        elif found.tumour_volume:
            said = import_tumour_volume(folder, target)
        else:
            return [f"boxes: no file {' or '.join(found.boxes)}"]
    except StudyError as error:
        first, *others = str(error).splitlines()
        outcome.refused += others
        return [f"masks: {first}"]
    outcome.said += [line for line in said.said if not line.startswith("wrote")]
    outcome.refused += said.refused
    return []


def _nifti(found: Collection, folder: Path, target: Target, outcome: Outcome) -> tuple[list[dict[str, str]], list[str]]:
    """The manifest of NIfTI files by name, in place; its rows, and which patients have no mask."""
    root = folder.resolve()
    patterns = [_with_masks(pattern, found.instead, root, outcome) for pattern in found.images]
    manifest, notes = find_images(patterns, root)
    prefix = "" if root == target.folder.resolve() else f"{LINK}/"
    if prefix and not target.dry_run:
        _link(root, target.folder / LINK)
    rows, absent = [], set()
    for found_row in manifest.to_dict("records"):
        row = {str(name): str(value) for name, value in found_row.items()}
        row["patient_id"] = row["patient_id"].upper()
        if not Path(row["mask"]).is_file():
            absent.add(row["patient_id"])
            row["mask"] = ""
        rows.append(row | {key: f"{prefix}{Path(row[key]).relative_to(root)}" for key in ("image", "mask") if row[key]})
    write_manifest(rows, target)
    phases = Counter(Counter(row["patient_id"] for row in rows).values())
    counted = ", ".join(f"{patients} with {count} phases" for count, patients in sorted(phases.items()))
    outcome.said += [note.replace(str(root), str(folder)) for note in notes]
    outcome.said.append(f"{len(rows)} images of {phases.total()} patients ({counted})")
    return rows, [f"masks of {len(absent)} patients ({_some(absent)})"] if absent else []


def _with_masks(pattern: ImagePattern, instead: str, root: Path, outcome: Outcome) -> ImagePattern:
    """The pattern with other masks where there is none of its own, which is said."""
    if not instead or any(map(_any_file(root), pattern.masks.values())) or not _any_file(root)(instead):
        return pattern
    outcome.said.append(f"no mask {' or '.join(pattern.masks.values())}: {instead} is taken for all patients")
    return pattern.model_copy(update={"masks": dict.fromkeys(pattern.masks, instead)})


def _any_file(root: Path) -> Callable[[str], bool]:
    return lambda pattern: any(root.glob(pattern.replace("{patient}", "*").replace("{sequence}", "*")))


def _link(folder: Path, link: Path) -> None:
    """Link to the collection from the data's folder."""
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(folder, target_is_directory=True)
    elif link.resolve() != folder:
        raise SettingsError(
            f"{link}: found a link to another folder; expected one to {folder}. Remove it, or choose another --to."
        )


def _clinical(
    found: Collection, folder: Path, outcome: Outcome, missing: list[str]
) -> tuple[pd.DataFrame | None, CollectionTable | None]:
    """Participants from the first clinical table that is there: identifiers, centre and our columns."""
    for table in found.tables:
        path = _first(folder, table.files)
        if path is None:
            continue
        options = {"file": path.name, "id": table.id, "sheet": table.sheet, "header": table.header}
        brought = read_table(path, TableSource.model_validate(options))
        sources = {ours: column.source or ours for ours, column in table.columns.items()}
        require_columns(brought.cells, [*sources.values(), *([table.centre] if table.centre else [])], path)
        made = {"patient_id": [found.call(cell) for cell in brought.cells[table.id]]}
        centre = list(brought.cells[table.centre]) if table.centre else [found.title] * len(brought.cells)
        made["centre"] = [cell.strip() or found.title for cell in centre]
        made["exclude_reason"] = [""] * len(brought.cells)
        for ours, column in table.columns.items():
            cells = brought.column(sources[ours])
            cells = cells.where(~cells.isin([*MISSING, "NC"]), "")
            to = recode(cells, column.recode, column=sources[ours], file=str(path)) if column.recode else {}
            made[ours] = [to.get(cell, cell) for cell in cells]
            turned = Counter(cell for cell in cells if to.get(cell, cell) != cell)
            outcome.said += [
                f"{path.name}, '{sources[ours]}': '{cell}' became '{to[cell]}' in {ours} ({count} patients)"
                for cell, count in sorted(turned.items())
            ]
            odd = {cell for cell in made[ours] if cell and column.levels and cell not in column.levels}
            if odd:
                outcome.said.append(
                    f"{path.name}, '{sources[ours]}': {', '.join(sorted(odd)[:5])} are no levels and are left empty"
                )
                made[ours] = ["" if cell in odd else cell for cell in made[ours]]
        outcome.said.append(f"{path.name}: {len(brought.cells)} patients")
        return pd.DataFrame(made), table
    names = [name for table in found.tables for name in table.files]
    missing.append(f"the clinical table ({' or '.join(names)})")
    return None, None


def _participants(table: pd.DataFrame | None, images: set[str], found: Collection, outcome: Outcome) -> pd.DataFrame:
    """The patients of the table and of the images; who lacks one of the two is named."""
    if table is None:
        table = pd.DataFrame({"patient_id": sorted(images)}).assign(centre=found.title, exclude_reason="")
    have = set(table["patient_id"])
    if images - have:
        strangers = pd.DataFrame({"patient_id": sorted(images - have), "centre": found.title, "exclude_reason": ""})
        table = pd.concat([table, strangers], ignore_index=True).fillna("")
        outcome.said.append(f"{len(images - have)} patients have images and no clinical row ({_some(images - have)})")
    if have - images:
        outcome.said.append(
            f"{len(have - images)} patients have a clinical row and no images here ({_some(have - images)})"
        )
    return table.sort_values("patient_id", ignore_index=True)


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:5]) + (", ..." if len(names) > 5 else "")


def _write_cohort(
    found: Collection, cohort: str, source: CollectionTable | None, table: pd.DataFrame, folder: Path, target: Target
) -> Path:
    """The cohort file, checked by the settings that read it."""
    columns: dict[str, Any] = {}
    for ours, column in (source.columns if source else {}).items():
        if ours in table:
            columns[ours] = column.model_dump(
                include={"label", "kind", "unit", "levels", "available_at"}, exclude_defaults=True
            )
    content: dict[str, Any] = {
        "title": found.title,
        "kind": "tables",
        "citation": found.citation,
        "licence": found.licence,
        "root": str(target.folder.resolve()),
        "identifiers": "pseudonyms",
    }
    if found.images and folder.resolve() != target.folder.resolve():
        content["linked_folders"] = [str(folder.resolve())]
    content["protocol"] = {"columns": columns}
    validate(Cohort, content, f"{cohort}.yaml")
    head = f"# {found.title}, made by 'her2radiomics import'; identifiers are those of the public collection.\n"
    text = head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
    return cohort_file.write(cohort, text, target)


def _project_cohorts(
    found: Collection, folder: Path, target: Target, outcome: Outcome, features: Sequence[Path]
) -> Outcome:
    """Cohort files for a collection that is here as feature tables: those of the project, with this folder."""
    names = [name for name in found.project if target.project and cohort_file.place(name, target).is_file()]
    if not names:
        raise SettingsError(
            f"{folder}: found the features of {found.title} and no image; expected to be in the project's folder, whose "
            f"workflow/cohorts hold {', '.join(found.project)}. Change there and run the command again."
        )
    root = json.dumps(str(features[0].parent.resolve()))
    for name in names:
        text = f"# {found.title} in a folder of this machine.\nextends: {name}\nroot: {root}\n"
        where = cohort_file.write(f"{name}_here", text, target)
        outcome.said.append(f"{where}: {name} with the features of {features[0].name}")
    runs = ", ".join(f"{{study: {found.project[name]}, cohort: {name}_here}}" for name in names)
    outcome.next = f"add to config.yaml under runs: {runs}, then: snakemake -n"
    return outcome
