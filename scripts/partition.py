"""Write one partition's participants and features: the only rows that a job on this partition sees."""

from her2radiomics.script import logged, parquet_blocks, read_table, write_parquet, write_table


def rows_of(patients, path):
    """The patients' rows, block by block; one block without rows where they have none."""
    written = False
    for block in parquet_blocks(path):
        chosen = block[block["patient_id"].isin(patients)]
        if len(chosen):
            written = True
            yield chosen
    if not written:
        yield chosen


def main(snakemake):
    participants = read_table(snakemake.input.participants)
    chosen = participants[participants["partition"] == snakemake.wildcards.partition]
    write_table(chosen, snakemake.output.participants)
    write_parquet(rows_of(set(chosen["patient_id"]), snakemake.input.features), snakemake.output.features)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
