"""A run's LaTeX table inside the manuscript: with its number, title and label; one of many rows goes on over pages."""

from __future__ import annotations

import re
from pathlib import Path

from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import docx
from her2radiomics.manuscript.tables.word_parts import qualified

#: Of a run's table: what the manuscript counts and words itself.
_OWN_NUMBER = re.compile(r"^\\renewcommand\{\\thetable\}.*\n", re.MULTILINE)
_OWN_CAPTION = re.compile(r"^\\caption\{.*\}\n\\label\{.*\}$", re.MULTILINE)
_COMMENT = re.compile(r"^%.*\n", re.MULTILINE)
_BODY = re.compile(r"\\toprule\n(?P<head>.*?)\\midrule\n(?P<rows>.*?)\\bottomrule", re.DOTALL)
_NOTES = re.compile(r"\\begin\{minipage\}\{\\linewidth\}(?P<notes>.*)\\end\{minipage\}", re.DOTALL)
#: Rows that a page holds, and the space between columns in mm.
_MOST_ROWS, _GAP = 42, 4.3


def table_in_text(layout: Layout, block: str, caption: str, room: float) -> str:
    r"""A table's environment with ``caption`` (its ``\caption`` and ``\label``) in place of its own.

    Parameters
    ----------
    layout
        The run's files.
    block
        Identifier of the table.
    caption
        Lines of caption and label.
    room
        Width of the text in mm.

    Raises
    ------
    StudyError
        The run has no such table.
    """
    path = layout.path("table", "tex", table=block)
    if not path.is_file():
        raise StudyError(f"{path}: found no table; expected one that the run made. Make it: snakemake {path}")
    text = _COMMENT.sub("", _OWN_NUMBER.sub("", path.read_text(encoding="utf-8")))
    body = _BODY.search(text)
    if body is not None and body["rows"].count("\\\\\n") > _MOST_ROWS:
        return _over_pages(body, _NOTES.search(text), caption, _widths(layout.path("table", "docx", table=block), room))
    return _OWN_CAPTION.sub(lambda _: caption, text, count=1)


def _widths(path: Path, room: float) -> list[float]:
    """Widths of the columns in mm, in the proportion of the Word table's."""
    table = docx.Document(str(path)).tables[0]._tbl
    columns = [int(column.get(qualified("w:w"))) for column in table.iter(qualified("w:gridCol"))]
    return [max(column / sum(columns) * room - _GAP, 1.0) for column in columns]


def _over_pages(body: re.Match[str], notes: re.Match[str] | None, caption: str, widths: list[float]) -> str:
    """The table as a ``longtable``, its heading repeated on every page."""
    columns = "".join(rf">{{\raggedright\arraybackslash}}p{{{width:.1f}mm}}" for width in widths)
    rows = body["rows"].replace(r"\_", r"\_\allowbreak{}")
    lines = [
        r"\clearpage",  # tables that float and come before it are printed before it
        r"\begingroup\footnotesize\setstretch{1}",
        rf"\begin{{longtable}}{{{columns}}}",
        f"{caption}\\\\",
        *(rf"\toprule{chr(10)}{body['head']}\midrule\{end}" for end in ("endfirsthead", "endhead")),
        rf"{rows}\bottomrule",
        r"\end{longtable}",
        *([notes["notes"].strip() + r"\par"] if notes else []),
        r"\endgroup",
    ]
    return "\n".join(lines)
