"""References of the methods that a run used, to go with its methods section, from ``references.json`` (CSL-JSON)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from her2radiomics.core.errors import StudyError

FILE = Path(__file__).with_name("references.json")
#: More authors than these are printed as the first "et al."
MOST_AUTHORS = 3


@cache
def library() -> dict[str, dict[str, Any]]:
    """Entries by their key, in the order in which they are printed."""
    return {entry["id"]: entry for entry in json.loads(FILE.read_text(encoding="utf-8"))}


def printed(entry: Mapping[str, Any]) -> str:
    """Return an entry of an article, a book or software as medical journals print it (Vancouver style)."""
    names = [f"{author['family']} {author['given']}" for author in entry["author"]]
    authors = ", ".join(names) if len(names) <= MOST_AUTHORS else f"{names[0]}, et al"
    if entry["type"] == "software":
        return f"{authors}. {entry['title']}. {entry['URL']}."
    year = entry["issued"]["date-parts"][0][0]
    if entry["type"] == "book":
        place = f"{entry['publisher-place']}: {entry['publisher']}; {year}"
        return f"{authors}. {entry['title']}. {place}."
    issue = f"({entry['issue']})" if "issue" in entry else ""
    volume = f";{entry['volume']}{issue}" if "volume" in entry else ""
    return f"{authors}. {entry['title']}. {entry['container-title']}. {year}{volume}:{entry['page']}."


def references(used: Iterable[str]) -> tuple[str, ...]:
    """References by their keys, in the order of :data:`FILE`.

    Raises
    ------
    StudyError
        A text cites a reference that :data:`FILE` does not hold.
    """
    wanted = set(used)
    unknown = sorted(wanted - library().keys())
    if unknown:
        raise StudyError(f"references: found '{unknown[0]}', expected an id of {FILE.name}. Add the entry.")
    return tuple(printed(entry) for key, entry in library().items() if key in wanted)
