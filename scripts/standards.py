"""Write how every feature of the run's parameter files stands to IBSI-1."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from her2radiomics.extraction import read_parameters
from her2radiomics.extraction.ibsi import standings
from her2radiomics.script import logged, write_table


def main(snakemake):
    rows = [
        {"parameters": Path(file).stem, **asdict(item)}
        for file in snakemake.input
        for item in standings(read_parameters(file))
    ]
    write_table(pd.DataFrame(rows), snakemake.output[0])


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
