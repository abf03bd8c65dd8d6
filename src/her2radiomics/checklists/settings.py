"""What a checklist file (``workflow/checklists/*.yaml``) may say, and what a run says to it.

A file has items, their points, and the evidence they need; a run has facts and files.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from her2radiomics.core.settings import Settings

Fact = bool | int | float | str | list[str]


class ChecklistRun(Settings):
    """A run as its checklists see it."""

    title: str = Field(description="Title of the study.")
    facts: dict[str, Fact] = Field(description="Facts of the run, by name.")
    declared: list[str] = Field(description="Files below the run's folder that it makes.")
    kinds: dict[str, list[str]] = Field(
        description="``figure:<kind>``, ``table:<kind>``, ``model:<table>`` to such files."
    )
    models: dict[str, str] = Field(description="Models to their printed names.")
    partitions: dict[str, str] = Field(description="Partitions to their printed names.")
    primary: str = Field(description="The primary model.")
    radiomics: list[str] = Field(description="Models that select image features.")
    places: dict[str, str] = Field(
        default_factory=dict, description="Paragraphs of the manuscript to where they are printed, in order."
    )


class Evidence(Settings):
    """A condition on the facts of a run: one of ``fact`` (with ``is``, ``at_least`` or ``has``), ``all``, ``any``, ``not``.

    A bare word is a fact that must hold: true, not zero, not empty.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    fact: str | None = Field(None, description="Name of a fact of the run.")
    is_: Any = Field(None, alias="is", description="The fact equals this, or one of these.")
    at_least: float | None = Field(None, description="The number, or the length of the list, is at least this.")
    has: list[str] = Field(default_factory=list, description="The list holds one of these.")
    all_: list[Evidence] = Field(default_factory=list, alias="all", description="Every one of these holds.")
    any_: list[Evidence] = Field(default_factory=list, alias="any", description="One of these holds.")
    not_: Evidence | None = Field(None, alias="not", description="This does not hold.")

    @model_validator(mode="before")
    @classmethod
    def _bare_word(cls, value: Any) -> Any:
        return {"fact": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_condition(self) -> Evidence:
        if sum(map(bool, (self.fact, self.all_, self.any_, self.not_))) != 1:
            raise ValueError("expected one of fact, all, any, not")
        if not self.fact and (self.is_ is not None or self.at_least is not None or self.has):
            raise ValueError("is, at_least and has belong to a fact")
        return self

    @property
    def facts(self) -> set[str]:
        """Names of all facts in the condition."""
        inner = [*self.all_, *self.any_, *([self.not_] if self.not_ else [])]
        return {self.fact} if self.fact else {name for part in inner for name in part.facts}


class Part(Settings):
    """Something to be shown, and what shows it."""

    text: str = Field(description="What is asked for, in our own short wording.")
    points: float = Field(0, description="Points or weight for it.")
    applies: Evidence | None = Field(None, description="Without this it does not apply to the run.")
    evidence: Evidence | None = Field(None, description="What must hold for it to be filled.")
    show: list[str] = Field(
        default_factory=list,
        description="Files below the run's folder that show it (shell wildcards), 'figure:<kind>', 'table:<kind>' or "
        "'model:<table>' (selection, lasso_cv: of models on image features). "
        "One of them at least must be among the run's declared files.",
    )
    lacking: str = Field(
        "",
        description="What the item also asks for and the run does not show: the item is then partly filled, and says so.",
    )
    complete: Evidence | None = Field(None, description="Where this holds nothing is lacking, and the item is filled.")
    otherwise: Literal["author", "not done"] = Field(
        "author", description="What it is where it is not filled: for the author, or not done."
    )
    statement: str = Field("", description="Sentence with {facts}: shown where filled, and as a draft for the author.")
    missing: str = Field("", description="Sentence where it could be filled and is not.")

    @model_validator(mode="after")
    def _shown(self) -> Part:
        if self.evidence is not None and not self.show:
            raise ValueError(f"'{self.text}': evidence needs a file that shows it")
        if self.complete is not None and not self.lacking:
            raise ValueError(f"'{self.text}': 'complete' needs 'lacking', what is not shown where it does not hold")
        if self.otherwise == "not done" and not self.missing:
            raise ValueError(f"'{self.text}': 'not done' needs 'missing', the sentence that says so")
        return self

    @property
    def facts(self) -> set[str]:
        """Names of all facts that it uses."""
        named = set(re.findall(r"\{(\w+)\}", self.statement + self.missing + self.lacking))
        conditions = [condition for condition in (self.applies, self.evidence, self.complete) if condition]
        return named.union(*(condition.facts for condition in conditions))


class Item(Part):
    """A numbered item; it may have parts that add up, or of which the best counts."""

    number: str = Field(description="Its number in the checklist.")
    written: list[str] = Field(
        default_factory=list,
        description="Paragraphs of the manuscript that write of it, in order: a paragraph's identifier, or the beginning of "
        "some (`methods.extraction`).",
    )
    parts: list[Part] = Field(default_factory=list, description="Parts with points of their own.")
    pick: Literal["sum", "best"] = Field("sum", description="Parts add up, or the best of them counts.")
    floor: float = Field(0, description="Points where no part is fulfilled.")

    @property
    def facts(self) -> set[str]:
        """Names of all facts that it and its parts use."""
        return super().facts.union(*(part.facts for part in self.parts))


class Section(Settings):
    """Items under one heading."""

    title: str = Field(description="Heading.")
    items: list[Item] = Field(min_length=1, description="The items.")


class ScoreRule(Settings):
    """How points become a score."""

    kind: Literal["sum", "share"] = Field(description="sum of points, or share of the points that apply, in per cent.")
    label: str = Field(description="Name of the score.")
    unit: str = Field(description="Its unit, as printed.")
    total: float = Field(gt=0, description="All points together, which the file is checked against.")


class Checklist(Settings):
    """A checklist."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Name for files and links.")
    name: str = Field(description="Short name as printed.")
    title: str = Field(description="The name in full.")
    citation: str = Field(description="The publication.")
    source: str = Field(description="Full text of the items that this file was compared with.")
    items: int = Field(gt=0, description="Number of items, which the file is checked against.")
    main_items: int | None = Field(None, description="Number of items when 3a and 3b count as one.")
    score: ScoreRule | None = Field(None, description="Score made of the items' points, if there is one.")
    sections: list[Section] = Field(min_length=1, description="The items, under their headings.")

    @property
    def all_items(self) -> list[Item]:
        """Items of all sections."""
        return [item for section in self.sections for item in section.items]

    @model_validator(mode="after")
    def _complete(self) -> Checklist:
        numbers = [item.number for item in self.all_items]
        if len(numbers) != self.items or len(set(numbers)) != self.items:
            raise ValueError(f"{self.name}: found {len(set(numbers))} items, expected {self.items}")
        main = len({number.rstrip("abcdefgh") for number in numbers})
        if self.main_items not in (None, main):
            raise ValueError(f"{self.name}: found {main} main items, expected {self.main_items}")
        if self.score is not None:
            total = sum(map(best_points, self.all_items))
            if abs(total - self.score.total) > 1e-6:
                raise ValueError(f"{self.name}: the points sum to {total:g}, expected {self.score.total:g}")
        return self


def best_points(item: Item) -> float:
    """Most points that an item can have."""
    if not item.parts:
        return item.points
    points = [part.points for part in item.parts]
    return max(points) if item.pick == "best" else sum(points)
