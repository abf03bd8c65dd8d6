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
    with pa.parquet.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name in wanted]
        # pandas and Arrow's data sets look through a schema of thousands of columns several times
        return file.read(names, use_threads=False).to_pandas()


def write_parquet(table: pd.DataFrame | Iterable[pd.DataFrame], path: str | Path) -> None:
    """Write a Parquet file under a temporary name and rename it; the same table gives the same bytes.

    A table may come in blocks of rows, each of which becomes a row group: no more than one is held in memory.
    """
    blocks = iter([table]) if isinstance(table, pd.DataFrame) else iter(table)
    first = pa.Table.from_pandas(next(blocks), preserve_index=False)
    with whole_file(path) as temporary, _writer(temporary, first.schema) as writer:
        writer.write_table(first)
        del first
        for block in blocks:
            writer.write_table(pa.Table.from_pandas(block, schema=writer.schema, preserve_index=False))


def write_parquet_rows(source: str | Path, path: str | Path, patients: Iterable[str]) -> None:
    """Write the rows of these patients of another Parquet file, a row group at a time."""
    wanted = pa.array(sorted(patients), pa.string())
    with pa.parquet.ParquetFile(source) as file, whole_file(path) as temporary:
        with _writer(temporary, file.schema_arrow) as writer:
            for number in range(file.num_row_groups):
                rows = file.read_row_group(number, use_threads=False)
                rows = rows.filter(pa.compute.is_in(rows["patient_id"], wanted))
                if len(rows):
                    writer.write_table(rows)


def _writer(path: Path, schema: pa.Schema) -> pa.parquet.ParquetWriter:
    """Measured numbers hardly repeat: dictionaries, compression and statistics of them take time and spare no space."""
    texts = [field.name for field in schema if not pa.types.is_floating(field.type)]
    compression = {field.name: "zstd" if field.name in texts else "none" for field in schema}
    return pa.parquet.ParquetWriter(path, schema, compression=compression, use_dictionary=texts, write_statistics=False)
