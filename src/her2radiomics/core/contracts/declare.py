"""What a contract says of a table or file that passes between jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal["text", "number", "whole", "truth"]
Home = Literal["cohort", "run", "results"]

#: Folders that contracts' paths lie below.
HOMES: dict[Home, str] = {"cohort": "results/cohorts/{dataset}", "run": "results/{run}", "results": "results"}

#: Units that decide how a number is checked and printed.
FROM_0_TO_1 = "0 to 1"
SHARE = "share of patients"


class _Open(dict[str, str]):
    """Values of some placeholders; the others stay."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def fill(path: str, which: Mapping[str, str]) -> str:
    """Fill some placeholders of a path; others stay."""
    return path.format_map(_Open(which))


@dataclass(frozen=True)
class TableColumn:
    """One column of a table.

    Attributes
    ----------
    name
        Its heading in the file.
    meaning
        What it holds, as the documentation says it.
    label
        Its name as pages and tables print it; made of the name where none is given.
    unit
        The unit of a number; :data:`FROM_0_TO_1` and :data:`SHARE` are checked and printed as such.
    kind
        ``text`` (an empty cell is an empty text), ``number`` (an empty cell is not a number), ``whole`` (a whole number)
        or ``truth`` (``True`` or ``False``).
    short
        An abbreviation that tables print in place of the label, and explain.
    values
        What a text or whole number may be; nothing: anything.
    optional
        Whether a file may lack the column.
    empty
        Whether cells of whole numbers may be empty; those of numbers and texts may always be.
    """

    name: str
    meaning: str
    label: str = ""
    unit: str = ""
    kind: Kind = "text"
    short: str = ""
    values: tuple[str, ...] = ()
    optional: bool = False
    empty: bool = False

    def __post_init__(self) -> None:
        """Make a label of the name where none is given."""
        if not self.label:
            object.__setattr__(self, "label", self.name.replace("_", " ").capitalize())


@dataclass(frozen=True)
class Contract:
    """A table or file that passes between jobs.

    Attributes
    ----------
    name
        What code calls it.
    path
        Where it lies below its home, with placeholders such as ``{model}``.
    meaning
        What it holds.
    columns
        The columns of a table, in order; none: it is no table.
    others
        What further columns of the table hold; empty: it may have none.
    also
        Endings of the further forms of the same content beside ``path``.
    home
        The folder that ``path`` lies below: one of :data:`HOMES`.
    digits
        Significant digits with which numbers are written; ``None``: all of them.
    for_people
        Whether people open the table in a spreadsheet: it then has the mark of UTF-8 where it is not ASCII alone.
    """

    name: str
    path: str
    meaning: str
    columns: tuple[TableColumn, ...] = ()
    others: str = ""
    also: tuple[str, ...] = ()
    home: Home = "run"
    digits: int | None = None
    for_people: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, those that a file may lack among them."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that no file lacks."""
        return tuple(column.name for column in self.columns if not column.optional)

    @cached_property
    def endings(self) -> tuple[str, ...]:
        """Endings of all forms, that of ``path`` first."""
        return (PurePosixPath(self.path).suffix.removeprefix("."), *self.also)

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        """What the path leaves open below its home, in order: there is one file for each."""
        return tuple(dict.fromkeys(re.findall(r"\{(\w+)\}", self.path)))

    def column(self, name: str) -> TableColumn:
        """The column of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise LookupError(f"contract '{self.name}': found no column '{name}'; it has {', '.join(self.names)}")

    def below(self, ending: str = "", **which: str) -> str:
        """Path below the home with some placeholders filled; others stay, as wildcards of a rule."""
        path = self.path if not ending else f"{self.path.removesuffix(f'.{self.endings[0]}')}.{ending}"
        return fill(path, which)

    def bounds(self, name: str) -> tuple[str, str] | None:
        """Columns of the interval of a column; ``None`` where it has none."""
        low, high = f"{name}_low", f"{name}_high"
        return (low, high) if low in self.names and high in self.names else None


# columns by their kind: name, meaning, label, unit
text = partial(TableColumn, kind="text")
number = partial(TableColumn, kind="number")
whole = partial(TableColumn, kind="whole")
truth = partial(TableColumn, kind="truth")
