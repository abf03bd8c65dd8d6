"""Write one partition's participants and features: the only rows that a job on this partition sees."""

import pandas as pd

from her2radiomics.script import logged, read_table, write_parquet, write_table


def main(snakemake):
    participants = read_table(snakemake.input.participants)
    chosen = participants[participants["partition"] == snakemake.wildcards.partition]
    features = pd.read_parquet(snakemake.input.features)
    write_table(chosen, snakemake.output.participants)
    write_parquet(features[features["patient_id"].isin(chosen["patient_id"])], snakemake.output.features)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
