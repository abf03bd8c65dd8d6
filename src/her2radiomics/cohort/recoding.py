"""From the user's values to ours: exactly, by wildcards, and never by chance."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping

from her2radiomics.cohort.settings import ColumnSource
from her2radiomics.core.brought.likeness import near_match, spelling_variants
from her2radiomics.core.brought.numbers import MISSING
from her2radiomics.core.errors import Problems
from her2radiomics.core.libraries import pd

#: What spreadsheets show where a formula fails.
FAILED = ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "Err:")


def is_value(cell: str) -> bool:
    """Whether a cell holds a value: neither nothing, nor a word for it, nor a spreadsheet's error."""
    return cell not in MISSING and not cell.startswith(FAILED)


def recode(cells: Iterable[str], rules: Mapping[str, str], *, column: str, file: str) -> dict[str, str]:
    """Their value to ours, of every value that a column holds.

    A key that a cell holds as it is written means that text. Otherwise ``*`` and ``?`` in it are wildcards, unless it is
    made of question marks alone; of several the first counts. A wildcard matches neither an empty cell, nor a word for a
    missing value (``NA``), nor a spreadsheet's error; name those exactly to recode them. Brackets are text.

    Raises
    ------
    TableError
        A value that a wildcard would take, though it differs in spelling alone from one that is named exactly.
    """
    values = sorted(set(cells))
    exact = {key for key in rules if key in values or not set(key) & {"*", "?"} or set(key) == {"?"}}
    patterns = [key for key in rules if key not in exact]
    found, problems = {}, Problems()
    for value in values:
        key = value if value in exact else None
        if key is None and is_value(value):
            key = next((p for p in patterns if fnmatch.fnmatchcase(value, p.replace("[", "[[]"))), None)
            meant = _variant(value, exact) if key is not None else ""
            if meant:
                problems.add(
                    file=file,
                    column=column,
                    found=f"'{value}', which '{key}' would take and which is nearly '{meant}'",
                    expected="a value that is certain",
                    remedy="Correct the cells, or name the value in 'recode' beside the other.",
                )
        found[value] = value if key is None else rules[key]
    problems.refuse()
    return found


def _variant(value: str, others: Iterable[str]) -> str:
    """The other text that differs from a value in spelling alone; empty where there is none."""
    named = [other for other in others if other]
    return near_match(value, named) or next((o for o in named if any(spelling_variants([value, o]))), "")


def map_column(
    cells: pd.Series, name: str, source: ColumnSource, *, heading: str, file: str
) -> tuple[pd.Series, list[dict[str, object]], list[str]]:
    """A column with the user's values turned into ours.

    Returns
    -------
    tuple
        The values; what was turned into what (``column, theirs, ours, n``), a row for each of the user's values; and
        sentences on keys that no cell holds.
    """
    if not source.recode:
        return cells, [], []
    ours = recode(cells, source.recode, column=heading, file=file)
    counts = cells.value_counts()
    table: list[dict[str, object]] = [
        {"column": name, "theirs": theirs, "ours": mine, "n": int(counts[theirs])} for theirs, mine in ours.items()
    ]
    unused = [
        key
        for key in source.recode
        if key and key not in ours and not any(fnmatch.fnmatchcase(v, key.replace("[", "[[]")) for v in ours)
    ]
    notes = [f"{file}, column '{heading}': no cell holds '{key}', which 'recode' names" for key in unused]
    return cells.map(ours), table, notes


def check_kept(cells: pd.Series, keep: Iterable[str], *, patients: pd.Series, heading: str, file: str) -> None:
    """Refuse values that a rule would leave out though they differ in spelling alone from one that stays.

    Raises
    ------
    TableError
        All of them.
    """
    kept, problems = list(keep), Problems()
    for value in sorted({cell for cell in cells if is_value(cell)} - set(kept)):
        meant = _variant(value, kept)
        if meant:
            problems.add(
                file=file,
                patient=str(patients[cells == value].iloc[0]),
                column=heading,
                found=f"'{value}', which is nearly '{meant}'",
                expected="values that certainly stay or leave",
                remedy="Correct the cells, or name the value under 'keep' or in 'recode' as well.",
            )
    problems.refuse()
