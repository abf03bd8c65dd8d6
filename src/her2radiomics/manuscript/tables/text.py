"""CSV and LaTeX of a table; text that a spreadsheet or LaTeX would take for a command is made harmless."""

from __future__ import annotations

import re

from her2radiomics.core.spreadsheets import safe_frame
from her2radiomics.manuscript.formatting import MARKS
from her2radiomics.manuscript.tables.model import Table

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "−": r"$-$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "∞": r"$\infty$",
    "β": r"$\beta$",
    "χ": r"$\chi$",
    "Δ": r"$\Delta$",
    "λ": r"$\lambda$",
    "σ": r"$\sigma$",
    "µ": r"$\mu$",
    "μ": r"$\mu$",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "¹": r"\textsuperscript{1}",
    "⁻": r"\textsuperscript{$-$}",
    "α": r"$\alpha$",
    "γ": r"$\gamma$",
    "κ": r"$\kappa$",
    "ρ": r"$\rho$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "→": r"$\rightarrow$",
    "°": r"\textdegree{}",
    **{mark: rf"\textsuperscript{{{letter}}}" for mark, letter in zip(MARKS, "abcdefghij", strict=True)},
    "\u00a0": "~",
    "\n": " ",
    "\r": " ",
}
# cm: a character of Computer Modern at 10 pt as tables hold them, the space around a column, and the width beyond which
# a table is turned rather than made smaller (17 cm is the text of an A4 page with margins of 2 cm)
CHARACTER, MARGIN, SIDEWAYS = 0.165, 0.42, 20.5
_LEADING_MINUS = re.compile(r"(?<![\w.])-(?=[\d∞])")


def true_minus(text: str) -> str:
    """``text`` with the hyphen-minus before a number turned into a minus sign."""
    return _LEADING_MINUS.sub("−", text)


def to_csv(table: Table) -> str:
    """Return the table's data as CSV, without rows that only head others, and with a column ``simulated``."""
    data = table.data[[not label.section for label in table.labels]]
    data = data.assign(simulated=str(table.simulated).lower())
    return safe_frame(data).to_csv(index=False, lineterminator="\n")


def escape_latex(text: str) -> str:
    """``text`` with everything special to LaTeX escaped, for pdfLaTeX with the textcomp and T1 encodings."""
    return "".join(_LATEX.get(character, character) for character in true_minus(text))


def to_latex(table: Table, number: str, label: str) -> str:
    r"""Return a ``table`` environment with booktabs rules; a comment names the packages that the document must load.

    A table that is a little wider than the text is made smaller to fit, one that is much wider is printed sideways on a
    page of its own.

    Parameters
    ----------
    table
        The table.
    number
        Its number in the paper, printed whatever LaTeX would count.
    label
        Used for ``\\label{tab:…}``.
    """
    sideways = _wide(table) > SIDEWAYS
    environment = "sidewaystable" if sideways else "table"
    packages = ["booktabs", "graphicx", *(["rotating"] if sideways else [])]
    width = len(table.headings) + 1
    align = "".join({"left": "l", "centre": "c", "right": "r"}[heading.align] for heading in table.headings)
    lines = [
        f"% Table {number}; needs \\usepackage{{{','.join(packages)}}} and \\usepackage[T1]{{fontenc}}",
        rf"\begin{{{environment}}}" + ("" if sideways else "[htbp]"),
        r"\centering",
        r"\small",
        rf"\renewcommand{{\thetable}}{{{number}}}",
        rf"\caption{{{escape_latex(table.printed_title)}}}",
        rf"\label{{tab:{label}}}",
        rf"\sbox0{{\begin{{tabular}}{{l{align}}}",
        r"\toprule",
        *_spanners(table),
        _line([table.stub, *(heading.label for heading in table.headings)]),
        r"\midrule",
    ]
    for position, (row, cells) in enumerate(zip(table.labels, table.cells, strict=True)):
        if row.section:
            lines += [r"\addlinespace"] if position else []
            lines.append(rf"\multicolumn{{{width}}}{{l}}{{\textbf{{{escape_latex(row.text)}}}}} \\")
        else:
            indent = r"\hspace{1em}" * row.indent
            lines.append(indent + _line([row.text, *cells]))
    fit = r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"
    lines += [r"\bottomrule", r"\end{tabular}}", fit]
    if table.printed_footnotes:
        # without \relax a note that begins with a star or a bracket would be read as an option of the line break
        notes = r" \\ \relax ".join(escape_latex(note) for note in table.printed_footnotes)
        lines += [r"\par\smallskip", rf"\begin{{minipage}}{{\linewidth}}\footnotesize {notes}\end{{minipage}}"]
    return "\n".join([*lines, rf"\end{{{environment}}}", ""])


def _wide(table: Table) -> float:
    r"""Natural width in cm of the table in ``\small`` type, to 6%."""
    longest = [max(map(len, [heading, *texts])) for heading, texts in table.columns]
    return sum(CHARACTER * characters + MARGIN for characters in longest)


def _line(cells: list[str]) -> str:
    # at the start of a line a bracket would be read as the extra height of the line before
    escaped = [escape_latex(cell) for cell in cells]
    return " & ".join("{" + cell + "}" if cell.startswith("[") else cell for cell in escaped) + r" \\"


def _spanners(table: Table) -> list[str]:
    if not any(group for group, _ in table.spans):
        return []
    cells, rules, start = [""], [], 2
    for group, width in table.spans:
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escape_latex(group)}}}")
        if group:
            rules.append(rf"\cmidrule(lr){{{start}-{start + width - 1}}}")
        start += width
    return [" & ".join(cells) + r" \\", " ".join(rules)]
