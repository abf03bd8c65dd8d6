"""Join the cases to the cohort's feature table and quality-control table."""

from her2radiomics.extraction import merge
from her2radiomics.script import logged, write_parquet, write_table


def main(snakemake):
    merged = merge(snakemake.input.features, snakemake.input.qc, sequences=snakemake.params.sequences)
    write_parquet(merged.features, snakemake.output.features)
    write_table(merged.qc, snakemake.output.qc, simulated=snakemake.params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
