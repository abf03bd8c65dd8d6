"""Errors that say what was found, what was expected, and what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

#: Mistakes of a file that are listed; further ones are counted.
MOST_LISTED = 100


class StudyError(Exception):
    """Base of every error that a user of the workflow can cause and correct."""


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
        row: int | None = None,
    ) -> None:
        """Keep the parts and join them to one sentence a part; ``row`` is numbered as a spreadsheet does."""
        self.file, self.patient, self.column, self.row = str(file), patient, column, row
        self.found, self.expected, self.remedy = found, expected, remedy
        where = [str(file)]
        if row is not None:
            where.append(f"row {row}")
        if patient is not None:
            where.append(f"patient {patient}")
        if column is not None:
            where.append(f"column '{column}'")
        super().__init__(f"{', '.join(where)}: found {found}; expected {expected}. {remedy}")

    def renamed(
        self, *, file: Mapping[str, str] = MappingProxyType({}), patient: Mapping[str, str] = MappingProxyType({})
    ) -> TableError:
        """The same error with files and patients called as the user calls them."""
        return TableError(
            file=file.get(self.file, self.file),
            found=self.found,
            expected=self.expected,
            remedy=self.remedy,
            patient=None if self.patient is None else patient.get(self.patient, self.patient),
            column=self.column,
            row=self.row,
        )


class TableErrors(TableError):
    """Several mistakes of the user's tables, a line for each up to :data:`MOST_LISTED`; its parts are those of the first."""

    def __init__(self, problems: Sequence[TableError]) -> None:
        """Keep the mistakes in their order."""
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(
            file=first.file,
            found=first.found,
            expected=first.expected,
            remedy=first.remedy,
            patient=first.patient,
            column=first.column,
            row=first.row,
        )
        lines = [f"  - {problem}" for problem in self.problems[:MOST_LISTED]]
        more = len(self.problems) - len(lines)
        if more:
            lines.append(f"  - and {more} more; correct these first")
        self.args = ("\n".join([f"{len(self.problems)} mistakes in the tables:", *lines]),)

    def renamed(
        self, *, file: Mapping[str, str] = MappingProxyType({}), patient: Mapping[str, str] = MappingProxyType({})
    ) -> TableErrors:
        """The same errors with files and patients called as the user calls them."""
        return TableErrors([problem.renamed(file=file, patient=patient) for problem in self.problems])


class Problems(list[TableError]):
    """Mistakes that are collected, so that a user reads all of them at once."""

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep what the block raises, and go on behind it."""
        try:
            yield
        except TableErrors as errors:
            self.extend(errors.problems)
        except TableError as error:
            self.append(error)

    def add(self, **fields: Any) -> None:
        """Keep a mistake, by the fields of :class:`TableError`."""
        self.append(TableError(**fields))

    def refuse(self) -> None:
        """Raise what was collected, if anything; the same mistake found twice counts once."""
        found = list({str(problem): problem for problem in self}.values())
        if len(found) == 1:
            raise found[0]
        if found:
            raise TableErrors(found)


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
