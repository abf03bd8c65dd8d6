"""HTML of a table: a fragment for the report, and a page in one file and holds that same fragment."""

from __future__ import annotations

from html import escape

from her2radiomics.manuscript.tables.model import RowLabel, Table
from her2radiomics.manuscript.tables.text import true_minus

BEGIN, END = "<!-- table -->", "<!-- /table -->"

# nothing is loaded and nothing runs, whatever a text says
POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'\">"
)
STYLE = """
body { font: 15px/1.45 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; margin: 2rem; }
body { color: #1a1a1a; background: #fff; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { body { color: #e6e9ec; background: #14181c; } }
@media (max-width: 30rem) { body { margin: .8rem; } }
@media print { @page { @bottom-right { content: counter(page) " of " counter(pages); } } tr, li { break-inside: avoid; } }
.table-scroll { overflow-x: auto; }
.paper-table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.paper-table caption { text-align: left; font-weight: 600; padding-bottom: .5em; max-width: calc(100vw - 2rem); }
.paper-table th, .paper-table td { padding: .25em .7em; text-align: center; vertical-align: baseline; }
.paper-table th { font-weight: normal; }
.paper-table .left, .paper-table tbody th { text-align: left; }
.paper-table .right { text-align: right; }
.paper-table thead th { font-weight: 600; vertical-align: bottom; }
.paper-table thead tr:first-child th { border-top: 2px solid currentColor; }
.paper-table thead .span { border-bottom: 1px solid currentColor; }
.paper-table thead tr:last-child th { border-bottom: 1px solid currentColor; }
.paper-table tbody:last-of-type tr:last-child > * { border-bottom: 2px solid currentColor; }
.paper-table .section th { font-weight: 600; padding-top: .7em; }
.paper-table .indent-1 { padding-left: 2em; }
.paper-table .indent-2 { padding-left: 3.3em; }
.table-notes { font-size: .87em; margin: .5em 0 0; padding: 0; list-style: none; max-width: 60em; }
"""


def to_fragment(table: Table, number: str) -> str:
    """Return the table and its notes as HTML without styles, ids or scripts; every text is escaped.

    Parameters
    ----------
    table
        The table.
    number
        Its number in the paper.
    """
    lines = [
        # wider than a phone: scrolled by keyboard too
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="Table {escape(number)}">',
        '<table class="paper-table">',
        f"<caption>Table {escape(number)}. {_text(table.printed_title)}</caption>",
        *_head(table),
        "<tbody>",
        *(_row(row, cells) for row, cells in zip(table.labels, table.cells, strict=True)),
        "</tbody>",
        "</table>",
        "</div>",
    ]
    if table.printed_footnotes:
        notes = "".join(f"<li>{_text(note)}</li>" for note in table.printed_footnotes)
        lines.append(f'<ul class="table-notes">{notes}</ul>')
    return "\n".join(lines) + "\n"


def to_html(table: Table, number: str) -> str:
    """Return a page that holds the fragment and its style, and loads nothing."""
    title = f"Table {escape(number)}. {_text(table.printed_title)}"
    return (
        f'<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{POLICY}\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{BEGIN}\n{to_fragment(table, number)}{END}\n</main>\n"
        "</body>\n</html>\n"
    )


def fragment_of(page: str) -> str:
    """Return the fragment that a page written by :func:`to_html` holds.

    Raises
    ------
    ValueError
        The page was not written by :func:`to_html`.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"found a page without the marks {BEGIN} and {END}, expected a table's page")
    return page.split(BEGIN)[1].split(END)[0].strip() + "\n"


def _text(text: str) -> str:
    return escape(true_minus(text))


def _head(table: Table) -> list[str]:
    spans = table.spans
    two_rows = any(group for group, _ in spans)
    stub = f'<th scope="col" class="left"{" rowspan=2" if two_rows else ""}>{_text(table.stub)}</th>'
    if not two_rows:
        cells = "".join(_heading(heading.label, heading.align) for heading in table.headings)
        return ["<thead>", f"<tr>{stub}{cells}</tr>", "</thead>"]
    upper, lower, position = [stub], [], 0
    for group, width in spans:
        covered = table.headings[position : position + width]
        position += width
        if group:
            upper.append(f'<th scope="colgroup" class="span" colspan="{width}">{_text(group)}</th>')
            lower += [_heading(h.label, h.align) for h in covered]
        else:
            upper += [f'<th scope="col" class="{h.align}" rowspan="2">{_text(h.label)}</th>' for h in covered]
    return ["<thead>", f"<tr>{''.join(upper)}</tr>", f"<tr>{''.join(lower)}</tr>", "</thead>"]


def _heading(label: str, align: str) -> str:
    return f'<th scope="col" class="{align}">{_text(label)}</th>'


def _row(row: RowLabel, cells: list[str]) -> str:
    if row.section:
        return f'<tr class="section"><th scope="rowgroup" colspan="{len(cells) + 1}">{_text(row.text)}</th></tr>'
    indent = f' class="indent-{row.indent}"' if row.indent else ""
    values = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row"{indent}>{_text(row.text)}</th>{values}</tr>'
