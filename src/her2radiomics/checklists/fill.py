"""A checklist against the facts and files of a run: a status for each item, and the range of its score."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from her2radiomics.checklists.settings import Checklist, ChecklistRun, Evidence, Fact, Item, Part
from her2radiomics.core.errors import SettingsError

Status = Literal["filled", "partly", "for the author", "not done", "not applicable"]
STATUSES: tuple[Status, ...] = ("filled", "partly", "for the author", "not done", "not applicable")
MOST_LINKS = 3
NOT_WRITTEN = "not in the manuscript"


@dataclass(frozen=True)
class FilledItem:
    """An item, or a part of one, as filled for a run.

    Attributes
    ----------
    number, section, text
        As in the checklist.
    status
        See :data:`STATUSES`.
    statement
        One sentence made from the run's facts; a draft where it is for the author.
    files
        Files below the run's folder that show it; at least one where it is filled or partly filled.
    points
        Points of the item or part; 0 in checklists without a score.
    paragraphs, place
        Identifiers of the manuscript's paragraphs that write of it, and where they are printed, in words.
    """

    number: str
    section: str
    text: str
    status: Status
    statement: str
    files: tuple[str, ...]
    points: float = 0.0
    paragraphs: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True)
class Score:
    """A score's range: what the run itself shows, and what it would be if the open items were all fulfilled."""

    label: str
    low: float
    high: float
    total: float
    unit: str

    def __str__(self) -> str:
        """``METRICS score: 46.2 to 83.1%``; ``Radiomics Quality Score: 15 to 34 of 36 points``."""
        digits = 0 if float(self.low).is_integer() and float(self.high).is_integer() else 1
        span = f"{self.low:.{digits}f}" if self.low == self.high else f"{self.low:.{digits}f} to {self.high:.{digits}f}"
        return f"{self.label}: {span}{self.unit if self.unit == '%' else f' of {self.total:g} {self.unit}'}"


@dataclass(frozen=True)
class FilledChecklist:
    """A checklist as filled for a run."""

    checklist: Checklist
    items: tuple[FilledItem, ...]
    score: Score | None

    def count(self, status: Status) -> int:
        """Number of items (or parts) with a status."""
        return sum(item.status == status for item in self.items)


def holds(condition: Evidence, facts: Mapping[str, Fact]) -> bool:
    """Whether a condition holds.

    Raises
    ------
    SettingsError
        It names a fact that no run has.
    """
    if condition.all_:
        return all(holds(part, facts) for part in condition.all_)
    if condition.any_:
        return any(holds(part, facts) for part in condition.any_)
    if condition.not_ is not None:
        return not holds(condition.not_, facts)
    assert condition.fact is not None
    value = _fact(condition.fact, facts)
    if condition.has:
        return bool(set(condition.has) & set(value))
    if condition.at_least is not None:
        return (len(value) if isinstance(value, list | str) else value) >= condition.at_least
    if condition.is_ is not None:
        return value in condition.is_ if isinstance(condition.is_, list) else value == condition.is_
    return bool(value)


def _fact(name: str, facts: Mapping[str, Fact]) -> Any:
    if name not in facts:
        raise SettingsError(f"checklists: no fact '{name}'; known: {', '.join(sorted(facts))}.")
    return facts[name]


def shown_by(wanted: Sequence[str], run: ChecklistRun) -> tuple[str, ...]:
    """Declared files that ``wanted`` names by pattern or by kind, at most :data:`MOST_LINKS`."""
    found: list[str] = []
    for pattern in wanted:
        if pattern in run.kinds:
            found += [file for file in run.kinds[pattern] if file in run.declared]
        else:
            found += sorted(fnmatch.filter(run.declared, pattern))[:MOST_LINKS]
    return tuple(dict.fromkeys(found))[:MOST_LINKS]


def written_in(wanted: Sequence[str], places: Mapping[str, str]) -> tuple[str, ...]:
    """Paragraphs that ``wanted`` names, by their identifiers or the beginning of them; of each name the first."""
    found = [next((p for p in places if p == name or p.startswith(f"{name}.")), "") for name in wanted]
    return tuple(dict.fromkeys(filter(None, found)))


def fill(checklist: Checklist, run: ChecklistRun) -> FilledChecklist:
    """Fill a checklist for a run whose facts are all there, those of its results too.

    Raises
    ------
    SettingsError
        An item names a fact that no run has.
    """
    rows: list[FilledItem] = []
    lows, highs, possible = 0.0, 0.0, 0.0
    for section in checklist.sections:
        for item in section.items:
            made = _item_rows(item, section.title, run)
            rows += made
            low, high = _range(item, made)
            lows, highs = lows + low, highs + high
            possible += 0 if all(row.status == "not applicable" for row in made) else item.points
    return FilledChecklist(checklist, tuple(rows), _score(checklist, lows, highs, possible))


def _item_rows(item: Item, section: str, run: ChecklistRun) -> list[FilledItem]:
    parts: list[tuple[str, str, Part]] = [
        (f"{item.number}.{index}", f"{item.text}: {part.text}", part) for index, part in enumerate(item.parts, 1)
    ]
    if len(parts) == 1:
        parts = [(item.number, *parts[0][1:])]
    rows = []
    paragraphs = written_in(item.written, run.places)
    place = "; ".join(dict.fromkeys(run.places[name] for name in paragraphs)) or NOT_WRITTEN
    for number, text, part in parts or [(item.number, item.text, item)]:
        status, files = _status(part, run)
        # a statement about what does not hold would be untrue; a draft belongs to what is the author's from the start
        draft = part.statement if part.evidence is None and not part.show else part.missing
        partly = f"{part.statement} Not shown: {part.lacking}."
        said = {"filled": part.statement, "partly": partly, "not applicable": ""}.get(status, draft)
        said = sentence(said, run.facts)
        rows.append(FilledItem(number, section, text, status, said, files, part.points, paragraphs, place))
    return rows


def _status(part: Part, run: ChecklistRun) -> tuple[Status, tuple[str, ...]]:
    if part.applies is not None and not holds(part.applies, run.facts):
        return "not applicable", ()
    if part.show and (part.evidence is None or holds(part.evidence, run.facts)):
        files = shown_by(part.show, run)
        if files:
            whole = not part.lacking or (part.complete is not None and holds(part.complete, run.facts))
            return ("filled" if whole else "partly"), files
    return ("not done" if part.otherwise == "not done" else "for the author"), ()


def sentence(text: str, facts: Mapping[str, Fact]) -> str:
    """``text`` with facts put in; lists are joined, and each sentence ends once: ``{acquisition} {injection}``.

    Items of a list that hold commas are separated by semicolons.
    """
    if not text:
        return ""
    words = {}
    for name, value in facts.items():
        items = [str(item) for item in value] if isinstance(value, list) else [str(value)]
        words[name] = ("; " if any("," in item for item in items) else ", ").join(items)
        if f"{{{name}}}." in text:
            words[name] = words[name].rstrip(".")
        elif words[name] and f"{{{name}}} {{" in text:
            words[name] = words[name].rstrip(".") + "."
    try:
        made = text.format_map(words)
    except KeyError as error:
        raise SettingsError(f"checklists: no fact {error}; known: {', '.join(sorted(facts))}.") from None
    made = made.strip().strip(";").strip()
    if made and made[-1] not in ".!?":
        made += "."
    # a file's or a sequence's name keeps its own first letter
    return made[:1].upper() + made[1:] if re.match(r"[a-z]+[ ,;:.]", made) else made


def _range(item: Item, rows: Sequence[FilledItem]) -> tuple[float, float]:
    """Points that are shown, and points if all that is lacking or left to the author were fulfilled."""
    shown = [row.points for row in rows if row.status == "filled"]
    open_ = [row.points for row in rows if row.status in ("partly", "for the author")]
    if item.pick == "best":
        low = max(shown, default=item.floor)
        return low, max([low, *open_])
    low = sum(shown) if shown else item.floor
    return low, sum(shown) + sum(open_) if shown or open_ else item.floor


def _score(checklist: Checklist, low: float, high: float, possible: float) -> Score | None:
    rule = checklist.score
    if rule is None:
        return None
    if rule.kind == "share":
        return Score(rule.label, 100 * low / possible, 100 * high / possible, 100, rule.unit)
    return Score(rule.label, low, high, rule.total, rule.unit)
