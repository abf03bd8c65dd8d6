"""Errors that teach: what was found, what was expected, and what to do."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path


class StudyError(Exception):
    """Base of every error that a user of the workflow can cause and mend."""


class SettingsError(StudyError):
    """A config, protocol or cohort file says something that it may not say."""


class TableError(StudyError):
    """A participants table, manifest or feature table is not as its contract demands."""

    def __init__(
        self,
        *,
        file: str | Path,
        found: str,
        expected: str,
        remedy: str,
        patient: str | None = None,
        column: str | None = None,
    ) -> None:
        """Keep the parts and join them to one sentence a part."""
        self.file, self.patient, self.column = str(file), patient, column
        self.found, self.expected, self.remedy = found, expected, remedy
        where = [str(file)]
        if patient is not None:
            where.append(f"patient {patient}")
        if column is not None:
            where.append(f"column '{column}'")
        super().__init__(f"{', '.join(where)}: found {found}; expected {expected}. {remedy}")


@dataclass(kw_only=True, eq=False)
class CaseError(StudyError):
    """One image or mask of one patient cannot be used; the other patients go on.

    Attributes
    ----------
    found, expected, remedy
        In our own words, which name no file.
    quoted
        What a library said, which may name anything; printed in brackets after ``found``.
    patient, sequence, reader, region
        Whose it is.
    file
        The image or mask as the caller named it: the one place of a path.
    """

    found: str
    expected: str
    remedy: str
    quoted: str = ""
    patient: str = ""
    sequence: str = ""
    reader: str = ""
    region: str = ""
    file: str | Path = ""

    def __post_init__(self) -> None:
        """Keep the file's name as text."""
        self.file = str(self.file)

    def __str__(self) -> str:
        """Patient, sequence, reader, region and file, then what was found, expected and advised: one line."""
        names = ("patient", "sequence", "reader", "region")
        where = [f"{name} {getattr(self, name)}" for name in names if getattr(self, name)]
        where += [str(self.file)] if self.file else []
        prefix = f"{', '.join(where)}: " if where else ""
        quoted = f" ({self.quoted})" if self.quoted else ""
        return f"{prefix}found {self.found}{quoted}; expected {self.expected}. {self.remedy}"

    def named(self, **where: str | Path) -> CaseError:
        """Return the same error with those of ``patient, sequence, reader, region, file`` filled in that are empty."""
        return replace(self, **{name: value for name, value in where.items() if not getattr(self, name)})  # type: ignore[arg-type]


def quote(error: Exception, file: str | Path = "") -> str:
    """What a library said of a file: its last line of text, without the file's path and folder.

    Addresses in memory are left out, so that the same file gives the same text every time.
    """
    text = re.sub(r"\(0x[0-9a-f]+\)", "", str(error))
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    if str(file):
        text = text.replace(str(file), "the file").replace(f"{Path(file).parent}{os.sep}", "")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][-200:] if lines else "no reason given"
