"""What a journal asks of a manuscript's form: profiles in ``workflow/journals/*.yaml``, reference styles beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from her2radiomics.article.document import Bound, Cite, ForAuthor, Manuscript, Paragraph, Run, Words
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import FILE_NAME, Settings, load

#: Page sizes in mm.
PAGES = {"A4": (210.0, 297.0), "letter": (215.9, 279.4)}


class Abstract(Settings):
    """The abstract."""

    words: int | None = Field(None, ge=50, description="Most words of the abstract; more are a warning with the count.")
    headings: dict[str, str] = Field(
        default_factory=dict,
        description="The text's own heading of a part to the journal's: Methods to Materials and Methods.",
    )


class Figures(Settings):
    """Files and sizes of figures."""

    formats: tuple[Literal["tiff", "eps", "pdf", "png"], ...] = Field(
        (), description="Files for the press that are made of every figure of the manuscript, beside PNG and PDF."
    )
    dpi: int = Field(300, ge=72, description="Least resolution of a figure as printed; less is a warning.")
    widths_mm: tuple[float, ...] = Field(
        (84.0, 174.0),
        min_length=1,
        description="Widths in print: of one column, of two. A wider figure is made smaller.",
    )
    tallest_mm: float = Field(225.0, gt=50, description="Greatest height in print.")


class Journal(Settings):
    """A journal's profile."""

    name: str = Field(description="The journal or publisher, as warnings name it.")
    references: str = Field(
        "numbered", pattern=FILE_NAME, description="Reference style: a CSL file in workflow/journals, without .csl."
    )
    page: Literal["A4", "letter"] = Field("A4", description="Size of the page.")
    font: str = Field("Times New Roman", description="Typeface of the Word file.")
    font_size: float = Field(11.0, ge=9, le=14, description="Its size in pt.")
    line_spacing: float = Field(1.15, ge=1, le=3, description="Line spacing of the text: 2 is double.")
    line_numbers: bool = Field(False, description="Whether lines are numbered.")
    numbered_sections: bool = Field(False, description="Whether headings are numbered.")
    headings: dict[str, str] = Field(
        default_factory=dict, description="The text's own heading to the journal's: Methods to Materials and Methods."
    )
    abstract: Abstract = Field(default_factory=lambda: Abstract.model_validate({}), description="The abstract.")
    figures: Figures = Field(default_factory=lambda: Figures.model_validate({}), description="Figures.")


def read_journal(path: str | Path) -> Journal:
    """Read a profile.

    Raises
    ------
    SettingsError
        The profile is missing or wrong, or the folder lacks its reference style.
    """
    journal, folder = load(Journal, path), Path(path).parent
    if not (folder / f"{journal.references}.csl").is_file():
        known = ", ".join(sorted(found.stem for found in folder.glob("*.csl"))) or "none"
        raise SettingsError(
            f"{path}: references: found no style '{journal.references}.csl' beside the profile, expected one of {known}."
        )
    return journal


def plain_text(runs: Sequence[Run]) -> str:
    """Text of runs as a reader counts its words; citations are left out, what the author has to write too."""
    return "".join(run.text for run in runs if isinstance(run, Words | Bound))


def warnings_of(manuscript: Manuscript, journal: Journal) -> tuple[str, ...]:
    """What in the manuscript is not as the journal asks: a sentence each."""
    words = sum(len(plain_text(paragraph.runs).split()) for paragraph in manuscript.abstract)
    left = sum(isinstance(run, ForAuthor) for paragraph in manuscript.abstract for run in paragraph.runs)
    found = []
    limit = journal.abstract.words
    if limit is not None and words > limit:
        found.append(f"The abstract has {words} words; {journal.name} allows {limit}.")
    elif limit is not None and left:
        found.append(
            f"The abstract has {words} of the {limit} words that {journal.name} allows; what the author writes "
            f"({left} marked) is not counted."
        )
    if any(isinstance(run, Cite) for paragraph in manuscript.abstract for run in paragraph.runs):
        found.append(f"The abstract cites references; {journal.name} prints abstracts without them.")
    return tuple(found)


def heading_of(text: str, journal: Journal) -> str:
    """A heading as the journal words it."""
    return journal.headings.get(text, text)


def label_of(paragraph: Paragraph, journal: Journal) -> str:
    """The label of a paragraph as the journal words it, with a colon; empty where it has none."""
    bare = paragraph.label.rstrip(":. ")
    return f"{journal.abstract.headings.get(bare, bare)}:" if bare else ""


def spaced(runs: Sequence[Run]) -> Iterator[Run]:
    """Runs with a space before a citation, which all our reference styles print in brackets."""
    before = ""
    for run in runs:
        if isinstance(run, Cite) and before and before[-1] not in " \u00a0([":
            yield Words(" ")
        yield run
        before = run.text if isinstance(run, Words | Bound) else "x"
