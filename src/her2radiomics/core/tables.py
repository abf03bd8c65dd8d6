"""The one reader and the one writer of tables: header, types, missing values and precision are those of the contract."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from her2radiomics.core import parquet, software
from her2radiomics.core.contracts import Contract, TableColumn, contract
from her2radiomics.core.errors import TableError
from her2radiomics.core.files import whole_file
from her2radiomics.core.libraries import pd
from her2radiomics.core.spreadsheets import for_people, safe_frame

#: Last column of a table made from simulated patients.
SIMULATED = "simulated"
#: Bytes of a CSV or TSV that is kept in memory when it has been read: a job that draws twenty figures reads it once.
KEPT = 1_000_000
AGAIN = "Delete the file and run Snakemake again, which makes it anew."
DECLARE = "Make the table as her2radiomics.core.contracts declares it, or declare the column there."


def assemble(name: str, rows: Collection[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """A table of rows with the columns of a contract, in its order; no row: the columns alone.

    Raises
    ------
    TableError
        A row has a column that the contract does not declare, or all lack one.
    """
    declared = contract(name)
    table = pd.DataFrame(list(rows), columns=None if rows else list(declared.required))
    table = table[
        [column for column in declared.names if column in table] + [c for c in table if c not in declared.names]
    ]
    _check_header(declared, table.columns, f"rows of '{name}'", written=True)
    return table


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
        There is no file, it lacks a column, or a cell is not what its column may hold.
    """
    _refuse_absent(path)
    if Path(path).suffix != ".parquet":
        stamp = Path(path).stat()
        if stamp.st_size > KEPT:
            return typed(name, read_text(name, path), path)
        table, used = _kept(name, Path(path).absolute(), path, stamp.st_ino, stamp.st_mtime_ns, stamp.st_size)
        software.note(*used)
        return table.copy()
    names = parquet.column_names(path)
    _check_header(contract(name), names, path)
    return parquet.read_columns(path, set(names if only is None else only))


@lru_cache(maxsize=64)
def _kept(name: str, whole: Path, path: str | Path, *stamp: int) -> tuple[pd.DataFrame, frozenset[str]]:
    """A small table, read once as long as its file is the same, and the distributions that reading it used."""
    with software.recording() as used:
        table = typed(name, read_text(name, path), path)
    return table, frozenset(used)


def read_text(name: str, path: str | Path) -> pd.DataFrame:
    """As :func:`read`, with every cell as it is written in the file."""
    _refuse_absent(path)
    try:
        table = _cells(Path(path), path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        _refuse(path, str(error).strip(), "a table with one header row", AGAIN)
    declared = contract(name)
    _check_header(declared, table.columns, path)
    return table if SIMULATED in declared.names else table.drop(columns=SIMULATED, errors="ignore")


def typed(name: str, table: pd.DataFrame, path: str | Path, remedy: str = AGAIN) -> pd.DataFrame:
    """Text cells to the kinds that a contract declares; ``path`` and ``remedy`` are named in errors."""
    known = [column for column in contract(name).columns if column.name in table]
    return table.assign(**{column.name: _typed(table, column, path, remedy) for column in known})


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
        The header is not that of the contract, or a cell is not what its column may hold.
    """
    blocks = [table] if isinstance(table, pd.DataFrame) else table
    if Path(path).suffix == ".parquet":
        parquet.write_parquet((_with_header(contract(name), block, path) for block in blocks), path)
    else:
        (whole,) = blocks
        text = as_text(name, whole, path, simulated=simulated)
        with whole_file(path) as temporary:
            temporary.write_bytes(for_people(text) if contract(name).for_people else text.encode())


def as_text(name: str, table: pd.DataFrame, path: str | Path = "", *, simulated: bool = False) -> str:
    """What :func:`write` writes to a CSV or TSV file."""
    declared = contract(name)
    path = path or declared.path
    table = _with_header(declared, table, path).copy(deep=False)
    for column in declared.columns:
        if column.kind in ("number", "whole") and column.name in table:
            with contextlib.suppress(TypeError, ValueError):  # refused below
                numbers = table[column.name].astype(float)
                table[column.name] = numbers.astype("Int64") if column.kind == "whole" else numbers
    if simulated and SIMULATED not in table:
        table = table.assign(**{SIMULATED: True})
    digits = f"%.{declared.digits}g" if declared.digits else None
    text = safe_frame(table).to_csv(sep=_separator(path), index=False, lineterminator="\n", float_format=digits)
    typed(name, _cells(io.StringIO(text), path), path, DECLARE)  # what is written can be read
    return text


def _separator(path: str | Path) -> str:
    return "\t" if Path(path).suffix == ".tsv" else ","


def _cells(source: Path | io.StringIO, path: str | Path) -> pd.DataFrame:
    return pd.read_csv(source, sep=_separator(path), dtype=str, keep_default_na=False, encoding="utf-8-sig")


def _with_header(declared: Contract, table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    _check_header(declared, table.columns, path, written=True)
    return table


def _check_header(declared: Contract, present: Collection[str], path: str | Path, *, written: bool = False) -> None:
    """Refuse a header that lacks a column; where it is written also one with other columns or in another order."""
    shown = f"the columns {', '.join(list(map(str, present))[:30])}{', …' * (len(present) > 30)}"
    missing = [name for name in declared.required if name not in present]
    if missing:
        _refuse(path, shown, f"also {', '.join(missing)}", DECLARE if written else AGAIN, missing[0])
    # with further columns the order is that of whoever brought them
    if not written or declared.others:
        return
    undeclared = [str(name) for name in present if name not in declared.names]
    if undeclared:
        found = f"a column that the contract '{declared.name}' does not declare"
        _refuse(path, found, ", ".join(declared.names), DECLARE, undeclared[0])
    if list(present) != [name for name in declared.names if name in present]:
        _refuse(path, shown, f"the order {', '.join(declared.names)}", DECLARE)


def _typed(table: pd.DataFrame, column: TableColumn, path: str | Path, remedy: str) -> pd.Series:
    """One column from text; refuse a cell that it may not hold."""
    cells = table[column.name]
    values, wrong, expected = cells, pd.Series(False, index=cells.index), "a number"
    if column.kind == "truth":
        values, wrong, expected = cells == "True", ~cells.isin(["True", "False"]), "True or False"
    elif column.kind in ("number", "whole"):
        # by Python's own parser, which finds the number that was written, to the last bit
        numbers = [_number(cell) for cell in cells]
        wrong = pd.Series([number is None for number in numbers], index=cells.index, dtype=bool)
        values = pd.Series(numbers, index=cells.index, dtype=float)
        if column.kind == "whole":
            empty = (cells == "") & column.empty
            wrong, expected = wrong | ~(empty | (values % 1 == 0)), "a whole number"
    if column.values:
        allowed = [*column.values, *([""] if column.kind == "text" else [])]
        wrong, expected = wrong | ~cells.isin(allowed), f"one of {', '.join(column.values)}"
    if wrong.any():
        first = table[wrong.to_numpy(dtype=bool)].iloc[0]
        patient = str(first["patient_id"]) if "patient_id" in table else None
        _refuse(path, f"'{first[column.name]}'", expected, remedy, column.name, patient)
    return values.astype("int64") if column.kind == "whole" and not column.empty else values


def _number(cell: str) -> float | None:
    """The number in a cell: NaN where it is empty, ``None`` where it holds something else."""
    try:
        return float(cell or "nan")
    except ValueError:
        return None


def _refuse_absent(path: str | Path) -> None:
    if not Path(path).is_file():
        _refuse(path, "no file", "a table of the run", "Run the step that makes it, or correct the path.")


def _refuse(
    path: str | Path, found: str, expected: str, remedy: str, column: str | None = None, patient: str | None = None
) -> NoReturn:
    raise TableError(file=path, found=found, expected=expected, remedy=remedy, column=column, patient=patient)
