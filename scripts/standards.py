"""Write how every feature of the run's parameter files relates to IBSI-1."""

from dataclasses import asdict
from pathlib import Path

from her2radiomics.core.tables import assemble, write
from her2radiomics.engine.script import logged
from her2radiomics.extraction import read_parameters
from her2radiomics.extraction.ibsi import standings


def main(snakemake):
    rows = [
        {"parameters": Path(file).stem, **asdict(item)}
        for file in snakemake.input
        for item in standings(read_parameters(file), bins_from_low=Path(file).stem in snakemake.params.bins_from_low)
    ]
    write("ibsi", assemble("ibsi", rows), snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
