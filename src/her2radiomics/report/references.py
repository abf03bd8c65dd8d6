"""References of the methods that a run used, to go with its methods section, from ``references.json`` (CSL-JSON)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from her2radiomics.core.errors import StudyError
from her2radiomics.core.software import BY_NAME
from her2radiomics.evaluation.settings import INTERVALS
from her2radiomics.manuscript.tables.survival import SurvivalTable
from her2radiomics.report.info import RunInfo

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


def references(info: RunInfo, software: Mapping[str, str]) -> tuple[str, ...]:
    """References of what the run used, in the order of its methods, then those of its software.

    ``software`` are the distributions that the run's jobs used, with their versions.

    Raises
    ------
    StudyError
        A method names a reference that :data:`FILE` does not hold.
    """
    used = {*_used(info), *filter(None, (BY_NAME[name].reference for name in software))}
    unknown = sorted(used - library().keys())
    if unknown:
        raise StudyError(f"references: found '{unknown[0]}', expected an id of {FILE.name}. Add the entry.")
    return tuple(printed(entry) for key, entry in library().items() if key in used)


def _used(info: RunInfo) -> Iterator[str]:
    protocol = info.protocol
    if info.extracted:
        yield "zwanenburg_2020"
        if any(item.preprocessing.n4 for item in protocol.sequences.values()):
            yield "tustison_2010"
    for model in protocol.models.values():
        yield from model.references_used()
    settings = protocol.evaluation
    yield from ("delong_1988", "holm_1979", "youden_1950", "hosmer_1980", "vickers_2006")
    yield INTERVALS[settings.ci_method].reference
    if settings.calibration_bootstrap or settings.pipeline_bootstrap:
        yield "harrell_1996"
    if settings.comparisons:
        yield "pencina_2008"
    kinds = {item.kind for item in (*protocol.figures, *protocol.tables)}
    if kinds & {"kaplan_meier", "survival"}:
        yield "kaplan_1958"
    if kinds & {"survival", "cox"}:
        yield "cox_1972"
    if any(isinstance(item, SurvivalTable) and item.follow_up for item in protocol.tables):
        yield "schemper_1996"
    if "agreement" in kinds:
        yield "cohen_1968"
