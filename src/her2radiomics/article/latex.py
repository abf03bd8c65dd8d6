"""The manuscript as LaTeX for pdfLaTeX: every number a macro, tables in the file, figures by their path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from her2radiomics.article.document import (
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
from her2radiomics.article.journals import PAGES, Journal, label_of, spaced
from her2radiomics.article.latex_tables import table_in_text
from her2radiomics.article.numbering import macros, places
from her2radiomics.article.pictures import picture
from her2radiomics.article.references import ReferenceList
from her2radiomics.article.word import ABSTRACT, REFERENCES, SUPPLEMENT, needs_heading
from her2radiomics.article.word_styles import MARGIN, MARGIN_TALL, SIMULATED
from her2radiomics.core.layout import Layout
from her2radiomics.manuscript.tables.text import escape_latex

_STYLES = {"bold": "textbf", "italic": "textit", "superscript": "textsuperscript"}
_LEVELS = {1: "section", 2: "subsection", 3: "subsubsection"}
#: Height in mm that a float's caption takes.
_CAPTION_MM = 40.0
_PREAMBLE = r"""\documentclass[{size}pt,{paper}]{{article}}
\usepackage[T1]{{fontenc}}
\usepackage[utf8]{{inputenc}}
\usepackage{{textcomp,mathptmx,helvet,graphicx,array,booktabs,longtable,rotating,xcolor,fancyhdr,setspace,microtype}}
\usepackage[{geometry}]{{geometry}}
{lines}\usepackage[hidelinks]{{hyperref}}
\setlength{{\headheight}}{{14pt}}
\emergencystretch=3em\setlength{{\parindent}}{{0pt}}\setlength{{\parskip}}{{5pt}}
\pagestyle{{fancy}}\fancyhf{{}}\fancyhead[C]{{{head}}}\fancyfoot[C]{{\thepage}}\renewcommand{{\headrulewidth}}{{0pt}}
\fancypagestyle{{plain}}{{\fancyhf{{}}\fancyhead[C]{{{head}}}\fancyfoot[C]{{\thepage}}}}
\newcommand{{\forauthor}}[1]{{\textcolor{{red!75!black}}{{\textbf{{[#1]}}}}}}
"""


def to_latex(manuscript: Manuscript, folder: str | Path, journal: Journal, references: ReferenceList) -> str:
    """Return the LaTeX file of a manuscript, to be compiled in the run's folder ``manuscript``.

    Parameters
    ----------
    manuscript, folder, journal, references
        As of :func:`her2radiomics.article.word.to_docx`.

    Raises
    ------
    StudyError
        The run lacks a table or figure, or a cross-reference has no target.
    """
    return "\n".join(_Writer(manuscript, Layout(Path(folder)), journal, references).lines()) + "\n"


class _Writer:
    def __init__(self, manuscript: Manuscript, layout: Layout, journal: Journal, references: ReferenceList) -> None:
        self.manuscript, self.layout, self.journal, self.references = manuscript, layout, journal, references
        self.places = places(manuscript, journal)
        self.texts = {run.key: run.text for _, run in manuscript.runs() if isinstance(run, Bound)}
        self.macros = macros(self.texts)

    def lines(self) -> Iterator[str]:
        """The file, line by line."""
        yield self._preamble()
        yield "% numbers of the run, each bound to its cell: see numbers.csv"
        for key, macro in self.macros.items():
            yield rf"\newcommand{{\{macro}}}{{{escape_latex(self.texts[key])}}}"
        yield rf"\title{{{escape_latex(self.manuscript.title)}}}" + "\n" + r"\author{}\date{}"
        yield r"\begin{document}" + "\n" + r"\maketitle"
        yield rf"\section*{{{ABSTRACT}}}"
        for block in self.manuscript.abstract:
            yield from self._block(block)
        for part in self.manuscript.body:
            yield from self._block(part)
        yield r"\clearpage"
        if self.references.printed:
            yield from (rf"\renewcommand{{\refname}}{{{REFERENCES}}}", r"\begin{thebibliography}{99}")
            for key, printed in self.references.printed.items():
                yield rf"\bibitem{{{key}}} {escape_latex(printed)}"
            yield r"\end{thebibliography}"
        if self.manuscript.supplement:
            yield r"\clearpage"
            yield from [rf"\section*{{{SUPPLEMENT}}}"] if needs_heading(self.manuscript) else []
            yield r"\renewcommand{\thetable}{S\arabic{table}}\renewcommand{\thefigure}{S\arabic{figure}}"
            yield r"\renewcommand{\theHtable}{S\arabic{table}}\renewcommand{\theHfigure}{S\arabic{figure}}"
            yield r"\setcounter{table}{0}\setcounter{figure}{0}"
        for part in self.manuscript.supplement:
            yield from self._block(part, starred="*")
        yield r"\end{document}"

    def _preamble(self) -> str:
        simulated = self.manuscript.simulated
        text = _PREAMBLE.format(
            size=min((10, 11, 12), key=lambda size: abs(size - self.journal.font_size)),
            paper="a4paper" if self.journal.page == "A4" else "letterpaper",
            geometry=f"hmargin={MARGIN}mm,vmargin={MARGIN_TALL}mm",
            lines="\\usepackage{lineno}\n" if self.journal.line_numbers else "",
            head=rf"\textbf{{{SIMULATED}}}" if simulated else "",
        )
        spacing = rf"\setstretch{{{self.journal.line_spacing:g}}}"
        return text + "\n".join([spacing, *([r"\linenumbers"] if self.journal.line_numbers else [])])

    def _block(self, block: Heading | Paragraph | TableBlock | FigureBlock, starred: str = "") -> Iterator[str]:
        match block:
            case Heading():
                star = "" if self.journal.numbered_sections and not starred else "*"
                heading = escape_latex(self.places[block.id].heading)
                yield "\n" + rf"\{_LEVELS[block.level]}{star}{{{heading}}}" + ("" if star else self._label(block.id))
            case Paragraph():
                label = label_of(block, self.journal)
                start = rf"\textbf{{{escape_latex(label)}}} " if label else ""
                yield "\n" + start + self._runs(block.runs)
            case TableBlock():
                yield "\n" + self._table(block)
            case FigureBlock():
                yield "\n" + self._figure(block)

    def _runs(self, parts: Sequence[Run]) -> str:
        return "".join(map(self._run, spaced(parts)))

    def _run(self, part: Run) -> str:
        match part:
            case Words():
                text = escape_latex(part.text)
                return text if part.style == "plain" else rf"\{_STYLES[part.style]}{{{text}}}"
            case Bound():
                return rf"\{self.macros[part.key]}{{}}"
            case Cite():
                # links to the entries, printed as the journal has its citations
                return rf"\hyperlink{{cite.{part.keys[0]}}}{{{escape_latex(self.references.citations[part.keys])}}}"
            case CrossReference():
                place = self.places[part.target]
                if not place.number:
                    return f"``{escape_latex(place.heading)}''"
                return rf"{place.kind}~\ref{{{_label_name(part.target)}}}"
            case ForAuthor():
                return rf"\forauthor{{{escape_latex(part.text.strip('[]'))}}}"

    def _label(self, block: str) -> str:
        return rf"\label{{{_label_name(block)}}}"

    def _table(self, block: TableBlock) -> str:
        """The run's LaTeX table, with the manuscript's number, title and label."""
        caption = rf"\caption{{{self._runs(block.title)}}}" + "\n" + self._label(block.id)
        return table_in_text(self.layout, block.id, caption, PAGES[self.journal.page][0] - 2 * MARGIN)

    def _figure(self, block: FigureBlock) -> str:
        page = PAGES[self.journal.page]
        room = (page[0] - 2 * MARGIN, page[1] - 2 * MARGIN_TALL - _CAPTION_MM)
        shown = picture(self.layout.path("figure", "png", figure=block.id), self.journal, room)
        lines = [
            r"\begin{figure}[htbp]",
            r"\centering",
            rf"\includegraphics[width={shown.width:.1f}mm]{{../figures/{block.id}.pdf}}",
            rf"\caption{{{self._runs(block.caption)}}}",
            self._label(block.id),
            r"\end{figure}",
        ]
        return "\n".join(lines)


def _label_name(block: str) -> str:
    return f"run:{block}"
