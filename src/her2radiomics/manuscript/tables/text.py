"""CSV and LaTeX of a table; text that a spreadsheet or LaTeX would take for a command is made harmless."""

from __future__ import annotations

import re

from her2radiomics.cells import safe_frame
from her2radiomics.manuscript.tables.formatting import MARKS
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
    """Return a ``table`` environment with booktabs rules; the document loads the package booktabs.

    Parameters
    ----------
    table
        The table.
    number
        Its number in the paper, said in a comment, since LaTeX numbers by itself.
    label
        Used for ``\\label{tab:…}``.
    """
    width = len(table.headings) + 1
    align = "".join({"left": "l", "centre": "c", "right": "r"}[heading.align] for heading in table.headings)
    lines = [
        f"% Table {number}; needs \\usepackage{{booktabs}} and \\usepackage[T1]{{fontenc}}",
        r"\begin{table}[htbp]",
        r"\centering",
        r"\small",
        rf"\caption{{{escape_latex(table.printed_title)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{l{align}}}",
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
    lines += [r"\bottomrule", r"\end{tabular}"]
    if table.printed_footnotes:
        # without \relax a note that begins with a star or a bracket would be read as an option of the line break
        notes = r" \\ \relax ".join(escape_latex(note) for note in table.printed_footnotes)
        lines += [
            r"\par\smallskip",
            rf"\begin{{minipage}}{{\linewidth}}\footnotesize {notes}\end{{minipage}}",
        ]
    return "\n".join([*lines, r"\end{table}", ""])


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
