"""Write one partition's participants and features: the only rows that a job on this partition sees."""

from her2radiomics.core.parquet import write_parquet_rows
from her2radiomics.core.tables import read, write
from her2radiomics.engine.script import logged


def main(snakemake):
    output = snakemake.output
    participants = read("participants", snakemake.input.participants)
    chosen = participants[participants["partition"] == snakemake.wildcards.partition]
    write("partition_participants", chosen, output.partition_participants, simulated=snakemake.params.simulated)
    write_parquet_rows(snakemake.input.features, output.partition_features, chosen["patient_id"])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
