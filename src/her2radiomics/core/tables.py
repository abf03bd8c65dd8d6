"""Tables in and out of files: as text, at full precision, whole or not there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from her2radiomics.core.files import whole_file

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: str | Path) -> pd.DataFrame:
    """Read one of our own tables (CSV or TSV) as text; empty cells are empty text."""
    import pandas as pd

    separator = "\t" if str(path).endswith(".tsv") else ","
    return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)


def write_table(table: pd.DataFrame, path: str | Path, *, simulated: bool = False) -> None:
    """Write a CSV under a temporary name and rename it; numbers keep their full precision, text is no formula.

    A table made from simulated patients says so in a last column, ``simulated``.
    """
    from her2radiomics.core.spreadsheets import safe_frame

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
