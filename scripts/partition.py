"""Write one partition's participants and features: the only rows that a job on this partition sees."""

from her2radiomics.core.parquet import write_parquet_rows
from her2radiomics.core.tables import read_table, write_table
from her2radiomics.engine.script import logged


def main(snakemake):
    participants = read_table(snakemake.input.participants)
    chosen = participants[participants["partition"] == snakemake.wildcards.partition]
    write_table(chosen, snakemake.output.participants)
    write_parquet_rows(snakemake.input.features, snakemake.output.features, chosen["patient_id"])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
