"""What may come in with a cohort: no formula, no control character, no path out of the data's folder, no identity.

Everything that a cohort's tables and file names say passes here once, before any job; see ``docs/security.md``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from her2radiomics.cohort.identity import identity_in, identity_in_identifier
from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.spreadsheets import is_formula, unprintable

#: Names and categories of the participants table, copied for every run: printed, and parts of file names. A date may tell
#: who a patient is, and so may a person's name: they are read while partitions are decided, and copied only where a protocol
#: names them.
PARTICIPANTS = tuple(name for name in contract("registered").names if name not in ("mri_date", "person"))
MANIFEST = contract("manifest").names
#: Texts that are printed where nobody expects a patient.
PRINTED = ("centre", "exclude_reason")
LONGEST = 200


def check_texts(table: pd.DataFrame, columns: Sequence[str], file: str | Path) -> None:
    """Refuse names and categories that a spreadsheet would run, or that hold control characters.

    Raises
    ------
    TableError
        The first such cell, with its patient and column.
    """
    for column in columns:
        if column not in table:
            continue
        for value in table[column].unique():
            wrong = unprintable(value)
            found = f"{value!r}, which spreadsheets run as a formula" if is_formula(value) else ""
            if wrong:
                found = f"{value!r}, with the control character {wrong}"
            if len(value) > LONGEST and column in PRINTED:
                found = f"a text of {len(value)} characters ('{value[:40]}…')"
            if found:
                raise TableError(
                    file=file,
                    patient=str(table.loc[table[column] == value, "patient_id"].iloc[0]),
                    column=column,
                    found=found,
                    expected="a short name that begins with a letter, a digit or a bracket"
                    if column not in ("image", "mask")
                    else "a path that begins with a letter, a digit, '.' or '_'",
                    remedy="Rename it in the table" + (" (and the file)." if column in ("image", "mask") else "."),
                )


def check_names(names: Iterable[str], file: str | Path) -> None:
    """Refuse names of brought features that a spreadsheet would run: they head and fill the tables of a model.

    Raises
    ------
    TableError
        The first such name.
    """
    for name in names:
        wrong = unprintable(name)
        if is_formula(name) or wrong:
            raise TableError(
                file=file,
                column=name,
                found=f"a feature name with the control character {wrong}"
                if wrong
                else "a feature name that spreadsheets run as a formula",
                expected="a name that begins with a letter or a digit",
                remedy="Rename the column, or list it under 'drop' in the cohort file.",
            )


def check_identity(table: pd.DataFrame, file: str | Path, *, identifiers: bool) -> None:
    """Refuse identifiers, centres and reasons that look like a person's identity.

    Parameters
    ----------
    table
        The participants table.
    file
        Named in the error.
    identifiers
        Whether identifiers are looked at: not where the cohort file vouches for them or has them numbered.

    Raises
    ------
    TableError
        The first of them, with what in it looks so and how to correct it.
    """
    # a short one ('12') may be a number in a sentence
    patients = {patient for patient in table["patient_id"] if len(patient) > 3}
    if identifiers:
        for patient in table["patient_id"]:
            looks = identity_in_identifier(patient)
            if looks:
                raise TableError(
                    file=file,
                    patient=patient,
                    column="patient_id",
                    found=f"an identifier with {looks}",
                    expected="a pseudonym: identifiers are printed in the report, in figures' data and on quality-control "
                    "pictures",
                    remedy="Write 'identifiers: numbered' in the cohort file to have patients called P001, P002, … "
                    "everywhere, or 'identifiers: pseudonyms' if these are pseudonyms already (docs/security.md).",
                )
    for column in PRINTED:
        for value in table[column].unique() if column in table else ():
            named = next((word for word in value.split() if word.strip(".,;:()") in patients), "")
            looks = "a patient's identifier" if named and value else identity_in(value)
            if looks:
                raise TableError(
                    file=file,
                    patient=str(table.loc[table[column] == value, "patient_id"].iloc[0]),
                    column=column,
                    found=f"'{value}', which holds {looks}",
                    expected="a centre's name" if column == "centre" else "a reason that many patients may share",
                    remedy="Reword it: it is printed in the recruitment flow and in the report.",
                )


def check_paths(manifest: pd.DataFrame, file: str | Path) -> None:
    """Refuse image and mask paths that do not lie below the manifest's folder by their spelling.

    Raises
    ------
    TableError
        An absolute path, one with ``..``, or one that begins with ``~``.
    """
    for column in ("image", "mask"):
        for value in manifest[column].unique():
            if value and not is_inside(value):
                raise TableError(
                    file=file,
                    patient=str(manifest.loc[manifest[column] == value, "patient_id"].iloc[0]),
                    column=column,
                    found=f"'{value}'",
                    expected="a path below the data's folder, relative to the manifest, without '..'",
                    remedy="Move or copy the file into the folder that config.yaml's data section names, or name a "
                    "folder above all files there.",
                )


def is_inside(path: str) -> bool:
    """Whether a relative path stays below its folder by its spelling alone."""
    parts = path.replace("\\", "/").split("/")
    # a drive letter is absolute elsewhere
    return bool(path) and not path.startswith(("/", "\\", "~")) and ".." not in parts and parts[0][1:2] != ":"


class Folder:
    """The data's folder, and the folders outside into which symbolic links in it may lead.

    Parameters
    ----------
    root
        The folder that config.yaml names; it may itself be a link.
    linked
        Folders of the cohort file's ``linked_folders``.
    """

    def __init__(self, root: Path, linked: Iterable[Path] = ()) -> None:
        """Resolve the folders once."""
        self.allowed = tuple(os.path.realpath(folder) for folder in (root, *linked))
        self._parents: dict[str, str] = {}

    def leads_out(self, path: str) -> str:
        """Where an existing file or folder really lies if that is outside; empty where it is inside or absent.

        What is neither a file nor a folder (a pipe, a device) counts as outside.
        """
        parent, name = os.path.split(path)
        real = self._parents.get(parent)
        if real is None:
            real = self._parents[parent] = os.path.realpath(parent)
        place = f"{real}/{name}"
        try:
            mode = os.lstat(place).st_mode
            if stat.S_ISLNK(mode):
                place = os.path.realpath(place)
                mode = Path(place).stat().st_mode
        except OSError:  # absent, or a link to nothing: the extraction says so
            return "" if self._holds(place) else place
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return f"{place}, neither a file nor a folder"
        if not self._holds(place):
            return place
        return self._first_out_of(place) if stat.S_ISDIR(mode) else ""

    def _first_out_of(self, folder: str) -> str:
        """Where the first link in a DICOM folder leads, of those that lead outside."""
        with os.scandir(folder) as entries:
            links = sorted(entry.path for entry in entries if entry.is_symlink())
        return next((real for real in map(os.path.realpath, links) if not self._holds(real)), "")

    def _holds(self, place: str) -> bool:
        return any(place == folder or place.startswith(folder.rstrip("/") + "/") for folder in self.allowed)


def check_links(manifest: pd.DataFrame, folder: Folder, file: str | Path) -> None:
    """Refuse images and masks that a symbolic link takes out of the data's folder.

    Raises
    ------
    TableError
        The first such file, with the patient and where it leads.
    """
    for column in ("image", "mask"):
        # every reader's row names the image
        for value, patient in dict.fromkeys(zip(manifest[column], manifest["patient_id"], strict=True)):
            out = folder.leads_out(value) if value else ""
            if out:
                raise TableError(
                    file=file,
                    patient=str(patient),
                    column=column,
                    found=f"{value}, which leads to {out}",
                    expected="a file in the data's folder",
                    remedy="Copy the file there; or, if the folder's links lead to an archive on purpose, name the "
                    "archive under linked_folders in the cohort file.",
                )


def check_table_file(path: Path, folder: Folder) -> None:
    """Refuse a clinical table that a symbolic link takes out of the data's folder.

    Raises
    ------
    TableError
        With where it leads.
    """
    out = folder.leads_out(str(path))
    if out:
        raise TableError(
            file=path,
            found=f"a link to {out}",
            expected="a table in the data's folder",
            remedy="Copy the table there, or name its folder under linked_folders in the cohort file.",
        )
