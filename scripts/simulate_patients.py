"""Make some simulated patients' images and masks."""

from pathlib import Path

from her2radiomics.script import logged, settings_from
from her2radiomics.simulation import SimulationSettings, simulate_patient


def main(snakemake):
    settings = settings_from(SimulationSettings, snakemake.params.simulation)
    # <cohort>/images/<patient>/<file>: named by the outputs, so that another size of batch makes nothing anew
    folders = dict.fromkeys(Path(path).parent for path in snakemake.output)
    for folder in folders:
        simulate_patient(
            settings,
            size=snakemake.params.size,
            seed=snakemake.params.seed,
            patient_id=folder.name,
            folder=folder.parents[1],
        )


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
