"""What a manuscript is, before it becomes Word or LaTeX: blocks of text, tables and figures.

A number in the text is a :class:`Bound`: it knows the cell that it comes from. Texts are written by
:mod:`her2radiomics.article.text` and turned into files by :mod:`her2radiomics.article.word` and
:mod:`her2radiomics.article.latex`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from her2radiomics.core.bound import Source as Source


@dataclass(frozen=True)
class Words:
    """Plain text."""

    text: str
    style: Literal["plain", "bold", "italic", "superscript"] = "plain"


@dataclass(frozen=True)
class Bound:
    """A printed number, or what is printed for it (``<0.001``, ``not estimable``), with the cells behind it.

    Attributes
    ----------
    key
        Stable name, the same in every run of the protocol, of ASCII letters, digits, dots, hyphens and underscores: for
        example ``performance.radiomics.testing.auc``. It is the tag of Word's content control and, without what LaTeX does
        not allow, the LaTeX macro. The same cell printed the same way has the same key wherever it is printed.
    text
        As printed.
    source
        The cell.
    """

    key: str
    text: str
    source: Source


@dataclass(frozen=True)
class Cite:
    """Citation of one or more entries of the reference list, by their keys."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class CrossReference:
    """``Table 2``, ``Figure S3``, ``Section 2.4``: the number of a block, which the writers compute from its place."""

    target: str


@dataclass(frozen=True)
class ForAuthor:
    """What only the author can write: marked, and listed by ``check``."""

    text: str


Run = Words | Bound | Cite | CrossReference | ForAuthor


@dataclass(frozen=True)
class Heading:
    """A heading; ``level`` 1 is the manuscript's own sections."""

    id: str
    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """A paragraph. ``id`` is stable and is what checklists point to."""

    id: str
    runs: tuple[Run, ...]
    label: str = ""
    """Printed in bold before the text, as ``Methods:`` in a structured abstract."""


@dataclass(frozen=True)
class TableBlock:
    """A printed table at its place: the run's own table, by its identifier in the protocol."""

    id: str
    title: tuple[Run, ...]


@dataclass(frozen=True)
class FigureBlock:
    """A figure at its place: the run's own figure, by its identifier in the protocol."""

    id: str
    caption: tuple[Run, ...]


Block = Heading | Paragraph | TableBlock | FigureBlock


@dataclass(frozen=True)
class Manuscript:
    """A manuscript, whole.

    Attributes
    ----------
    title
        Title of the article.
    abstract, body, supplement
        Blocks in order. Tables and figures of the supplement are numbered ``S1``, ``S2`` …
    references
        Entries of the reference list by key, as CSL-JSON.
    language
        ``en-GB`` or ``en-US``.
    simulated
        Whether patients are simulated: said on every page.
    run
        Name of the run's folder.
    """

    title: str
    abstract: Sequence[Paragraph]
    body: Sequence[Block]
    supplement: Sequence[Block] = ()
    references: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    language: Literal["en-GB", "en-US"] = "en-GB"
    simulated: bool = False
    run: str = ""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in order."""
        return (*self.abstract, *self.body, *self.supplement)

    def runs(self) -> Iterator[tuple[Block, Run]]:
        """Every run of text with the block that it belongs to, in order."""
        for block in self.blocks:
            for run in runs_of(block):
                yield block, run


def runs_of(block: Block) -> tuple[Run, ...]:
    """The text of a block."""
    match block:
        case Heading():
            return (Words(block.text),)
        case Paragraph():
            return block.runs
        case TableBlock():
            return block.title
        case FigureBlock():
            return block.caption
