"""The one reader and the one writer of tables: header, types, missing values and precision are those of the contract."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from her2radiomics.core import parquet
from her2radiomics.core.contracts import Contract, TableColumn, contract
from her2radiomics.core.errors import TableError
from her2radiomics.core.files import write_text
from her2radiomics.core.libraries import pd
from her2radiomics.core.spreadsheets import safe_frame

#: Last column of a table made from simulated patients.
SIMULATED = "simulated"
AGAIN = "Delete the file and run Snakemake again, which makes it anew."


def assemble(name: str, rows: Collection[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """A table of rows with the columns of a contract, in its order; no row: the columns alone.

    Raises
    ------
    TableError
        A row has a column that the contract does not declare.
    """
    table = pd.DataFrame(list(rows), columns=None if rows else list(contract(name).required))
    _refuse_undeclared(contract(name), table, f"rows of '{name}'")
    return table[[column for column in contract(name).names if column in table]]


def read(name: str, path: str | Path, *, only: Collection[str] | None = None) -> pd.DataFrame:
    """Read a table that a job wrote.

    Parameters
    ----------
    name
        The contract.
    path
        The file.
    only
        Columns to read of a Parquet file; those that it lacks are left out. All by default.

    Returns
    -------
    pandas.DataFrame
        Texts (``object``; an empty cell is an empty text), numbers (``float64``; an empty cell is NaN), whole numbers
        (``int64``; ``float64`` with NaN where the contract allows empty cells) and truth values (``bool``). Numbers are
        those that were written, to the last bit. Further columns are texts in a CSV or TSV and as stored in a Parquet
        file. The mark of simulated patients is left out, unless the contract declares it.

    Raises
    ------
    TableError
        There is no file, it lacks a column, or a cell is not of its column's kind.
    """
    if Path(path).suffix != ".parquet":
        return typed(name, read_text(name, path), path)
    _refuse_absent(path)
    names = parquet.column_names(path)
    _refuse_missing(contract(name), names, path)
    return parquet.read_columns(path, set(names if only is None else only))


def read_text(name: str, path: str | Path) -> pd.DataFrame:
    """As :func:`read`, with every cell as it is written in the file."""
    _refuse_absent(path)
    try:
        separator = "\t" if Path(path).suffix == ".tsv" else ","
        table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise TableError(
            file=path, found=str(error).strip(), expected="a table with one header row", remedy=AGAIN
        ) from None
    _refuse_missing(contract(name), list(table.columns), path)
    return table if SIMULATED in contract(name).names else table.drop(columns=SIMULATED, errors="ignore")


def typed(name: str, table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Text cells to the kinds that a contract declares; ``path`` is named in errors."""
    known = {column.name: column for column in contract(name).columns}
    return table.assign(**{c: _typed(table, known[c], path) for c in table.columns if c in known})


def write(
    name: str, table: pd.DataFrame | Iterable[pd.DataFrame], path: str | Path, *, simulated: bool = False
) -> None:
    """Write a table whole or not at all: numbers at full precision, no text that a spreadsheet would run.

    Parameters
    ----------
    name
        The contract.
    table
        Its rows; a Parquet file may come in blocks of rows.
    path
        The file.
    simulated
        Whether the patients are simulated: the last column, ``simulated``, then says so.

    Raises
    ------
    TableError
        The header is not that of the contract, or a cell is not of its column's kind.
    """
    if Path(path).suffix == ".parquet":
        blocks = [table] if isinstance(table, pd.DataFrame) else table
        parquet.write_parquet((_with_header(contract(name), block, path) for block in blocks), path)
        return
    assert isinstance(table, pd.DataFrame)
    write_text(as_text(name, table, path, simulated=simulated), path)


def as_text(name: str, table: pd.DataFrame, path: str | Path = "", *, simulated: bool = False) -> str:
    """What :func:`write` writes to a CSV or TSV file."""
    declared = contract(name)
    path = path or declared.path
    marked = _checked(declared, table, path)
    if simulated and SIMULATED not in marked:
        marked = marked.assign(**{SIMULATED: True})
    stream = io.StringIO()
    safe_frame(marked).to_csv(
        stream,
        sep="\t" if Path(path).suffix == ".tsv" else ",",
        index=False,
        lineterminator="\n",
        float_format=f"%.{declared.digits}g" if declared.digits else None,
    )
    return stream.getvalue()


def _checked(declared: Contract, table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """A table with the contract's header and kinds."""
    known = [column for column in declared.columns if column.name in table]
    return _with_header(declared, table, path).assign(
        **{column.name: _written(table[column.name], column, path) for column in known}
    )


def _with_header(declared: Contract, table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """The table; refuse one whose header is not that of the contract."""
    _refuse_undeclared(declared, table, path)
    first = [name for name in declared.names if name in table]
    # with further columns the order is that of whoever brought them
    if not declared.others and list(table.columns) != first:
        raise TableError(
            file=path,
            found=f"the columns {', '.join(map(str, table.columns[: len(first)]))}",
            expected=f"the order {', '.join(first)}",
            remedy="Order the columns as her2radiomics.core.contracts does.",
        )
    return table


def _refuse_undeclared(declared: Contract, table: pd.DataFrame, path: str | Path) -> None:
    """Refuse a table that lacks a column of its contract, or has one that is none of it."""
    _refuse_missing(declared, list(table.columns), path, remedy="Compute it where the table is made.")
    undeclared = [str(name) for name in table.columns if name not in declared.names]
    if undeclared and not declared.others:
        raise TableError(
            file=path,
            column=undeclared[0],
            found=f"a column that the contract '{declared.name}' does not declare",
            expected=", ".join(declared.names),
            remedy="Declare it in her2radiomics.core.contracts: name, kind, unit, label and meaning.",
        )


def _refuse_missing(
    declared: Contract, present: Collection[str], path: str | Path, remedy: str = AGAIN
) -> None:
    missing = [name for name in declared.required if name not in present]
    if missing:
        shown = list(map(str, present))
        raise TableError(
            file=path,
            column=missing[0],
            found=f"the columns {', '.join(shown[:30])}{', …' * (len(shown) > 30)}",
            expected=f"also {', '.join(missing)}",
            remedy=remedy,
        )


def _refuse_absent(path: str | Path) -> None:
    if not Path(path).is_file():
        raise TableError(
            file=path,
            found="no file",
            expected="a table of the run",
            remedy="Run the step that makes it, or correct the path.",
        )


def _typed(table: pd.DataFrame, column: TableColumn, path: str | Path) -> pd.Series:
    """One column from text."""
    cells = table[column.name]
    if column.kind == "text":
        return cells
    if column.kind == "truth":
        _refuse(table, column, ~cells.isin(["True", "False"]), "True or False", path)
        return cells == "True"
    try:
        # each cell by Python's own parser, which finds the number that was written, to the last bit
        numbers = cells.where(cells != "", "nan").to_numpy(dtype=object).astype(float)
    except ValueError:
        wrong = cells.map(lambda cell: cell != "" and not _is_number(cell)).astype(bool)
        _refuse(table, column, wrong, "a number (or an empty cell)", path)
        raise
    values = pd.Series(numbers, index=cells.index, name=cells.name)
    if column.kind == "number":
        return values
    wrong = ~(values == values.round()) & ~(values.isna() & column.empty)
    expected = f"a whole number{' (or an empty cell)' * column.empty}"
    if column.values:
        wrong, expected = ~cells.isin(column.values), f"one of {', '.join(column.values)}"
    _refuse(table, column, wrong, expected, path)
    return values if column.empty else values.astype("int64")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _written(values: pd.Series, column: TableColumn, path: str | Path) -> pd.Series:
    """One column as it is to be written; refuse what is not of its kind."""
    try:
        if column.kind == "number":
            return values.astype(float)
        if column.kind == "truth":
            if not np.isin(values.to_numpy(dtype=object), (True, False)).all():
                raise ValueError("a cell that is neither true nor false")
            return values.astype(bool)
        if column.kind == "whole":
            if values.isna().any() and not column.empty:
                raise ValueError("an empty cell")
            values = values.astype(float).astype("Int64")
    except (TypeError, ValueError) as error:
        raise TableError(
            file=path,
            column=column.name,
            found=str(error),
            expected={"number": "numbers", "whole": "whole numbers", "truth": "true or false"}[column.kind],
            remedy="Correct where the table is made, or the column's kind in her2radiomics.core.contracts.",
        ) from error
    text = values.astype(object).where(values.notna(), "").map(str)
    odd = sorted(set(text) - {*column.values, ""}) if column.values else []
    if odd:
        raise TableError(
            file=path,
            column=column.name,
            found=f"'{odd[0]}'",
            expected=f"one of {', '.join(column.values)}",
            remedy="Correct where the table is made, or the column's values in her2radiomics.core.contracts.",
        )
    return text if column.kind == "text" else values


def _refuse(
    table: pd.DataFrame, column: TableColumn, wrong: pd.Series, expected: str, path: str | Path
) -> None:
    if wrong.any():
        first = table[wrong.to_numpy(dtype=bool)].iloc[0]
        raise TableError(
            file=path,
            patient=str(first["patient_id"]) if "patient_id" in table else None,
            column=column.name,
            found=f"'{first[column.name]}'",
            expected=expected,
            remedy=AGAIN,
        )
