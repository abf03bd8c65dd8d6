"""All files of a run's manuscript."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.article.document import FigureBlock, Manuscript
from her2radiomics.article.journals import Journal, warnings_of
from her2radiomics.article.latex import to_latex
from her2radiomics.article.numbering import places
from her2radiomics.article.pictures import picture, resolution_warning
from her2radiomics.article.references import reference_list, to_bibtex, to_csl, to_ris
from her2radiomics.article.word import to_docx
from her2radiomics.core.layout import Layout

_NO_LIMIT = (float("inf"), float("inf"))


def contents(manuscript: Manuscript, folder: str | Path, journal: Journal, style: str | Path) -> dict[str, bytes]:
    """Contents of the files of a manuscript.

    Parameters
    ----------
    manuscript
        The text.
    folder
        The run's folder, with its tables and figures.
    journal
        The journal's profile.
    style
        The CSL file of its reference style.

    Returns
    -------
    dict of str to bytes
        By ending of a file: ``docx``, ``tex``, ``bib``, ``ris``, ``json``; what is not as the journal asks as
        ``journal_notes``.

    Raises
    ------
    StudyError
        The run lacks a table, figure or reference.
    """
    references = reference_list(manuscript, style)
    texts = {
        "tex": to_latex(manuscript, folder, journal, references),
        "bib": to_bibtex(references.entries),
        "ris": to_ris(references.entries),
        "json": to_csl(references.entries),
        "journal_notes": "".join(f"{line}\n" for line in remarks(manuscript, folder, journal)),
    }
    made = {ending: text.encode() for ending, text in texts.items()}
    return {"docx": to_docx(manuscript, folder, journal, references), **made}


def remarks(manuscript: Manuscript, folder: str | Path, journal: Journal) -> list[str]:
    """What is not as the journal asks, a sentence each."""
    layout, found = Layout(Path(folder)), list(warnings_of(manuscript, journal))
    numbers = places(manuscript, journal)
    for block in manuscript.blocks:
        if isinstance(block, FigureBlock):
            shown = picture(layout.path("figure", "png", figure=block.id), journal, _NO_LIMIT)
            found += resolution_warning(numbers[block.id].shown, shown, journal)
    return found
