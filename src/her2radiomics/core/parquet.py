"""Parquet files: written whole, a row group at a time, and read column by column."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from her2radiomics.core.files import whole_file
from her2radiomics.core.libraries import pa, pd


def column_names(path: str | Path) -> list[str]:
    """Names of the columns of a Parquet file, without reading its rows."""
    return pa.parquet.read_schema(path).names


def read_columns(path: str | Path, wanted: Collection[str]) -> pd.DataFrame:
    """Read those of the wanted columns that a Parquet file has, in the file's order."""
    return pd.read_parquet(path, columns=[name for name in column_names(path) if name in wanted])


def write_parquet(table: pd.DataFrame | Iterable[pd.DataFrame], path: str | Path) -> None:
    """Write a Parquet file under a temporary name and rename it; the same table gives the same bytes.

    A table may come in blocks of rows, each of which becomes a row group: no more than one is held in memory.
    """
    blocks = iter([table]) if isinstance(table, pd.DataFrame) else iter(table)
    first = pa.Table.from_pandas(next(blocks), preserve_index=False)
    with whole_file(path) as temporary, pa.parquet.ParquetWriter(temporary, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        del first
        for block in blocks:
            writer.write_table(pa.Table.from_pandas(block, schema=writer.schema, preserve_index=False))


def write_parquet_rows(source: str | Path, path: str | Path, patients: Iterable[str]) -> None:
    """Write the rows of these patients of another Parquet file, a row group at a time."""
    wanted = pa.array(sorted(patients), pa.string())
    with pa.parquet.ParquetFile(source) as file, whole_file(path) as temporary:
        with pa.parquet.ParquetWriter(temporary, file.schema_arrow, compression="zstd") as writer:
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number)
                rows = rows.filter(pa.compute.is_in(rows["patient_id"], wanted))
                if len(rows):
                    writer.write_table(rows)
