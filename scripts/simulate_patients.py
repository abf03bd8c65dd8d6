"""Make some simulated patients' images and masks."""

from pathlib import Path

from her2radiomics.engine.script import logged, settings_from
from her2radiomics.simulation import SimulationSettings, simulate_patient


def main(snakemake):
    settings = settings_from(SimulationSettings, snakemake.params.simulation)
    # <cohort>/images/<patient>/<file>: named by the outputs, so that another size of batch makes nothing anew
    patients = {path.parent.name: path.parents[2] for path in map(Path, snakemake.output)}
    for patient, cohort in patients.items():
        simulate_patient(
            settings, size=snakemake.params.size, seed=snakemake.params.seed, patient_id=patient, folder=cohort
        )


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
