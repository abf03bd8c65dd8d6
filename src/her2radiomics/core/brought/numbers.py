"""Numbers in a user's table: decimal signs and percentages, without a guess."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Texts that mean that a value is missing.
MISSING = ("", "NA", "N/A", "nan", "NaN", "null", "None")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
# three digits behind the sign may be thousands: 1,234 but not 0,234 or 12,34
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)


def number(text: str) -> float | None:
    """The number that a text holds, to the last bit; ``None`` where it holds something else."""
    return float(text) if NUMBER.fullmatch(text) else None


def why_no_number(text: str) -> str:
    """What to do about a text that is no number, as the end of an advice."""
    if text.startswith("="):
        return "Its formula has no stored value: open the workbook in a spreadsheet program and save it."
    if text.endswith("%"):
        return "Write the per cent sign in every cell of the column, or in none."
    if _COMMA.fullmatch(text):
        return "Write the same decimal sign in all cells of the column, and no thousands separators."
    if " shown " in text:
        return "Choose a number format that shows the number itself."
    return ""


def column_numbers(cells: Iterable[str], decimal: str | None, *, commas_elsewhere: bool) -> tuple[dict[str, str], str]:
    """The texts of a column that stand for numbers otherwise than we write them, and what is uncertain.

    Parameters
    ----------
    cells
        The texts of one column.
    decimal
        The decimal sign that the user names.
    commas_elsewhere
        Whether another column of the file certainly has decimal commas.

    Returns
    -------
    tuple
        Text to number as we write it, empty where nothing is to be changed or not every cell is a number; and a number
        that can be read in two ways, empty where there is none.
    """
    present = {cell for cell in cells if cell not in MISSING}
    percent = bool(present) and all(cell.endswith("%") for cell in present)
    bare = {cell: cell.removesuffix("%").strip() if percent else cell for cell in present}
    commas = [cell for cell in bare.values() if _COMMA.fullmatch(cell)]
    points = [cell for cell in bare.values() if "." in cell]
    if not all(NUMBER.fullmatch(cell) or _COMMA.fullmatch(cell) for cell in bare.values()):
        return {}, ""
    if commas and (points or decimal == "."):
        return {}, ""
    if decimal is None:
        certain = commas_elsewhere or any(map(is_certain_comma, commas))
        if commas and not certain:
            return {}, commas[0]
        if points and commas_elsewhere and all(map(_EITHER.fullmatch, points)):
            return {}, points[0]
    elif decimal == "," and points and all(map(_EITHER.fullmatch, points)):
        return {}, points[0]
    changed = {cell: text.replace(",", ".") for cell, text in bare.items()}
    return {cell: text for cell, text in changed.items() if cell != text}, ""


def is_certain_comma(text: str) -> bool:
    """Whether a comma in a number can only be a decimal sign."""
    return bool(_COMMA.fullmatch(text)) and not _EITHER.fullmatch(text)
