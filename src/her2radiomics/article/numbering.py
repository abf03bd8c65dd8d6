"""Numbers of tables, figures and sections by their place, and names that Word and LaTeX accept for a number's key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from her2radiomics.article.document import Block, CrossReference, FigureBlock, Heading, Manuscript, Source, TableBlock
from her2radiomics.article.journals import Journal, heading_of
from her2radiomics.core.errors import StudyError

#: Word takes no longer names of bookmarks and tags of content controls.
LONGEST_BOOKMARK, LONGEST_TAG = 40, 64
_DIGITS = dict(zip("0123456789", "Zero One Two Three Four Five Six Seven Eight Nine".split(), strict=True))


@dataclass(frozen=True)
class Place:
    """Number of a block: ``2``, ``S3``, ``2.4``; empty of a section where the journal numbers none."""

    kind: Literal["Table", "Figure", "Section"]
    number: str
    heading: str = ""

    @property
    def shown(self) -> str:
        """As a cross-reference prints it."""
        return f"{self.kind} {self.number}" if self.number else f"“{self.heading}”"


def places(manuscript: Manuscript, journal: Journal) -> dict[str, Place]:
    """Place of every table, figure and heading by its identifier.

    Raises
    ------
    StudyError
        Two blocks have one identifier, or a cross-reference names none.
    """
    twice = [name for name, count in Counter(block.id for block in manuscript.blocks).items() if count > 1]
    if twice:
        raise StudyError(f"manuscript: found two blocks named '{twice[0]}', expected one. Rename the second.")
    found = dict(_numbered(manuscript.body, "", journal)) | dict(_numbered(manuscript.supplement, "S", journal))
    for block, run in manuscript.runs():
        if isinstance(run, CrossReference) and run.target not in found:
            raise StudyError(
                f"manuscript, {block.id}: found a cross-reference to '{run.target}', expected one of {', '.join(found)}."
            )
    return found


def _numbered(blocks: Iterable[Block], prefix: str, journal: Journal) -> Iterator[tuple[str, Place]]:
    counts: Counter[str] = Counter()
    sections = [0, 0, 0]
    for block in blocks:
        if isinstance(block, TableBlock | FigureBlock):
            kind: Literal["Table", "Figure"] = "Table" if isinstance(block, TableBlock) else "Figure"
            counts[kind] += 1
            yield block.id, Place(kind, f"{prefix}{counts[kind]}")
        elif isinstance(block, Heading):
            sections = [*sections[: block.level - 1], sections[block.level - 1] + 1, *[0] * (3 - block.level)]
            number = ".".join(map(str, sections[: block.level])) if journal.numbered_sections and not prefix else ""
            yield block.id, Place("Section", number, heading_of(block.text, journal))


def _shortened(name: str, longest: int) -> str:
    """A name that is too long ends with a hash of the whole."""
    return name if len(name) <= longest else f"{name[: longest - 9]}_{sha256(name.encode()).hexdigest()[:8]}"


def tag_of(key: str) -> str:
    """Tag of the content control of a number."""
    return _shortened(key, LONGEST_TAG)


def bookmark_of(block: str) -> str:
    """Bookmark of a table's, figure's or section's number."""
    safe = "".join(character if character.isalnum() else "_" for character in block)
    return _shortened(safe if safe[:1].isalpha() else f"b_{safe}", LONGEST_BOOKMARK)


def alias_of(source: Source) -> str:
    """What Word calls a number where its control is clicked: column and row, then the file."""
    rows = ", ".join(value for _, value in source.row)
    return f"{source.column}{f' ({rows})' if rows else ''}: {source.file}"[:LONGEST_TAG]


def macros(keys: Iterable[str]) -> dict[str, str]:
    r"""Key to the name of its LaTeX macro, letters alone: ``auc.test_1`` to ``\numAucTestOne``.

    Keys that differ in nothing that LaTeX allows end with letters of their hash.
    """
    names = {key: "num" + "".join(_letters(key)) for key in dict.fromkeys(keys)}
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    return {key: name + _hashed(key) if name in shared else name for key, name in names.items()}


def _letters(key: str) -> Iterator[str]:
    for part in "".join(c if c.isalnum() else " " for c in key).split():
        yield "".join(_DIGITS.get(c, c) for c in part[:1].upper() + part[1:])


def _hashed(key: str) -> str:
    return "".join(chr(ord("a") + int(digit, 16)) for digit in sha256(key.encode()).hexdigest()[:6])
