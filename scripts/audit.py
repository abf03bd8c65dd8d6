"""Arithmetic checks on the numbers that a study's paper prints."""

from pathlib import Path

from her2radiomics.audit.files import write
from her2radiomics.audit.paper import audit, read_audit
from her2radiomics.engine.script import logged


def main(snakemake):
    paper = read_audit(snakemake.input.paper)
    write(paper, audit(paper), Path(snakemake.output.csv).with_suffix(""))


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
