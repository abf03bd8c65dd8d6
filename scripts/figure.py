"""Draw one figure: SVG, PDF, PNG and the CSV of the numbers drawn, or TIFF or EPS."""

from pathlib import Path

from her2radiomics.core.layout import path_of
from her2radiomics.engine.jobs.manuscript import example_images, figure_from, figure_inputs_from, made_from
from her2radiomics.engine.script import logged
from her2radiomics.manuscript.figures import render, render_for_print


def main(snakemake):
    params = snakemake.params
    run = snakemake.wildcards.run  # begins with the protocol's id
    images = example_images(params.examples, params.study, path_of("qc", run=run))
    inputs = figure_inputs_from(params.inputs, params.study, images)
    about = made_from(snakemake.input) | {"run": run, "protocol": run.split("--")[0]}
    first = Path(snakemake.output[0])
    if first.suffix == ".svg":
        render(figure_from(params.figure), inputs, first.with_suffix(""), metadata=about)
    else:
        render_for_print(figure_from(params.figure), inputs, first, metadata=about)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
