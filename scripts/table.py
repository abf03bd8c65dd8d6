"""Make tables: CSV, HTML, LaTeX and Word."""

from functools import partial

from her2radiomics.engine.jobs.manuscript import table_from, table_inputs_from
from her2radiomics.engine.jobs.pieces import Piece, make_pieces
from her2radiomics.engine.script import logged
from her2radiomics.manuscript.tables import render


def main(snakemake):
    params = snakemake.params

    def tabulate(name, given, folder):
        inputs = table_inputs_from(given["inputs"], params.study, params.columns, params.outcome)
        render(table_from(given["settings"]), inputs, folder / name)

    shared = [params.study, params.columns, params.outcome]
    pieces = [
        Piece(name, snakemake.output[name], given["files"], [given, *shared], partial(tabulate, name, given))
        for name, given in params.tables.items()
    ]
    make_pieces(pieces, "tables", snakemake)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
