"""Errors that teach: what was found, what was expected, and what to do."""

from __future__ import annotations

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


class CaseError(StudyError):
    """One image or mask of one patient cannot be used; the other patients go on."""

    def __init__(
        self,
        *,
        found: str,
        expected: str,
        remedy: str,
        patient: str = "",
        sequence: str = "",
        reader: str = "",
        region: str = "",
        file: str | Path = "",
    ) -> None:
        """Keep the parts; ``str()`` joins them to one line for ``qc.csv``."""
        self.patient, self.sequence, self.reader, self.region = patient, sequence, reader, region
        self.file, self.found, self.expected, self.remedy = str(file), found, expected, remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        """Patient, sequence, reader, region and file, then what was found, expected and advised."""
        names = ("patient", "sequence", "reader", "region")
        where = [f"{name} {getattr(self, name)}" for name in names if getattr(self, name)]
        if self.file:
            where.append(self.file)
        prefix = f"{', '.join(where)}: " if where else ""
        return f"{prefix}found {self.found}; expected {self.expected}. {self.remedy}"

    def named(self, **where: str | Path) -> CaseError:
        """Return the same error with more of ``patient, sequence, reader, region, file`` filled in."""
        known = {name: getattr(self, name) for name in ("patient", "sequence", "reader", "region", "file")}
        known.update({name: value for name, value in where.items() if not known.get(name)})
        return CaseError(found=self.found, expected=self.expected, remedy=self.remedy, **known)
