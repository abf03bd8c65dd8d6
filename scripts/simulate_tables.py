"""Write a simulated cohort's participants, manifest and planted truth."""

from pathlib import Path

from her2radiomics.engine.script import logged, settings_from
from her2radiomics.simulation import SimulationSettings, roster, write_tables


def main(snakemake):
    settings = settings_from(SimulationSettings, snakemake.params.simulation)
    size, seed, strength = snakemake.params.size, snakemake.params.seed, snakemake.params.strength
    made = roster(settings, size=size, seed=seed, strength=strength)
    write_tables(made, settings, Path(snakemake.output.registered).parent)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
