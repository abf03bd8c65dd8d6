"""Make one simulated patient's images and masks."""

from pathlib import Path

from her2radiomics.script import logged, settings_from
from her2radiomics.simulation import SimulationSettings, simulate_patient


def main(snakemake):
    simulate_patient(
        settings_from(SimulationSettings, snakemake.params.simulation),
        size=snakemake.params.size,
        seed=snakemake.params.seed,
        patient_id=snakemake.wildcards.patient,
        folder=Path(snakemake.output[0]).parents[2],  # <cohort>/images/<patient>/<file>
    )


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
