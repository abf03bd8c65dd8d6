"""Where files lie: from the name of a contract to a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from her2radiomics.core import tables
from her2radiomics.core.contracts import contract
from her2radiomics.core.contracts.declare import HOMES, Home, fill
from her2radiomics.core.libraries import pd


def folder_of(home: Home, **which: str) -> str:
    """Folder of a run (``run=…``) or cohort (``dataset=…``) from the project's folder."""
    return fill(HOMES[home], which)


def path_of(name: str, ending: str = "", **which: str) -> str:
    """Path of a contract's file from the project's folder.

    Parameters
    ----------
    name
        The contract.
    ending
        Which form of the content; the contract's own by default.
    which
        Placeholder to value (``run="nat_response", model="clinical"``). Those without a value stay, as wildcards of a rule.
    """
    found = contract(name)
    return f"{folder_of(found.home, **which)}/{found.below(ending, **which)}"


def paths_of(*names: str, **which: str) -> dict[str, str]:
    """Contract to path, as the named outputs or inputs of a rule."""
    return {name: path_of(name, **which) for name in names}


def forms_of(name: str, **which: str) -> dict[str, str]:
    """Ending to path, for each form of a contract's content."""
    return {ending: path_of(name, ending, **which) for ending in contract(name).endings}


@dataclass(frozen=True)
class Layout:
    """The files of one run or cohort.

    Attributes
    ----------
    folder
        The run's or the cohort's folder.
    """

    folder: Path

    def path(self, name: str, ending: str = "", **which: str) -> Path:
        """Path of a contract's file."""
        return self.folder / contract(name).below(ending, **which)

    def read(self, name: str, **which: str) -> pd.DataFrame:
        """Read a table (:func:`her2radiomics.core.tables.read`)."""
        return tables.read(name, self.path(name, **which))
