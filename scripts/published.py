"""Set the numbers that the paper prints beside the run's."""

from pathlib import Path

from her2radiomics.core.columns import columns_from
from her2radiomics.engine.script import logged, settings_from, write_tables
from her2radiomics.manuscript.names import Names
from her2radiomics.manuscript.published import PublishedNumber, Results, published_table


def main(snakemake):
    params = snakemake.params
    numbers = [settings_from(PublishedNumber, number) for number in params.numbers]
    results = Results(Path(params.folder), Names(columns_from(params.columns), **params.names))
    table = published_table(numbers, results, simulated=params.simulated)
    write_tables({"published": table}, snakemake.output, simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
