"""Draw one figure: SVG, PDF, PNG, and the CSV of the numbers drawn."""

from pathlib import Path

from her2radiomics.core.layout import path_of
from her2radiomics.engine.jobs.manuscript import example_images, figure_from, figure_inputs_from, made_from
from her2radiomics.engine.script import logged
from her2radiomics.manuscript.figures import render


def main(snakemake):
    params = snakemake.params
    run = snakemake.wildcards.run  # begins with the protocol's id
    images = example_images(params.examples, params.study, path_of("qc", run=run))
    inputs = figure_inputs_from(params.inputs, params.study, images)
    stem = Path(snakemake.output.svg).with_suffix("")
    about = made_from(snakemake.input) | {"run": run, "protocol": run.split("--")[0]}
    render(figure_from(params.figure), inputs, stem, metadata=about)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
