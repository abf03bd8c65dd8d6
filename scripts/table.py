"""Make one table: CSV, HTML, LaTeX and Word."""

from pathlib import Path

from her2radiomics.engine.jobs.manuscript import table_from, table_inputs_from
from her2radiomics.engine.script import logged
from her2radiomics.manuscript.tables import render


def main(snakemake):
    params = snakemake.params
    inputs = table_inputs_from(params.inputs, params.study, params.columns, params.outcome)
    render(table_from(params.table), inputs, Path(snakemake.output.csv).with_suffix(""))


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
