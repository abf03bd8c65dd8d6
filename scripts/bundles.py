"""Pack all figures and all tables of a run, each as one ZIP."""

from her2radiomics.core.archives import write_zip
from her2radiomics.engine.script import logged


def main(snakemake):
    run = snakemake.wildcards.run
    write_zip(snakemake.input.figures, snakemake.output.all_figures, f"{run}_figures")
    write_zip(snakemake.input.tables, snakemake.output.all_tables, f"{run}_tables")


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
