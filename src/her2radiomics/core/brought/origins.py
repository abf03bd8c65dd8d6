"""Where the cells of the participants table stood in the user's own files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from her2radiomics.core.errors import TableError


@dataclass(frozen=True)
class Origin:
    """Where one column came from.

    Attributes
    ----------
    file
        The user's table, the first of those that were appended.
    column
        Its heading there.
    rows
        Patient to the file and the row as a spreadsheet numbers it.
    """

    file: str
    column: str
    rows: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Origins:
    """Where each column of the participants came from, and which may not be used.

    Attributes
    ----------
    file
        The participants table, where no column is concerned.
    columns
        Our column to its origin.
    refused
        Our column to why it may not be used: a heading that stands twice, tables that disagree.
    identifiers
        Study number to the identifier in the user's tables, where the cohort numbers its patients.
    """

    file: str
    columns: Mapping[str, Origin] = field(default_factory=dict)
    refused: Mapping[str, TableError] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, file: str | Path | Origins) -> Origins:
        """The origins, or those of a table that is a file of its own."""
        return file if isinstance(file, Origins) else cls(str(file))

    def __str__(self) -> str:
        """The participants table."""
        return self.file

    def problem(
        self, *, found: str, expected: str, remedy: str, patient: str | None = None, column: str | None = None
    ) -> TableError:
        """A mistake with the file, the row and the heading that the user knows."""
        origin = self.columns.get(column or "", Origin(self.file, column or ""))
        named = None if patient is None else self.identifiers.get(patient, patient)
        heading = column
        if column and origin.column != column:
            heading, remedy = origin.column, f"{remedy} (It is '{column}' in the cohort file.)"
        file, row = origin.rows.get(named or "", (origin.file, None))
        return TableError(
            file=file, found=found, expected=expected, remedy=remedy, patient=named, column=heading, row=row
        )
