"""The text of a run's manuscript: sections in the order of TRIPOD+AI and CLEAR, from templates and the run's tables.

Tables and figures follow the paragraph that first names them; those that no paragraph names, and those that the protocol
numbers as supplementary, are in the supplement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from her2radiomics.article.document import (
    Block,
    Bound,
    Cite,
    CrossReference,
    FigureBlock,
    ForAuthor,
    Heading,
    Manuscript,
    Paragraph,
    Run,
    TableBlock,
    Words,
)
from her2radiomics.article.limits import Limits
from her2radiomics.article.results import Results
from her2radiomics.article.spelling import Spelling, spelled
from her2radiomics.core import software
from her2radiomics.core.bound import pieces, plain
from her2radiomics.extraction import read_parameters
from her2radiomics.manuscript.cells import Cells
from her2radiomics.manuscript.figures import ComposedOptions
from her2radiomics.report.facts import Facts
from her2radiomics.report.info import RunInfo
from her2radiomics.report.methods import methods
from her2radiomics.report.prose import Section, sections
from her2radiomics.report.references import library

#: Paragraphs of the methods that are results in a manuscript, and the section of the results that they begin.
MOVED = {
    "methods.patients.flow": "participants",
    "methods.patients.sizes": "participants",
    "methods.reproducibility.reached": "reproducibility",
}
LANGUAGES = {"british": "en-GB", "american": "en-US"}
_SUPPLEMENT = re.compile(r"^(?:table|figure)_s\d+")
_SIMULATED = "Simulated data."


def write(
    run_folder: str | Path,
    info: RunInfo,
    *,
    parameters: Sequence[str | Path] = (),
    records: Sequence[str | Path] = (),
    spelling: Spelling = "british",
) -> Manuscript:
    """Write the manuscript of a run.

    Parameters
    ----------
    run_folder
        ``results/S``.
    info
        What was asked for, and with which settings.
    parameters
        The PyRadiomics parameter files.
    records
        What each job wrote of the software that it used.
    spelling
        Of the words.

    Raises
    ------
    SettingsError
        A parameter file is broken.
    StudyError
        A table or model is missing, or a text cites an unknown reference.
    """
    facts = facts_of(run_folder, info, parameters, records)
    return Writer(facts, spelling).manuscript()


def facts_of(
    run_folder: str | Path, info: RunInfo, parameters: Sequence[str | Path], records: Sequence[str | Path]
) -> Facts:
    """What the text is written from."""
    contents = {Path(path).stem: read_parameters(path) for path in parameters}
    return Facts(info, Cells(Path(run_folder)), contents, software.read_records(records))


class Writer:
    """Turns sections with marks into blocks."""

    def __init__(self, facts: Facts, spelling: Spelling) -> None:
        """Take what the text is written from."""
        self.facts, self.spelling, self.results = facts, spelling, Results(facts)
        self.kinds = {item.id: "figure" for item in facts.protocol.figures} | {
            item.id: "table" for item in facts.protocol.tables
        }
        self.panels = self.results.shown
        self.placed: set[str] = set()

    def manuscript(self) -> Manuscript:
        """All blocks."""
        facts, results = self.facts, self.results
        given = {"f": facts, "p": facts.protocol, "r": results, "l": Limits(results)}
        method_parts, moved = self._methods()
        found = sections("article", "results.txt", given, "results.")
        frame = {part.id: part for part in sections("article", "frame.txt", {**given, "remaining": []})}
        limits = sections("article", "limitations.txt", given)
        abstract = sections("article", "abstract.txt", given)[0]
        body = [
            *self._section(frame["introduction"], 1),
            Heading("methods", "Methods"),
            *self._sections((*method_parts, _renamed(frame["reporting"], "methods"))),
            Heading("results", "Results"),
            *self._sections(self._with_moved(found, moved)),
            *self._section(frame["discussion"], 1),
            *self._sections(limits),
            *(block for name in ("data", "code", "statements") for block in self._section(frame[name], 1)),
        ]
        supplement = self._supplement(given)
        title = f"{facts.protocol.title.rstrip('.')}: development and validation of a prediction model"
        everything = [
            *abstract.paragraphs,
            *(pair for part in (*method_parts, *found, *limits, *frame.values()) for pair in part.paragraphs),
        ]
        keys = {
            key for _, text in everything for kind, keys, _ in pieces(text) if kind == "c" for key in keys.split(",")
        }
        labels = {"background": "Background", "methods": "Methods", "results": "Results", "conclusion": "Conclusion"}
        return Manuscript(
            title=spelled(plain(title), self.spelling),
            abstract=tuple(
                Paragraph(name, self.runs(text), labels[name.rpartition(".")[2]]) for name, text in abstract.paragraphs
            ),
            body=tuple(body),
            supplement=supplement,
            references={key: entry for key, entry in library().items() if key in keys},
            language=LANGUAGES[self.spelling],  # type: ignore[arg-type]
            simulated=facts.simulated,
            run=facts.info.id,
        )

    def _methods(self) -> tuple[list[Section], dict[str, list[tuple[str, str]]]]:
        """Sections of the methods, and the paragraphs that are results."""
        parts, moved = [], dict[str, list[tuple[str, str]]]()
        for part in methods(self.facts, counted=False):
            kept = tuple(pair for pair in part.paragraphs if pair[0] not in MOVED)
            for name, text in part.paragraphs:
                if name in MOVED:
                    moved.setdefault(MOVED[name], []).append((name.replace("methods.", "results.", 1), text))
            if kept:
                parts.append(Section(part.id, part.heading, kept))
        return parts, moved

    def _with_moved(self, found: Sequence[Section], moved: Mapping[str, list[tuple[str, str]]]) -> list[Section]:
        """Sections of the results that begin with what the methods found."""
        by_id = {part.id: part for part in found}
        made = []
        headings = {"participants": "Participants", "reproducibility": "Reproducibility of features"}
        for name, heading in headings.items():
            own = by_id.pop(f"results.{name}", Section(f"results.{name}", heading, ()))
            paragraphs = (*self._joined(name, moved.get(name, [])), *own.paragraphs)
            if paragraphs:
                made.append(Section(own.id, own.heading, paragraphs))
        return [*made, *by_id.values()]

    def _joined(self, name: str, paragraphs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """One paragraph of those that the methods found; the participants' with the figure of the flow."""
        if not paragraphs:
            return []
        from_figure = self.results.ids("flow") if name == "participants" else []
        text = " ".join(text for _, text in paragraphs)
        if from_figure:
            text = f"{text} {self.results.references(from_figure)} shows the flow of patients."
        return [(f"results.{name}.{'flow' if name == 'participants' else 'reached'}", text)]

    def _sections(self, parts: Iterable[Section]) -> Iterator[Block]:
        for part in parts:
            yield from self._section(part, 2)

    def _section(self, part: Section, level: int) -> Iterator[Block]:
        """Heading and paragraphs, each followed by the tables and figures that it names first."""
        if part.heading:
            yield Heading(part.id, spelled(part.heading, self.spelling), level)
        for name, text in part.paragraphs:
            yield Paragraph(name, self.runs(text))
            for target in self._named(text):
                if target not in self.placed and not _SUPPLEMENT.match(target):
                    self.placed.add(target)
                    yield self.float_block(target)

    def _named(self, text: str) -> Iterator[str]:
        for kind, targets, _ in pieces(text):
            if kind in "rs" and kind:
                yield from (target for target in targets.split(",") if target in self.kinds)

    def _supplement(self, given: Mapping[str, Any]) -> tuple[Block, ...]:
        """Every table and figure that the text has not placed, and what they are called."""
        remaining = [name for name in self.kinds if name not in self.placed and name not in self.panels]
        remaining.sort(key=lambda name: self.kinds[name] != "table")
        parts = sections("article", "frame.txt", {**given, "remaining": remaining})
        part = next((part for part in parts if part.id == "supplement"), None)
        if part is None:
            return ()
        name, text = part.paragraphs[0]
        return (
            Heading("supplement", part.heading),
            Paragraph(name, self.runs(text)),
            *(self.float_block(target) for target in remaining),
        )

    def float_block(self, target: str) -> Block:
        """A table or figure with its caption."""
        table = next((item for item in self.facts.protocol.tables if item.id == target), None)
        if table is not None:
            return TableBlock(target, self.runs(_ended(table.title)))
        item = next(item for item in self.facts.protocol.figures if item.id == target)
        composed = isinstance(item, ComposedOptions)
        caption = item.caption or ("" if composed else item.about.caption)
        panels = self._panels(item) if isinstance(item, ComposedOptions) else ""
        parts = [_ended(item.title), panels, caption.strip(), _SIMULATED if self.facts.simulated else ""]
        return FigureBlock(target, self.runs(" ".join(filter(None, parts))))

    def _panels(self, item: ComposedOptions) -> str:
        """Titles of a composed figure's panels by their letters."""
        titles = {other.id: other.title for other in self.facts.protocol.figures}
        letters = item.panel_letters
        return " ".join(
            f"({letters[name].upper()}) {_ended(titles[name])}" for name in sorted(letters, key=letters.__getitem__)
        )

    def runs(self, text: str) -> tuple[Run, ...]:
        """A text with marks as runs."""
        made: list[Run] = []
        for kind, shown, source in pieces(text):
            if kind == "n" and source is not None:
                made.append(Bound(source.key, shown, source))
            elif kind == "c":
                made.append(Cite(tuple(shown.split(","))))
            elif kind == "a":
                made.append(ForAuthor(spelled(shown, self.spelling)))
            elif kind == "r":
                made.append(CrossReference(shown))
            elif kind == "s":
                made += self._bracket(shown.split(","))
            else:
                made.append(Words(spelled(shown, self.spelling)))
        return tuple(made)

    def _bracket(self, targets: Sequence[str]) -> Iterator[Run]:
        """`` (Table 2, Figure 3)``."""
        known = list(dict.fromkeys(self.panels.get(target, target) for target in targets))
        for place, target in enumerate(known):
            yield Words(" (" if place == 0 else ", ")
            yield CrossReference(target)
        yield Words(")")


def _renamed(part: Section, parent: str) -> Section:
    """A section of the frame inside another one."""
    paragraphs = tuple((f"{parent}.{name}", text) for name, text in part.paragraphs)
    return Section(f"{parent}.{part.id}", part.heading, paragraphs)


def _ended(text: str) -> str:
    return f"{text.rstrip('.')}."
