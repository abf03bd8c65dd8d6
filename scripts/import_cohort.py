"""Write a real cohort in our own form: participants, manifest and, where the user brings them, features."""

from pathlib import Path

from her2radiomics.cohort.settings import Cohort
from her2radiomics.cohort.sources import read_cohort, write_cohort
from her2radiomics.engine.script import logged, settings_from


def main(snakemake):
    cohort = settings_from(Cohort, snakemake.params.cohort)
    data = read_cohort(cohort, Path(snakemake.params.root))
    write_cohort(data, Path(snakemake.output.registered).parent, snakemake.params.columns)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
