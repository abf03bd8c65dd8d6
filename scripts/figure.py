"""Draw figures: SVG, PDF, PNG and the CSV of the numbers drawn; or one of them as TIFF or EPS."""

from functools import partial
from pathlib import Path

from her2radiomics.core.layout import path_of
from her2radiomics.engine.jobs.manuscript import example_images, figure_from, figure_inputs_from, made_from
from her2radiomics.engine.jobs.pieces import Piece, make_pieces
from her2radiomics.engine.script import logged
from her2radiomics.manuscript.figures import render, render_for_print


def main(snakemake):
    params = snakemake.params
    about = {"run": params.run, "protocol": params.run.split("--")[0]}

    def draw(name, given, folder):
        images = example_images(given["examples"], params.study, path_of("qc", run=params.run))
        inputs = figure_inputs_from(given["inputs"], params.study, images)
        figure, metadata = figure_from(given["settings"]), made_from(given["files"]) | about
        if (file := Path(folder)).suffix in (".tiff", ".eps"):
            render_for_print(figure, inputs, file, metadata=metadata)
        else:
            render(figure, inputs, file / name, metadata=metadata)

    if "figure" in snakemake.wildcards.keys():
        name = snakemake.wildcards.figure
        draw(name, params.figures[name], snakemake.output[0])
        return
    pieces = [
        Piece(name, snakemake.output[name], given["files"], [given, params.study, about], partial(draw, name, given))
        for name, given in params.figures.items()
    ]
    make_pieces(pieces, "figures", snakemake)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
