"""What a table is, before it becomes CSV, HTML, LaTeX or Word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from her2radiomics.core.libraries import pd

SIMULATED_NOTE = "Simulated data: the numbers say nothing about patients or about the published study."


@dataclass(frozen=True)
class Heading:
    """A printed column: its key in the data, its heading, and the spanning heading above it, if any."""

    key: str
    label: str
    group: str = ""
    align: Literal["left", "centre", "right"] = "centre"


@dataclass(frozen=True)
class RowLabel:
    """The first cell of a printed row.

    ``section`` rows head a group of rows and have no other cell; ``indent`` counts levels.
    """

    text: str
    indent: int = 0
    section: bool = False


@dataclass(frozen=True)
class Table:
    """One table, ready to be written.

    Attributes
    ----------
    title
        Title without the table's number.
    data
        What the CSV holds: text cells, one row a printed row; key columns (for example ``characteristic`` and
        ``level``) come first. Cells of section rows are empty.
    stub
        Heading of the row labels.
    labels
        One per row of ``data``.
    headings
        The printed columns of ``data``, in order.
    footnotes
        Printed below, in order.
    simulated
        Whether the run's patients are simulated: said in the title, in a footnote and in a column of the CSV.
    """

    title: str
    data: pd.DataFrame
    stub: str
    labels: tuple[RowLabel, ...]
    headings: tuple[Heading, ...]
    footnotes: tuple[str, ...] = ()
    simulated: bool = False

    def __post_init__(self) -> None:
        """Refuse labels or headings that do not fit the data."""
        if len(self.labels) != len(self.data):
            raise ValueError(f"found {len(self.labels)} row labels for {len(self.data)} rows")
        absent = [heading.key for heading in self.headings if heading.key not in self.data.columns]
        if absent:
            raise ValueError(f"no column {absent} in the data; its columns are {list(self.data.columns)}")

    @property
    def printed_title(self) -> str:
        """The title, marked when the data are simulated."""
        return f"{self.title} (simulated data)" if self.simulated else self.title

    @property
    def printed_footnotes(self) -> tuple[str, ...]:
        """The footnotes, followed by the note on simulated data where it applies."""
        return (*self.footnotes, SIMULATED_NOTE) if self.simulated else self.footnotes

    @property
    def spans(self) -> list[tuple[str, int]]:
        """Spanning headings with the number of columns each covers; empty text where there is none."""
        spans: list[tuple[str, int]] = []
        for heading in self.headings:
            if spans and spans[-1][0] == heading.group and heading.group:
                spans[-1] = (heading.group, spans[-1][1] + 1)
            else:
                spans.append((heading.group, 1))
        return spans

    @property
    def columns(self) -> list[tuple[str, list[str]]]:
        """Heading and texts of each printed column, first the row labels, indented by three spaces a level."""
        stub = [" " * 3 * label.indent + label.text for label in self.labels if not label.section]
        texts = ([row[place] for row in self.cells] for place in range(len(self.headings)))
        return [(self.stub, stub), *zip((heading.label for heading in self.headings), texts, strict=True)]

    @property
    def cells(self) -> list[list[str]]:
        """Printed cells, a list a row, without the row labels."""
        return self.data[[heading.key for heading in self.headings]].to_numpy(dtype=object).tolist()


class Rows:
    """Collects rows while a table is made: label, key cells and value cells together."""

    def __init__(self) -> None:
        """Start empty."""
        self.labels: list[RowLabel] = []
        self.records: list[dict[str, str]] = []

    def add(self, text: str, indent: int = 0, *, section: bool = False, cells: Mapping[str, str] | None = None) -> None:
        """Append a row."""
        self.labels.append(RowLabel(text, indent, section))
        self.records.append(dict(cells or {}))

    def frame(self, columns: list[str]) -> pd.DataFrame:
        """Return the rows as text under ``columns``; a cell never given is empty."""
        return pd.DataFrame(self.records, columns=columns, dtype=object).fillna("")
