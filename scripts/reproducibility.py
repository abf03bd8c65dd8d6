"""Gather what the models' training found about the agreement between readers."""

import pandas as pd

from her2radiomics.core.tables import read_table, write_table
from her2radiomics.engine.script import logged


def main(snakemake):
    tables = {
        name: read_table(file) for name, file in zip(snakemake.params.models, snakemake.input, strict=True)
    }
    assessed = [table.assign(model=name) for name, table in tables.items() if len(table)]
    gathered = pd.concat(assessed or [table.assign(model="") for table in tables.values()])
    first = ["model", "feature"]
    write_table(gathered[first + [name for name in gathered if name not in first]], snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
