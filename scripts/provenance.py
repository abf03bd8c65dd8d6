"""Record what made a run: the only results that may differ between two runs of the same input."""

from her2radiomics.provenance import record
from her2radiomics.script import logged, write_text


def main(snakemake):
    write_text(record(snakemake.params.run, snakemake.input), snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
