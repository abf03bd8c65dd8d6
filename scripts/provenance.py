"""Record what made a run: the only results that may differ between two runs of the same input."""

from her2radiomics.core.files import write_text
from her2radiomics.engine.script import logged
from her2radiomics.record.provenance import record


def main(snakemake):
    write_text(record(snakemake.params.run, snakemake.input), snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
