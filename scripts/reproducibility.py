"""Gather what the models' training found about the agreement between readers."""

from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import read, write
from her2radiomics.engine.script import logged


def main(snakemake):
    tables = [
        read("reproducibility", file).assign(model=name)
        for name, file in zip(snakemake.params.models, snakemake.input, strict=True)
    ]
    gathered = pd.concat([table for table in tables if len(table)] or tables)
    first = ["model", "feature"]
    gathered = gathered[first + [name for name in gathered if name not in first]]
    write("features_reproducibility", gathered, snakemake.output[0], simulated=snakemake.params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
