"""Text that a spreadsheet would take for a formula, and what else a table's cell may not hold.

Names and categories (identifiers, centres, reasons, sequences, paths) are refused where a cohort is read
(:mod:`her2radiomics.cohort.intake`); every CSV is written through :func:`safe_frame` all the same, since protocols and
brought feature tables have texts of their own.
"""

from __future__ import annotations

import re
import unicodedata

from her2radiomics.core.libraries import pd

# what a spreadsheet takes for the start of a formula, full-width forms included (OWASP, CSV injection)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# a number, an interval or a number with its spread: these may begin with a sign
_NUMERIC = re.compile(r"[-+]?([\d.∞]+([eE][-+]?\d+)?( ?[±(][-\d.,∞ ]*(to |–)?[-\d.,∞ ]*\)?)?|inf|nan)", re.ASCII)
# they turn the direction of the text that follows: a name could be shown as another
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def for_people(text: str) -> bytes:
    """The bytes of a table that people open: without its mark Excel on Windows takes UTF-8 for Windows-1252."""
    return text.encode("utf-8" if text.isascii() else "utf-8-sig")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would read ``text`` as a formula; a number with a sign is none."""
    return text.startswith(_FORMULA) and not _NUMERIC.fullmatch(text)


def unprintable(text: str) -> str:
    """The first control character of ``text``, as ``U+0007``; empty where there is none."""
    if text.isascii() and text.isprintable():  # nearly all, at no cost
        return ""
    found = next((c for c in text if unicodedata.category(c) == "Cc" or c in _DIRECTION), "")
    return f"U+{ord(found):04X}" if found else ""


def safe_cell(text: str) -> str:
    """``text``, with an apostrophe before it when a spreadsheet would read it as a formula; numbers stay."""
    return f"'{text}" if is_formula(text) else text


def safe_frame(data: pd.DataFrame) -> pd.DataFrame:
    """Return ``data`` with every text cell and heading made safe for spreadsheets; numbers stay numbers."""
    safe = data.copy(deep=False)
    for place, kind in enumerate(data.dtypes):
        if kind.kind == "O" or str(kind) in ("string", "str", "category"):
            column = data.iloc[:, place].astype(object)
            safe.isetitem(place, column.map(lambda cell: safe_cell(cell) if isinstance(cell, str) else cell))
    safe.columns = [safe_cell(str(column)) for column in data.columns]
    return safe
