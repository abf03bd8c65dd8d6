"""Measure some patients' columns from their images. What cannot be measured is recorded with the reason, not raised."""

from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.core.columns import Column
from her2radiomics.engine.jobs.attempts import Attempt
from her2radiomics.engine.jobs.measuring import Measuring
from her2radiomics.engine.script import logged, settings_from


def main(snakemake, job):
    # run by hand, the script shares its process with Snakemake's plan
    memory = None if getattr(snakemake, "by_hand", False) else snakemake.resources.get("mem_mb")
    attempt = Attempt(snakemake.resources.attempt, snakemake.params.attempts, memory)
    computed = job.run(attempt, table=snakemake.output.batch_measured)
    print(f"{len(computed)} of {len(job.cases)} patients were measured; the others were in the store")


params = snakemake.params  # noqa: F821
job = Measuring(
    {patient: [ManifestRow.of(row) for row in rows] for patient, rows in params.cases.items()},
    {name: settings_from(Column, column) for name, column in params.columns.items()},
    params.reader,
    params.resampled,
    params.simulated,
)
# the images of a brought cohort are no inputs of the rule
with logged(snakemake, job.files()):  # noqa: F821
    main(snakemake, job)  # noqa: F821
