"""Tables in and out of files: as text, at full precision, whole or not there."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.core.files import whole_file
from her2radiomics.core.libraries import pd
from her2radiomics.core.spreadsheets import safe_frame


def read_table(path: str | Path) -> pd.DataFrame:
    """Read one of our own tables (CSV or TSV) as text; empty cells are empty text."""
    separator = "\t" if str(path).endswith(".tsv") else ","
    return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)


def write_table(table: pd.DataFrame, path: str | Path, *, simulated: bool = False) -> None:
    """Write a CSV under a temporary name and rename it; numbers keep their full precision, text is no formula.

    A table made from simulated patients says so in a last column, ``simulated``.
    """
    marked = table.assign(simulated=True) if simulated and "simulated" not in table else table
    with whole_file(path) as temporary:
        safe_frame(marked).to_csv(temporary, index=False, lineterminator="\n")
