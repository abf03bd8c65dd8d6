"""Every number of a manuscript with its place and its cell: ``manuscript/numbers.csv``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from her2radiomics.article.document import Bound, Heading, Manuscript, Source, Words
from her2radiomics.core.bound import NUMBER
from her2radiomics.core.errors import StudyError
from her2radiomics.core.tables import as_text, assemble
from her2radiomics.manuscript.cells import reprint


@dataclass(frozen=True)
class Place:
    """A bound number where it is printed: under which heading, in which block."""

    number: Bound
    section: str
    paragraph: str


def places(manuscript: Manuscript) -> Iterator[Place]:
    """Every bound number, in the order of the text."""
    section, parent = "", ""
    inside = {id(block) for block in manuscript.abstract}
    for block, run in manuscript.runs():
        if isinstance(block, Heading):
            parent = block.text if block.level == 1 else parent
            section = parent if block.level == 1 else f"{parent}, {block.text}"
        elif isinstance(run, Bound):
            yield Place(run, "Abstract" if id(block) in inside else section, block.id)


def printed_places(manuscript: Manuscript) -> dict[str, str]:
    """Where each paragraph is printed, by its identifier: ``Methods, Feature extraction``."""
    found = {"title": "Title"} | {block.id: f"Abstract, {block.label}" for block in manuscript.abstract}
    section, parent = "", ""
    for block in (*manuscript.body, *manuscript.supplement):
        if isinstance(block, Heading):
            parent = block.text if block.level == 1 else parent
            section = parent if block.level == 1 else f"{parent}, {block.text}"
        else:
            found.setdefault(block.id, section)
    return found


def to_csv(manuscript: Manuscript) -> str:
    """The table, a row a printed number."""
    rows = [
        {
            "number": place.number.text,
            "unit": place.number.source.unit,
            "section": place.section,
            "paragraph": place.paragraph,
            "file": _joined([part.file for part in _cells(place.number.source)]),
            "row": _joined([_row(part) for part in _cells(place.number.source)]),
            "column": _joined([part.column for part in _cells(place.number.source)]),
            "rounding": _rounding(place.number.source),
            "key": place.number.key,
            "simulated": manuscript.simulated,
        }
        for place in places(manuscript)
    ]
    return as_text("numbers", assemble("numbers", rows))


def places_csv(manuscript: Manuscript) -> str:
    """Where each paragraph, table and figure is printed."""
    rows = [
        {"paragraph": name, "place": place, "simulated": manuscript.simulated}
        for name, place in printed_places(manuscript).items()
    ]
    return as_text("manuscript_places", assemble("manuscript_places", rows))


def stale(manuscript: Manuscript, folder: Path) -> list[tuple[Bound, str]]:
    """Numbers that are not what their cells print now, with what they print."""
    found = {}
    for place in places(manuscript):
        now = reprint(folder, place.number.source)
        if now != place.number.text:
            found[place.number.key] = (place.number, now)
    return list(found.values())


def checked(manuscript: Manuscript, folder: Path) -> list[str]:
    """Refuse a manuscript whose numbers are not what their cells print; say which numbers of its text are bound to nothing.

    Raises
    ------
    StudyError
        A cell prints another number than the text, or is missing.
    """
    for number, now in stale(manuscript, folder):
        raise StudyError(
            f"manuscript: found '{number.text}' ({number.key}), expected '{now}', as {number.source.file} has it in "
            f"'{number.source.column}'. Make the tables again, then the manuscript."
        )
    return [f"{name}: the number {number} is bound to nothing" for name, number in unbound(manuscript)]


def unbound(manuscript: Manuscript) -> list[tuple[str, str]]:
    """Numbers of the text that are bound to nothing, with the block that they are in."""
    return [
        (block.id, number)
        for block, run in manuscript.runs()
        if isinstance(run, Words) and not isinstance(block, Heading)
        for number in NUMBER.findall(run.text)
    ]


def _cells(source: Source) -> list[Source]:
    """The cells behind a number, also of what it is made of."""
    return [cell for part in source.of for cell in _cells(part)] if source.of else [source]


def _rounding(source: Source) -> str:
    """``quotient of (smaller class) and (count); fixed 1``."""
    inner = [f"({_rounding(part)})" for part in source.of if part.rounding]
    first, _, rest = source.rounding.partition("; ")
    return "; ".join(filter(None, (f"{first} of {' and '.join(inner)}" if inner else first, rest)))


def _row(source: Source) -> str:
    return "; ".join(f"{name}={value}" for name, value in source.row)


def _joined(parts: Sequence[str]) -> str:
    return " | ".join(parts)
