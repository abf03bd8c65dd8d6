"""What the scripts behind the rules share: logging, settings from parameters, tables in and out."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from her2radiomics import records
from her2radiomics.errors import StudyError
from her2radiomics.files import FULL, DiskFullError, whole_file
from her2radiomics.settings import Settings, validate

if TYPE_CHECKING:
    import pandas as pd

Model = TypeVar("Model", bound=Settings)


@contextlib.contextmanager
def logged(snakemake: Any, unlisted: Iterable[str] = ()) -> Iterator[None]:
    """Run a script: its inputs are whole and stay the same, its outputs are recorded, what it prints goes to its log.

    ``unlisted`` are files that the script reads; those that the rule does not list as inputs are watched alike. An error
    that the user can mend is said in words, without a traceback. Where the log cannot be written either (a full disk), it
    is said on the terminal.

    Raises
    ------
    SystemExit
        The script failed; the log says why.
    """
    said = ""
    try:
        log = Path(str(snakemake.log))
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as stream:
            with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
                try:
                    records.forget(snakemake.output)
                    records.check_inputs(snakemake.input)
                    watch = records.Watch(snakemake.input)
                    others = records.Watch(path for path in unlisted if path not in watch.stamps)
                    yield
                    watch.check()
                    others.check()
                    records.write_records(snakemake.output, watch.stamps, others.stamps)
                except Exception as error:
                    said = _in_words(error)
                    print(said)
    except OSError as error:
        print(f"{said}\n{_in_words(error)}" if said else _in_words(error), file=sys.stderr)
        said = said or str(error)
    if said:
        sys.exit(1)


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in FULL:
        error = DiskFullError(error.filename or Path.cwd() / "results")
    if isinstance(error, StudyError):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error))


def settings_from(model: type[Model], content: Mapping[str, Any]) -> Model:
    """Settings from a rule's parameter."""
    return validate(model, dict(content), "parameters of the rule")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read one of our own tables (CSV or TSV) as text; empty cells are empty text."""
    import pandas as pd

    separator = "\t" if str(path).endswith(".tsv") else ","
    return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)


def write_table(table: pd.DataFrame, path: str | Path, *, simulated: bool = False) -> None:
    """Write a CSV under a temporary name and rename it; numbers keep their full precision, text is no formula.

    A table made from simulated patients says so in a last column, ``simulated``.
    """
    from her2radiomics.cells import safe_frame

    marked = table.assign(simulated=True) if simulated and "simulated" not in table else table
    with whole_file(path) as temporary:
        safe_frame(marked).to_csv(temporary, index=False, lineterminator="\n")


def write_parquet(table: pd.DataFrame | Iterable[pd.DataFrame], path: str | Path) -> None:
    """Write a Parquet file under a temporary name and rename it; the same table gives the same bytes.

    A table may come in blocks of rows, each of which becomes a row group: no more than one is held in memory.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    blocks = iter([table]) if isinstance(table, pd.DataFrame) else iter(table)
    first = pa.Table.from_pandas(next(blocks), preserve_index=False)
    with (
        whole_file(path) as temporary,
        pq.ParquetWriter(temporary, first.schema, compression="zstd") as writer,
    ):
        writer.write_table(first)
        del first
        for block in blocks:
            writer.write_table(pa.Table.from_pandas(block, schema=writer.schema, preserve_index=False))


def write_parquet_rows(source: str | Path, path: str | Path, patients: Iterable[str]) -> None:
    """Write the rows of these patients of another Parquet file, a row group at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = pa.array(sorted(patients), pa.string())
    with pq.ParquetFile(source) as file, whole_file(path) as temporary:
        with pq.ParquetWriter(temporary, file.schema_arrow, compression="zstd") as writer:
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number)
                rows = rows.filter(pc.is_in(rows["patient_id"], wanted))
                if len(rows):
                    writer.write_table(rows)


def write_text(text: str, path: str | Path) -> None:
    """Write a text under a temporary name and rename it."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
